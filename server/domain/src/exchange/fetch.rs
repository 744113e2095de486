//! Reaching issuers.

use std::fmt;

use async_trait::async_trait;
use keywarden_model::HttpsUrl;

/// Fetches documents of issuers. Who implements it bounds size and time, follows no redirect, and connects to no address
/// of a network that was not allowed.
#[async_trait]
pub trait Fetch: fmt::Debug + Send + Sync {
    /// The document at this address.
    async fn fetch(&self, url: &HttpsUrl) -> Result<Vec<u8>, FetchError>;
}

/// Why there is no document: in words for the log and for whoever keeps the rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FetchError(pub String);
