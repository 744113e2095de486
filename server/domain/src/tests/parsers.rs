//! What people and machines type and send to the rules, changed by chance (S-28). Parsers that nothing outside their room
//! sees are tried there: `passkeys`, `exchange`, files of values, templates.

use keywarden_garble::{again, texts, words};
use keywarden_model::SecretKind;
use keywarden_vault::SecretBytes;

use crate::audit::{self, Tally};
use crate::authz::Owner;
use crate::keys::{Order, UnusedDays};
use crate::roles::Holder;
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{Later, Mark, NewValue, Only, ShareLife, Standing};
use crate::typed;

#[test]
fn words_of_doors() {
    words::<FileFormat>(&FileFormat::ALL.map(FileFormat::as_str));
    words::<UnusedDays>(&["1", "90", "3650"]);
    words::<Mark>(&["evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB", "evt_01JDB2W1N9F6Q3R8T5V7X9Z0AB.1800000000000000"]);
    texts(&["folders", "json"], |text| {
        assert_eq!(text.parse::<Nested>().is_ok(), ["folders", "json"].contains(&text));
    });
    texts(&["1h", "24h", "7d"], |text| again(text, str::parse::<ShareLife>, |it| it.as_str().to_owned()));
    texts(&["leave", "delete"], |text| again(text, str::parse::<Later>, |it| it.as_str().to_owned()));
    texts(&["expiring", "there"], |text| again(text, str::parse::<Standing>, |it| it.as_str().to_owned()));
    texts(&["created", "last-used", "name", "missing"], |text| {
        assert!(Order::parse(text).is_none_or(|it| it.as_str() == text), "{text:?}");
        assert!(Only::parse(text).is_none_or(|it| it.as_str() == text), "{text:?}");
    });
    let people = [
        "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "team_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
    ];
    texts(&people, |text| {
        assert!(Owner::parse(text).is_none_or(|it| it.to_string() == text), "{text:?}");
        assert!(Holder::parse(text).is_none_or(|it| it.to_string() == text), "{text:?}");
    });
}

#[test]
fn marks_in_files_of_events() {
    let mut tally = Tally::default();
    tally.add(b"{}");
    texts(&[&tally.mark().to_line(), "{\"mark\":{\"events\":0,\"sha256\":\"\"}}"], |text| {
        if let Some(mark) = audit::Mark::read(text.as_bytes()) {
            // What a file may say of itself is no line, and not long.
            assert!(text != tally.mark().to_line() || tally.misfit(&mark).is_none(), "{text:?}");
        }
    });
}

#[test]
fn codes_that_are_typed() {
    texts(&["7K2QFM-9XM4TB-01C0DE-ABCDEF", " 7k2qfm 9xm4tb oicode abcdef\n"], |text| {
        if let Some(code) = typed::read(text, 24) {
            assert_eq!(typed::read(code.expose(), 24).unwrap().expose(), code.expose(), "{text:?}");
            assert_eq!(typed::read(typed::grouped(&code, 6).expose(), 24).unwrap().expose(), code.expose());
        }
    });
}

#[test]
fn values_of_each_kind() {
    texts(&[r#"{"a":[1,"é",null]}"#, "text", "\u{0}"], |text| {
        for kind in [SecretKind::Text, SecretKind::Json, SecretKind::Binary] {
            drop(NewValue::new(kind, None, SecretBytes::copy_of(text.as_bytes())));
        }
    });
}
