//! No secret leaves by a door that it has no business at (S-20): every field of every request, form and command is filled with
//! a text of its own, on a server that logs as much as it can, and afterwards all of them are looked for, however they may be
//! written, in everything that it stored, logged, measured, answered and printed.

mod api;
pub(crate) mod door;
mod http2;
pub(crate) mod marks;
mod pages;
mod shell;
mod stored;

use std::{
    fs::{self, File},
    path::Path,
    process::Stdio,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::house::{Server, fresh_database, get_at, keywarden, postgres, printed};
use crate::owner;
use door::Door;
use marks::{Marks, Whose};
use stored::{Cluster, files, rows};

/// The most that an operator can make a server say.
const TALKATIVE: [(&str, &str); 4] = [
    ("KEYWARDEN_LOG_LEVEL", "trace"),
    ("KEYWARDEN_LOG_FORMAT", "json"),
    ("KEYWARDEN_METRICS_LISTEN", "127.0.0.1:0"),
    ("KEYWARDEN_PUBLIC_URL", owner::ORIGIN),
];

/// A server that says everything, with an owner and a token of an admin.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    pub(crate) server: Server,
    pub(crate) door: Door,
    pub(crate) marks: Marks,
    pub(crate) variables: Vec<(&'static str, String)>,
    /// An admin's.
    pub(crate) token: String,
    /// The cookie of the owner's session, as a browser sends it.
    pub(crate) cookie: String,
}

impl Scene {
    fn new(more: &[(&'static str, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        let marks = Marks::default();
        let variables: Vec<_> = TALKATIVE
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .chain(more.iter().cloned())
            .collect();
        let mut command = keywarden(at, &["serve"]);
        command.envs(variables.iter().map(|(name, value)| (*name, value.as_str())));
        let out = File::create(at.join("stdout")).unwrap();
        let server = Server::start_printing(command, Stdio::from(out));
        server.becomes("\"ready\"");
        let door = Door::new(&server.address);
        let names = ["organization", "person", "passkey"].map(|what| marks.told(format!("set up: {what}")));
        let cookie = owner::signs_up(at, &door, &marks, [&names[0], &names[1], &names[2]]);
        let given: Vec<_> = variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let operator = printed(at, &given, &["operator", "token", "--role", "admin"]);
        marks.note_token("an operator's token", &operator);
        let token = of_workload(&door, &marks, operator.trim());
        Self { folder, server, door, marks, variables, token, cookie }
    }

    pub(crate) fn at(&self) -> &Path {
        self.folder.path()
    }

    /// What a command beside the server printed.
    pub(crate) fn prints(&self, arguments: &[&str]) -> String {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        printed(self.at(), &variables, arguments)
    }

    /// Looks at every process that the server is, and says that nothing stands where anybody may read it.
    fn command_lines(&self) -> Vec<(String, Vec<u8>)> {
        let own = self.server.child.id();
        let of_server = |pid: &u32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let parent = stat.rsplit(") ").next().and_then(|after| after.split(' ').nth(1)?.parse().ok());
            *pid == own || parent == Some(own)
        };
        let pids =
            fs::read_dir("/proc").unwrap().filter_map(|it| it.unwrap().file_name().to_str()?.parse().ok());
        let line = |pid: u32| Some((pid.to_string(), fs::read(format!("/proc/{pid}/cmdline")).ok()?));
        pids.filter(of_server).filter_map(line).collect()
    }

    /// Everything that the record tells, page after page.
    fn record(&self) -> Vec<Value> {
        let bearer = format!("Bearer {}", self.token);
        let (mut events, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/audit?limit=200{cursor}");
            let page = self.door.ask("listEvents", "get", &path, &[("Authorization", &bearer)], b"").unwrap();
            assert_eq!(page.status, 200, "{page:?}");
            let page = page.json();
            events.extend(page["items"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next_cursor"].as_str() else { return events };
            cursor = format!("&cursor={next}");
        }
    }
}

/// The token of an admin that is a workload: links to values are made by somebody who can still read them later.
fn of_workload(door: &Door, marks: &Marks, operator: &str) -> String {
    let bearer = format!("Bearer {operator}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let made = |name: &str, path: &str, body: Value| {
        let answer = door.ask(name, "post", path, &headers, body.to_string().as_bytes()).unwrap();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    };
    let workload = json!({ "name": marks.told("the admin"), "role": "admin" });
    let id = made("createWorkload", "/api/v1/workloads", workload)["id"].as_str().unwrap().to_owned();
    let token = made("issueToken", &format!("/api/v1/workloads/{id}/tokens"), json!({}));
    let token = token["token"].as_str().unwrap().to_owned();
    marks.note_token("the admin's token", &token);
    token
}

/// The page of a link knows its own address, and comes back to it once somebody chose a theme there.
fn without_own_address(name: &str, answer: &str) -> String {
    if name != "POST page /shared/_" {
        return answer.to_owned();
    }
    let mut parts = answer.split("kwt_share_");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str(part.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_'));
    }
    told
}

/// A value, and what is told of it.
fn put_once_more(scene: &Scene) {
    let bearer = format!("Bearer {}", scene.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let [value, told] = [scene.marks.secret("once more: a value"), scene.marks.told("once more: a name")];
    let body = json!({ "value": value, "description": told }).to_string();
    let path = format!("/api/v1/projects/pay/environments/live/secrets/once/{told}");
    let answer = scene.door.ask("putSecret", "put", &path, &headers, body.as_bytes()).unwrap();
    assert!(answer.status < 300, "{answer:?}");
}

/// Goes through every door of a server with `more` settings, and looks for all that it was told.
fn goes_through_every_door(more: &[(&'static str, String)], database: Option<&str>) {
    let scene = Scene::new(more);
    let metrics = scene.server.metrics.clone().unwrap();
    let mut hands_out = api::goes_through(&scene);
    hands_out.extend(pages::goes_through(&scene));
    hands_out.insert("POST set up".into()); // the session's cookie
    let printed = shell::goes_through(&scene);
    let events = json!(scene.record()).to_string();
    let figures = get_at(&metrics, "/metrics", &[]);
    let lines = scene.command_lines();
    assert!(lines.len() > usize::from(database.is_none()), "{lines:?}");

    let cluster = database.and_then(Cluster::of);
    let on_disk = cluster.map(|cluster| (cluster.log_of(|| put_once_more(&scene)), cluster.tables()));

    let Scene { folder, server, door, marks, .. } = scene;
    // What lies in files of its own lies nowhere else.
    let own = ["softhsm/pin", "softhsm/so-pin", "seal.key"].map(|name| folder.path().join("data").join(name));
    for file in own.iter().filter(|it| it.exists()) {
        let text = fs::read_to_string(file).unwrap();
        marks.note(Whose::Secret, file.display().to_string(), text.trim());
    }
    let data = folder.path().join("data");
    let running = files(&data);
    let log = server.stop().join("\n");
    let hunt = marks.search();
    hunt.nothing_in("the log", log.as_bytes());
    hunt.nothing_in("metrics", figures.as_bytes());
    for (pid, line) in &lines {
        hunt.nothing_in(&format!("the command line of {pid}"), line);
    }
    hunt.no_secret_in("the record", events.as_bytes());
    for (name, answer) in door.answers.borrow().iter() {
        if !(answer.status < 400 && hands_out.contains(name)) {
            let told = without_own_address(name, &answer.whole);
            hunt.no_secret_in(&format!("the answer {} to {name}", answer.status), told.as_bytes());
        }
    }
    for (what, bytes) in &printed {
        hunt.nothing_in(what, bytes);
    }
    // While it runs SQLite's log and its index lie there too.
    if database.is_none() {
        let [log, index] = ["db-wal", "db-shm"].map(|it| data.join(format!("keywarden.{it}")));
        assert!(
            hunt.told_in(&running[&log.display().to_string()]) > 0,
            "nothing that was told is in the log"
        );
        assert!(running.contains_key(&index.display().to_string()));
    }
    let mut stored = Vec::new();
    for (path, bytes) in running.into_iter().chain(files(&data)) {
        if !own.iter().any(|file| file.ends_with(&path)) {
            hunt.no_secret_in(&path, &bytes);
        }
        stored.extend(bytes);
    }
    for name in ["stdout", "a.kwbackup"] {
        hunt.nothing_in(name, &fs::read(folder.path().join(name)).unwrap());
    }
    if let Some(url) = database {
        stored = rows(url);
        hunt.no_secret_in("PostgreSQL", &stored);
    }
    if let Some((log, tables)) = on_disk {
        assert!(
            hunt.told_in(&tables) > 50,
            "{} of the names are in the tables' files",
            hunt.told_in(&tables)
        );
        assert!(hunt.told_in(&log) > 0, "PostgreSQL's log does not tell of what was put");
        hunt.no_secret_in("the tables' files", &tables);
        hunt.no_secret_in("PostgreSQL's log", &log);
    }
    // What may be there is: the search looks at what it should look at.
    assert!(hunt.told_in(&stored) > 50, "{} of the names are stored", hunt.told_in(&stored));
    assert!(hunt.told_in(events.as_bytes()) > 20, "{} are in the record", hunt.told_in(events.as_bytes()));
    assert!(log.lines().count() > 2_000, "{} lines", log.lines().count());
    assert!(marks.count(Whose::Secret) > 500 && marks.count(Whose::Told) > 300);
    hunt.end();
}

#[test]
fn no_secret_is_found_where_it_has_no_business_after_every_door_was_used() {
    goes_through_every_door(&[], None);
}

#[test]
fn no_secret_is_found_on_postgresql_either() {
    let Some(server) = postgres() else { return };
    let url = fresh_database(&server);
    let more = [("KEYWARDEN_DATABASE_URL", url.clone()), ("KEYWARDEN_SEAL", "software".to_owned())];
    goes_through_every_door(&more, Some(&url));
}
