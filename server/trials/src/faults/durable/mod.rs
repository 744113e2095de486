//! What was acknowledged lies on the disk before anybody is told, by what the running program asks of the kernel.
//!
//! Must be so: on SQLite the log that holds a request's event is synced after it was written and before the answer is sent;
//! on PostgreSQL the server said that it committed before the answer is sent, and the commit waits for its disk though the
//! database's own setting says otherwise. A backup, a key file and a database that was carried over are synced, and so is
//! their folder, before the command that made them says so; the embedded token's files are before anybody is answered.
//!
//! The proof is itself proven in each run: the same program that strace lets sync nothing, as `synchronous=OFF` would have
//! it, must be caught in every act.

mod judge;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use url::Url;

use judge::{Act, Keeper, answered, below, kept, named, text, whole};

use super::upkeep::Recovery;
use crate::{
    Result,
    client::{Answer, Client},
    database::{self, Engine},
    house::{ENVIRONMENT, House, PROJECT},
    node::{Node, Plan},
    strace::{Call, Tracing, can_trace, skipped},
};

/// What was seen.
#[derive(Debug, Default)]
pub struct Found {
    /// Acts whose answers were looked at.
    acts: usize,
    /// Files that were given their names.
    files: usize,
    calls: usize,
}

/// Does every act once and looks. `None`, and a sentence that says so, where nothing can be traced.
pub async fn prove(
    binary: &Path,
    folder: &Path,
    engine: Engine,
    server: Option<&Url>,
) -> Result<Option<Found>> {
    if let Err(why) = can_trace() {
        return skipped("what is acknowledged lies on the disk", &why).map(|()| None);
    }
    let plan = engine.plan(binary, &folder.join("kept"), server)?;
    let mut found = Trial::begin(plan.with("KEYWARDEN_SEAL", "software"), engine).await?.finish().await?;
    if engine == Engine::Sqlite {
        let plan = Plan::new(binary, folder.join("lost")).with("KEYWARDEN_SEAL", "software");
        found.acts += caught(plan).await?;
        found.files += token(Plan::new(binary, folder.join("token"))).await.context("the embedded token")?;
    }
    Ok(Some(found))
}

/// A traced server, and its records.
struct Trial {
    plan: Plan,
    keeper: Keeper,
    tracing: Tracing,
    node: Node,
    house: House,
    database: Option<Url>,
}

impl Trial {
    async fn begin(plan: Plan, engine: Engine) -> Result<Self> {
        fs::create_dir_all(&plan.folder)?;
        let tracing = Tracing::to(plan.folder.join("server.trace"));
        let url = plan.variables.iter().find(|(name, _)| name == "KEYWARDEN_DATABASE_URL");
        let database = url.map(|(_, url)| url.parse::<Url>()).transpose()?;
        let keeper = match engine {
            Engine::Sqlite => Keeper::Sqlite,
            Engine::Postgres => {
                let port = database.as_ref().and_then(Url::port);
                Keeper::Postgres(port.context("a PostgreSQL that is named by its port")?)
            }
        };
        if let Some(database) = &database {
            careless(database)?;
        }
        let node = plan.clone().traced(tracing.clone()).start().await?;
        let house = House::furnish(&plan, node.url()).await?;
        if let Some(database) = &database {
            database::ask(database, WATCH)?;
        }
        Ok(Self { plan, keeper, tracing, node, house, database })
    }

    /// Acts, by callers and by the operator; then looks.
    async fn finish(self) -> Result<Found> {
        let manager = self.node.client(&self.house.manager);
        let acts = act(&self.house, &manager).await?;
        let told = self.operate(&manager).await?;
        let ready = told.first().context("the operator did nothing")?.2;
        let (port, id) = (self.node.port(), self.node.id());
        self.node.stop()?;
        let trace = self.tracing.read(id)?;
        for act in &acts {
            answered(&trace, act, self.keeper, port).with_context(|| act.what.clone())?;
        }
        let mut files = 0;
        for (act, file, said) in &told {
            kept(&trace, &act.request, *said, self.keeper).with_context(|| act.what.clone())?;
            if let Some(file) = file {
                named(&trace, file, *said).with_context(|| act.what.clone())?;
                files += 1;
            }
        }
        // The key file of the first start lies there before anything is done under it.
        named(&trace, &self.plan.folder.join("data/seal.key"), ready).context("the first start")?;
        files += 1;
        if let Some(database) = &self.database {
            commits_wait(database, acts.iter().chain(told.iter().map(|(act, ..)| act)))?;
        }
        if matches!(self.keeper, Keeper::Sqlite) {
            carried_over(&self.plan)?;
            files += 1;
        }
        Ok(Found { acts: acts.len() + told.len(), files, calls: trace.calls.len() })
    }

    /// What the operator's commands do: each with the file it makes, and when it said that it was done.
    async fn operate(&self, manager: &Client) -> Result<Vec<(Act, Option<PathBuf>, u64)>> {
        Recovery::arrange(&self.plan)?;
        let own = self.plan.folder.join("data/seal.key");
        let (key, backup) = (self.plan.folder.join("second.key"), self.plan.folder.join("traced.kwb"));
        let mut told = Vec::new();
        for (action, arguments, file) in [
            ("seal.add", vec!["seal", "add", "software", text(&key)?], None),
            ("keyring-key.rotate", vec!["keyring", "rotate", "session"], None),
            ("seal.rotate-key", vec!["seal", "rotate", "software:seal.key"], Some(&own)),
            ("backup.make", vec!["backup", "--to", text(&backup)?], Some(&backup)),
        ] {
            let trace = self.plan.folder.join(format!("{action}.trace"));
            let (_, trace) = self.plan.run_traced(&arguments, trace)?;
            let said = trace.calls.iter().find(|call| call.writes() && call.descriptor == Some(1));
            let said = said.context("a command that says nothing")?.begin;
            let request = newest(manager, action).await?;
            if action == "seal.add" {
                // Whoever names the file writes it: the shell, and not the server.
                named(&trace, &key, said).context(action)?;
            }
            told.push((Act { what: action.to_owned(), request }, file.cloned(), said));
        }
        Ok(told)
    }
}

/// The request that did this last, by the record.
async fn newest(manager: &Client, action: &str) -> Result<String> {
    let page = manager.get(&format!("/api/v1/audit?action={action}&limit=1")).await?.good()?;
    let request = page.pointer("/items/0/event/request").and_then(Value::as_str);
    Ok(request.with_context(|| format!("no event {action} in {page}"))?.to_owned())
}

/// Every act of a caller that is acknowledged.
async fn act(house: &House, manager: &Client) -> Result<Vec<Act>> {
    let mut acts = Vec::new();
    let mut noted = |what: &str, answer: Answer| -> Result<Value> {
        acts.push(Act { what: what.to_owned(), request: answer.request.clone() });
        answer.good().with_context(|| what.to_owned())
    };
    let id = |body: &Value| body.get("id").and_then(Value::as_str).map(str::to_owned).context("no id");
    let key = id(&noted("key.issue", manager.post("/api/v1/keys", &house.key("traced")).await?)?)?;
    let key = format!("/api/v1/keys/{key}");
    let overlap = json!({ "overlap_seconds": 3_600 });
    noted("key.rotate", manager.post(&format!("{key}/rotate"), &overlap).await?)?;
    let reason = json!({ "reason": "superseded" });
    noted("key.revoke", manager.post(&format!("{key}/revoke"), &reason).await?)?;

    let address = format!("/api/v1/projects/{PROJECT}/environments/{ENVIRONMENT}/secrets/traced");
    let secret = id(&noted("secret.create", manager.put(&address, &json!({ "value": "one" })).await?)?)?;
    noted("secret.put", manager.put(&address, &json!({ "value": "two" })).await?)?;
    noted("secret.read", manager.get(&address).await?)?;
    let secret = format!("/api/v1/secrets/{secret}");
    let label = json!({ "version": 2 });
    noted("secret.label", manager.put(&format!("{secret}/labels/trial"), &label).await?)?;
    noted(
        "secret.destroy-version",
        manager.post(&format!("{secret}/versions/1/destroy"), &json!({})).await?,
    )?;
    noted("secret.delete", manager.delete(&address).await?)?;

    let workload = json!({ "name": "traced", "role": "auditor" });
    let workload = id(&noted("workload.create", manager.post("/api/v1/workloads", &workload).await?)?)?;
    noted("token.issue", manager.post(&format!("/api/v1/workloads/{workload}/tokens"), &json!({})).await?)?;
    Ok(acts)
}

/// A copy of everything lies on the disk, with its name, before the command says so.
fn carried_over(plan: &Plan) -> Result<()> {
    let to = plan.folder.join("copy.db");
    let url = format!("sqlite://{}", text(&to)?);
    let (_, trace) = plan.run_traced(&["copy", "--to", &url], plan.folder.join("copy.trace"))?;
    let said = trace.calls.iter().find(|call| call.writes() && call.descriptor == Some(1));
    whole(&trace, &to, said.context("a copy that says nothing")?.begin).context("the copy")
}

/// The embedded token, which lies in files of its own, is on the disk before the first answer.
async fn token(plan: Plan) -> Result<usize> {
    fs::create_dir_all(&plan.folder)?;
    let tracing = Tracing::to(plan.folder.join("server.trace"));
    let node = plan.clone().traced(tracing.clone()).start().await?;
    let (port, id) = (node.port(), node.id());
    node.stop()?;
    let trace = tracing.read(id)?;
    let ready = |call: &&Call| call.writes() && call.is_at(port) && call.text.contains("HTTP/1.1 200");
    let ready = trace.calls.iter().find(ready).context("it was never ready")?.begin;
    below(&trace, &plan.folder.join("data/softhsm/tokens"), ready)
}

/// The program that may sync nothing is caught in each act.
async fn caught(plan: Plan) -> Result<usize> {
    fs::create_dir_all(&plan.folder)?;
    let tracing = Tracing::to(plan.folder.join("server.trace")).without_syncs();
    let node = plan.clone().traced(tracing.clone()).start().await?;
    let house = House::furnish(&plan, node.url()).await?;
    let acts = act(&house, &node.client(&house.manager)).await?;
    let (port, id) = (node.port(), node.id());
    node.stop()?;
    let trace = tracing.read(id)?;
    for act in &acts {
        let Err(why) = answered(&trace, act, Keeper::Sqlite, port) else {
            bail!("{}: a server that syncs nothing is not caught: this proof proves nothing", act.what);
        };
        ensure!(why.to_string().contains("not synced"), "{}: caught for another reason: {why:#}", act.what);
    }
    Ok(acts.len())
}

/// As an operator may have set it for all else that is in the cluster.
fn careless(database: &Url) -> Result<()> {
    let name = database.path().trim_start_matches('/');
    database::ask(database, &format!("ALTER DATABASE {name} SET synchronous_commit = off")).map(drop)
}

/// Each event is noted with how its transaction commits; beside the tables that a backup knows.
const WATCH: &str = "
    CREATE SCHEMA trial;
    CREATE TABLE trial.commits (request TEXT NOT NULL, setting TEXT NOT NULL);
    CREATE FUNCTION trial.note() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO trial.commits VALUES (NEW.request_id, current_setting('synchronous_commit'));
        RETURN NEW;
    END $$;
    CREATE TRIGGER note BEFORE INSERT ON events FOR EACH ROW EXECUTE FUNCTION trial.note()";

/// Every act's transaction waited for PostgreSQL's disk.
fn commits_wait<'a>(database: &Url, acts: impl Iterator<Item = &'a Act>) -> Result<()> {
    let told = database::ask(database, "SELECT request || ' ' || setting FROM trial.commits")?;
    for act in acts {
        let mut settings = told.lines().filter_map(|line| line.strip_prefix(&act.request)).map(str::trim);
        let setting = settings.next().with_context(|| format!("{}: no event was noted", act.what))?;
        ensure!(setting != "off", "{}: its commit does not wait for the disk", act.what);
    }
    Ok(())
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} acts and {} files were on the disk before anybody was told, by {} calls",
            self.acts, self.files, self.calls
        )
    }
}
