//! Roles: who may do what, in the words people use.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A built-in role. Organization roles hold everywhere; project roles hold in one project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Organization: everything but the owners themselves.
    Admin,
    /// Organization: reads metadata and audit everywhere, changes nothing.
    Auditor,
    /// Project: issues, rotates and revokes keys.
    Issuer,
    /// Project: everything in it, its environments and its people included.
    Manager,
    /// Organization: everything.
    Owner,
    /// Project: reads the values of secrets; meant for services.
    Reader,
    /// Project: verifies keys; meant for services.
    Verifier,
    /// Project: sees keys and their use.
    Viewer,
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoleScope {
    /// In the whole organization.
    Organization,
    /// In one project.
    Project,
}

/// No such role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {0}")]
pub struct RoleError(String);

impl Role {
    /// Every role, alphabetical.
    pub const ALL: [Self; 8] = [
        Self::Admin,
        Self::Auditor,
        Self::Issuer,
        Self::Manager,
        Self::Owner,
        Self::Reader,
        Self::Verifier,
        Self::Viewer,
    ];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Auditor => "auditor",
            Self::Issuer => "issuer",
            Self::Manager => "manager",
            Self::Owner => "owner",
            Self::Reader => "reader",
            Self::Verifier => "verifier",
            Self::Viewer => "viewer",
        }
    }

    /// Where it holds.
    pub fn scope(self) -> RoleScope {
        match self {
            Self::Admin | Self::Auditor | Self::Owner => RoleScope::Organization,
            Self::Issuer | Self::Manager | Self::Reader | Self::Verifier | Self::Viewer => RoleScope::Project,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = RoleError;
    fn from_str(text: &str) -> Result<Self, RoleError> {
        Self::ALL
            .into_iter()
            .find(|r| r.as_str() == text)
            .ok_or_else(|| RoleError(Self::ALL.map(Self::as_str).join(", ")))
    }
}
