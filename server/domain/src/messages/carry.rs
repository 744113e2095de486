//! Reaching whoever is told.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use keywarden_model::MailAddress;
use keywarden_vault::SecretString;

/// A post to a webhook.
#[derive(Debug)]
pub struct HookPost {
    /// Where to. Many such addresses are themselves what lets somebody post there.
    pub url: SecretString,
    /// Headers, beside those that say what the body is.
    pub headers: Vec<(&'static str, String)>,
    /// What kind of body it is.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// A mail.
#[derive(Debug, Clone)]
pub struct Letter {
    /// To whom.
    pub to: MailAddress,
    /// The message's id: attempts at the same one have the same.
    pub id: String,
    /// When it happened of which it tells.
    pub at: DateTime<Utc>,
    /// The subject, one line.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// Why it did not get there: in words for whoever looks after the channel, without anything secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{says}")]
pub struct CarryError {
    /// What went wrong.
    pub says: String,
    /// Whether trying again leads to nothing else.
    pub for_good: bool,
}

impl CarryError {
    /// What may pass.
    pub fn passing(says: impl Into<String>) -> Self {
        Self { says: says.into(), for_good: false }
    }

    /// What does not.
    pub fn for_good(says: impl Into<String>) -> Self {
        Self { says: says.into(), for_good: true }
    }
}

/// Carries what the house tells. Who implements it bounds size and time, follows no redirect, and connects to no address of
/// a network that was not allowed; mail goes to the one server that the operator set.
#[async_trait]
pub trait Carry: fmt::Debug + Send + Sync {
    /// Posts it; anything but a 2xx is an error.
    async fn post(&self, post: &HookPost) -> Result<(), CarryError>;
    /// Sends it.
    async fn mail(&self, letter: &Letter) -> Result<(), CarryError>;
    /// Greets the mail server and leaves again.
    async fn greet(&self) -> Result<(), CarryError>;
    /// By which server and from whom mail is sent, in words; `None`: no mail is sent here.
    fn mails_by(&self) -> Option<String>;
}

/// Carries nothing: for commands that only look at the records.
#[derive(Debug, Clone, Copy)]
pub struct NoCarrier;

#[async_trait]
impl Carry for NoCarrier {
    async fn post(&self, _: &HookPost) -> Result<(), CarryError> {
        Err(CarryError::passing("this command tells nobody anything"))
    }

    async fn mail(&self, _: &Letter) -> Result<(), CarryError> {
        Err(CarryError::passing("this command tells nobody anything"))
    }

    async fn greet(&self) -> Result<(), CarryError> {
        Err(CarryError::passing("this command tells nobody anything"))
    }

    fn mails_by(&self) -> Option<String> {
        None
    }
}
