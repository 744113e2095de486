//! Access that is asked for, of any server.

use chrono::{DateTime, Utc};
use http::Method;
use serde::{Deserialize, Serialize};

use super::{Client, ClientError, PAGE, address};

/// A request, with what came of it where one was asked for.
#[derive(Debug, Deserialize)]
pub(crate) struct AccessRequest {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) project: Option<String>,
    pub(crate) state: String,
    pub(crate) expires_at: DateTime<Utc>,
    #[serde(default)]
    pub(crate) words: String,
    #[serde(default)]
    pub(crate) have: u32,
    pub(crate) need: Option<u32>,
    pub(crate) grant: Option<Grant>,
}

/// A role that is, or was, held for a while.
#[derive(Debug, Deserialize)]
pub(crate) struct Grant {
    pub(crate) id: String,
    pub(crate) ends_at: DateTime<Utc>,
    pub(crate) ended_at: Option<DateTime<Utc>>,
}

/// What is asked for.
#[derive(Debug, Serialize)]
pub(crate) struct NewAccessRequest<'a> {
    pub(crate) role: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) project: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holder: Option<&'a str>,
    pub(crate) lasts_seconds: i64,
    pub(crate) reason: &'a str,
    pub(crate) ticket: &'a str,
}

#[derive(Debug, Deserialize)]
struct Page {
    items: Vec<AccessRequest>,
    next_cursor: Option<String>,
}

impl Client {
    /// Asks for a role for a while.
    pub(crate) async fn request_access(
        &self,
        new: &NewAccessRequest<'_>,
    ) -> Result<AccessRequest, ClientError> {
        self.ask(Method::POST, address(&self.server, &["access-requests"]), Some(new)).await
    }

    /// One's own requests, newest first.
    pub(crate) async fn access_requests(
        &self,
        state: Option<&str>,
    ) -> Result<Vec<AccessRequest>, ClientError> {
        let mut all = Vec::new();
        let mut cursor = None::<String>;
        loop {
            let mut url = address(&self.server, &["access-requests"]);
            url.query_pairs_mut().append_pair("limit", PAGE);
            for (name, value) in [("state", state), ("cursor", cursor.as_deref())] {
                if let Some(value) = value {
                    url.query_pairs_mut().append_pair(name, value);
                }
            }
            let page: Page = self.ask(Method::GET, url, None::<&()>).await?;
            all.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                return Ok(all);
            }
        }
    }

    /// A request, with what came of it.
    pub(crate) async fn access_request(&self, id: &str) -> Result<AccessRequest, ClientError> {
        self.ask(Method::GET, address(&self.server, &["access-requests", id]), None::<&()>).await
    }

    /// Gives a role back.
    pub(crate) async fn give_back(&self, grant: &str) -> Result<Grant, ClientError> {
        let url = address(&self.server, &["grants", grant, "give-back"]);
        self.ask(Method::POST, url, Some(&serde_json::json!({}))).await
    }
}
