//! What a text may be at most, looked at before anything takes it apart: Cedar's parser, validator and evaluator go down
//! into what is nested, one frame of the stack for each level.

use super::TextError;

/// Bytes of a policy's text.
pub const LONGEST: usize = 16 * 1024;
/// Brackets within brackets.
const DEEPEST: usize = 24;
/// Operators, accesses, branches and calls: each may be one level of what Cedar makes of the text.
const MOST: usize = 150;

/// Refuses what is too long, too deeply nested or made of too many pieces; one walk over the text.
pub(crate) fn within(text: &str) -> Result<(), TextError> {
    if text.len() > LONGEST {
        return Err(TextError::at(text, 0, "this is longer than the 16 KiB that a policy may have"));
    }
    if let Some(at) = text.find('\0') {
        return Err(TextError::at(text, at, "remove this NUL"));
    }
    let (mut depth, mut pieces) = (0_usize, 0_usize);
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
