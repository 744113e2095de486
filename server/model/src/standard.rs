//! What a standard can ask for, by name.

use std::fmt;

use serde::Serialize;

/// One of the things that a standard can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandardRule {
    /// Keys expire, at the latest so long after their newest value was made.
    KeyLifetime,
    /// Keys have names of a certain form.
    KeyName,
    /// Keys are rotated, at the latest so long after their newest value was made.
    KeyRotation,
    /// Keys and secrets belong to a team.
    Owner,
    /// Whoever reads a value says why.
    Reason,
    /// Certain scopes need an approval.
    Scope,
    /// Secrets have paths of a certain form.
    SecretName,
    /// Secrets get another value, at the latest so long after their current one was made.
    SecretRotation,
    /// Keys and secrets have certain tags.
    Tag,
}

impl StandardRule {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::KeyLifetime,
        Self::KeyName,
        Self::KeyRotation,
        Self::Owner,
        Self::Reason,
        Self::Scope,
        Self::SecretName,
        Self::SecretRotation,
        Self::Tag,
    ];

    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyLifetime => "key-lifetime",
            Self::KeyName => "key-name",
            Self::KeyRotation => "key-rotation",
            Self::Owner => "owner",
            Self::Reason => "reason",
            Self::Scope => "scope",
            Self::SecretName => "secret-name",
            Self::SecretRotation => "secret-rotation",
            Self::Tag => "tag",
        }
    }

    /// Whether time alone breaks it: then nothing is refused for it, and it is reported only.
    pub const fn is_broken_by_time(self) -> bool {
        matches!(self, Self::KeyRotation | Self::SecretRotation)
    }
}

impl fmt::Display for StandardRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_is_written_as_its_word() {
        for rule in StandardRule::ALL {
            assert_eq!(serde_json::to_value(rule).unwrap(), serde_json::json!(rule.as_str()));
        }
    }
}
