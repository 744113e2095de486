//! moto's server: an AWS that checks every signature and what its user may do.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use super::REGION;

/// moto's server; ended when the test ends.
pub(super) struct Moto {
    pub(super) address: String,
    child: Child,
}

impl Moto {
    /// A loud skip where there is none, a failure in CI.
    pub(super) fn start(folder: &Path) -> Option<Self> {
        let packages = std::env::var_os("KEYWARDEN_TEST_MOTO").filter(|it| !it.is_empty());
        let Some(packages) = packages else {
            assert!(std::env::var_os("CI").is_none(), "KEYWARDEN_TEST_MOTO must name moto's folder in CI");
            println!("SKIPPED: KEYWARDEN_TEST_MOTO names no folder");
            return None;
        };
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let (host, port) = address.split_once(':').unwrap();
        let child = Command::new("python3")
            .args(["-m", "moto.server", "-H", host, "-p", port])
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("PYTHONPATH", packages)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let moto = Self { address, child };
        for _ in 0..600 {
            if TcpStream::connect(&moto.address).is_ok() {
                return Some(moto);
            }
            sleep(Duration::from_millis(100));
        }
        panic!("moto did not come up at {}", moto.address);
    }

    /// Does something that needs no signature yet.
    fn does(&self, service: &str, kind: &str, target: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-type: {kind}\r\n\
             x-amz-target: {target}\r\nauthorization: AWS4-HMAC-SHA256 \
             Credential=x/20270101/{REGION}/{service}/aws4_request, SignedHeaders=host, Signature=x\r\n\
             content-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{target} {body}: {answer}");
        answer
    }

    pub(super) fn secrets(&self, action: &str, body: &Value) {
        let target = format!("secretsmanager.{action}");
        self.does("secretsmanager", "application/x-amz-json-1.1", &target, &body.to_string());
    }

    fn iam(&self, body: &str) -> String {
        self.does("iam", "application/x-www-form-urlencoded", "", body)
    }

    /// From now on every signature and permission is checked, or none.
    pub(super) fn is_strict(&self, strict: bool) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let body = if strict { "0" } else { "inf" };
        write!(
            stream,
            "POST /moto-api/reset-auth HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\
             content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// A user who may do this, with the two halves of a key.
    pub(super) fn user(&self, name: &str, actions: &str) -> [String; 2] {
        self.iam(&format!("Action=CreateUser&Version=2010-05-08&UserName={name}"));
        let policy = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions.split(' ').collect::<Vec<_>>(), "Resource": "*" }] });
        self.iam(&format!(
            "Action=PutUserPolicy&Version=2010-05-08&UserName={name}&PolicyName=it&PolicyDocument={policy}"
        ));
        let key = self.iam(&format!("Action=CreateAccessKey&Version=2010-05-08&UserName={name}"));
        let of = |tag: &str| {
            let rest = key.split(&format!("<{tag}>")).nth(1).unwrap();
            rest.split('<').next().unwrap().to_owned()
        };
        [of("AccessKeyId"), of("SecretAccessKey")]
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
