//! Policies of any server.

use http::Method;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::{Client, ClientError, PAGE, address};

/// A policy; its versions where one was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) project: Option<String>,
    pub(crate) active: Option<i64>,
    #[serde(default)]
    pub(crate) versions: Vec<PolicyVersion>,
}

/// One of its texts.
#[derive(Debug, Deserialize)]
pub(crate) struct PolicyVersion {
    pub(crate) number: i64,
    pub(crate) state: String,
    pub(crate) text: String,
}

/// What a text would be there.
#[derive(Debug, Deserialize)]
pub(crate) struct CheckedPolicy {
    pub(crate) valid: bool,
    #[serde(default)]
    pub(crate) errors: Vec<PolicyTextError>,
}

/// What is wrong with it, and where.
#[derive(Debug, Deserialize)]
pub(crate) struct PolicyTextError {
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) detail: String,
}

/// A question to policies.
#[derive(Debug, Serialize)]
pub(crate) struct PolicyCase<'a> {
    pub(crate) principal: &'a str,
    pub(crate) action: &'a str,
    pub(crate) resource: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) passkey_age: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) method: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason_given: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Run<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    policies: Vec<Sent<'a>>,
    cases: &'a [PolicyCase<'a>],
}

#[derive(Debug, Deserialize)]
struct Came {
    results: Vec<Outcome>,
}

#[derive(Debug, Deserialize)]
struct Outcome {
    outcome: String,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<Policy>,
    next_cursor: Option<String>,
}

#[derive(Debug, Serialize)]
struct Sent<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project: Option<&'a str>,
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

impl Client {
    /// The policies of a project, or the organization's own, with their versions.
    pub(crate) async fn policies(&self, project: Option<&str>) -> Result<Vec<Policy>, ClientError> {
        let mut all = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let mut url = address(&self.server, &["policies"]);
            url.query_pairs_mut().append_pair("limit", PAGE);
            for (name, value) in [("project", project), ("cursor", cursor.as_deref())] {
                if let Some(value) = value {
                    url.query_pairs_mut().append_pair(name, value);
                }
            }
            let page: Page = self.ask(Method::GET, url, None::<&()>).await?;
            for listed in page.items.into_iter().filter(|it| project.is_some() || it.project.is_none()) {
                let url = address(&self.server, &["policies", &listed.id]);
                all.push(self.ask(Method::GET, url, None::<&()>).await?);
            }
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// Looks whether a text could decide there.
    pub(crate) async fn check_policy(
        &self,
        project: Option<&str>,
        text: &str,
    ) -> Result<CheckedPolicy, ClientError> {
        let body = Sent { name: None, project, text, note: None };
        self.ask(Method::POST, address(&self.server, &["policies", "check"]), Some(&body)).await
    }

    /// Writes a policy down as a draft.
    pub(crate) async fn create_policy(
        &self,
        project: Option<&str>,
        name: &str,
        text: &str,
        note: &str,
    ) -> Result<Policy, ClientError> {
        let body = Sent { name: Some(name), project, text, note: Some(note) };
        self.ask(Method::POST, address(&self.server, &["policies"]), Some(&body)).await
    }

    /// Writes another text of a policy down as a draft.
    pub(crate) async fn redraft_policy(
        &self,
        id: &str,
        text: &str,
        note: &str,
    ) -> Result<Policy, ClientError> {
        let body = Sent { name: None, project: None, text, note: Some(note) };
        self.ask(Method::POST, address(&self.server, &["policies", id, "versions"]), Some(&body)).await
    }

    /// What comes of these questions under what decides there, with these texts in the place of the policies of their names:
    /// `allowed`, `refused` or `gone`, in their order. Nothing is kept.
    pub(crate) async fn run_policy_cases(
        &self,
        project: Option<&str>,
        texts: &[(&str, &str)],
        cases: &[PolicyCase<'_>],
    ) -> Result<Vec<String>, ClientError> {
        let policies = texts.iter();
        let policies =
            policies.map(|(name, text)| Sent { name: Some(*name), project: None, text, note: None });
        let body = Run { project, policies: policies.collect(), cases };
        let url = address(&self.server, &["policies", "tests", "run"]);
        let came: Came = self.ask(Method::POST, url, Some(&body)).await?;
        Ok(came.results.into_iter().map(|it| it.outcome).collect())
    }

    /// Lets a version decide: `activate`, or `roll-back` for one that did before.
    pub(crate) async fn turn_policy(&self, id: &str, version: i64, verb: &str) -> Result<(), ClientError> {
        let version = version.to_string();
        let url = address(&self.server, &["policies", id, "versions", &version, verb]);
        self.ask::<IgnoredAny>(Method::POST, url, Some(&serde_json::json!({}))).await.map(|_| ())
    }
}
