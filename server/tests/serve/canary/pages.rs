//! The door for people: whoever follows every link of the console finds every form, fills each field and posts it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    Scene,
    door::Answer,
    marks::{Marks, Whose},
};
use crate::owner::ORIGIN;

/// The posts whose answers show a value, or give out one that was just made.
const SHOWS: [&str; 17] = [
    "/account/codes",
    "/channels/_/secret",
    "/channels/new",
    "/keys/_/rotate",
    "/keys/new",
    "/people/_/hand-over/rotate",
    "/people/_/recover",
    "/people/invite",
    "/secrets/_/versions/_/compare",
    "/secrets/_/versions/_/download",
    "/secrets/_/versions/_/raw",
    "/secrets/_/versions/_/raw/download",
    "/secrets/_/versions/_/reveal",
    "/secrets/_/versions/_/share",
    "/secrets/export",
    "/shared/_",
    "/workloads/_/tokens/new",
];

/// What would end the session that goes through the pages, and is done by none of them.
const ENDS: [&str; 3] = ["/sign-out", "/account/sessions", "/people/_/sessions"];

/// Fields of forms that hold names, words and settings; as at the API, any other field that can be typed into is a secret.
const TOLD: [&str; 64] = [
    "actor",
    "action",
    "allowed_cidrs",
    "approved_scopes",
    "approvers",
    "at",
    "audience",
    "back",
    "claims",
    "content_type",
    "current",
    "day",
    "days",
    "description",
    "environment",
    "environments",
    "expires_at",
    "folder",
    "for",
    "ids",
    "issuer",
    "jwks_url",
    "key_lifetime_days",
    "key_names",
    "key_rotation_days",
    "keys",
    "last_day",
    "lasts",
    "length",
    "lifetime_days",
    "limit",
    "longest",
    "max_lifetime_days",
    "metadata",
    "name",
    "not_before",
    "note",
    "only",
    "organization",
    "overlap",
    "overlap_hours",
    "owner",
    "passkey",
    "path",
    "person",
    "project",
    "q",
    "rate_limit",
    "reason",
    "sample",
    "scopes",
    "secret_names",
    "secret_rotation_days",
    "seen",
    "sha256",
    "slug",
    "tag",
    "tags",
    "text",
    "ticket",
    "to",
    "unanswered",
    "until",
    "words",
];

/// Goes through all of them; the names of those whose good answers hold values.
pub(crate) fn goes_through(scene: &Scene) -> BTreeSet<String> {
    let mut walk = Walk { scene, seen: BTreeSet::new(), posted: BTreeMap::new() };
    let mut left: VecDeque<String> = ["/", "/secrets?project=pay&environment=live", "/projects/pay"]
        .into_iter()
        .map(ToOwned::to_owned)
        .collect();
    while let Some(path) = left.pop_front() {
        if walk.seen.insert(path.clone()) && walk.seen.len() < 600 {
            left.extend(walk.looks_at(&path));
        }
    }
    shared(scene);
    reported(scene);
    let good = walk.posted.values().filter(|it| **it).count();
    let all = walk.posted.len();
    println!("{} pages, {all} forms, {good} of them taken: {:#?}", walk.seen.len(), walk.posted);
    assert!(walk.seen.len() > 60 && all > 40 && good > 25, "{} pages, {good} of {all}", walk.seen.len());
    SHOWS.iter().map(|shape| format!("POST page {shape}")).collect()
}

/// Opens a link that was made for whoever has its passphrase, with a wrong one and with the right one.
fn shared(scene: &Scene) {
    let bearer = format!("Bearer {}", scene.token);
    let ask = |name: &str, method: &str, path: &str, body: String| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
        scene.door.ask(name, method, path, &headers, body.as_bytes()).unwrap().json()
    };
    let path = format!("/api/v1/projects/pay/environments/live/secrets/{}", scene.marks.told("shared: path"));
    let value = scene.marks.secret("shared: a value");
    let put = ask("putSecret", "put", &path, serde_json::json!({ "value": value }).to_string());
    let shares = format!("/api/v1/secrets/{}/shares", put["id"].as_str().unwrap());
    let made = ask("shareSecret", "post", &shares, r#"{"version":1,"expires_in":"24h"}"#.into());
    let (link, passphrase) = (made["url"].as_str().unwrap(), made["passphrase"].as_str().unwrap());
    scene.marks.note(Whose::Secret, "shared: the link", link.rsplit('_').next().unwrap());
    scene.marks.note(Whose::Secret, "shared: the passphrase", passphrase);
    let path = link.strip_prefix(ORIGIN).unwrap();
    let wrong = scene.marks.secret("shared: a wrong passphrase");
    for typed in [&wrong, passphrase] {
        let body = format!("passphrase={typed}");
        let headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", ORIGIN)];
        let answer = scene.door.ask("page /shared/_", "post", path, &headers, body.as_bytes()).unwrap();
        assert_eq!(answer.whole.contains(&value), typed == passphrase, "{answer:?}");
    }
}

/// What a browser reports of a page, whose address may be a link's.
fn reported(scene: &Scene) {
    let secret = |what: &str| scene.marks.secret(format!("a browser's report: {what}"));
    let report = serde_json::json!({ "csp-report": {
        "document-uri": format!("{ORIGIN}/recover/{}", secret("document")),
        "referrer": secret("referrer"),
        "blocked-uri": format!("https://{}@evil.example/{}", secret("blocked user"), secret("blocked")),
        "violated-directive": "script-src",
        "script-sample": secret("sample"),
        "source-file": secret("source"),
    } });
    for body in [report.to_string(), secret("no JSON")] {
        let headers = [("Content-Type", "application/csp-report")];
        scene.door.ask("csp-report", "post", "/csp-report", &headers, body.as_bytes());
    }
}

struct Walk<'a> {
    scene: &'a Scene,
    seen: BTreeSet<String>,
    /// Each form, by its address without ids; whether it was taken.
    posted: BTreeMap<String, bool>,
}

impl Walk<'_> {
    /// Reads a page, posts its forms, and gives where it leads.
    fn looks_at(&mut self, path: &str) -> Vec<String> {
        let page = self.gets(path);
        if page.header("content-type").is_none_or(|it| !it.starts_with("text/html")) {
            return Vec::new();
        }
        let html = page.body().to_owned();
        for form in pieces(&html, "<form", "</form>") {
            self.fills(path, form);
        }
        let links = html.split("<a").skip(1).filter_map(|tag| attribute(tag, "href"));
        let links = links.filter(|it| it.starts_with('/') && !it.starts_with("//"));
        let links = links.map(|it| it.split('#').next().unwrap_or_default().to_owned());
        // Of what is alike, two are looked at.
        let alike = |link: &String| self.seen.iter().filter(|seen| shape(seen) == shape(link)).count() < 2;
        links.filter(alike).collect()
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        vec![("Cookie", self.scene.cookie.as_str()), ("Origin", ORIGIN), ("Accept", "text/html")]
    }

    fn gets(&self, path: &str) -> Answer {
        self.scene.door.ask(&format!("page {}", shape(path)), "get", path, &self.headers(), b"").unwrap()
    }

    /// Posts a form filled in badly, then well; a form that only asks is asked with a text in each field.
    fn fills(&mut self, page: &str, form: &str) {
        let tag = form.split_once('>').map_or(form, |(tag, _)| tag);
        let to = attribute(tag, "action").filter(|it| !it.is_empty()).unwrap_or_else(|| page.to_owned());
        let name = shape(&to);
        if ENDS.iter().any(|end| name.starts_with(end)) || self.posted.get(&name).is_some_and(|taken| *taken)
        {
            return;
        }
        let marks = &self.scene.marks;
        if attribute(tag, "method").is_none_or(|it| !it.eq_ignore_ascii_case("post")) {
            let query: Vec<_> = fields(form)
                .iter()
                .map(|it| format!("{}={}", it.name, marks.told(format!("{name}?{}", it.name))))
                .collect();
            let path = to.split('?').next().unwrap_or_default();
            self.gets(&format!("{path}?{}", query.join("&")));
            self.posted.insert(format!("GET {name}"), true);
            return;
        }
        let multipart = attribute(tag, "enctype").is_some_and(|it| it.starts_with("multipart"));
        let bad: Vec<_> = fields(form)
            .into_iter()
            .map(|it| (it.typed(marks, &name, true), it.name))
            .map(|(value, name)| (name, value))
            .collect();
        let good: Vec<_> =
            fields(form).into_iter().map(|it| (it.name.clone(), it.typed(marks, &name, false))).collect();
        let mut taken = false;
        for pairs in [&bad, &good] {
            let (kind, body) = encoded(pairs, multipart);
            let mut headers = self.headers();
            headers.push(("Content-Type", kind));
            let answer =
                self.scene.door.ask(&format!("page {name}"), "post", &to, &headers, body.as_bytes()).unwrap();
            taken = answer.status < 400;
            if answer.status >= 400 {
                println!("{} {to} {body}", answer.status);
            }
        }
        self.posted.insert(name, taken);
    }
}

/// A field as the page has it.
struct Field {
    name: String,
    kind: String,
    value: String,
}

impl Field {
    /// What somebody may type into it.
    fn typed(&self, marks: &Marks, form: &str, badly: bool) -> String {
        let Self { name, kind, value } = self;
        let what = format!("form {form}, {name}");
        // What a policy's conditions compare with, by their places: `c0-1_value`.
        let compared = name.starts_with("c0");
        let told = compared || TOLD.contains(&name.as_str());
        let whose = if told { Whose::Told } else { Whose::Secret };
        match kind.as_str() {
            "hidden" | "chosen" => value.clone(),
            _ if badly => marks.draw(whose, format!("{what}, too long")).repeat(400),
            "number" if value.is_empty() => "1".into(),
            "number" | "date" | "datetime-local" | "time" => value.clone(),
            _ => {
                let text = marks.draw(whose, what);
                match name.as_str() {
                    "expires_at" | "not_before" | "last_day" | "until" | "at" | "allowed_cidrs" | "owner" => {
                        value.clone()
                    }
                    "scopes" => format!("{text}:read"),
                    "tags" | "metadata" => format!("team={text}"),
                    "claims" => format!("sub={text}"),
                    "issuer" => format!("https://{text}.example"),
                    "to" => format!("https://hooks.example/{text}"),
                    "file" | "paste" => format!("NAME={text}\n"),
                    _ => text,
                }
            }
        }
    }
}

/// The fields of a form, with what is chosen where something is to be chosen.
fn fields(form: &str) -> Vec<Field> {
    let mut fields: Vec<Field> = Vec::new();
    let mut add = |name: Option<String>, kind: &str, value: String| {
        if let Some(name) = name.filter(|it| !it.is_empty()) {
            match fields.iter_mut().find(|it| it.name == name && kind == "chosen") {
                Some(chosen) => chosen.value = value,
                None => fields.push(Field { name, kind: kind.to_owned(), value }),
            }
        }
    };
    for tag in form.split("<input").skip(1) {
        let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
        let kind = attribute(tag, "type").unwrap_or_else(|| "text".into());
        let value = attribute(tag, "value").unwrap_or_default();
        let checked = tag.contains(" checked");
        match kind.as_str() {
            "radio" | "checkbox" if checked => add(attribute(tag, "name"), "chosen", value),
            "radio" | "checkbox" | "submit" | "button" => {}
            other => add(attribute(tag, "name"), other, value),
        }
    }
    for tag in form.split("<textarea").skip(1) {
        add(attribute(tag.split_once('>').map_or(tag, |(tag, _)| tag), "name"), "textarea", String::new());
    }
    for select in pieces(form, "<select", "</select>") {
        let options = || select.split("<option").skip(1);
        let chosen = options().find(|it| it.split('>').next().is_some_and(|tag| tag.contains("selected")));
        let value = chosen.or_else(|| options().last()).and_then(|it| attribute(it, "value"));
        add(
            attribute(select.split('>').next().unwrap_or_default(), "name"),
            "chosen",
            value.unwrap_or_default(),
        );
    }
    fields
}

fn encoded(pairs: &[(String, String)], multipart: bool) -> (&'static str, String) {
    if !multipart {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        return ("application/x-www-form-urlencoded", form.finish());
    }
    let part = |(name, value): &(String, String)| {
        let file = if name == "file" { "; filename=\"secrets.env\"" } else { "" };
        let head = format!("Content-Disposition: form-data; name=\"{name}\"{file}");
        format!("--canary\r\n{head}\r\n\r\n{value}\r\n")
    };
    // Either a file, or what is pasted.
    let parts: String = pairs.iter().filter(|(name, _)| name != "paste").map(part).collect();
    ("multipart/form-data; boundary=canary", format!("{parts}--canary--\r\n"))
}

/// What stands between a beginning and its end, each time.
fn pieces<'a>(html: &'a str, from: &'a str, to: &'a str) -> impl Iterator<Item = &'a str> {
    html.split(from).skip(1).filter_map(move |after| Some(after.split_once(to)?.0))
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let tag = tag.split_once('>').map_or(tag, |(tag, _)| tag);
    let (_, after) = tag.split_once(&format!(" {name}=\""))?;
    Some(after.split_once('"')?.0.replace("&amp;", "&"))
}

/// An address without what tells one thing from another.
fn shape(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    let part = |part: &str| {
        let id = part.split_once('_').is_some_and(|(_, it)| it.len() >= 26) || part.len() >= 32;
        let named = id || (!part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
        if named { "_".to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}
