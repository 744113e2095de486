//! What the browser is asked, as JSON for `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`.

use serde::Serialize;
use webauthn_rs_proto::{PublicKeyCredentialCreationOptions, PublicKeyCredentialRequestOptions};

/// The `publicKey` member for `navigator.credentials.create`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct CreationOptions(pub(super) PublicKeyCredentialCreationOptions);

/// The `publicKey` member for `navigator.credentials.get`.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
pub struct RequestOptions(pub(super) PublicKeyCredentialRequestOptions);
