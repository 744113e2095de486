//! The record as it is stored, line by line.

use std::collections::VecDeque;

use http::StatusCode;
use keywarden_model::EventId;
use url::Url;

use super::{Access, Client, ClientError, address, error::broken};

/// Longer than any event.
const LONGEST: usize = 1 << 20;

/// Events on their way.
#[derive(Debug)]
pub(crate) struct Export {
    server: Url,
    response: reqwest::Response,
    begun: Vec<u8>,
    waiting: VecDeque<Vec<u8>>,
}

impl Client {
    /// Events after one, the oldest first; without one, all.
    pub(crate) async fn export(&self, after: Option<EventId>) -> Result<Export, ClientError> {
        let mut url = address(&self.server, &["audit", "export"]);
        if let Some(after) = after {
            url.query_pairs_mut().append_pair("after", &after.to_string());
        }
        let request = Access::streaming()?.get(url).bearer_auth(self.token.expose());
        let server = self.server.clone();
        let response = request.send().await.map_err(|cause| broken(&server, cause))?;
        let status = response.status();
        if status != StatusCode::OK {
            let bytes = response.bytes().await.map_err(|cause| broken(&server, cause))?;
            return Err(ClientError::told(status, &bytes));
        }
        Ok(Export { server, response, begun: Vec::new(), waiting: VecDeque::new() })
    }
}

impl Export {
    /// The next event's bytes; `None` after the last one. An answer that breaks off is an error, after its whole lines.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        loop {
            if let Some(line) = self.waiting.pop_front() {
                return Ok(Some(line));
            }
            let chunk = self.response.chunk().await.map_err(|cause| broken(&self.server, cause))?;
            let Some(chunk) = chunk else { break };
            for byte in chunk {
                if byte == b'\n' {
                    self.waiting.push_back(std::mem::take(&mut self.begun));
                } else if self.begun.len() == LONGEST {
                    return Err(ClientError::Answer("an event is too long".into()));
                } else {
                    self.begun.push(byte);
                }
            }
        }
        if self.begun.is_empty() {
            Ok(None)
        } else {
            Err(ClientError::Answer("the export ends within an event".into()))
        }
    }
}
