//! The command line: values go in by its input and files, and come out on its output and nowhere else, done or failed.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Write as _},
    process::{Command, Stdio},
};

use super::Scene;
use crate::house::keywarden;

/// What was printed beside values that were asked for, by what was run.
type Printed = Vec<(String, Vec<u8>)>;

struct Shell<'a> {
    scene: &'a Scene,
    printed: Printed,
}

/// Goes through the commands that carry values; what they printed that must hold none.
pub(crate) fn goes_through(scene: &Scene) -> Printed {
    let mut shell = Shell { scene, printed: Printed::new() };
    fs::write(scene.at().join("token"), &scene.token).unwrap();
    shell.values();
    shell.files();
    shell.tokens();
    shell.settings();
    shell.backup();
    shell.printed
}

impl Shell<'_> {
    fn client(&self, arguments: &[&str]) -> Command {
        let mut command = keywarden(self.scene.at(), arguments);
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command.env("KEYWARDEN_SERVER", format!("http://{}", self.scene.server.address));
        command.env("KEYWARDEN_TOKEN_FILE", self.scene.at().join("token"));
        command
    }

    /// Runs it to its end with `input`; whether it went well. What it printed is kept, but for values that were asked for.
    fn runs(&mut self, mut command: Command, input: &[u8], gives: bool) -> (bool, Vec<u8>) {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        child.stdin.take().unwrap().write_all(input).ok();
        let output = child.wait_with_output().unwrap();
        let name = format!("{:?}", command.get_args().collect::<Vec<_>>());
        self.printed.push((format!("the command line of {name}"), line));
        let done = output.status.success();
        if !(done && gives) {
            self.printed.push((format!("what {name} printed"), output.stdout.clone()));
        }
        self.printed.push((format!("the errors of {name}"), output.stderr));
        (done, output.stdout)
    }

    fn done(&mut self, arguments: &[&str], input: &[u8], gives: bool) -> Vec<u8> {
        let (done, out) = self.runs(self.client(arguments), input, gives);
        assert!(done, "{arguments:?}: {}", String::from_utf8_lossy(&self.printed.last().unwrap().1));
        out
    }

    fn fails(&mut self, arguments: &[&str], input: &[u8]) {
        let (done, _) = self.runs(self.client(arguments), input, true);
        assert!(!done, "{arguments:?} was done");
    }

    fn values(&mut self) {
        let marks = &self.scene.marks;
        let value = marks.secret("client: a value");
        let at = "pay/live/client/value";
        self.done(&["secret", "put", at], value.as_bytes(), false);
        assert_eq!(self.done(&["secret", "get", at], b"", true), value.as_bytes());
        let script = "test \"$VALUE\" = \"$(cat)\"";
        let run = ["run", "-p", "pay", "-e", "live", "--folder", "client"];
        self.done(&[&run[..], &["--", "sh", "-c", script]].concat(), value.as_bytes(), false);
        self.fails(&[&run[..], &["--", "sh", "-c", "exit 7"]].concat(), b"");
        self.fails(&[&run[..], &["--", "/nowhere/no-such-program"]].concat(), b"");
        self.done(&["export", "-p", "pay", "-e", "live", "--folder", "client"], b"", true);
        for refused in [
            &["secret", "put", "pay/nowhere/value"][..],
            &["secret", "put", "pay/live/a//b"],
            &["secret", "put", at, "--if-version", "7"],
            &["secret", "put", at, "--kind", "json"],
            &["secret", "put", at, "--expires-at", "2020-01-01T00:00:00Z"],
            &["secret", "put", at, "--server", "http://127.0.0.1:1"],
            &["secret", "put", at, "--no-such-flag"],
        ] {
            let value = marks.secret(format!("client: refused by {refused:?}"));
            self.fails(refused, value.as_bytes());
        }
        let template = format!("{}${{", marks.secret("client: a broken template"));
        self.fails(&["secret", "put", at, "--template"], template.as_bytes());
        for failing in [
            &["secret", "get", "pay/live/client/nothing"][..],
            &["secret", "get", at, "--version", "9"],
            &["export", "-p", "pay", "-e", "nowhere"],
            &["run", "-p", "nowhere", "-e", "live", "--", "true"],
        ] {
            self.fails(failing, b"");
        }
    }

    fn files(&mut self) {
        let marks = &self.scene.marks;
        let file = self.scene.at().join("file");
        for (format, good, bad) in [
            ("dotenv", "NAME=\"{}\"\n", "NAME=\"{}\n= {}"),
            ("json", "{\"NAME\":\"{}\"}", "{\"NAME\":\"{}\",{}"),
            ("yaml", "NAME: \"{}\"\n", "NAME: [\"{}\"\n{}: \"\n"),
            ("csv", "name,value\nNAME,{}\n", "name,value\nNAME,\"{}\nx,{},{}"),
        ] {
            let import =
                ["secret", "import", "file", "-p", "pay", "-e", "live", "--format", format, "--folder"];
            let good = good.replace("{}", &marks.secret(format!("client: a {format} file")));
            fs::write(&file, good).unwrap();
            self.done(&[&import[..], &[format, "--dry-run"]].concat(), b"", false);
            self.done(&[&import[..], &[format]].concat(), b"", false);
            let bad = bad.replace("{}", &marks.secret(format!("client: a broken {format} file")));
            fs::write(&file, bad).unwrap();
            self.fails(&[&import[..], &[format]].concat(), b"");
        }
        fs::remove_file(file).unwrap();
    }

    fn tokens(&mut self) {
        let marks = &self.scene.marks;
        let get = ["secret", "get", "pay/live/client/value"];
        for shape in ["{}", "kws_live_{}", "two {} words", "{}\n{}", "ü{}"] {
            let token = shape.replace("{}", &marks.secret(format!("client: a token like {shape:?}")));
            let mut command = self.client(&get);
            command.env_remove("KEYWARDEN_TOKEN_FILE").env("KEYWARDEN_TOKEN", &token);
            assert!(!self.runs(command, b"", true).0, "{shape}");
            let file = self.scene.at().join("another");
            fs::write(&file, &token).unwrap();
            for variable in ["KEYWARDEN_TOKEN_FILE", "KEYWARDEN_EXCHANGE_TOKEN_FILE"] {
                let mut command = self.client(&get);
                command.env_remove("KEYWARDEN_TOKEN_FILE").env(variable, &file);
                assert!(!self.runs(command, b"", true).0, "{shape} {variable}");
            }
        }
        for server in
            ["http://x:{}@127.0.0.1:1", "https://{}@keys.example.com", "http://127.0.0.1:1/?token={}"]
        {
            let server = server.replace("{}", &marks.secret(format!("client: a server like {server:?}")));
            let mut command = self.client(&get);
            command.env("KEYWARDEN_SERVER", server);
            assert!(!self.runs(command, b"", true).0);
        }
        let mut command = self.client(&[
            "secret",
            "import",
            "--from-vault",
            "http://127.0.0.1:1",
            "-p",
            "pay",
            "-e",
            "live",
        ]);
        command.env("VAULT_TOKEN", marks.secret("client: a token of Vault"));
        assert!(!self.runs(command, b"", true).0);
    }

    /// A server that does not start says why, and not with what.
    fn settings(&mut self) {
        let marks = &self.scene.marks;
        let secret = |what: &str| marks.secret(format!("settings: {what}"));
        let elsewhere = self.scene.at().join("elsewhere");
        let wrong = [
            ("KEYWARDEN_DATABASE_URL", format!("postgres://kw:{}@127.0.0.1:1/keys", secret("a password"))),
            ("KEYWARDEN_DATABASE_URL", format!("postgress://kw:{}@db/keys", secret("a mistyped scheme"))),
            ("KEYWARDEN_DATABASE_URL", format!("postgres://kw:{}@[db/keys", secret("a broken address"))),
            ("KEYWARDEN_DATABASE_URL", format!("postgres://kw:{}@db:port/keys", secret("a broken port"))),
            ("KEYWARDEN_DATABASE_URL", format!("postgres://db/keys?password={}", secret("a password asked"))),
        ];
        for (variable, value) in wrong {
            for verb in [&["serve"][..], &["doctor"], &["config"], &["config", "--json"], &["fsck"]] {
                let mut command = keywarden(self.scene.at(), verb);
                command
                    .env("KEYWARDEN_LOG_LEVEL", "trace")
                    .env("KEYWARDEN_DATA_DIR", &elsewhere)
                    .env(variable, &value);
                // A server waits for its database.
                self.says(command, "PostgreSQL");
            }
        }
        let pin = secret("a PIN");
        for verb in [&["serve"][..], &["doctor"], &["config"]] {
            let mut command = keywarden(self.scene.at(), verb);
            command.env("KEYWARDEN_LOG_LEVEL", "trace").env("KEYWARDEN_DATA_DIR", &elsewhere);
            command.env("KEYWARDEN_SEAL", "pkcs11").env("KEYWARDEN_PKCS11_MODULE", "/nowhere/library.so");
            command.env("KEYWARDEN_PKCS11_TOKEN", "keys").env("KEYWARDEN_PKCS11_PIN", &pin);
            // And for its HSM.
            self.says(command, "/nowhere/library.so");
        }
        let file = self.scene.at().join("broken.toml");
        fs::write(
            &file,
            format!("[pkcs11]\npin = \"{}\"\npin = {}", secret("in TOML"), secret("twice in TOML")),
        )
        .unwrap();
        let mut command = keywarden(self.scene.at(), &["serve"]);
        command.env("KEYWARDEN_CONFIG", &file);
        assert!(!self.runs(command, b"", false).0);
    }

    /// Runs it until it ends or says this word, and keeps what it said.
    fn says(&mut self, mut command: Command, word: &str) {
        let name = format!("{:?}", command.get_args().collect::<Vec<_>>());
        let out = self.scene.at().join("out");
        command.stdin(Stdio::null()).stdout(File::create(&out).unwrap()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let line = fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
        let mut said = String::new();
        for line in BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok) {
            said.push_str(&line);
            if line.contains(word) && name.contains("serve") {
                break;
            }
        }
        child.kill().ok();
        child.wait().unwrap();
        said.push_str(&fs::read_to_string(out).unwrap());
        assert!(!said.is_empty(), "{name}");
        self.printed.push((format!("the command line of {name}"), line));
        self.printed.push((format!("what {name} said"), said.into_bytes()));
    }

    /// Everything in one file, which tells nothing.
    fn backup(&mut self) {
        let recipient = self.scene.prints(&["recovery-key", "create", "--to", "recovery.key"]);
        let key = fs::read_to_string(self.scene.at().join("recovery.key")).unwrap();
        let key = key.lines().rev().find(|it| it.len() >= 40).unwrap();
        self.scene.marks.note_token("a recovery key", key);
        fs::write(self.scene.at().join("recipient"), recipient).unwrap();
        let name = self.scene.marks.told("backup: a recipient");
        self.scene.prints(&["backup", "recipient", "add", "--name", &name, "recipient"]);
        self.scene.prints(&["backup", "--to", "a.kwbackup"]);
        for (name, bytes) in [
            ("fsck", self.scene.prints(&["fsck"])),
            ("status", self.scene.prints(&["status", "--json"])),
            ("config", self.scene.prints(&["config"])),
            (
                "doctor",
                self.scene.prints(&["backup", "verify", "a.kwbackup", "--recovery-key", "recovery.key"]),
            ),
        ] {
            self.printed.push((name.to_owned(), bytes.into_bytes()));
        }
    }
}
