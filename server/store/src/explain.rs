//! How the engines go about lists: along an index in their order, never by looking at every row. SQLite decides by its
//! schema alone and is asked about an empty file; PostgreSQL decides by statistics and is asked about filled tables.

use crate::{Conn, Engine, Location, Sql, Store, StoreError, Value, WriteError, filter::Select, sql};

mod lists;

/// Where tests find a PostgreSQL server on which they may make databases.
const POSTGRES: &str = "KEYWARDEN_TEST_POSTGRES";

/// Records that answer how they would be read.
#[derive(Debug)]
pub(crate) struct Planner {
    store: Store,
    _folder: tempfile::TempDir,
}

/// The steps of one statement, a line each.
#[derive(Debug)]
pub(crate) struct Plan {
    engine: Engine,
    steps: Vec<String>,
}

#[derive(sqlx::FromRow)]
struct SqliteStep {
    detail: String,
}

#[derive(sqlx::FromRow)]
struct PostgresStep {
    #[sqlx(rename = "QUERY PLAN")]
    line: String,
}

impl Planner {
    /// One for each engine that is here.
    pub(crate) async fn each() -> Vec<Self> {
        let folder = || tempfile::tempdir().unwrap();
        let file = folder();
        let store = Store::open(&Location::Sqlite(file.path().join("plans.db"))).await.unwrap();
        let mut planners = vec![Self { store, _folder: file }];
        if let Some(server) = server() {
            let unique = folder();
            // The folder's name is as unique as the machine can make it.
            let letters = unique.path().file_name().unwrap().as_encoded_bytes().iter();
            let number = letters.fold(0_u64, |sum, byte| sum.wrapping_mul(257).wrapping_add((*byte).into()));
            let name = format!("kw_plans_{number:x}_{}", std::process::id());
            let location = crate::cast::fresh_postgres(&server, &name).await.unwrap();
            drop(Store::open(&location).await.unwrap()); // made; and now with the patience of who looks at everything
            let store = Store::inspect(&location).await.unwrap();
            fill(&store).await;
            planners.push(Self { store, _folder: unique });
        }
        planners
    }

    /// How the statement would be run.
    pub(crate) async fn plan(&self, select: Select, tail: &'static str) -> Plan {
        let engine = self.store.engine();
        let asked = select.explained(engine).then(tail, [Value::from(50_i64)]);
        let mut conn = self.store.read().await.unwrap();
        Plan { engine, steps: steps(engine, asked, &mut conn).await.unwrap() }
    }
}

async fn steps(engine: Engine, asked: Sql, conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    Ok(match engine {
        Engine::Postgres => asked.all::<PostgresStep>(conn).await?.into_iter().map(|it| it.line).collect(),
        Engine::Sqlite => asked.all::<SqliteStep>(conn).await?.into_iter().map(|it| it.detail).collect(),
    })
}

impl Plan {
    /// Whether every row of `table`, called `alias` in the statement, is looked at in no order.
    pub(crate) fn scans(&self, table: &str, alias: &str) -> bool {
        self.steps.iter().any(|step| match self.engine {
            Engine::Postgres => step.contains(&format!("Seq Scan on {table}")),
            Engine::Sqlite => step.starts_with(&format!("SCAN {alias}")) && !step.contains("USING"),
        })
    }

    /// Whether an index leads to just the rows of `table` that are asked for.
    pub(crate) fn searches(&self, table: &str, alias: &str) -> bool {
        match self.engine {
            // Where many rows fit, PostgreSQL walks along the order's index until it has enough of them.
            Engine::Postgres => !self.scans(table, alias),
            Engine::Sqlite => {
                let start = format!("SEARCH {alias} ");
                self.steps.iter().any(|step| step.starts_with(&start) && step.contains("INDEX"))
            }
        }
    }

    /// Whether the index is the one that rows are read along. PostgreSQL chooses by how many rows there are; of it this
    /// says nothing.
    pub(crate) fn goes_along(&self, index: &str) -> bool {
        let named = |step: &String| step.split_whitespace().any(|word| word == index);
        self.engine == Engine::Postgres || self.steps.iter().any(named)
    }

    /// Whether rows are put in order by hand, after all of them were read.
    pub(crate) fn sorts(&self) -> bool {
        self.steps.iter().any(|step| step.contains("Sort Key") || step.contains("TEMP B-TREE"))
    }
}

#[expect(clippy::disallowed_methods, reason = "tests are told by their environment where PostgreSQL is")]
pub(crate) fn server() -> Option<String> {
    let named = std::env::var(POSTGRES).ok().filter(|value| !value.is_empty());
    let in_ci = std::env::var("CI").is_ok_and(|value| !value.is_empty());
    assert!(named.is_some() || !in_ci, "{POSTGRES} must name a PostgreSQL server in CI");
    if named.is_none() {
        println!(
            "SKIPPED on PostgreSQL: set {POSTGRES}=postgres://… to a server where databases can be made"
        );
    }
    named
}

/// A house of some size: 200 projects with 10 000 keys, as many people and events, 5 000 workloads.
const ROWS: [&str; 36] = [
    "INSERT INTO projects (id, slug, name, folded_name, created_at, created_by, row_version)
     SELECT 'prj_' || i, 'p' || i, 'p' || i, 'p' || i, 1, 'x', 1 FROM generate_series(1, 200) i",
    "INSERT INTO environments (id, project_id, slug, name, folded_name, label, overlap_seconds, created_at, created_by,
                               row_version)
     SELECT 'env_' || i, 'prj_' || i, 'live', 'live', 'live', 'live', 0, 1, 'x', 1 FROM generate_series(1, 200) i",
    "INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
     SELECT 'usr_' || i, md5(i::text), md5(i::text), decode(md5(i::text), 'hex'),
            CASE WHEN i % 10 = 0 THEN 'deactivated' ELSE 'active' END, i, 'x', 1 FROM generate_series(1, 10000) i",
    "INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
     SELECT 'team_' || i, 't' || i, 't' || i, 't' || i, 1, 'x', 1 FROM generate_series(1, 50) i",
    "INSERT INTO workloads (id, name, folded_name, project_id, state, created_at, created_by, row_version)
     SELECT 'wkl_' || i, md5(i::text), md5(i::text), 'prj_' || (1 + i % 200), 'active', i, 'x', 1
     FROM generate_series(1, 5000) i",
    "INSERT INTO service_tokens (id, workload_id, public_id, mac_key_id, mac, created_at, created_by, expires_at)
     SELECT 'stk_' || i, 'wkl_' || (1 + i % 5000), 'p' || i, 'k', '', i, 'x', i FROM generate_series(1, 10000) i",
    "INSERT INTO trust_rules (id, workload_id, issuer, audience, claims, single_use, created_at, created_by, row_version)
     SELECT 'tru_' || i, 'wkl_' || (1 + i % 5000), 'https://issuer-' || i % 1000 || '.example', 'a', '{}', TRUE, i, 'x', 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO api_keys (id, project_id, environment_id, name, folded_name, description, owner_kind, owner_id, scopes,
                           allowed_cidrs, tags, metadata, expires_at, imported, created_at, created_by, last_used_at,
                           row_version)
     SELECT 'key_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'env_' || (1 + i % 200), md5(i::text), md5(i::text),
            '', 'person', 'usr_' || (1 + i % 2000), '[]', '[]', '[]', '{}', i * 7919 % 100000, FALSE, i, 'x',
            i * 104729 % 100000, 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO key_values (id, key_id, public_id, label, imported, mac_key_id, mac, created_at, created_by)
     SELECT 'kvl_' || i, 'key_' || lpad(i::text, 26, '0'), 'v' || i, 'live', FALSE, 'k', '', i, 'x'
     FROM generate_series(1, 10000) i",
    "INSERT INTO key_usage (value_id, hour, address, agent, workload_id, outcome, key_id, uses, first_at, last_at)
     SELECT 'kvl_' || i, i % 100, '', '', 'wkl_1', 'valid', 'key_' || lpad(i::text, 26, '0'), 1, i, i
     FROM generate_series(1, 10000) i",
    "INSERT INTO key_tags (tag, key_id)
     SELECT 'team=' || i % 100, 'key_' || lpad(i::text, 26, '0') FROM generate_series(1, 10000) i",
    "INSERT INTO secrets (id, project_id, environment_id, path, folded_path, description, tags, owner_kind, owner_id,
                          last_version, created_at, created_by, deleted_at, purge_at, row_version)
     SELECT 'sec_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'env_' || (1 + i % 200), md5(i::text), md5(i::text),
            '', '[]', 'person', 'usr_' || (1 + i % 2000), 0, i, 'x', CASE WHEN i % 20 = 0 THEN i END, CASE WHEN i % 20 = 0 THEN i END, 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO secret_versions (id, secret_id, number, state, kind, content_type, size, created_at, created_by, purge_at,
                                  expires_at)
     SELECT 'sev_' || lpad(i::text, 26, '0'), 'sec_' || lpad(i::text, 26, '0'), 1, 'enabled', 'text', 'text/plain', 1, i, 'x',
            CASE WHEN i % 20 = 1 THEN i * 7919 % 100000 END, CASE WHEN i % 10 = 0 THEN i * 7919 % 100000 END
     FROM generate_series(1, 10000) i",
    "INSERT INTO secret_references (version_id, position, project, environment, path)
     SELECT 'sev_' || lpad(i::text, 26, '0'), 0, 'p' || (1 + i % 200), 'live', md5(i::text) FROM generate_series(1, 10000) i",
    "INSERT INTO secret_labels (secret_id, label, number)
     SELECT 'sec_' || lpad(i::text, 26, '0'), 'current', 1 FROM generate_series(1, 10000) i",
    "INSERT INTO secret_aliases (secret_id, environment_id, dialect, name, folded_name)
     SELECT 'sec_' || lpad(i::text, 26, '0'), 'env_' || (1 + i % 200), 'aws', 'prod/' || i, 'prod/' || i
     FROM generate_series(1, 10000) i",
    "INSERT INTO secret_history (secret_id, seq, at, number, state)
     SELECT 'sec_' || lpad(i::text, 26, '0'), n, n, 1, 'there' FROM generate_series(1, 10000) i, generate_series(1, 5) n",
    "INSERT INTO secret_shares (id, secret_id, version, public_id, mac_key_id, mac, made_by, state, tries, created_at,
                                expires_at, ended_at)
     SELECT 'shr_' || lpad(i::text, 26, '0'), 'sec_' || lpad(i::text, 26, '0'), 1, 's' || i, 'k', '', 'usr_1',
            CASE WHEN i % 4 = 0 THEN 'open' ELSE 'opened' END, 0, i, i * 7919 % 100000, CASE WHEN i % 4 <> 0 THEN i END
     FROM generate_series(1, 10000) i",
    "INSERT INTO secret_tags (tag, secret_id, folded_tag)
     SELECT 'team=' || i % 100, 'sec_' || lpad(i::text, 26, '0'), 'team=' || i % 100 FROM generate_series(1, 10000) i",
    "INSERT INTO events (id, at, action, outcome, actor_kind, actor_id, resource_kind, resource_id, project_id,
                         request_id, bytes)
     SELECT 'evt_' || lpad(i::text, 26, '0'), i, 'action.' || i % 50, 'allowed', 'person', 'usr_' || i % 500, 'key',
            'key_' || lpad((i % 5000)::text, 26, '0'), 'prj_' || i % 200, 'req_' || i, '' FROM generate_series(1, 10000) i",
    "INSERT INTO sessions (id_hash, id, user_id, sealed, created_at, last_seen_at, expires_at)
     SELECT decode(md5(i::text), 'hex'), 'ses_' || i, 'usr_' || (1 + i % 5000), '', i, i, i + 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO ceremonies (id, kind, bound_to, sealed, created_at, expires_at)
     SELECT 'cer_' || i, 'step-up', 'ses_' || i, '', i, i * 7919 % 100000 FROM generate_series(1, 10000) i",
    "INSERT INTO idempotency (caller, key_hash, request_hash, resource_id, status, sealed, created_at, expires_at)
     SELECT 'usr_' || i % 500, decode(md5(i::text), 'hex'), '', 'x', 0, CASE WHEN i % 20 = 0 THEN decode('00', 'hex') END, i, i + 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO policies (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
     SELECT 'pol_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'prj_' || (1 + i % 200), md5(i::text), md5(i::text), 1, i,
            'x', 1 FROM generate_series(1, 10000) i",
    "INSERT INTO policy_versions (policy_id, number, state, effect, text, sha256, note, created_at, created_by, starts_at)
     SELECT 'pol_' || lpad(i::text, 26, '0'), 1, CASE i % 50 WHEN 0 THEN 'active' WHEN 1 THEN 'scheduled' ELSE 'draft' END,
            'forbid', '', '', '', i, 'x', CASE i % 50 WHEN 1 THEN i END FROM generate_series(1, 10000) i",
    "INSERT INTO standards (id, project_id, scope, name, folded_name, numbered, created_at, created_by, row_version)
     SELECT 'std_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'prj_' || (1 + i % 200), md5(i::text), md5(i::text), 1, i,
            'x', 1 FROM generate_series(1, 10000) i",
    "INSERT INTO standard_versions (standard_id, number, scope, state, rules, environments, reads_need_reason, sha256, note,
                                    created_at, created_by)
     SELECT 'std_' || lpad(i::text, 26, '0'), 1, 'prj_' || (1 + i % 200), CASE i % 50 WHEN 0 THEN 'active' ELSE 'draft' END,
            '{}', '', i % 2 = 0, '', '', i, 'x' FROM generate_series(1, 10000) i",
    "INSERT INTO policy_proofs (policy_id, number, state, asked_at, asked_by, environments, compared)
     SELECT 'pol_' || lpad(i::text, 26, '0'), 1, CASE i % 50 WHEN 0 THEN 'waiting' ELSE 'done' END, i, 'x', 0, 0
     FROM generate_series(1, 10000) i",
    "INSERT INTO access_requests (id, project_id, scope, project, role, holder_kind, holder_id, lasts_seconds, reason, ticket, state,
                                  revision, created_at, created_by, expires_at, words, row_version)
     SELECT 'acr_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'prj_' || (1 + i % 200), 'p', 'viewer', 'person',
            'usr_' || (1 + i % 2000), 3600, 'why', '', CASE WHEN i % 50 = 0 THEN 'pending' ELSE 'ended' END, 1, i,
            'usr_' || (1 + i % 3000), i * 7919 % 100000, '', 1 FROM generate_series(1, 10000) i",
    "INSERT INTO access_approvals (request_id, revision, approver, rule_scope, rule_version, content, nonce, client_data_json,
                                   authenticator_data, signature, public_key, credential_id, passkey_id, synced, policies, signed_at)
     SELECT 'acr_' || lpad(i::text, 26, '0'), 1, 'usr_' || (1 + i % 500), 'organization', 1, '', decode(md5(i::text), 'hex'), '', '',
            '', '', '', 'psk_1', i % 2 = 0, 1, i FROM generate_series(1, 10000) i",
    "INSERT INTO access_grants (id, request_id, project_id, scope, role, holder_kind, holder_id, starts_at, ends_at, ended_at, how, ended_by)
     SELECT 'grt_' || lpad(i::text, 26, '0'), 'acr_' || lpad(i::text, 26, '0'), 'prj_' || (1 + i % 200), 'prj_' || (1 + i % 200),
            'viewer', 'person', 'usr_' || (1 + i % 2000), i, i * 7919 % 100000, CASE WHEN i % 50 <> 0 THEN i END, 'expired', 'x'
     FROM generate_series(1, 10000) i",
    "INSERT INTO channels (id, kind, user_id, name, sealed, kinds, created_at, created_by, row_version)
     SELECT 'chn_' || lpad(i::text, 26, '0'), 'webhook', CASE WHEN i > 100 THEN 'usr_' || i END, 'c', '', '', i, 'x', 1
     FROM generate_series(1, 10000) i",
    "INSERT INTO messages (id, kind, event_id, event, actor_kind, actor_id, resource_kind, resource_id, facts, at, routed_at)
     SELECT 'msg_' || lpad(i::text, 26, '0'), 'account', 'evt_1', 'passkey.add', 'person', 'usr_1', 'user', 'usr_1', '{}', i,
            CASE WHEN i % 1000 <> 0 THEN i END FROM generate_series(1, 10000) i",
    "INSERT INTO deliveries (id, message_id, channel_id, state, attempts, due_at, created_at)
     SELECT 'dlv_' || lpad(i::text, 26, '0'), 'msg_' || lpad(i::text, 26, '0'), 'chn_' || lpad((1 + i % 200)::text, 26, '0'),
            CASE i % 50 WHEN 0 THEN 'dead' WHEN 1 THEN 'waiting' ELSE 'delivered' END, 1, i, i FROM generate_series(1, 10000) i",
    "INSERT INTO notices (id, user_id, kind, about, at, message_id, dismissed_at)
     SELECT 'ntc_' || lpad(i::text, 26, '0'), 'usr_' || (1 + i % 500), 'account', 'usr_' || (1 + i % 500), i,
            'msg_' || lpad(i::text, 26, '0'), CASE WHEN i % 5 <> 0 THEN i END FROM generate_series(1, 10000) i",
    "ANALYZE",
];

async fn fill(store: &Store) {
    let filled = store.write_silently("a house of some size", |tx| {
        Box::pin(async move {
            for rows in ROWS {
                sql(rows).execute(tx).await?;
            }
            Ok(())
        })
    });
    filled.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
}
