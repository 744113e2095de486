//! What the browser is asked, as JSON for `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`.

use chrono::TimeDelta;
use serde::Serialize;
use webauthn_rs_proto::{PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions};

/// The `publicKey` member for `navigator.credentials.create`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct CreationOptions(pub(super) PublicKeyCredentialCreationOptions);

impl CreationOptions {
    /// Tells the browser to give up after this time, if it would not before.
    #[must_use]
    pub fn within(mut self, time: TimeDelta) -> Self {
        let most = u32::try_from(time.num_milliseconds().max(0)).unwrap_or(u32::MAX);
        self.0.timeout = Some(self.0.timeout.map_or(most, |usual| usual.min(most)));
        self
    }
}

/// The `publicKey` member for `navigator.credentials.get`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct RequestOptions(pub(super) PublicKeyCredentialRequestOptions);
