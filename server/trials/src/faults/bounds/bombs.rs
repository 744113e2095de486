//! Requests that want to cost more than they may.

use std::{fmt, fmt::Write as _, time::Duration};

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};

use super::{
    CPU, Extent, MEMORY,
    cost::{Process, mebibytes},
    wire::{Request, send},
};
use crate::{
    Result,
    house::{ENVIRONMENT, House, PROJECT},
    node::Node,
};

/// How often each is sent: a tick of the kernel's clock is a twentieth of what all of them may take together. In a slice once.
const TIMES: u32 = 4;
/// What a build that is not optimized may take, in times of [`CPU`].
const SLOWER: u32 = 4;
/// After an answer, its memory is given back.
const SETTLED: Duration = Duration::from_millis(20);

/// As much as a body may be, and a little less.
const BODY: usize = (1 << 20) - 1_000;
/// The same for forms of OAuth and what browsers send, and for files of secrets.
const FORM: usize = (64 << 10) - 1_000;
const FILE: usize = (512 << 10) - 1_000;
/// Values that a body may hold, and a little less.
const VALUES: usize = 9_900;

type Headers<'a> = &'a [(&'a str, &'a str)];
type Answers = &'static [u16];

/// A request, and what may be answered.
struct Bomb {
    name: String,
    request: Request,
    answers: Answers,
}

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Found {
    bombs: usize,
    cpu: (Duration, String),
    memory: (u64, String),
}

pub(super) async fn prove(node: &Node, house: &House, extent: Extent) -> Result<Found> {
    let (most, times) = if extent.strict { (CPU, TIMES) } else { (CPU * SLOWER, 1) };
    let process = Process::of(node);
    let mut found = Found::default();
    for bomb in bombs(house) {
        // Once before, so that code and pages which it needs are there.
        refused(node, &bomb).await?;
        tokio::time::sleep(SETTLED).await;
        process.forget_peak()?;
        let (resident, spent) = (process.resident()?, process.cpu()?);
        for _ in 0..times {
            refused(node, &bomb).await?;
        }
        let cpu = process.cpu()?.saturating_sub(spent) / times;
        let memory = process.peak()?.saturating_sub(resident);
        let name = bomb.name;
        ensure!(cpu <= most, "{name}: {} ms of CPU", cpu.as_millis());
        ensure!(memory <= MEMORY, "{name}: {} more memory", mebibytes(memory));
        found.bombs += 1;
        found.cpu = found.cpu.max((cpu, name.clone()));
        found.memory = found.memory.max((memory, name));
    }
    let verified = node.client(&house.verifier).verify("kwk_live_none").await?;
    ensure!(verified.text("code")? == "not_found", "the server is not what it was");
    Ok(found)
}

/// Sends it once.
async fn refused(node: &Node, bomb: &Bomb) -> Result<()> {
    let Bomb { name, request, answers } = bomb;
    match send(node.port(), request).await.with_context(|| name.clone())? {
        Some(status) => ensure!(answers.contains(&status), "{name}: {status}"),
        // What is too long may be hung up on.
        None => ensure!(answers.iter().any(|it| [413, 431].contains(it)), "{name}: no answer"),
    }
    Ok(())
}

fn bombs(house: &House) -> Vec<Bomb> {
    let bearer = format!("Bearer {}", house.manager);
    let machine = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let mut all = bodies(&machine);
    all.extend(fields(house, &machine));
    all.extend(files(&machine));
    all.extend(forms(&bearer));
    all.extend(heads(&bearer));
    all
}

/// `unit` as often as it fits into so many bytes, between two ends.
fn filled(size: usize, (before, unit, after): (&str, &str, &str)) -> String {
    let times = size.saturating_sub(before.len() + after.len()) / unit.len();
    format!("{before}{}{after}", unit.repeat(times))
}

/// `unit` so many times, each with its number in the place of `#`.
fn numbered(times: usize, unit: &str, between: &str) -> String {
    (0..times).map(|n| unit.replace('#', &n.to_string())).collect::<Vec<_>>().join(between)
}

/// JSON that is deep, wide, long, or said twice.
fn bodies(machine: Headers<'_>) -> Vec<Bomb> {
    let named = |value: String| format!(r#"{{"slug":"x","name":{value}}}"#);
    let members = |times| format!("{{{}}}", numbered(times, r#""k#":1"#, ","));
    let bodies: [(&str, String, Answers); 16] = [
        ("arrays in arrays", filled(BODY, (r#"{"slug":"x","name":"#, "[", "")), &[400]),
        ("objects in objects", filled(BODY, ("", r#"{"a":"#, "")), &[400]),
        ("a text of 32 MiB", named(format!(r#""{}""#, "x".repeat(32 << 20))), &[413]),
        ("a text of 1 MiB", named(filled(BODY, ("\"", "x", "\""))), &[422]),
        ("a text of escapes", named(filled(BODY, ("\"", r"\u0041", "\""))), &[422]),
        ("a list of numbers", filled(BODY, ("[", "1,", "1]")), &[400]),
        ("a list of lists", filled(BODY, ("[", "[],", "[]]")), &[400]),
        ("a list of objects", filled(BODY, ("[", r#"{"a":1},"#, "{}]")), &[400]),
        ("as many objects as may be", filled(VALUES / 2 * 8, ("[", r#"{"a":1},"#, "{}]")), &[422]),
        ("a body of names", members(80_000), &[400]),
        ("as many names as may be", members(VALUES), &[422]),
        ("a name again and again", filled(BODY, ("{", r#""a":1,"#, r#""a":1}"#)), &[400]),
        ("a huge number", named("9".repeat(BODY)), &[400]),
        ("a huge exponent", named(format!("1e{}", "9".repeat(BODY))), &[400]),
        ("a list that never ends", filled(BODY, ("[", "0,", "")), &[400]),
        ("blanks", filled(BODY, ("", " ", "")), &[400]),
    ];
    let mut all = Vec::new();
    for path in ["/api/v1/projects", "/api/v1/keys/verify"] {
        for (name, body, answers) in &bodies {
            let request = Request::new("POST", path, machine, body.as_bytes());
            all.push(Bomb { name: format!("{name} at {path}"), request, answers });
        }
    }
    let long = named(format!(r#""{}""#, "x".repeat(32 << 20)));
    let request = Request::chunked("POST", "/api/v1/projects", machine, long.as_bytes());
    all.push(Bomb { name: "a text of 32 MiB that is not announced".into(), request, answers: &[413] });
    for coding in ["gzip", "deflate", "br", "zstd"] {
        let headers = [machine, &[("Content-Encoding", coding)]].concat();
        let request = Request::new("POST", "/api/v1/projects", &headers, &vec![0_u8; BODY]);
        all.push(Bomb { name: format!("a body in {coding}"), request, answers: &[415] });
    }
    all
}

/// Fields of their own grammar, as long and as many as a body can have them.
fn fields(house: &House, machine: Headers<'_>) -> Vec<Bomb> {
    let list = |unit: &str| -> Value {
        (0..VALUES - 100).map(|n| unit.replace('#', &n.to_string())).collect::<Vec<_>>().into()
    };
    let one = |unit: &str| json!([unit.repeat(BODY / 2 / unit.len())]);
    let metadata: serde_json::Map<_, _> = (0..VALUES - 100).map(|n| (format!("m{n}"), json!(n))).collect();
    let mut all = Vec::new();
    for (name, field, value) in [
        ("many scopes", "scopes", list("s#:read")),
        ("a long scope", "scopes", one("a")),
        ("a scope of wildcards", "scopes", one("a:*:")),
        ("many networks", "allowed_cidrs", list("10.#.0.0/16")),
        ("a long network", "allowed_cidrs", one("0:")),
        ("much metadata", "metadata", metadata.into()),
        ("many tags", "tags", list("t#=x")),
        ("a long tag", "tags", one("=")),
        ("a long instant", "expires_at", one("2027-01-01T00:00:00.").get(0).cloned().unwrap_or_default()),
    ] {
        let mut key = house.key("bomb");
        if let Some(key) = key.as_object_mut() {
            key.insert(field.to_owned(), value);
        }
        let request = Request::new("POST", "/api/v1/keys", machine, key.to_string().as_bytes());
        all.push(Bomb { name: name.into(), request, answers: &[422] });
    }
    let asked = json!({ "key": "kwk_live_none", "scopes": list("s#:read"), "caller": "x".repeat(BODY / 2) });
    let request = Request::new("POST", "/api/v1/keys/verify", machine, asked.to_string().as_bytes());
    all.push(Bomb { name: "a verification of many scopes".into(), request, answers: &[200, 422] });
    all
}

/// Files of secrets.
fn files(machine: Headers<'_>) -> Vec<Bomb> {
    let path = format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/imports");
    // Nine times as many with each line, if anybody followed.
    let mut laughs = String::from("a0: &a0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n");
    for n in 1..12 {
        writeln!(laughs, "a{n}: &a{n} [{}]", vec![format!("*a{}", n - 1); 9].join(",")).ok();
    }
    let files = [
        ("dotenv", "a name again and again", filled(FILE, ("", "A=1\n", ""))),
        ("dotenv", "many names", numbered(40_000, "A#=1\n", "")),
        ("dotenv", "references", filled(FILE, ("A=", "${A}", "\n"))),
        ("dotenv", "quotes", filled(FILE / 2, ("A=", "\"", ""))),
        ("csv", "a name again and again", filled(FILE, ("path,value\n", "a,b\n", ""))),
        ("csv", "cells", filled(FILE, ("path,value\n", ",", ""))),
        ("csv", "quotes", filled(FILE / 2, ("path,value\na,\"", "\"\"", ""))),
        ("json", "objects in objects", filled(FILE / 2, ("", "{\"a\":", ""))),
        ("json", "a list", filled(FILE, ("{\"a\":[", "0,", "0]}"))),
        ("json", "many names", format!("{{{}}}", numbered(30_000, "\"k#\":1", ","))),
        ("yaml", "lists in lists", filled(FILE, ("", "[", ""))),
        ("yaml", "lists of mappings", filled(FILE, ("a: ", "[{", ""))),
        ("yaml", "a list", filled(FILE, ("a: [", "0,", "0]"))),
        ("yaml", "many names", numbered(40_000, "k#: 1\n", "")),
        ("yaml", "aliases of aliases", laughs),
        ("yaml", "aliases", filled(FILE, ("a: &a x\nb: [", "*a,", "*a]"))),
        ("yaml", "anchors", filled(FILE, ("", "a: &a ", ""))),
        ("yaml", "questions", filled(FILE, ("", "? ", ""))),
        ("yaml", "items of items", filled(FILE, ("", "- ", ""))),
    ];
    let bomb = |(format, name, content): (&str, &str, String)| {
        let body = json!({ "format": format, "content": content }).to_string();
        let request = Request::new("POST", &path, machine, body.as_bytes());
        Bomb { name: format!("{format}: {name}"), request, answers: &[422] }
    };
    files.into_iter().map(bomb).collect()
}

/// Forms, those of browsers and those of OAuth, and what else strangers may send.
fn forms(bearer: &str) -> Vec<Bomb> {
    const FORM_KIND: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
    const OWN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");
    const EXCHANGE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&\
        subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Ajwt&";
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
    let (known, form, browser) = (("Authorization", bearer), [FORM_KIND], [FORM_KIND, OWN]);
    let asks = [known, FORM_KIND];
    let json = [("Content-Type", "application/json"), OWN];
    let parts = [("Content-Type", "multipart/form-data; boundary=x"), OWN];
    let token = format!("{EXCHANGE}subject_token=");
    let sent: [(&str, Headers<'_>, String, Answers); 15] = [
        ("/oauth2/introspect", &asks, filled(BODY, ("", "a=1&", "token=x")), &[413]),
        ("/oauth2/introspect", &asks, filled(FORM, ("", "a=1&", "token=x")), &[200]),
        ("/oauth2/token", &form, filled(BODY, ("", "a=1&", "grant_type=x")), &[413]),
        ("/oauth2/token", &form, filled(FORM, (EXCHANGE, "a=1&", "subject_token=x")), &[400]),
        ("/oauth2/token", &form, filled(FORM, ("grant_type=", "%41", "")), &[400]),
        ("/oauth2/token", &form, filled(FORM, (token.as_str(), "eyJ.", "x")), &[400]),
        ("/recover", &browser, filled(BODY, ("code=", "A", "")), &[413]),
        ("/recover", &browser, filled(FORM, ("code=", "A", "")), &[400, 422]),
        ("/recover", &browser, filled(FORM, ("", "a=1&", "code=x")), &[400, 422]),
        ("/recover", &parts, filled(FORM, ("", part, "--x--\r\n")), &[415]),
        ("/sign-in/finish", &json, filled(BODY, ("", "[", "")), &[413]),
        ("/sign-in/finish", &json, filled(FORM, ("", "[", "")), &[400]),
        ("/sign-in/finish", &json, format!("{{{}}}", numbered(5_000, "\"k#\":1", ",")), &[400, 422]),
        ("/csp-report", &[("Content-Type", "application/csp-report")], filled(BODY, ("", "[", "")), &[413]),
        ("/api/v1/projects", &[known, parts[0]], filled(BODY, ("", part, "--x--\r\n")), &[415]),
    ];
    let bomb = |(n, (path, headers, body, answers)): (usize, (&str, Headers<'_>, String, Answers))| Bomb {
        name: format!("form {n} at {path}"),
        request: Request::new("POST", path, headers, body.as_bytes()),
        answers,
    };
    sent.into_iter().enumerate().map(bomb).collect()
}

/// Heads, questions and what stands in them.
fn heads(bearer: &str) -> Vec<Bomb> {
    let known = ("Authorization", bearer);
    let (long, languages) = ("x".repeat(64 << 10), numbered(2_500, "a#;q=0.5", ","));
    let crowd: Vec<_> = (0..3_000).map(|n| format!("X-{n}")).collect();
    let crowd: Vec<_> = crowd.iter().map(|name| (name.as_str(), "1")).chain([known]).collect();
    let (stranger, cookies) = (format!("Bearer kws_x_{}", "A".repeat(30_000)), numbered(3_000, "a#=b", "; "));
    let key = "x".repeat(30_000);
    let questions = |unit: &str| format!("/api/v1/audit?{}", unit.repeat(30_000 / unit.len()));
    let asked: [(&str, String, Headers<'_>, Answers); 10] = [
        ("a long head", "/api/v1/keys".into(), &[known, ("X-Long", long.as_str())], &[431]),
        ("many heads", "/api/v1/keys".into(), &crowd, &[431]),
        ("a long path", format!("/api/v1/keys?q={long}"), &[known], &[414, 431]),
        ("a long token", "/api/v1/keys".into(), &[("Authorization", stranger.as_str())], &[401]),
        ("many cookies", "/keys".into(), &[("Cookie", cookies.as_str())], &[303, 431]),
        ("many languages", "/sign-in".into(), &[("Accept-Language", languages.as_str())], &[200, 431]),
        (
            "a long idempotency key",
            "/api/v1/keys".into(),
            &[known, ("Idempotency-Key", key.as_str())],
            &[200, 400],
        ),
        ("a parameter again and again", questions("p=1&"), &[known], &[400]),
        ("a long search", format!("/api/v1/keys?q={}", "%25".repeat(8_000)), &[known], &[200, 400]),
        ("a long cursor", format!("/api/v1/keys?cursor={}", "A".repeat(30_000)), &[known], &[400]),
    ];
    let bomb = |(name, path, headers, answers): (&str, String, Headers<'_>, Answers)| Bomb {
        name: name.into(),
        request: Request::new("GET", &path, headers, b""),
        answers,
    };
    asked.into_iter().map(bomb).collect()
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bombs, cpu: (cpu, slowest), memory: (memory, largest) } = self;
        write!(f, "{bombs} bombs, at most {} ms of CPU ({slowest}) ", cpu.as_millis())?;
        write!(f, "and {} of memory ({largest})", mebibytes(*memory))
    }
}
