//! What stands before a trial begins: a project, an environment, a team that owns, and callers.

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{Result, client::Client, node::Plan};

/// Where keys are issued, and as whom.
#[derive(Debug, Clone)]
pub struct House {
    /// Owns every key.
    pub team: String,
    /// May do everything a key can be asked.
    pub manager: String,
    /// May verify, no more.
    pub verifier: String,
}

pub const PROJECT: &str = "pay";
pub const ENVIRONMENT: &str = "live";
const LIFE: u32 = 30 * 86_400;

impl House {
    /// Sets it up in a server that runs on `plan` and listens at `url`.
    pub async fn furnish(plan: &Plan, url: String) -> Result<Self> {
        let operator = operator(plan, url)?;
        let project = json!({ "slug": PROJECT, "name": "Payments" });
        operator.post("/api/v1/projects", &project).await?.good()?;
        let environment = json!({ "slug": ENVIRONMENT, "name": "Live", "label": "live" });
        operator.post(&format!("/api/v1/projects/{PROJECT}/environments"), &environment).await?.good()?;
        let team = json!({ "slug": "payments", "name": "Payments" });
        let team = operator.post("/api/v1/teams", &team).await?.text("id")?;
        let manager = caller(&operator, "admin", None).await?;
        let verifier = caller(&operator, "verifier", Some(PROJECT)).await?;
        Ok(Self { team, manager, verifier })
    }

    /// The same house, its callers with new tokens: those of before have ended.
    pub async fn renewed(self, plan: &Plan, url: String) -> Result<Self> {
        let operator = operator(plan, url)?;
        let (manager, verifier) = (again(&operator, "admin").await?, again(&operator, "verifier").await?);
        Ok(Self { manager, verifier, ..self })
    }

    /// The body that issues a key.
    pub fn key(&self, name: &str) -> serde_json::Value {
        json!({
            "project": PROJECT,
            "environment": ENVIRONMENT,
            "name": name,
            "owner": self.team,
            "scopes": ["orders:read"],
        })
    }
}

fn operator(plan: &Plan, url: String) -> Result<Client> {
    let token = plan.run(&["operator", "token", "--role", "admin", "--ttl", "15m"])?;
    Ok(Client::new(url, Some(token.trim())))
}

/// Makes a workload with a role, everywhere or in a project, and gives its token.
pub async fn caller(operator: &Client, role: &str, project: Option<&str>) -> Result<String> {
    let workload = json!({ "name": format!("a {role}"), "project": project, "role": role });
    let id = operator.post("/api/v1/workloads", &workload).await?.text("id")?;
    token(operator, &id).await
}

/// A new token of a caller that [`caller`] made.
async fn again(operator: &Client, role: &str) -> Result<String> {
    let found = operator.get(&format!("/api/v1/workloads?q=a%20{role}")).await?.good()?;
    let id = found.pointer("/items/0/id").and_then(Value::as_str).context("no such caller")?;
    token(operator, id).await
}

/// A new token of a workload's.
pub async fn token(operator: &Client, id: &str) -> Result<String> {
    let tokens = format!("/api/v1/workloads/{id}/tokens");
    operator.post(&tokens, &json!({ "expires_in_seconds": LIFE })).await?.text("token")
}
