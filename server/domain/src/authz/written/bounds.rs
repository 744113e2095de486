//! What a text may be at most, looked at before anything takes it apart: Cedar's parser, validator and evaluator go down
//! into what is nested, one frame of the stack for each level.

use super::TextError;

/// Bytes of a policy's text.
pub const LONGEST: usize = 16 * 1024;
/// Brackets within brackets.
const DEEPEST: usize = 24;
/// Operators, accesses, branches and calls: each may be one level of what Cedar makes of the text.
const MOST: usize = 150;
/// Commas: the two of every policy, and those between five hundred things. Each thing is looked at for every action and kind of
/// thing that the policy is about.
const LISTED: usize = 501;

/// Refuses what is too long, too deeply nested or made of too many pieces; one walk over the text.
pub(crate) fn within(text: &str) -> Result<(), TextError> {
    if text.len() > LONGEST {
        return Err(TextError::at(text, 0, "this is longer than the 16 KiB that a policy may have"));
    }
    if let Some(at) = text.find('\0') {
        return Err(TextError::at(text, at, "remove this NUL"));
    }
    if let Some((at, _)) = text.char_indices().find(|(_, it)| is_unseen(*it)) {
        let says = "remove this character, which cannot be seen: inside quotes it can be written as `\\u{…}`";
        return Err(TextError::at(text, at, says));
    }
    let (mut depth, mut pieces, mut listed) = (0_usize, 0_usize, 0_usize);
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => {
                while let Some((_, inner)) = rest.next() {
                    match inner {
                        '\\' => {
                            rest.next();
                        }
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '/' if rest.next_if(|(_, next)| *next == '/').is_some() => {
                while rest.next_if(|(_, next)| *next != '\n').is_some() {}
            }
            '(' | '[' | '{' => {
                depth = depth.saturating_add(1);
                if depth > DEEPEST {
                    let says =
                        "this is nested too deeply: a policy has at most 24 brackets within each other";
                    return Err(TextError::at(text, at, says));
                }
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '&' | '|' => {
                rest.next_if(|(_, next)| *next == c);
                pieces = pieces.saturating_add(1);
            }
            ',' => {
                listed = listed.saturating_add(1);
                if listed > LISTED {
                    let says = "this lists too much for one policy: name a team, a group of actions or a project instead";
                    return Err(TextError::at(text, at, says));
                }
            }
            '!' | '-' | '+' | '*' | '.' | '<' | '>' | '=' | '@' | '?' => pieces = pieces.saturating_add(1),
            _ if c.is_alphabetic() || c == '_' => {
                let mut word = String::from(c);
                while let Some((_, next)) = rest.next_if(|(_, next)| next.is_alphanumeric() || *next == '_') {
                    word.push(next);
                }
                let counts = matches!(word.as_str(), "if" | "in" | "has" | "like" | "is" | "when" | "unless");
                pieces = pieces.saturating_add(usize::from(counts));
            }
            _ => {}
        }
        if pieces > MOST {
            let says = "this has too many conditions for one policy: split it into several";
            return Err(TextError::at(text, at, says));
        }
    }
    Ok(())
}

/// What cannot be seen, or turns around what is beside it: two texts that read alike would not be the same.
fn is_unseen(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let hides = matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2065}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    turns || hides || (letter.is_control() && !matches!(letter, '\n' | '\r' | '\t'))
}
