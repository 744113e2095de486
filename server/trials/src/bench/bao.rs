//! OpenBao (openbao.org) as a peer in the same run: one node with Raft storage, which flushes what it commits, a file audit
//! device, which flushes nothing, the KV engine in version 2, and callers with tokens of a policy of their own.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{Result, client::Client};

/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_millis(100);
/// What callers may do: read and put values.
const POLICY: &str = r#"path "secret/data/*" { capabilities = ["create", "read", "update"] }"#;

/// A running server; killed when dropped.
#[derive(Debug)]
pub struct Bao {
    child: Child,
    url: String,
    audit: PathBuf,
    /// Of a caller.
    pub token: String,
}

impl Bao {
    /// Starts `program` with everything of its own in `folder`, anew.
    pub async fn start(program: &Path, folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        let data = folder.join("raft");
        fs::create_dir_all(&data)?;
        let (address, cluster) = (free_address()?, free_address()?);
        let audit = folder.join("audit.log");
        let settings = folder.join("bao.hcl");
        let text = format!(
            r#"
storage "raft" {{
  path = "{}"
  node_id = "one"
}}
listener "tcp" {{
  address = "{address}"
  tls_disable = true
}}
audit "file" "bench" {{
  options {{
    file_path = "{}"
  }}
}}
api_addr = "http://{address}"
cluster_addr = "http://{cluster}"
log_level = "warn"
"#,
            data.display(),
            audit.display()
        );
        fs::write(&settings, text)?;
        let log = File::create(folder.join("server.log"))?;
        let child = Command::new(program)
            .arg("server")
            .arg(format!("-config={}", settings.display()))
            .current_dir(folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", program.display()))?;
        let mut bao = Self { child, url: format!("http://{address}"), audit, token: String::new() };
        bao.token = bao.furnish().await.with_context(|| format!("OpenBao in {}", folder.display()))?;
        Ok(bao)
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn client(&self) -> Client {
        Client::new(self.url.clone(), Some(&self.token))
    }

    /// Bytes that its audit device has written.
    pub fn audited(&self) -> Result<u64> {
        Ok(fs::metadata(&self.audit)?.len())
    }

    /// Initializes and unseals it, mounts the engine, and gives a caller's token.
    async fn furnish(&mut self) -> Result<String> {
        let stranger = Client::new(self.url.clone(), None);
        let shares = json!({ "secret_shares": 1, "secret_threshold": 1 });
        let opened = self.until_good(&stranger, "/v1/sys/init", &shares).await?;
        let text = |at: &str| opened.pointer(at).and_then(Value::as_str).with_context(|| format!("no {at}"));
        let (key, root) = (text("/keys_base64/0")?, text("/root_token")?);
        self.until_good(&stranger, "/v1/sys/unseal", &json!({ "key": key })).await?;
        let root = Client::new(self.url.clone(), Some(root));
        let engine = json!({ "type": "kv", "options": { "version": "2" } });
        self.until_good(&root, "/v1/sys/mounts/secret", &engine).await?;
        root.put("/v1/sys/policies/acl/bench", &json!({ "policy": POLICY })).await?.good()?;
        let wanted = json!({ "policies": ["bench"], "no_default_policy": true, "ttl": "24h" });
        let made = self.until_good(&root, "/v1/auth/token/create-orphan", &wanted).await?;
        let token = made.pointer("/auth/client_token").and_then(Value::as_str).context("no token")?;
        // A new engine takes a moment before it can be written to.
        let caller = Client::new(self.url.clone(), Some(token));
        self.until_good(&caller, "/v1/secret/data/first", &json!({ "data": { "value": "first" } })).await?;
        Ok(token.to_owned())
    }

    /// Asks until it says yes: it starts, elects itself and mounts while it is asked.
    async fn until_good(&mut self, client: &Client, path: &str, body: &Value) -> Result<Value> {
        let began = Instant::now();
        loop {
            let told = match client.put(path, body).await {
                Ok(answer) if answer.status.is_success() => return Ok(answer.body),
                Ok(answer) => format!("{path}: {} {}", answer.status, answer.body),
                Err(none) => format!("{path}: {none}"),
            };
            ensure!(self.child.try_wait()?.is_none(), "it ended; see its server.log");
            ensure!(began.elapsed() < PATIENCE, "{told}");
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The address of a secret's value.
pub fn address(path: &str) -> String {
    format!("/v1/secret/data/{path}")
}

/// Puts a value.
pub async fn put(client: &Client, path: &str, value: &str) -> Result<()> {
    let done = client.put(&address(path), &json!({ "data": { "value": value } })).await?;
    ensure!(done.status == StatusCode::OK, "{path}: {} {}", done.status, done.body);
    Ok(())
}

fn free_address() -> Result<String> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.to_string())
}
