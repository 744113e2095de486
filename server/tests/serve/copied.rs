//! Every text that the console offers to copy, run as it stands: by a shell, and by the programs that are there.

use std::{
    fs,
    io::Write as _,
    process::{Command, Output, Stdio},
};

use keywarden_app::snippets::{Spot, Way, variable};
use serde_json::{Value, json};

use crate::{client::Stage, house::told};

const WHY: &str = "für den Abgleich";

/// From now on one has to say why a value of the environment is read.
fn ask_why(stage: &Stage) {
    let token = fs::read_to_string(stage.token()).unwrap();
    let path = "/api/v1/projects/pay/environments/live";
    let edited = stage.server.send("PATCH", path, token.trim(), r#"{"reads_need_reason":true}"#);
    assert!(edited.contains("\"reads_need_reason\":true"), "{edited}");
}

#[test]
fn what_the_console_offers_to_copy_works_as_it_is_written() {
    works_as_it_is_written(false);
}

#[test]
fn what_the_console_offers_to_copy_says_why_where_that_is_asked() {
    works_as_it_is_written(true);
}

/// Every text that the console offers to copy, run as it stands.
fn works_as_it_is_written(asks_why: bool) {
    let stage = Stage::new();
    let path = "3ds/pass'word $HOME";
    let value = "it's a \"secret\" & $more";
    assert!(stage.put(&format!("pay/live/{path}"), value.as_bytes()).status.success());
    assert!(stage.put("pay/live/other", b"another").status.success());
    if asks_why {
        ask_why(&stage);
    }
    let of = Spot { project: "pay", environment: "live", path, binary: false, asks_why };
    // What the texts call: the client by its name, a program, and a cluster's client that keeps what it is given.
    let bin = stage.folder.path().join("bin");
    fs::create_dir(&bin).unwrap();
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_keywarden"), bin.join("keywarden")).unwrap();
    let printing = format!("#!/bin/sh\nprintf %s \"${}\"\n", variable(path));
    for (at, text) in [
        (bin.join("kubectl"), "#!/bin/sh\ncat > applied.yaml\n"),
        (stage.folder.path().join("program"), printing.as_str()),
        (stage.folder.path().join("deploy"), printing.as_str()),
    ] {
        fs::write(&at, text).unwrap();
        fs::set_permissions(&at, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }
    let token = fs::read_to_string(stage.token()).unwrap();
    let shell = |text: &str| {
        let output = Command::new("/bin/sh")
            .args(["-c", text])
            .current_dir(stage.folder.path())
            .env_clear()
            .env("KEYWARDEN_SERVER", format!("http://{}", stage.server.address))
            .env("KEYWARDEN_TOKEN", token.trim())
            .env("PATH", format!("{}:/usr/bin:/bin", bin.display()))
            .envs(asks_why.then_some(("KEYWARDEN_REASON", WHY)))
            .output()
            .unwrap();
        assert!(output.status.success(), "{text}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    let file = |name: &str| fs::read_to_string(stage.folder.path().join(name)).unwrap();
    for way in Way::all(false) {
        let text = way.text(of);
        match way {
            Way::Cli | Way::Run => assert_eq!(shell(&text), value, "{text}"),
            Way::Curl => {
                let answer: Value = serde_json::from_str(&shell(&text)).unwrap();
                assert_eq!((&answer["path"], &answer["value"]), (&json!(path), &json!(value)));
            }
            Way::Dotenv => {
                shell(&text);
                assert!(!file(".env").contains("another"), "only what was chosen");
                assert_eq!(shell(&format!(". ./.env; printf %s \"${}\"", variable(path))), value);
            }
            Way::Kubernetes => {
                shell(&text);
                let applied = file("applied.yaml");
                let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, value);
                assert!(applied.contains("kind: Secret") && applied.contains(&encoded), "{applied}");
            }
            Way::GitHub | Way::GitLab => {
                let step = text.lines().last().unwrap().trim();
                let command = step.strip_prefix("run: ").or(step.strip_prefix("- ")).unwrap();
                assert_eq!(shell(command), value, "{text}");
            }
            // The exchange before it has a test of its own: exchange.rs.
            Way::GitHubCurl | Way::GitLabCurl => {
                let read = text.lines().skip(text.lines().count() - if asks_why { 3 } else { 2 });
                let answer: Value =
                    serde_json::from_str(&shell(&read.collect::<Vec<_>>().join("\n"))).unwrap();
                assert_eq!(answer["value"], value);
            }
            Way::Go | Way::Node | Way::Python => {}
        }
    }
    stage.server.stop();
}

/// Runs a program's text, with one line more that prints the value, by its interpreter.
fn program(stage: &Stage, interpreter: &[&str], text: &str) -> Output {
    let mut child = Command::new(interpreter[0])
        .args(&interpreter[1..])
        .current_dir(stage.folder.path())
        .env("KEYWARDEN_SERVER", format!("http://{}", stage.server.address))
        .env("KEYWARDEN_TOKEN", fs::read_to_string(stage.token()).unwrap().trim())
        .env("KEYWARDEN_REASON", WHY)
        .env("GOPROXY", "off") // what is offered needs nothing but the language
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A loud skip where a program is not, and a failure in CI.
fn is_there(program: &str) -> bool {
    let folders = std::env::var_os("PATH").unwrap();
    if std::env::split_paths(&folders).any(|folder| folder.join(program).exists()) {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{program} must be there in CI");
    println!("SKIPPED: there is no {program}");
    false
}

#[test]
fn programs_read_texts_and_bytes_by_the_code_that_is_offered() {
    let stage = Stage::new();
    let odd = "3ds/pass'word \"$HOME\" {é} #1?+%2F";
    let (text, bytes) = ("it's a \"secret\" & $more\n".as_bytes(), &[0, 0xff, b'\n', 0x80][..]);
    assert!(stage.put(&format!("pay/live/{odd}"), text).status.success());
    let binary = stage.put_with("pay/live/bytes", bytes, &["--kind", "binary"]);
    assert!(binary.status.success(), "{}", told(&binary));
    let spots = [(odd, false, text, false), ("bytes", true, bytes, false), (odd, false, text, true)];
    for (path, binary, value, asks_why) in spots {
        if asks_why {
            ask_why(&stage);
        }
        let of = Spot { project: "pay", environment: "live", path, binary, asks_why };
        if is_there("python3") {
            let print = if binary { "value" } else { "value.encode()" };
            let code = format!("{}\nimport sys\nsys.stdout.buffer.write({print})\n", Way::Python.text(of));
            let output = program(&stage, &["python3", "-"], &code);
            assert_eq!(output.stdout, value, "{code}: {}", told(&output));
        }
        if is_there("node") {
            let code = format!("{}\nprocess.stdout.write(value);\n", Way::Node.text(of));
            let output = program(&stage, &["node", "--input-type=module", "-"], &code);
            assert_eq!(output.stdout, value, "{code}: {}", told(&output));
        }
        if is_there("go") {
            let main = "func main() {\n\tvalue, err := secret()\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\tos.Stdout.Write([]byte(value))\n}\n";
            let code = format!("package main\n\n{}\n\n{main}", Way::Go.text(of));
            fs::write(stage.folder.path().join("main.go"), &code).unwrap();
            let output = program(&stage, &["go", "run", "main.go"], "");
            assert_eq!(output.stdout, value, "{code}: {}", told(&output));
        }
    }
    let nowhere =
        Spot { project: "pay", environment: "live", path: "nowhere", binary: false, asks_why: true };
    if is_there("node") {
        let output = program(&stage, &["node", "--input-type=module", "-"], &Way::Node.text(nowhere));
        assert!(!output.status.success() && told(&output).contains("404"), "{}", told(&output));
    }
    if is_there("python3") {
        let output = program(&stage, &["python3", "-"], &Way::Python.text(nowhere));
        assert!(!output.status.success() && told(&output).contains("404"), "{}", told(&output));
    }
    stage.server.stop();
}
