//! States of a version.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What a version of a secret is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionState {
    /// Its value is gone for good.
    Destroyed,
    /// It is not read, until it is enabled again.
    Disabled,
    /// It is read.
    Enabled,
    /// Its secret is deleted: it is not read, until the secret is restored.
    SoftDeleted,
}

/// No such state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a version is `enabled`, `disabled`, `soft-deleted` or `destroyed`")]
pub struct VersionStateError;

impl VersionState {
    /// Every state, alphabetical.
    pub const ALL: [Self; 4] = [Self::Destroyed, Self::Disabled, Self::Enabled, Self::SoftDeleted];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Destroyed => "destroyed",
            Self::Disabled => "disabled",
            Self::Enabled => "enabled",
            Self::SoftDeleted => "soft-deleted",
        }
    }
}

impl fmt::Display for VersionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for VersionState {
    type Err = VersionStateError;
    fn from_str(text: &str) -> Result<Self, VersionStateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(VersionStateError)
    }
}
