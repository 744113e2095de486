use std::process::Command;

use keywarden_model::SecretKind;
use keywarden_vault::SecretBytes;
use proptest::prelude::*;

use super::{Entry, FileError, FileFormat, Line, MAX_FILE, MOST_ENTRIES, Nested, Wrong, write};

fn file(text: impl AsRef<[u8]>) -> SecretBytes {
    SecretBytes::copy_of(text.as_ref())
}

fn entries(format: FileFormat, text: &str) -> Result<Vec<Entry>, FileError> {
    super::read(format, Nested::Folders, &file(text))
}

/// `line name value` of each entry.
fn read(format: FileFormat, text: &str) -> Vec<(u64, String, String)> {
    let found = entries(format, text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    found.into_iter().map(|it| (it.line, it.name.clone(), plain(&it).to_owned())).collect()
}

fn plain(entry: &Entry) -> &str {
    std::str::from_utf8(entry.value.expose()).unwrap()
}

fn wrongs(format: FileFormat, text: &str) -> Vec<(Option<u64>, Wrong)> {
    let error = entries(format, text).map(drop).expect_err(text);
    error.flaws.into_iter().map(|flaw| (flaw.line, flaw.wrong)).collect()
}

fn all(wanted: &[(u64, &str, &str)]) -> Vec<(u64, String, String)> {
    wanted.iter().map(|(line, name, value)| (*line, (*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_format_is_known_by_the_name_of_its_file() {
    for (name, format) in [
        (".env", Some(FileFormat::Dotenv)),
        ("shop/.env.production", Some(FileFormat::Dotenv)),
        ("C:\\live.ENV", Some(FileFormat::Dotenv)),
        ("values.json", Some(FileFormat::Json)),
        ("values.yml", Some(FileFormat::Yaml)),
        ("VALUES.YAML", Some(FileFormat::Yaml)),
        ("a.csv", Some(FileFormat::Csv)),
        ("notes.txt", None),
        ("environment", None),
        ("", None),
    ] {
        assert_eq!(FileFormat::of_name(name), format, "{name}");
    }
    for format in FileFormat::ALL {
        assert_eq!(format.as_str().parse(), Ok(format));
        assert_eq!(FileFormat::of_name(&format!("x.{}", format.extension())), Some(format));
    }
}

#[test]
fn a_dotenv_file_is_read_line_by_line() {
    let text = concat!(
        "\u{feff}# the shop\r\n",
        "\r\n",
        "PLAIN=a b  # said\r\n",
        "export  HASH=abc#def\n",
        "SPACES = x \n",
        "SINGLE='$HOME \\n # \"'  # c\n",
        "DOUBLE=\"a\\n\\t\\\"\\$\\`\\\\ # '\"\r\n",
        "PEM=\"-----BEGIN\nline=2\r\n-----END\"\n",
        "LAST='two\nlines'\n",
        "dotted.name-1=it's\n",
        "#=\n",
        "END==="
    );
    assert_eq!(
        read(FileFormat::Dotenv, text),
        all(&[
            (3, "PLAIN", "a b"),
            (4, "HASH", "abc#def"),
            (5, "SPACES", "x"),
            (6, "SINGLE", "$HOME \\n # \""),
            (7, "DOUBLE", "a\n\t\"$`\\ # '"),
            (8, "PEM", "-----BEGIN\nline=2\r\n-----END"),
            (11, "LAST", "two\nlines"),
            (13, "dotted.name-1", "it's"),
            (15, "END", "=="),
        ])
    );
}

#[test]
fn every_flaw_of_a_dotenv_file_is_told_with_its_line() {
    let text = "A=1\nno value\n1B=2\nfoo bar=3\nC=\"\\x\"\nD='a'b\nA=2\nE=\"x\n";
    assert_eq!(
        wrongs(FileFormat::Dotenv, text),
        [
            (Some(2), Wrong::NoEquals),
            (Some(3), Wrong::BadName),
            (Some(4), Wrong::BadName),
            (Some(5), Wrong::BadEscape),
            (Some(6), Wrong::AfterQuote),
            (Some(7), Wrong::Repeated { first: 1 }),
            (Some(8), Wrong::Unclosed),
        ]
    );
    assert_eq!(wrongs(FileFormat::Dotenv, "# only a comment\n"), [(None, Wrong::Empty)]);
}

#[test]
fn a_json_file_is_read_with_its_folders_and_numbers_as_they_are_written() {
    let text = r#"
{ "token": "a\u00e9\n\"", "port": 5432, "rate": 1.50e+2, "on": true,
  "database": { "primary": { "password": "x" },
    "url/replica": "y" }
}
"#;
    assert_eq!(
        read(FileFormat::Json, text),
        all(&[
            (2, "token", "aé\n\""),
            (2, "port", "5432"),
            (2, "rate", "1.50e+2"),
            (2, "on", "true"),
            (3, "database/primary/password", "x"),
            (4, "database/url/replica", "y"),
        ])
    );
    let one = super::read(FileFormat::Json, Nested::Json, &file(text)).unwrap();
    let last = one.last().unwrap();
    assert_eq!((last.name.as_str(), last.kind), ("database", Some(SecretKind::Json)));
    assert!(plain(last).starts_with("{ \"primary\": {") && plain(last).ends_with("\"y\" }"));
}

#[test]
fn what_is_wrong_with_a_json_file_is_told() {
    let deep = format!("{}{}", "{\"a\":".repeat(12), "1".to_owned() + &"}".repeat(12));
    for (text, line, wrong) in [
        ("", 1, Wrong::NotJson),
        ("{\n\"a\": 1,\n}", 3, Wrong::NotJson),
        ("[1]", 1, Wrong::NotAnObject),
        ("{\"a\":\n[1, {\"b\": 2}], \"c\": 1}", 1, Wrong::List),
        ("{\"a\": null}", 1, Wrong::NoValue),
        ("{\"a\":1,\n\"\\u0061\":2}", 2, Wrong::Repeated { first: 1 }),
        ("{\"b\":{\"a\":1},\n\"b/a\":2}", 2, Wrong::Repeated { first: 1 }),
        ("{\"a\": \"x\\u0000\"}", 1, Wrong::Nul),
        ("{\"\\ud800\": 1}", 1, Wrong::NotJson),
        (deep.as_str(), 1, Wrong::Deep),
    ] {
        assert_eq!(wrongs(FileFormat::Json, text), [(Some(line), wrong)], "{text}");
    }
    assert_eq!(wrongs(FileFormat::Json, "{}"), [(None, Wrong::Empty)]);
    // As deep as it likes to be: nothing here recurses.
    assert_eq!(wrongs(FileFormat::Json, &"{\"a\":".repeat(50_000))[0].1, Wrong::NotJson);
}

#[test]
fn a_yaml_file_is_read_as_it_is_written() {
    let text = "---\n# the shop\nport: 5432\nno: no\nversion: 1.10\nquoted: \"a\\n\"\nsingle: '~'\ndatabase:\n  primary: {password: x}\n  pem: |\n    one\n    two\nlast: >-\n  a\n  b\n";
    assert_eq!(
        read(FileFormat::Yaml, text),
        all(&[
            (3, "port", "5432"),
            (4, "no", "no"),
            (5, "version", "1.10"),
            (6, "quoted", "a\n"),
            (7, "single", "~"),
            (9, "database/primary/password", "x"),
            (10, "database/pem", "one\ntwo\n"),
            (13, "last", "a b"),
        ])
    );
}

#[test]
fn what_is_wrong_with_a_yaml_file_is_told() {
    for (text, line, wrong) in [
        ("- a\n- b\n", 1, Wrong::NotAnObject),
        ("just a text", 1, Wrong::NotAnObject),
        ("a: 1\nb:\n  - x\n  - {y: z}\nc: 2\n", 3, Wrong::List),
        ("a: &x 1\n", 1, Wrong::Alias),
        ("a: 1\nb: *x\n", 2, Wrong::NotYaml),
        ("a: !!int 1\n", 1, Wrong::Tagged),
        ("a: !!binary hunter2\n", 1, Wrong::NotBase64),
        ("a: !!binary \"\"\n", 1, Wrong::NoValue),
        ("!!binary aGk=: 1\n", 1, Wrong::Tagged),
        ("a: !binary aGk=\n", 1, Wrong::Tagged),
        ("a: ~\n", 1, Wrong::NoValue),
        ("a:\nb: 1\n", 1, Wrong::NoValue),
        ("a: 1\n---\nb: 2\n", 2, Wrong::Several),
        ("a: 1\na: 2\n", 2, Wrong::Repeated { first: 1 }),
        ("? {a: b}\n: c\n", 1, Wrong::NoName),
        ("a: \"x\n", 1, Wrong::NotYaml),
        ("a: 1\n b: [\n", 2, Wrong::NotYaml),
    ] {
        let told = wrongs(FileFormat::Yaml, text);
        assert_eq!(told.first().map(|(_, wrong)| wrong.clone()), Some(wrong), "{text:?}: {told:?}");
        assert!(told[0].0.is_some_and(|at| at == line || told[0].1 == Wrong::NotYaml), "{text:?}: {told:?}");
    }
    // A billion laughs take one line each, and are refused at the first.
    let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n";
    assert!(entries(FileFormat::Yaml, laughs).is_err());
    let deep = (0..40).map(|n| " ".repeat(n) + "a:\n").collect::<String>();
    assert_eq!(wrongs(FileFormat::Yaml, &deep)[0].1, Wrong::Deep);
    assert!(matches!(wrongs(FileFormat::Yaml, "")[..], [(None, Wrong::Empty)]));
}

#[test]
fn a_csv_file_is_read_by_its_header() {
    let text = "Name,VALUE,Description,Tags,Kind\r\ndatabase/url,\"a,\"\"b\"\"\nc\",the shop's,\"team=pay,old\",\r\n\nx,{},,,json\n";
    let found = entries(FileFormat::Csv, text).unwrap();
    let [url, x] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((url.line, url.name.as_str(), plain(url)), (2, "database/url", "a,\"b\"\nc"));
    assert_eq!(url.description.as_deref(), Some("the shop's"));
    assert_eq!(url.tags.as_deref(), Some(&["team=pay".to_owned(), "old".to_owned()][..]));
    assert_eq!((x.line, x.kind, &x.description, &x.tags), (5, Some(SecretKind::Json), &None, &None));
}

#[test]
fn what_is_wrong_with_a_csv_file_is_told() {
    for (text, line, wrong) in [
        ("path\na\n", 1, Wrong::Columns),
        ("path,value,value\na,b,c\n", 1, Wrong::Columns),
        ("path,name,value\na,b,c\n", 1, Wrong::Columns),
        ("path,value,secret\na,b,c\n", 1, Wrong::Columns),
        ("path;value\na;b\n", 1, Wrong::Columns),
        ("path,value\na\n", 2, Wrong::Cells { found: 1, expected: 2 }),
        ("path,value\na,b,c\n", 2, Wrong::Cells { found: 3, expected: 2 }),
        ("path,value\n,b\n", 2, Wrong::NoName),
        ("path,value\na,\n", 2, Wrong::NoValue),
        ("path,value\na,\"b\"c\n", 2, Wrong::Quote),
        ("path,value\na,b\"c\n", 2, Wrong::Quote),
        ("path,value\na,\"b\nc\n", 2, Wrong::Unclosed),
        ("path,value,kind\na,b,bytes\n", 2, Wrong::Kind),
        ("path,value,kind\na,b,binary\n", 2, Wrong::NotBase64),
        ("path,value,kind\na,\" \",binary\n", 2, Wrong::NoValue),
        ("path,value\na,b\na,c\n", 3, Wrong::Repeated { first: 2 }),
    ] {
        assert_eq!(wrongs(FileFormat::Csv, text), [(Some(line), wrong)], "{text:?}");
    }
    assert_eq!(wrongs(FileFormat::Csv, "path,value\n"), [(None, Wrong::Empty)]);
}

#[test]
fn a_file_has_bounds_and_is_utf8_without_a_nul() {
    let one = |bytes: &[u8]| {
        let error = super::read(FileFormat::Dotenv, Nested::Folders, &file(bytes)).unwrap_err();
        error.flaws.first().map(|flaw| (flaw.line, flaw.wrong.clone())).unwrap()
    };
    assert_eq!(one(&vec![b'#'; MAX_FILE + 1]), (None, Wrong::TooLarge));
    assert_eq!(one(b"A=1\nB=\xff"), (Some(2), Wrong::NotUtf8));
    assert_eq!(one(b"\xff\xfeA\0"), (Some(1), Wrong::NotUtf8));
    assert_eq!(one(b"A=1\n\nB=\0"), (Some(3), Wrong::Nul));
    let many = |n| (0..n).map(|n| format!("A{n}=1")).collect::<Vec<_>>().join("\n");
    assert_eq!(entries(FileFormat::Dotenv, &many(MOST_ENTRIES)).unwrap().len(), MOST_ENTRIES);
    assert_eq!(wrongs(FileFormat::Dotenv, &many(MOST_ENTRIES + 7)), [(Some(1_001), Wrong::TooMany)]);
    let bad = entries(FileFormat::Dotenv, &"x\n".repeat(60)).unwrap_err();
    assert!(bad.flaws.len() == 50 && bad.more);
    // A list is passed over, and not to its end.
    let list =
        |items: usize| entries(FileFormat::Yaml, &format!("a: [{}0]\nb:\n", "0,".repeat(items))).unwrap_err();
    let wrong = |bad: &FileError| bad.flaws.iter().map(|it| it.wrong.clone()).collect::<Vec<_>>();
    assert_eq!((wrong(&list(900)), list(900).more), (vec![Wrong::List, Wrong::NoValue], false));
    assert_eq!((wrong(&list(1_100)), list(1_100).more), (vec![Wrong::List], true));
    let empty: Vec<_> = (0..MOST_ENTRIES * 25).map(|n| format!("a{n}: {{}}\n")).collect();
    let bad = entries(FileFormat::Yaml, &empty.concat()).unwrap_err();
    assert!(wrong(&bad) == [Wrong::TooMany] && bad.flaws[0].line < Some(22_000), "{bad}");
}

#[test]
fn no_flaw_tells_a_piece_of_a_value() {
    for (format, text) in [
        (FileFormat::Dotenv, "A=\"hunter2\\x\"\nhunter2==\nhunter2 hunter2\nB='hunter2'hunter2\nC='hunter2"),
        (FileFormat::Json, "{\"a\": hunter2}"),
        (FileFormat::Json, "{\"a\": \"hunter2\\x\"}"),
        (FileFormat::Json, "{\"a\": [\"hunter2\"]}"),
        (FileFormat::Yaml, "a: \"hunter2\\x\""),
        (FileFormat::Yaml, "a: [hunter2]\nb: *hunter2\n"),
        (FileFormat::Csv, "path,value\na,hunter2,hunter2\nb,hunter2\"\n"),
        (FileFormat::Csv, "path,hunter2\na,b\n"),
        (FileFormat::Csv, "path,value,kind\na,hunter2,binary\n"),
        (FileFormat::Json, "{\"a\": {\"$binary\": \"hunter2\"}}"),
        (FileFormat::Yaml, "a: !!binary hunter2\n"),
    ] {
        let told = entries(format, text).map(drop).expect_err(text);
        let told: Vec<_> = told.flaws.iter().filter(|it| it.name.as_deref() != Some("hunter2")).collect();
        assert!(!format!("{told:?}").contains("hunter2"), "{text:?}: {told:?}");
    }
}

fn line<'a>(name: &'a str, value: &'a str) -> Line<'a> {
    let value = value.as_bytes();
    Line { name, value, kind: SecretKind::Text, description: "", tags: &[], template: false }
}

#[test]
fn a_shell_reads_back_what_was_quoted() {
    for text in ["", "plain", "two\nlines", "$HOME `id` \\ \"", "it's $HOME `id` \\n \" ü", "'", "a=b#c "] {
        let script = write(FileFormat::Dotenv, &[line("V", text)]).unwrap();
        let script = format!("{}printf %s \"$V\"", script.expose());
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), text, "{script}");
    }
}

#[test]
fn a_file_of_nothing_is_one_too() {
    for (format, text) in [
        (FileFormat::Csv, "\"path\",\"value\",\"description\",\"tags\",\"kind\",\"template\"\n"),
        (FileFormat::Dotenv, ""),
        (FileFormat::Json, "{}\n"),
        (FileFormat::Yaml, "{}\n"),
    ] {
        assert_eq!(write(format, &[]).unwrap().expose(), text);
    }
}

/// The formats that have a word for binary values.
const WITH_BINARY: [FileFormat; 3] = [FileFormat::Csv, FileFormat::Json, FileFormat::Yaml];

#[test]
fn a_binary_value_says_that_it_is_one() {
    for (format, file) in [
        (FileFormat::Csv, "path,value,kind\na/b,AAH/,binary\nc,AA==,text\n"),
        (FileFormat::Json, r#"{"a": {"b": { "\u0024binary" : "AAH\/" }}, "c": "AA=="}"#),
        (FileFormat::Yaml, "a:\n  b: !!binary |\n    AA\n    H/\nc: AA==\n"),
    ] {
        let found = entries(format, file).unwrap();
        let [binary, other] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((binary.name.as_str(), binary.kind), ("a/b", Some(SecretKind::Binary)), "{format}");
        assert_eq!(binary.value.expose(), [0, 1, 255], "{format}");
        assert_ne!(other.kind, Some(SecretKind::Binary), "{format}");
        assert_eq!(plain(other), "AA==", "what only looks like it is text in {format}");
    }
    let one = |nested, text: &str| super::read(FileFormat::Json, nested, &file(text)).unwrap();
    for nested in [Nested::Folders, Nested::Json] {
        assert_eq!(one(nested, r#"{"a": {"$binary": "aGk="}}"#)[0].value.expose(), b"hi");
    }
    // Whatever else has such a member is what it always was.
    for text in [r#"{"a": {"$binary": "aGk=", "b": "1"}}"#, r#"{"a": {"$binary": 5}}"#] {
        assert_eq!(one(Nested::Json, text)[0].kind, Some(SecretKind::Json), "{text}");
        assert_eq!(one(Nested::Folders, text)[0].name, "a/$binary", "{text}");
    }
    for (text, wrong) in [
        (r#"{"a": {"$binary": "aGk"}}"#, Wrong::NotBase64),
        (r#"{"a": {"$binary": "a-_="}}"#, Wrong::NotBase64),
        (r#"{"a": {"$binary": ""}}"#, Wrong::NoValue),
    ] {
        assert_eq!(wrongs(FileFormat::Json, text), [(Some(1), wrong)], "{text}");
    }
}

#[test]
fn every_byte_is_written_and_read_back() {
    let every: Vec<u8> = (0..=u8::MAX).collect();
    let binary = |value| Line { kind: SecretKind::Binary, value, ..line("keystore", "") };
    for format in WITH_BINARY {
        for value in [&every[..], &every[..1], &every[..2], &every[254..], b"hi", "ü\n".as_bytes()] {
            let file = write(format, &[binary(value), line("beside", "aGk=")]).unwrap();
            let found = entries(format, file.expose()).unwrap();
            let [read, beside] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!((read.value.expose(), read.kind), (value, Some(SecretKind::Binary)), "{format}");
            assert_eq!(plain(beside), "aGk=", "{format}");
        }
    }
    let refused = write(FileFormat::Dotenv, &[binary(&every)]).unwrap_err().to_string();
    assert!(refused.contains("`keystore` is binary"), "{refused}");
    let no_text = Line { value: b"\xff", ..line("wrong", "") };
    assert!(write(FileFormat::Json, &[no_text]).is_err());
}

/// Texts with what quoting is about.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z'\"\\\\$`#=:,{}\\[\\]\n\r\t &*!|>%@~-]{1,24}",
        "\\PC{1,12}",
        "[\u{1}-\u{20}\u{7f}-\u{a0}\u{2028}\u{2029}\u{feff}\u{fffe}\u{10ffff}]{1,8}",
    ]
}

#[test]
fn what_yaml_misses_behind_the_end_is_missed_on_the_last_line() {
    let error = super::read(FileFormat::Yaml, Nested::Folders, &file("{é,&a")).unwrap_err();
    assert!(error.flaws.iter().all(|it| it.line == Some(1)), "{:?}", error.flaws);
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(values in prop::collection::vec(texts(), 1..6), on in 0..4_usize) {
        let format = FileFormat::ALL[on];
        let names: Vec<_> = (0..values.len()).map(|n| format!("NO{n}")).collect();
        let lines: Vec<_> = names.iter().zip(&values).map(|(name, value)| line(name, value)).collect();
        let text = write(format, &lines).unwrap();
        let found = read(format, text.expose());
        let found: Vec<_> = found.into_iter().map(|(_, name, value)| (name, value)).collect();
        let wanted: Vec<_> = names.into_iter().zip(values).collect();
        prop_assert_eq!(found, wanted, "{}", text.expose());
    }

    #[test]
    fn what_is_written_of_bytes_is_read_back(value in prop::collection::vec(any::<u8>(), 1..80), on in 0..3_usize) {
        let format = WITH_BINARY[on];
        let binary = Line { kind: SecretKind::Binary, value: &value, ..line("a/b", "") };
        let text = write(format, &[binary]).unwrap();
        let found = entries(format, text.expose()).unwrap();
        prop_assert_eq!(found[0].value.expose(), value, "{}", text.expose());
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[a-zA-Z0-9'\"\\\\$#=:,{}\\[\\]\n\r\t &*!|>?%@~.\u{e9}-]{0,80}") {
        for format in FileFormat::ALL {
            for nested in [Nested::Folders, Nested::Json] {
                if let Err(error) = super::read(format, nested, &file(&text)) {
                    prop_assert!(!error.flaws.is_empty());
                    let lines = text.matches(['\n', '\r']).count() as u64 + 1;
                    prop_assert!(error.flaws.iter().all(|it| it.line.is_none_or(|at| (1..=lines).contains(&at))));
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        for format in FileFormat::ALL {
            drop(super::read(format, Nested::Folders, &file(&bytes)));
        }
    }
}

/// Files of each format, changed by chance (S-28).
#[test]
fn parsers_of_files_read_or_refuse_what_comes() {
    let specimens = [
        "# a\nexport URL='postgres://x'\nP=\"two\\nlines $$\" # c\nempty=\n",
        r#"{"shop":{"URL":"postgres://x","n":[1,2,{"a":"\u00e9\ud83d\udd11"}]},"P":"x"}"#,
        "shop:\n  URL: |\n    a\n    b\nP: \"x\\u00e9\"\nq: 'it''s'\n# c\nr: &a [1, 2]\ns: *a\n",
        "name,value\nURL,\"a \"\"b\"\" c\"\nP,x\n",
    ];
    keywarden_garble::bytes(&specimens, |input| {
        for format in FileFormat::ALL {
            for nested in [Nested::Folders, Nested::Json] {
                match super::read(format, nested, &file(input)) {
                    Err(error) => assert!(!error.flaws.is_empty() && !error.to_string().is_empty()),
                    Ok(entries) => {
                        assert!(entries.len() <= MOST_ENTRIES);
                        let lines = input.iter().filter(|b| matches!(**b, b'\n' | b'\r')).count() as u64 + 1;
                        assert!(entries.iter().all(|it| (1..=lines).contains(&it.line)));
                    }
                }
            }
        }
    });
    keywarden_garble::texts(&["shop/.env.production", "C:\\live.ENV", "values.yml"], |text| {
        drop((FileFormat::of_name(text), super::write::variable(text)));
    });
}
