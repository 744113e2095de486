//! `keywarden login` and `logout` before a server that answers as is written down, and before a real one.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tempfile::TempDir;

use crate::house::{Server, told};

const CODES: &str = r#"{"device_code":"kept","user_code":"WDJB-MJHT","verification_uri":"http://localhost/device","interval":1,"expires_in":600}"#;
/// As a server answers that knows an address with the code in it.
const COMPLETE: &str = r#"{"device_code":"kept","user_code":"WDJB-MJHT","verification_uri":"http://localhost/device","verification_uri_complete":"http://localhost/device?user_code=WDJB-MJHT","interval":1,"expires_in":600}"#;
const ODD: &str = r#"{"device_code":"kept","user_code":"WDJB-MJHT","verification_uri":"file:///etc/passwd","interval":1,"expires_in":600}"#;
const TOKEN: &str = r#"{"access_token":"kws_person_x","token_type":"Bearer","expires_in":3600}"#;
const PENDING: &str = r#"{"error":"authorization_pending"}"#;

/// A server that answers each request with the next line, and what it was asked.
struct Scripted {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    fn new(answers: &'static [(&'static str, &'static str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&asked);
        thread::spawn(move || {
            for (socket, (status, body)) in listener.incoming().map_while(Result::ok).zip(answers) {
                heard.lock().unwrap().push(answer(socket, status, body));
            }
        });
        Self { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// Answers one request; gives its first line, its authorization and its body.
fn answer(mut socket: TcpStream, status: &str, body: &str) -> String {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let mut lines = Vec::new();
    let (mut length, mut shown) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(": ") {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.parse().unwrap(),
                "authorization" => value.clone_into(&mut shown),
                _ => {}
            }
        }
        lines.push(line);
    }
    let mut posted = vec![0; length];
    reader.read_exact(&mut posted).unwrap();
    let size = body.len();
    write!(socket, "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n{body}")
        .unwrap();
    format!("{} {shown} {}", lines[0], String::from_utf8(posted).unwrap())
}

fn run(folder: &TempDir, server: &str, arguments: &[&str]) -> Output {
    command(folder, server, arguments).output().unwrap()
}

fn command(folder: &TempDir, server: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_keywarden"));
    command.args(arguments).current_dir(folder.path()).env_clear().env("PATH", "/usr/bin:/bin");
    command.env("KEYWARDEN_SERVER", server).env("XDG_STATE_HOME", folder.path().join("state"));
    command.stdin(Stdio::null());
    command
}

#[test]
fn a_person_signs_in_asks_with_the_token_and_signs_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::new(&[
        ("200 OK", CODES),
        ("400 Bad Request", PENDING),
        ("200 OK", TOKEN),
        ("200 OK", r#"{"items":[],"next_cursor":null}"#),
        ("200 OK", ""),
    ]);
    let login = run(&folder, &server.address, &["login", "--no-browser"]);
    assert!(login.status.success(), "{}", told(&login));
    assert!(told(&login).contains("WDJB-MJHT") && told(&login).contains("http://localhost/device"));
    assert!(!told(&login).contains("kws_") && !told(&login).contains("kept\""), "{}", told(&login));
    let state = folder.path().join("state/keywarden");
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = fs::read_dir(&state).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&state), mode(&file)), (0o700, 0o600));

    let listed = run(&folder, &server.address, &["secret", "list", "pay/live", "--json"]);
    assert_eq!(listed.stdout, b"[]\n", "{}", told(&listed));
    let elsewhere = run(&folder, "http://127.0.0.1:1", &["secret", "list", "pay/live"]);
    assert!(
        told(&elsewhere).contains("keywarden login"),
        "another server's token is not shown: {}",
        told(&elsewhere)
    );
    // A folder that others may look into.
    fs::set_permissions(&state, fs::Permissions::from_mode(0o750)).unwrap();
    let open = run(&folder, &server.address, &["secret", "list", "pay/live"]);
    assert!(!open.status.success() && told(&open).contains("0700"), "{}", told(&open));
    fs::set_permissions(&state, fs::Permissions::from_mode(0o700)).unwrap();

    let out = run(&folder, &server.address, &["logout"]);
    assert!(out.status.success() && told(&out).contains("signed out"), "{}", told(&out));
    assert!(!file.exists());
    let asked = server.asked();
    assert!(asked[0].starts_with("POST /oauth2/device_authorization "), "{asked:?}");
    for redeems in &asked[1..3] {
        assert!(
            redeems.starts_with("POST /oauth2/token ") && redeems.ends_with("&device_code=kept"),
            "{asked:?}"
        );
    }
    assert!(asked[3].contains("Bearer kws_person_x"), "{asked:?}");
    assert!(
        asked[4].starts_with("POST /oauth2/revoke ") && asked[4].ends_with("token=kws_person_x"),
        "{asked:?}"
    );
    let nobody = run(&folder, &server.address, &["logout"]);
    assert!(nobody.status.success() && told(&nobody).contains("Nobody"), "{}", told(&nobody));
}

#[test]
fn a_browser_is_opened_where_a_window_can_come_up_and_the_address_is_printed_anywhere() {
    const OPENER: &str =
        "#!/bin/sh\nprintf '%s\\n' \"$#\" \"$@\" > \"$0.new\" && mv \"$0.new\" \"$0.opened\"\n";
    let whole = "http://localhost/device?user_code=WDJB-MJHT";
    for (codes, display, more, opened) in [
        (COMPLETE, Some(("DISPLAY", ":0")), &["login"][..], Some(whole)),
        (CODES, Some(("WAYLAND_DISPLAY", "wayland-0")), &["login"][..], Some("http://localhost/device")),
        (COMPLETE, Some(("BROWSER", "w3m")), &["login"][..], Some(whole)),
        // No window, one that is nowhere, a person who wants none, and what is no address of a page.
        (COMPLETE, None, &["login"][..], None),
        (COMPLETE, Some(("DISPLAY", "")), &["login"][..], None),
        (COMPLETE, Some(("DISPLAY", ":0")), &["login", "--no-browser"][..], None),
        (ODD, Some(("DISPLAY", ":0")), &["login"][..], None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let opener = folder.path().join("xdg-open");
        fs::write(&opener, OPENER).unwrap();
        fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
        let server = Scripted::new(Box::leak(Box::new([("200 OK", codes), ("200 OK", TOKEN)])));
        let mut command = command(&folder, &server.address, more);
        command.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display())).envs(display);
        let login = command.output().unwrap();
        assert!(login.status.success(), "{}", told(&login));
        let address = if codes == ODD { "file:///etc/passwd" } else { "http://localhost/device" };
        assert!(told(&login).contains(&format!("Open {address} and enter WDJB-MJHT")), "{}", told(&login));
        let note = folder.path().join("xdg-open.opened");
        // It is not waited for; by the end of a sign-in it has begun.
        let mut looks = 0;
        while opened.is_some() && !note.exists() {
            looks += 1;
            assert!(looks < 300, "nothing was opened: {codes} {display:?}");
            thread::sleep(Duration::from_millis(20));
        }
        let given = fs::read_to_string(&note).ok();
        assert_eq!(given, opened.map(|address| format!("1\n{address}\n")), "{codes} {display:?} {more:?}");
    }
    // Without any program that opens anything.
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::new(&[("200 OK", COMPLETE), ("200 OK", TOKEN)]);
    let mut command = command(&folder, &server.address, &["login"]);
    let login = command.env("PATH", folder.path()).env("DISPLAY", ":0").output().unwrap();
    assert!(
        login.status.success() && told(&login).contains("Open http://localhost/device"),
        "{}",
        told(&login)
    );
}

#[test]
fn a_sign_in_lies_in_the_kernels_keyring_if_asked_for_and_in_one_place() {
    let folder = tempfile::tempdir().unwrap();
    let list = ("200 OK", r#"{"items":[],"next_cursor":null}"#);
    let answers: [(&str, &str); 9] = [
        ("200 OK", CODES),
        ("200 OK", r#"{"access_token":"kws_person_file","token_type":"Bearer","expires_in":3600}"#),
        ("200 OK", CODES),
        ("200 OK", r#"{"access_token":"kws_person_ring","token_type":"Bearer","expires_in":3600}"#),
        list,
        ("200 OK", CODES),
        ("200 OK", r#"{"access_token":"kws_person_last","token_type":"Bearer","expires_in":3600}"#),
        list,
        ("200 OK", ""),
    ];
    let server = Scripted::new(Box::leak(Box::new(answers)));
    let files = || fs::read_dir(folder.path().join("state/keywarden")).unwrap().count();
    let ask = |arguments: &[&str]| {
        let out = run(&folder, &server.address, arguments);
        assert!(out.status.success() && !told(&out).contains("kws_"), "{}", told(&out));
        out
    };
    ask(&["login", "--no-browser"]);
    assert_eq!(files(), 1);
    let login = run(&folder, &server.address, &["login", "--no-browser", "--keyring"]);
    if !login.status.success() && told(&login).contains("without --keyring") {
        println!("SKIPPED: {}", told(&login));
        assert_eq!(server.asked().len(), 2, "nobody is let in for nothing");
        return;
    }
    assert!(login.status.success(), "{}", told(&login));
    assert_eq!(files(), 0, "it is in the keyring alone");
    assert_eq!(ask(&["secret", "list", "pay/live", "--json"]).stdout, b"[]\n");
    ask(&["login", "--no-browser"]);
    assert_eq!(files(), 1);
    ask(&["secret", "list", "pay/live", "--json"]);
    ask(&["logout"]);
    assert_eq!(files(), 0);
    let asked = server.asked();
    assert!(asked[4].contains("Bearer kws_person_ring"), "{asked:?}");
    assert!(asked[7].contains("Bearer kws_person_last"), "the newer sign-in took its place: {asked:?}");
    let nobody = run(&folder, &server.address, &["logout"]);
    assert!(nobody.status.success() && told(&nobody).contains("Nobody"), "{}", told(&nobody));
}

#[test]
fn a_sign_in_that_the_keyring_holds_is_given_up_there_and_here() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::new(&[("200 OK", CODES), ("200 OK", TOKEN), ("200 OK", "")]);
    let login = run(&folder, &server.address, &["login", "--no-browser", "--keyring"]);
    if !login.status.success() && told(&login).contains("without --keyring") {
        println!("SKIPPED: {}", told(&login));
        return;
    }
    assert!(login.status.success(), "{}", told(&login));
    assert!(!folder.path().join("state").exists(), "nothing of it is on the disk");
    let kept = || fs::read_to_string("/proc/keys").unwrap().contains(&server.address);
    assert!(kept());
    let out = run(&folder, &server.address, &["logout"]);
    assert!(out.status.success() && told(&out).contains("signed out"), "{}", told(&out));
    // A moment after nobody holds it any more, the kernel throws it away.
    let mut looks = 0;
    while kept() {
        looks += 1;
        assert!(looks < 300, "it is left in the kernel");
        thread::sleep(Duration::from_millis(50));
    }
    assert!(server.asked()[2].ends_with("token=kws_person_x"), "{:?}", server.asked());
}

#[test]
fn a_terminal_that_is_kept_out_or_too_late_is_told_and_keeps_nothing() {
    for (answer, says) in [
        (r#"{"error":"access_denied","error_description":"this terminal was refused"}"#, "refused"),
        (r#"{"error":"expired_token"}"#, "expired_token"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let answers = Box::leak(Box::new([("200 OK", CODES), ("400 Bad Request", answer)]));
        let server = Scripted::new(answers);
        let login = run(&folder, &server.address, &["login", "--no-browser"]);
        assert_eq!(login.status.code(), Some(1), "{}", told(&login));
        assert!(told(&login).contains("not signed in") && told(&login).contains(says), "{}", told(&login));
        assert!(!folder.path().join("state").exists());
    }
    let folder = tempfile::tempdir().unwrap();
    let over =
        Scripted::new(&[("200 OK", CODES), ("200 OK", r#"{"access_token":"kws_person_x","expires_in":0}"#)]);
    assert!(run(&folder, &over.address, &["login", "--no-browser"]).status.success());
    let late = run(&folder, &over.address, &["secret", "list", "pay/live"]);
    assert_eq!(late.status.code(), Some(2), "{}", told(&late));
    assert!(told(&late).contains("run out"), "{}", told(&late));
}

#[test]
fn a_real_server_gives_codes_and_says_that_nobody_decided() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    server.becomes("ready");
    let form = |path: &str, body: &str| {
        let mut socket = TcpStream::connect(&server.address).unwrap();
        let kind = "application/x-www-form-urlencoded";
        let length = body.len();
        write!(socket, "POST {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}")
            .unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };
    let begun = form("/oauth2/device_authorization", "client_id=keywarden");
    assert!(begun.starts_with("HTTP/1.1 200"), "{begun}");
    let codes: serde_json::Value = serde_json::from_str(begun.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let grant = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code";
    let waits =
        form("/oauth2/token", &format!("{grant}&device_code={}", codes["device_code"].as_str().unwrap()));
    assert!(waits.starts_with("HTTP/1.1 400") && waits.contains("authorization_pending"), "{waits}");
    let page = server.get(&format!("/device?user_code={}", codes["user_code"].as_str().unwrap()));
    assert!(page.starts_with("HTTP/1.1 303") && page.contains("/sign-in?next="), "{page}");
    let log = server.stop().join("\n");
    assert!(!log.contains(codes["device_code"].as_str().unwrap()), "no code is logged");
}
