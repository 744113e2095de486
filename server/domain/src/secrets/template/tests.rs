use keywarden_model::secret::FieldPath;
use keywarden_vault::SecretBytes;
use proptest::prelude::*;

use super::{MOST_REFERENCES, Piece, Template, TemplateError, Unresolved, field};

/// The text that a template was taken out of.
fn written(template: &Template<'_>) -> String {
    template
        .pieces()
        .iter()
        .map(|piece| match piece {
            Piece::Reference(reference) => format!("${{{reference}}}"),
            Piece::Text("${") => "$${".to_owned(),
            Piece::Text(text) => (*text).to_owned(),
        })
        .collect()
}

/// Text as it is, references in angles.
fn shown(text: &str) -> Result<String, TemplateError> {
    let template = Template::parse(text)?;
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Reference(reference) => format!("<{reference}>"),
        Piece::Text(text) => (*text).to_owned(),
    };
    Ok(template.pieces().iter().map(piece).collect())
}

#[test]
fn a_text_is_taken_apart_at_its_references() {
    for (text, wanted) in [
        ("", ""),
        ("plain $ { } $$ ${", "!"),
        ("${pay/live/a}", "<pay/live/a>"),
        ("x${pay/live/a/b#c.d}y${pay/test/e}", "x<pay/live/a/b#c.d>y<pay/test/e>"),
        ("$${pay/live/a}", "${pay/live/a}"),
        ("$$${pay/live/a}", "$${pay/live/a}"),
        ("${pay/live/a}$${b}", "<pay/live/a>${b}"),
        ("$ {a} {b} $", "$ {a} {b} $"),
        ("ключ=${pay/live/ключ}", "ключ=<pay/live/ключ>"),
    ] {
        match shown(text) {
            Ok(found) => assert_eq!(found, wanted, "{text}"),
            Err(_) => assert_eq!(wanted, "!", "{text}"),
        }
    }
    let full = "${a/b/c}".repeat(MOST_REFERENCES);
    assert!(Template::parse(&full).is_ok());
    assert_eq!(Template::parse(&format!("{full}${{a/b/c}}")), Err(TemplateError::TooMany));
}

#[test]
fn what_is_wrong_is_told_where_it_stands_and_never_what_it_is() {
    for (text, told) in [
        (
            "a\nüb${hunter2}",
            "line 2, character 3: write `${project/environment/path}`; for the two characters themselves, `$${`",
        ),
        (
            "${pay/live/hunter2",
            "line 1, character 1: close the reference with `}`; for the two characters themselves, write `$${`",
        ),
        (
            "\n\n ${Hunter2/live/a}",
            "line 3, character 2: write the slugs of a project and of an environment, in lower case, before the path",
        ),
        (
            "${pay/live/a}${pay/live/hunter2/../a}",
            "line 1, character 14: path: `.` and `..` are no names here: write the path as it is",
        ),
    ] {
        assert_eq!(Template::parse(text).unwrap_err().to_string(), told, "{text}");
    }
}

#[test]
fn a_field_is_found_by_its_names_and_is_a_text_a_whole_number_or_a_truth_value() {
    let json = br#" {"a": "x\"\n\u00e9", "n": -7, "big": 18446744073709551615, "t": true, "f": 1.50, "z": null, "l": ["a"],
                     "o": {"a": {"b": "deep"}}, "twice": 1, "twice": "2", "": "e"} "#;
    let at = |name: &str| {
        let found = field::at(&SecretBytes::copy_of(json), &name.parse::<FieldPath>().unwrap());
        found.map(|it| String::from_utf8(it.expose().to_vec()).unwrap())
    };
    for (name, text) in [
        ("a", "x\"\né"),
        ("n", "-7"),
        ("big", "18446744073709551615"),
        ("t", "true"),
        ("o.a.b", "deep"),
        ("twice", "2"),
    ] {
        assert_eq!(at(name).as_deref(), Ok(text), "{name}");
    }
    for name in ["b", "f", "z", "l", "l.0", "o", "o.a", "o.a.b.c", "a.b", "n.x"] {
        assert_eq!(at(name), Err(Unresolved::NoField), "{name}");
    }
    for text in ["", "x", "{", "{} {}", "{\"a\":1}x"] {
        let found = field::at(&SecretBytes::copy_of(text.as_bytes()), &"a".parse().unwrap());
        assert_eq!(found.map(drop), Err(Unresolved::NotJson), "{text}");
    }
}

proptest! {
    #[test]
    fn a_template_is_written_as_it_was_read(text in "([a-z $#}{/\n]|\\$\\{|\\$\\$\\{|\\$\\{pay/live/[a-z]{1,3}(#[a-z]{1,2})?\\}){0,12}") {
        if let Ok(template) = Template::parse(&text) {
            prop_assert_eq!(written(&template), text.clone());
            prop_assert_eq!(template.into_references().len(), text.replace("$${", "\u{1}").matches("${").count());
        }
    }

    #[test]
    fn any_text_is_taken_apart_or_refused(text in "\\PC{0,60}|[${}/#.a\n]{0,60}") {
        let _either = Template::parse(&text);
    }

    #[test]
    fn a_field_is_looked_for_in_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60), name in "[a-z]{1,2}(\\.[a-z]{1,2}){0,2}") {
        let _either = field::at(&SecretBytes::copy_of(&bytes), &name.parse().unwrap());
    }
}

/// Templates, and the fields that their references name, changed by chance (S-28).
#[test]
fn parsers_of_templates_take_apart_or_refuse_what_comes() {
    let specimens = ["postgres://app:${pay/live/database/password}@db/$${x}", "${a/b/c#d.e}${a/b/c}$"];
    keywarden_garble::texts(&specimens, |text| match Template::parse(text) {
        Ok(template) => assert_eq!(written(&template), text),
        Err(error) => assert!(!error.to_string().is_empty()),
    });
    keywarden_garble::bytes(&[r#"{"a":{"b":[1,"\u00e9"],"a.b":null}}"#, "[]"], |input| {
        for name in ["a", "a.b", "a.b.c"] {
            drop(field::at(&SecretBytes::copy_of(input), &name.parse().unwrap()));
        }
    });
}
