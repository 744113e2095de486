//! Help texts are read by tired people: no file of the catalogue asks for more than nine years of school (the bar U-09),
//! and none of its sentences for much more.
//!
//! Measured as the Flesch–Kincaid grade (Kincaid et al. 1975): 0.39 words a sentence + 11.8 syllables a word − 15.59.

use std::fs;
use std::path::Path;

/// What a file's help texts may ask for.
const GRADE: f64 = 9.0;
/// What one text may, if it is so long that a single name does not decide it.
const HARD: f64 = 12.0;
const LONG: u32 = 12;

/// The endings of names of texts that explain.
const HELPS: [&str; 5] = ["_why", "_hint", "_lead", "_may", "_means"];

#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Reading {
    words: u32,
    sentences: u32,
    syllables: u32,
}

impl Reading {
    fn of(text: &str) -> Self {
        let words: Vec<_> =
            text.split_whitespace().filter(|word| word.contains(char::is_alphabetic)).collect();
        let ends = text.split_whitespace().filter(|word| word.ends_with(['.', ':', ';', '?', '!'])).count();
        Self {
            words: u32::try_from(words.len()).unwrap(),
            sentences: u32::try_from(ends).unwrap().max(1),
            syllables: words.into_iter().map(syllables).sum(),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            words: self.words + other.words,
            sentences: self.sentences + other.sentences,
            syllables: self.syllables + other.syllables,
        }
    }

    fn grade(self) -> f64 {
        let (words, sentences) = (f64::from(self.words), f64::from(self.sentences));
        0.39 * words / sentences + 11.8 * f64::from(self.syllables) / words - 15.59
    }
}

/// Groups of vowels, without the silent `e` at the end: right for nine English words of ten.
fn syllables(word: &str) -> u32 {
    let word: String = word.to_lowercase().chars().filter(char::is_ascii_alphabetic).collect();
    let silent = ["es", "ed", "e"].into_iter().find_map(|end| {
        let stem = word.strip_suffix(end)?;
        (!stem.is_empty() && !stem.ends_with(['a', 'e', 'i', 'o', 'u', 'y', 'l'])).then_some(stem)
    });
    let mut groups = 0;
    let mut before = false;
    for letter in silent.unwrap_or(&word).chars() {
        let vowel = "aeiouy".contains(letter);
        groups += u32::from(vowel && !before);
        before = vowel;
    }
    groups.max(1)
}

/// Name and first wording of each text in a file of the catalogue.
pub(super) fn texts(source: &str) -> impl Iterator<Item = (&str, &str)> {
    source.lines().filter_map(|line| {
        let (name, rest) = line.trim().split_once(" = \"")?;
        let name = name.split('(').next()?;
        let text = rest.split("\" | \"").next()?.trim_end_matches("\";");
        name.chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_')
            .then_some((name, text))
    })
}

#[test]
fn help_texts_ask_for_no_more_than_nine_years_of_school() {
    let mut files = 0;
    let mut hard = Vec::new();
    for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/text")).unwrap() {
        let file = file.unwrap().path();
        let source = fs::read_to_string(&file).unwrap();
        let helps: Vec<_> =
            texts(&source).filter(|(name, _)| HELPS.iter().any(|end| name.ends_with(end))).collect();
        if helps.is_empty() {
            continue;
        }
        files += 1;
        let whole = helps.iter().map(|(_, text)| Reading::of(text)).fold(Reading::default(), Reading::and);
        if whole.grade() > GRADE {
            hard.push(format!("{}: {:.1}", file.display(), whole.grade()));
        }
        let long = helps.iter().map(|(name, text)| (name, Reading::of(text)));
        let long = long.filter(|(_, it)| it.words >= LONG && it.grade() > HARD);
        hard.extend(long.map(|(name, it)| format!("{name}: {:.1}", it.grade())));
    }
    assert!(files > 20, "only {files} files have help texts: has the catalogue moved?");
    assert!(hard.is_empty(), "too hard to read: {hard:#?}");
}

#[test]
fn what_is_hard_to_read_is_seen() {
    let plain = Reading::of("Give the key a name. You will see it in lists.");
    assert_eq!(plain, Reading { words: 11, sentences: 2, syllables: 11 });
    let hard = "Subsequent invalidation of authorization necessitates cryptographic reinitialization.";
    assert!(plain.grade() < 3.0 && Reading::of(hard).grade() > 20.0);
    assert_eq!(["make", "able", "keys", "rotated", "a"].map(syllables), [1, 2, 1, 2, 1]);
}

#[test]
fn a_files_texts_are_found() {
    let source =
        "    one_why = \"Because.\";\n    n_hint(n: u64) = \"{n} key\" | \"{n} keys\";\n    let x = 1;";
    assert_eq!(texts(source).collect::<Vec<_>>(), [("one_why", "Because."), ("n_hint", "{n} key")]);
}
