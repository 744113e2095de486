//! Moving in from a running OpenBao, which speaks as Vault does.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use crate::{client::Stage, house::told};

/// A server with an engine of version 2 at `secret`; ended when the test ends.
struct Bao {
    program: String,
    address: String,
    child: Child,
}

impl Bao {
    /// A loud skip where there is none, a failure in CI.
    fn start(folder: &Path) -> Option<Self> {
        let program = std::env::var_os("KEYWARDEN_TEST_BAO").map(|it| it.into_string().unwrap());
        let program = program.filter(|it| !it.is_empty());
        let Some(program) = program else {
            assert!(std::env::var_os("CI").is_none(), "KEYWARDEN_TEST_BAO must name OpenBao's program in CI");
            println!("SKIPPED: KEYWARDEN_TEST_BAO names no program");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let child = Command::new(&program)
            .args([
                "server",
                "-dev",
                "-dev-no-store-token",
                "-dev-root-token-id=root",
                "-dev-listen-address",
                &address,
            ])
            .current_dir(folder)
            .env_clear()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let bao = Self { program, address: format!("http://{address}"), child };
        for _ in 0..300 {
            if bao.command(&["status"]).output().unwrap().status.success() {
                return Some(bao);
            }
            sleep(Duration::from_millis(100));
        }
        panic!("OpenBao did not come up at {}", bao.address);
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).env_clear().env("BAO_ADDR", &self.address).env("BAO_TOKEN", "root");
        command
    }

    fn does(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", told(&output));
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn what_is_current_in_an_openbao_is_imported_and_imported_again_without_a_change() {
    let stage = Stage::new();
    let Some(bao) = Bao::start(stage.folder.path()) else { return };
    bao.does(&["kv", "put", "-mount=secret", "app", "token=first"]);
    bao.does(&[
        "kv",
        "put",
        "-mount=secret",
        "app",
        "token=hunter2",
        "port=5432",
        "note=it's \"two\"\nlines",
    ]);
    bao.does(&["kv", "put", "-mount=secret", "db/main/primary", "url=postgres://x"]);
    bao.does(&["kv", "put", "-mount=secret", "gone", "x=y"]);
    bao.does(&["kv", "delete", "-mount=secret", "gone"]);
    let import = |more: &[&str]| {
        let at =
            ["secret", "import", "--from-vault", &bao.address, "-p", "pay", "-e", "live", "--folder", "bao"];
        let output = stage.command(&[&at[..], more].concat()).env("BAO_TOKEN", "root").output().unwrap();
        assert!(output.status.success(), "{more:?}: {}", told(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(import(&["--dry-run"]).ends_with("4 new, 0 changed, 0 unchanged; nothing was done\n"));
    assert!(import(&[]).ends_with("4 new, 0 changed, 0 unchanged\n"));
    for (path, value) in [
        ("app/token", "hunter2"),
        ("app/port", "5432"),
        ("app/note", "it's \"two\"\nlines"),
        ("db/main/primary/url", "postgres://x"),
    ] {
        let read = stage.done(&["secret", "get", &format!("pay/live/bao/{path}")]);
        assert_eq!(String::from_utf8(read).unwrap(), value, "{path}");
    }
    assert!(import(&[]).ends_with("0 new, 0 changed, 4 unchanged; nothing was done\n"));
    bao.does(&["kv", "patch", "-mount=secret", "app", "token=rotated"]);
    assert!(import(&[]).ends_with("0 new, 1 changed, 3 unchanged\n"));
    assert_eq!(stage.done(&["secret", "get", "pay/live/bao/app/token"]), b"rotated");
    stage.server.stop();
}
