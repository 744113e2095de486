//! Moving in from AWS Secrets Manager: from moto's server, which checks every signature and what its user may do, and from
//! one that says what moto does not.

mod moto;
mod scripted;

use std::{
    net::TcpListener,
    process::{Command, Output},
    sync::atomic::{AtomicBool, Ordering},
};

use serde_json::{Value, json};

use crate::{client::Stage, house::told};
use moto::Moto;
use scripted::{Says, Scripted};

const REGION: &str = "eu-central-1";

/// `keywarden secret import --from-aws`, as this user of that server.
fn import(stage: &Stage, server: &str, [id, secret]: &[String; 2], more: &[&str]) -> Output {
    let endpoint = format!("http://{server}");
    let at = ["secret", "import", "--from-aws", "--endpoint-url", &endpoint, "-p", "pay", "-e", "live"];
    stage
        .command(&[&at[..], more].concat())
        .env("AWS_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), told(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What both of its streams say, of one that failed so; columns are one space apart.
fn failed(output: &Output, code: i32) -> String {
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &told(output);
    assert_eq!(output.status.code(), Some(code), "{said}");
    words(&said)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn value(stage: &Stage, path: &str) -> Vec<u8> {
    stage.done(&["secret", "get", &format!("pay/live/{path}")])
}

/// What the list says of a secret.
fn listed(stage: &Stage, path: &str) -> Value {
    let all: Vec<Value> =
        serde_json::from_slice(&stage.done(&["secret", "list", "pay/live", "--json"])).unwrap();
    all.into_iter().find(|it| it["path"] == path).unwrap_or_else(|| panic!("no {path}"))
}

fn lacks(stage: &Stage, path: &str) {
    let none = stage.command(&["secret", "get", &format!("pay/live/{path}")]).output().unwrap();
    assert_eq!(none.status.code(), Some(1), "{path} is there");
}

const OBJECT: &str = "{ \"user\": \"app\", \"port\": 5432, \"pass\\u0077ord\": \"it's \\\"x\\\"\\n\" }";

#[test]
fn what_is_current_at_aws_is_imported_and_imported_again_without_a_change() {
    let stage = Stage::new();
    let Some(moto) = Moto::start(stage.folder.path()) else { return };
    let every: Vec<u8> = (0..=255).collect();
    let tags = json!([{ "Key": "Team", "Value": "Pay" }, { "Key": "aws:x", "Value": "y" }, { "Key": "no way", "Value": "" }]);
    moto.secrets("CreateSecret", &json!({ "Name": "/prod/db", "SecretString": OBJECT }));
    moto.secrets("CreateSecret", &json!({ "Name": "prod/keystore", "SecretBinary": base64(&every) }));
    moto.secrets(
        "CreateSecret",
        &json!({ "Name": "prod/token", "SecretString": "first", "Description": "of the shop,\n\"here\"", "Tags": tags }),
    );
    moto.secrets("CreateSecret", &json!({ "Name": "prod/hosts", "SecretString": "[\"a\", \"b\"]" }));
    moto.secrets(
        "CreateSecret",
        &json!({ "Name": "odd/_+=.@-name", "SecretString": "grüße, \u{2028}\"\r\n" }),
    );
    moto.secrets("CreateSecret", &json!({ "Name": "prod/gone", "SecretString": "x" }));
    moto.secrets("DeleteSecret", &json!({ "SecretId": "prod/gone" }));
    moto.secrets("CreateSecret", &json!({ "Name": "prod/later" }));
    for n in 0..230 {
        moto.secrets(
            "CreateSecret",
            &json!({ "Name": format!("many/{n:03}"), "SecretString": format!("v{n}") }),
        );
    }
    let mover = moto.user("mover", "secretsmanager:ListSecrets secretsmanager:GetSecretValue");
    let lister = moto.user("lister", "secretsmanager:ListSecrets");
    moto.is_strict(true);
    let aws = |more: &[&str]| import(&stage, &moto.address, &mover, more);

    let looked = out(&aws(&["--folder", "aws", "--dry-run"]));
    assert!(looked.ends_with("\n237 new, 0 changed, 0 unchanged; nothing was done\n"), "{looked}");
    for line in [
        "aws/prod/db/port  new, from `/prod/db`",
        "aws/prod/keystore  new",
        "aws/odd/_+=.@-name  new",
        "prod/gone  left out: it waits to be deleted there",
        "prod/later  left out: it has no current value there",
        "prod/token  its tags `no way` stay there: here names are of",
    ] {
        let is_there = looked.lines().any(|it| words(it).starts_with(&words(line)));
        assert!(is_there, "{line}: {looked}");
    }
    assert!(!looked.contains("first") && !looked.contains("aws:x"), "{looked}");
    lacks(&stage, "aws/prod/token");

    assert!(out(&aws(&["--folder", "aws"])).ends_with("\n237 new, 0 changed, 0 unchanged\n"));
    let wanted: [(&str, &[u8]); 8] = [
        ("prod/db/user", b"app"),
        ("prod/db/port", b"5432"),
        ("prod/db/password", b"it's \"x\"\n"),
        ("prod/keystore", &every),
        ("prod/token", b"first"),
        ("prod/hosts", b"[\"a\", \"b\"]"),
        ("odd/_+=.@-name", "grüße, \u{2028}\"\r\n".as_bytes()),
        ("many/229", b"v229"),
    ];
    for (path, wanted) in wanted {
        assert_eq!(value(&stage, &format!("aws/{path}")), wanted, "{path}");
    }
    let token = listed(&stage, "aws/prod/token");
    assert_eq!(
        (&token["description"], &token["tags"]),
        (&json!("of the shop,\n\"here\""), &json!(["team=Pay"]))
    );
    assert_eq!(listed(&stage, "aws/prod/keystore")["current"]["kind"], "binary");
    assert_eq!(listed(&stage, "aws/prod/hosts")["current"]["kind"], "json");
    lacks(&stage, "aws/prod/gone");

    let again = out(&aws(&["--folder", "aws"]));
    assert!(again.ends_with("\n0 new, 0 changed, 237 unchanged; nothing was done\n"), "{again}");
    moto.is_strict(false);
    moto.secrets("PutSecretValue", &json!({ "SecretId": "prod/token", "SecretString": "rotated" }));
    moto.is_strict(true);
    let looked = out(&aws(&["--folder", "aws", "--dry-run"]));
    assert!(looked.ends_with("\n0 new, 1 changed, 236 unchanged; nothing was done\n"), "{looked}");
    assert_eq!(value(&stage, "aws/prod/token"), b"first");
    assert!(out(&aws(&["--folder", "aws"])).ends_with("\n0 new, 1 changed, 236 unchanged\n"));
    assert_eq!(value(&stage, "aws/prod/token"), b"rotated");
    assert_eq!(listed(&stage, "aws/prod/token")["current"]["version"], 2);

    let whole = out(&aws(&["--folder", "whole", "--nested", "json", "--below", "prod"]));
    assert!(whole.ends_with("\n4 new, 0 changed, 0 unchanged\n"), "{whole}");
    assert_eq!(value(&stage, "whole/db"), OBJECT.as_bytes());
    assert_eq!(listed(&stage, "whole/db")["current"]["kind"], "json");
    let some: Value =
        serde_json::from_slice(&aws(&["--folder", "some", "--prefix", "prod/", "--json"]).stdout).unwrap();
    assert_eq!((&some["created"], some["there"].as_array().map(Vec::len)), (&json!(3), Some(3)), "{some}");
    assert_eq!(
        some["there"][0],
        json!({ "name": "prod/gone", "outcome": "left_out", "reason": "it waits to be deleted there" })
    );
    let none = out(&aws(&["--prefix", "nothing"]));
    assert_eq!(none, "0 new, 0 changed, 0 unchanged; nothing was done\n");

    what_the_console_offers_to_copy_works(&stage, &moto, &mover);
    // What cannot be is said before anything is done.
    moto.is_strict(false);
    moto.secrets("CreateSecret", &json!({ "Name": "prod/DB/user", "SecretString": "twin" }));
    moto.secrets("CreateSecret", &json!({ "Name": "prod//double", "SecretString": "x" }));
    moto.is_strict(true);
    let said = failed(&aws(&["--below", "prod", "--folder", "twins"]), 1);
    assert!(
        said.contains("prod/DB/user refused: it would be `DB/user` here, and so would `/prod/db`"),
        "{said}"
    );
    assert!(
        said.contains("prod//double refused: no path here can be `/double`: write names between"),
        "{said}"
    );
    assert!(said.contains("2 of the entries cannot be imported"), "{said}");
    lacks(&stage, "twins/token");
    let narrowed = aws(&[
        "--below",
        "prod",
        "--folder",
        "twins",
        "--except",
        "prod//double",
        "--except",
        "prod/DB/user",
    ]);
    assert!(out(&narrowed).ends_with("\n6 new, 0 changed, 0 unchanged\n"));

    let said = failed(&import(&stage, &moto.address, &lister, &["--below", "prod", "--folder", "x"]), 1);
    assert!(said.contains("prod/token refused: it answers 403 Forbidden: are these its keys"), "{said}");
    let forged = [mover[0].clone(), "wrong".to_owned()];
    let said = failed(&import(&stage, &moto.address, &forged, &[]), 1);
    assert!(said.contains("403 Forbidden") && said.contains("nothing was imported"), "{said}");

    keys_come_from_files_too(&stage, &moto, &mover);
    stage.server.stop();
}

/// The text on the page of imports, run as it stands.
fn what_the_console_offers_to_copy_works(stage: &Stage, moto: &Moto, [id, secret]: &[String; 2]) {
    let bin = stage.folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keywarden"), bin.join("keywarden")).unwrap();
    let text = keywarden_app::snippets::Source::Aws.text("pay", "live", "it's copied");
    let output = Command::new("/bin/sh")
        .args(["-c", &text])
        .env_clear()
        .env("PATH", &bin)
        .env("KEYWARDEN_SERVER", format!("http://{}", stage.server.address))
        .env("KEYWARDEN_TOKEN_FILE", stage.token())
        .env("AWS_ENDPOINT_URL", format!("http://{}", moto.address))
        .env("AWS_ACCESS_KEY_ID", id)
        .env("AWS_SECRET_ACCESS_KEY", secret)
        .output()
        .unwrap();
    assert!(out(&output).ends_with("\n237 new, 0 changed, 0 unchanged; nothing was done\n"), "{text}");
}

/// A profile has keys and a region; without either it is said what is missing.
fn keys_come_from_files_too(stage: &Stage, moto: &Moto, [id, secret]: &[String; 2]) {
    let aws = stage.folder.path().join(".aws");
    std::fs::create_dir(&aws).unwrap();
    let keys = format!("[work]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    std::fs::write(aws.join("credentials"), keys).unwrap();
    std::fs::write(aws.join("config"), format!("[profile work]\nregion = {REGION}\n")).unwrap();
    let home = |more: &[(&str, &str)], at: &[&str]| {
        let import = ["secret", "import", "--from-aws", "-p", "pay", "-e", "live", "--prefix", "prod/token"];
        let mut command = stage.command(&[&import[..], at].concat());
        command.env("HOME", stage.folder.path()).envs(more.iter().copied()).output().unwrap()
    };
    let endpoint = ("AWS_ENDPOINT_URL", format!("http://{}", moto.address));
    let endpoint = (endpoint.0, endpoint.1.as_str());
    let work = ("AWS_PROFILE", "work");
    assert!(
        out(&home(&[endpoint, work], &["--folder", "file"])).ends_with("\n1 new, 0 changed, 0 unchanged\n")
    );
    let region = ("AWS_DEFAULT_REGION", REGION);
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str);
    let table: [Case<'_>; 7] = [
        (&[endpoint], &[], "no region of AWS: say --region"),
        (&[endpoint, region], &[], "no keys for AWS"),
        (&[endpoint, region, ("AWS_PROFILE", "other")], &[], "no profile `other`"),
        (&[work], &["--endpoint-url", "http://aws.example"], "use https://"),
        (&[work], &["--region", "evil.example/"], "no region of AWS"),
        (&[work], &["--from-vault", "http://localhost:1"], "cannot be used with"),
        (&[work], &["values.json"], "cannot be used with"),
    ];
    for (variables, at, why) in table {
        let said = failed(&home(variables, at), 2);
        assert!(said.contains(why), "{why}: {said}");
    }
    // A port that nobody listens at.
    let away = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = failed(&home(&[work], &["--endpoint-url", &format!("http://{away}")]), 1);
    assert!(said.contains("did not give its secrets") && said.contains("onnect"), "{said}");
    let no_source =
        stage.command(&["secret", "import", "-p", "pay", "-e", "live", "--below", "x"]).output().unwrap();
    assert_eq!(no_source.status.code(), Some(2), "{}", told(&no_source));
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn refusal(kind: &str, message: &str) -> (u16, Value) {
    (400, json!({ "__type": kind, "Message": message }))
}

#[test]
fn aws_is_asked_again_where_it_is_busy_and_one_secret_denied_stops_all() {
    let stage = Stage::new();
    let keys = ["AK".to_owned(), "secret".to_owned()];
    let busy = AtomicBool::new(true);
    let server = Scripted::start(Box::new(move |action, asked| {
        // Every first try comes too early.
        if busy.fetch_xor(true, Ordering::Relaxed) {
            return match action {
                "ListSecrets" => refusal("ThrottlingException", "Rate exceeded"),
                _ => (503, json!({})),
            };
        }
        match (action, asked["SecretId"].as_str().unwrap_or_default()) {
            ("ListSecrets", _) if asked["NextToken"].is_null() => {
                let long = json!({ "Name": "long", "Description": "x".repeat(1_500) });
                (200, json!({ "SecretList": [{ "Name": "fine" }, long], "NextToken": "2" }))
            }
            ("ListSecrets", _) => (200, json!({ "SecretList": [{ "Name": "denied" }] })),
            (_, "denied") => refusal("com.amazonaws#AccessDeniedException", "not authorized\u{1b}[2J"),
            (_, name) => (200, json!({ "SecretString": format!("of {name}") })),
        }
    }));
    let said = failed(&import(&stage, &server.address, &keys, &[]), 1);
    assert!(said.contains("denied refused: AccessDeniedException: not authorized[2J"), "{said}");
    assert!(said.contains("fine new") && said.contains("1 of the entries cannot be imported"), "{said}");
    assert!(said.contains("long its description stays there: use at most 1000 characters"), "{said}");
    lacks(&stage, "fine");
    let done = out(&import(&stage, &server.address, &keys, &["--except", "denied"]));
    assert!(done.ends_with("\n2 new, 0 changed, 0 unchanged\n"), "{done}");
    assert_eq!(value(&stage, "fine"), b"of fine");
    stage.server.stop();
}

#[test]
fn an_aws_that_stays_busy_or_knows_nobody_gives_nothing() {
    let stage = Stage::new();
    let keys = ["AK".to_owned(), "secret".to_owned()];
    let ask = |says: Box<Says>| {
        let server = Scripted::start(says);
        failed(&import(&stage, &server.address, &keys, &[]), 1)
    };
    let said = ask(Box::new(|_, _| refusal("ThrottlingException", "Rate exceeded")));
    assert!(said.contains("ThrottlingException: Rate exceeded, 6 times; nothing was imported"), "{said}");
    // Keys that run out on the way are no matter of one secret.
    let said = ask(Box::new(|action, _| match action {
        "ListSecrets" => (200, json!({ "SecretList": [{ "Name": "a" }, { "Name": "b" }] })),
        _ => refusal("ExpiredTokenException", "the security token is expired"),
    }));
    assert!(said.contains("ExpiredTokenException: the security token is expired; nothing was"), "{said}");
    assert!(!said.contains("refused"), "{said}");
    let said = ask(Box::new(|_, _| (200, json!({ "hello": "world" }))));
    assert!(said.contains("this is no AWS Secrets Manager"), "{said}");
    let said = ask(Box::new(|action, _| match action {
        "ListSecrets" => {
            let all: Vec<_> = (0..1_001).map(|n| json!({ "Name": format!("n{n}") })).collect();
            (200, json!({ "SecretList": all }))
        }
        _ => (200, json!({ "SecretString": "x" })),
    }));
    assert!(said.contains("more than 1000 secrets: choose some by --below or --prefix"), "{said}");
    let said = ask(Box::new(|action, _| match action {
        "ListSecrets" => {
            let all: Vec<_> = (0..9).map(|n| json!({ "Name": format!("n{n}") })).collect();
            (200, json!({ "SecretList": all }))
        }
        _ => (200, json!({ "SecretString": "x".repeat(65_536) })),
    }));
    assert!(said.contains("more than 512 KiB of values"), "{said}");
    stage.server.stop();
}
