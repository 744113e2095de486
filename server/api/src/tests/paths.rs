//! No spelling of an address leads to a secret that its caller may not read, and none to another one than it says (S-03): what
//! policies were asked about is what was opened. Secrets whose paths are close to one another lie in three environments; beside
//! the door stands an oracle that decodes once, compares byte for byte and knows who may do what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use http::Uri;
use keywarden_domain::cast::{Engine, House, both_engines};
use keywarden_model::{Alias, Dialect, Role};
use serde_json::{Value, json};

use super::{Answer, Api, parsers::escaped, token};

/// Projects and environments; every one of [`PATHS`] is in each of them, with a value of its own.
const PLACES: [(&str, &str); 3] = [("pay", "live"), ("pay", "test"), ("other", "live")];

/// Each is what another one becomes when it is decoded twice, normalized, folded or cut.
const PATHS: [&str; 16] = [
    "database/password",
    "database/Password 2",
    "database",
    "password",
    "a/b",
    "a%2fb",
    "a%252fb",
    "...",
    "a/.../b",
    "%2e%2e",
    "%2e%2e/password",
    "live/secrets/database",
    "zoë/ключ",
    "x y",
    "x+y",
    "x%20y",
];

/// What turns a path into one that somebody could take for another.
const PIECES: [&str; 34] = [
    "..",
    "../",
    "/..",
    "./",
    "/",
    "//",
    "\\",
    "%2e%2e",
    "%2E%2e/",
    "%252e%252e%252f",
    "%2f",
    "%2F",
    "%252f",
    "%5c",
    "%00",
    "%2500",
    "\0",
    "%",
    "%zz",
    "%c0%ae",
    "%ff",
    "%ed%a0%80",
    " ",
    "%20",
    "+",
    "*",
    ";x=y",
    "\u{a0}",
    "\u{200b}",
    "\u{ff0f}",
    "\u{ff0e}\u{ff0e}",
    "\u{2215}",
    "\u{301}",
    "../../../other/environments/live/secrets/",
];

/// Letters, and others that look like them.
const LOOK_ALIKES: [(char, char); 8] = [
    ('a', '\u{430}'),
    ('e', '\u{435}'),
    ('o', '\u{43e}'),
    ('p', '\u{440}'),
    ('s', '\u{ff53}'),
    ('d', '\u{24d3}'),
    ('w', '\u{2c73}'),
    ('ë', 'е'),
];

/// Paths of one request that asks for many.
const MANY: usize = 10;

/// Chance from a seed (SplitMix64, Steele et al. 2014).
struct Chance(u64);

impl Chance {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }

    /// A path, changed by up to four steps; whether some of it is in percent already is chance, too.
    fn path(&mut self) -> String {
        let mut text: Vec<char> = self.of(&PATHS).chars().collect();
        for _ in 0..self.below(5) {
            let at = self.below(text.len() + 1);
            match self.below(9) {
                0..=2 => drop(text.splice(at..at, self.of(&PIECES).chars())),
                3 if at < text.len() => {
                    let mut bytes = [0; 4];
                    let bytes = text[at].encode_utf8(&mut bytes).as_bytes();
                    drop(text.splice(at..=at, escaped(bytes).to_lowercase().chars().collect::<Vec<_>>()));
                }
                4 if at < text.len() => {
                    let turned = if text[at].is_uppercase() {
                        text[at].to_lowercase().collect()
                    } else {
                        text[at].to_uppercase().collect::<Vec<_>>()
                    };
                    drop(text.splice(at..=at, turned));
                }
                5 => {
                    let (letter, like) = *self.of(&LOOK_ALIKES);
                    if let Some(found) = text.iter().position(|it| *it == letter) {
                        text[found] = like;
                    }
                }
                6 => text.truncate(at),
                7 => text.extend(format!("/{}", self.of(&PATHS)).chars()),
                8 if self.below(50) == 0 => text = text.iter().copied().cycle().take(10_000).collect(),
                _ => {}
            }
            if text.is_empty() {
                text.push('a');
            }
        }
        text.into_iter().collect()
    }

    /// A text as it could stand in an address: a part of it, or all, is in percent, once or twice.
    fn written(&mut self, text: &str) -> String {
        let (odd, twice) = (self.below(4), self.below(8) == 0);
        let mut address = String::new();
        for byte in text.bytes() {
            // What `Uri` takes as it is; `%` stays, so that what is in percent already is decoded.
            let plain = byte.is_ascii_graphic() && !b"?#<>\"`{}|^\\".contains(&byte);
            if plain && (odd != 0 || self.below(6) != 0) {
                address.push(char::from(byte));
            } else if twice && plain {
                write!(address, "%25{byte:02X}").unwrap();
            } else {
                write!(address, "%{byte:02X}").unwrap();
            }
        }
        address
    }
}

/// What an address says once it is decoded: by no rule of the door's own. `None`: nothing.
fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut left) = (Vec::new(), text.as_bytes());
    while let [first, rest @ ..] = left {
        let digits = rest.get(..2).filter(|it| *first == b'%' && it.iter().all(u8::is_ascii_hexdigit));
        match digits {
            Some(digits) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap());
                left = &rest[2..];
            }
            None => {
                bytes.push(*first);
                left = rest;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// What a caller may do somewhere.
#[derive(Clone, Copy, PartialEq)]
enum May {
    Nothing,
    Read,
    See,
}

struct Caller {
    token: String,
    /// In `pay`, and in `other`.
    may: [May; 2],
}

/// What is kept, and who may have it.
struct Scene {
    api: Api,
    callers: Vec<Caller>,
    /// Ids and values of secrets, by the number of their place and their paths.
    kept: BTreeMap<(usize, String), (String, String)>,
    /// Numbers of places by what projects and environments are called.
    places: BTreeMap<(String, String), usize>,
    /// Ids of secrets by place, dialect and what the dialect compares.
    aliases: BTreeMap<(usize, Dialect, String), String>,
}

/// How often what was asked for was there.
#[derive(Debug, Default)]
struct Seen {
    asked: usize,
    read: i64,
    shown: usize,
    forbidden: usize,
}

impl Scene {
    async fn set(house: House) -> Self {
        let api = Api::in_house(house).await;
        let reader = token(&api.house, "reader", Role::Reader, Some(&api.pay)).await;
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let caller = |token: &String, may| Caller { token: token.clone(), may };
        let callers = vec![
            caller(&api.alice, [May::Read, May::Nothing]),
            caller(&api.mallory, [May::Nothing, May::Read]),
            caller(&reader, [May::Read, May::Nothing]),
            caller(&viewer, [May::See, May::Nothing]),
            caller(&api.vera, [May::Nothing, May::Nothing]),
        ];
        let (kept, places, aliases) = Default::default();
        let mut scene = Self { api, callers, kept, places, aliases };
        for place in 0..PLACES.len() {
            scene.fill(place).await;
        }
        assert_eq!(scene.kept.len(), PLACES.len() * PATHS.len());
        scene
    }

    async fn fill(&mut self, place: usize) {
        let (project, environment) = PLACES[place];
        let base = format!("/api/v1/projects/{project}/environments/{environment}");
        let shown = async |path: &str| self.api.get(path).await.json()["id"].as_str().unwrap().to_owned();
        let ids = (shown(&format!("/api/v1/projects/{project}")).await, shown(&base).await);
        for project in [project, &ids.0] {
            for environment in [environment, &ids.1] {
                self.places.insert((project.into(), environment.into()), place);
            }
        }
        for (n, path) in PATHS.into_iter().enumerate() {
            let value = format!("kept-{place}-{n}-");
            let address = escaped(path.as_bytes());
            let call = self.api.call("put", &format!("{base}/secrets/{address}")).bearer(&self.api.olga);
            let made = call.json(json!({ "value": value })).await;
            assert_eq!(made.status, 201, "{path}: {made:?}");
            let id = made.json()["id"].as_str().unwrap().to_owned();
            for (dialect, name) in
                [(Dialect::VaultKv2, path.to_owned()), (Dialect::Azure, format!("Name-{n}"))]
            {
                let Ok(alias) = Alias::new(dialect, &name) else { continue };
                let call = self.api.call("put", &format!("/api/v1/secrets/{id}/aliases/{dialect}"));
                assert_eq!(
                    call.bearer(&self.api.olga).json(json!({ "name": name })).await.status,
                    200,
                    "{name}"
                );
                self.aliases.insert((place, dialect, alias.folded()), id.clone());
            }
            self.kept.insert((place, path.into()), (id, value));
        }
    }

    /// What the caller may do there.
    fn may(caller: &Caller, place: usize) -> May {
        caller.may[usize::from(PLACES[place].0 != "pay")]
    }

    /// Nothing of any value is in an answer that has none to give.
    fn tells_nothing(answer: &Answer, asked: &str) {
        assert!(!answer.body.contains("kept-"), "{asked}: {answer:?}");
        assert!(answer.status.is_client_error(), "{asked}: {answer:?}");
    }

    /// The place of an address, by any of its names; its number, if it is one.
    fn draws_place(&self, chance: &mut Chance) -> (String, String, Option<usize>) {
        let names: Vec<_> = self.places.keys().collect();
        let (mut project, mut environment) = (*chance.of(&names)).clone();
        match chance.below(12) {
            0 => project = project.to_uppercase(),
            1 => environment.push_str("%2f..%2flive"),
            2 => {
                let piece = *chance.of(&PIECES);
                project.push_str(piece);
            }
            3 => project = "other%2fenvironments%2flive%2fsecrets%2f..".into(),
            _ => {}
        }
        // A slash would make it an address of something else.
        let (project, environment) = (project.replace('/', "%2f"), environment.replace('/', "%2f"));
        let (project, environment) = (chance.written(&project), chance.written(&environment));
        let named = decoded(&project).zip(decoded(&environment));
        let place = named.and_then(|named| self.places.get(&named)).copied();
        (project, environment, place)
    }

    /// Reads by an address.
    async fn reads(&self, chance: &mut Chance, seen: &mut Seen) {
        let (project, environment, place) = self.draws_place(chance);
        let path = chance.path();
        let path = chance.written(&path);
        let caller = chance.of(&self.callers);
        let asked = format!("/api/v1/projects/{project}/environments/{environment}/secrets/{path}");
        if asked.parse::<Uri>().is_err() {
            return;
        }
        let answer = self.api.call("get", &asked).bearer(&caller.token).send("").await;
        let found =
            place.zip(decoded(&path)).and_then(|(place, path)| Some((place, self.kept.get(&(place, path))?)));
        let may = found.map_or(May::Nothing, |(place, _)| Self::may(caller, place));
        match (found, may) {
            (Some((_, (id, value))), May::Read) => {
                assert_eq!(answer.status, 200, "{asked}: {answer:?}");
                let got = answer.json();
                assert_eq!((&got["id"], &got["value"]), (&json!(id), &json!(value)), "{asked}");
                seen.read += 1;
            }
            (_, may) => {
                Self::tells_nothing(&answer, &asked);
                let status = if may == May::See { 403 } else { 404 };
                assert_eq!(answer.status, status, "{asked}: {answer:?}");
                seen.forbidden += usize::from(may == May::See);
            }
        }
    }

    /// Looks for a secret by what others call it.
    async fn looks(&self, chance: &mut Chance, seen: &mut Seen) {
        let (project, environment, place) = self.draws_place(chance);
        let dialect = *chance.of(&[Dialect::VaultKv2, Dialect::Azure]);
        let name = match dialect {
            Dialect::Azure if chance.below(2) == 0 => format!("nAmE-{}", chance.below(PATHS.len())),
            _ => chance.path(),
        };
        let name = chance.written(&name);
        let caller = chance.of(&self.callers);
        let asked = format!("/api/v1/projects/{project}/environments/{environment}/aliases/{dialect}/{name}");
        if asked.parse::<Uri>().is_err() {
            return;
        }
        let answer = self.api.call("get", &asked).bearer(&caller.token).send("").await;
        let compared =
            |name: String| if dialect == Dialect::Azure { name.to_ascii_lowercase() } else { name };
        let found = place
            .zip(decoded(&name))
            .and_then(|(place, name)| Some((place, self.aliases.get(&(place, dialect, compared(name)))?)));
        match found {
            Some((place, id)) if Self::may(caller, place) != May::Nothing => {
                assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (200, &json!(id)), "{asked}");
                seen.shown += 1;
            }
            _ => {
                Self::tells_nothing(&answer, &asked);
                assert_eq!(answer.status, 404, "{asked}: {answer:?}");
            }
        }
    }

    /// Reads many by their paths, which stand in a body as they are.
    async fn reads_many(&self, chance: &mut Chance, seen: &mut Seen) {
        let place = chance.below(PLACES.len());
        let (project, environment) = PLACES[place];
        let caller = chance.of(&self.callers);
        let paths: Vec<_> = (0..MANY).map(|_| chance.path()).collect();
        let items: Vec<_> = paths.iter().map(|path| json!({ "path": path })).collect();
        let body = json!({ "project": project, "environment": environment, "items": items });
        let answer =
            self.api.call("post", "/api/v1/secrets/batch-get").bearer(&caller.token).json(body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let answer = answer.json();
        for (path, got) in paths.into_iter().zip(answer["items"].as_array().unwrap()) {
            let found = self.kept.get(&(place, path));
            let (status, value) = match (found, Self::may(caller, place)) {
                (Some((_, value)), May::Read) => (200, json!(value)),
                (Some(_), May::See) => (403, Value::Null),
                _ => (404, Value::Null),
            };
            assert_eq!((&got["status"], &got["value"]["value"]), (&json!(status), &value), "{got}");
            seen.read += i64::from(status == 200);
            seen.forbidden += usize::from(status == 403);
        }
    }

    /// Puts and deletes as callers who may do neither anywhere.
    async fn writes(&self, chance: &mut Chance) {
        let (project, environment, _) = self.draws_place(chance);
        let path = chance.path();
        let path = chance.written(&path);
        let caller = &self.callers[2 + chance.below(3)];
        let asked = format!("/api/v1/projects/{project}/environments/{environment}/secrets/{path}");
        if asked.parse::<Uri>().is_err() {
            return;
        }
        let call = |method| self.api.call(method, &asked).bearer(&caller.token);
        let answer = match chance.below(2) {
            0 => call("delete").send("").await,
            _ => call("put").json(json!({ "value": "x" })).await,
        };
        Self::tells_nothing(&answer, &asked);
    }

    /// So many paths, from one seed.
    async fn ask(&self, seed: u64, paths: usize) -> Seen {
        let (mut chance, mut seen) = (Chance(seed), Seen::default());
        while seen.asked < paths {
            let what = chance.below(20);
            match what {
                0 => self.reads_many(&mut chance, &mut seen).await,
                1 | 2 => self.writes(&mut chance).await,
                3..=5 => self.looks(&mut chance, &mut seen).await,
                _ => self.reads(&mut chance, &mut seen).await,
            }
            seen.asked += if what == 0 { MANY } else { 1 };
        }
        seen
    }
}

/// No path leads elsewhere, and each reading is told once.
async fn proves(house: House, seed: u64, paths: usize) {
    let scene = Scene::set(house).await;
    let before = scene.api.house.rows().await;
    let seen = scene.ask(seed, paths).await;
    assert!(seen.read > 50 && seen.shown > 5 && seen.forbidden > 5, "too little of it was there: {seen:?}");
    let after = scene.api.house.rows().await;
    assert_eq!(after["events"] - before["events"], seen.read, "{seen:?}");
    let told: BTreeSet<_> = ["event_personal", "events"].into();
    let others = |rows: &BTreeMap<&'static str, i64>| -> Vec<_> {
        rows.iter()
            .filter(|(table, _)| !told.contains(*table))
            .map(|(table, count)| (*table, *count))
            .collect()
    };
    assert_eq!(others(&after), others(&before));
}

#[tokio::test]
async fn no_spelling_of_a_path_leads_to_another_secret() {
    both_engines(async |house| proves(house, 1, 3_000).await).await;
}

#[tokio::test]
#[ignore = "takes some minutes; `make faults` runs it"]
async fn no_spelling_of_a_million_paths_leads_to_another_secret() {
    proves(House::new(Engine::Sqlite).await, 2, 1_000_000).await;
}
