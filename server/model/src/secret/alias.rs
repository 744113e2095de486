//! Aliases: what a secret is called by clients of other systems.

use std::fmt;
use std::str::FromStr;

use crate::name::is_invisible;

/// Another system whose clients ask for secrets by names of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// AWS Secrets Manager.
    Aws,
    /// Azure Key Vault.
    Azure,
    /// `CyberArk` Conjur.
    Conjur,
    /// Google Cloud Secret Manager.
    Gcp,
    /// HashiCorp Vault and `OpenBao`, KV version 2.
    VaultKv2,
}

/// No such dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a dialect is `aws`, `azure`, `conjur`, `gcp` or `vault-kv2`")]
pub struct DialectError;

/// A name in a dialect, as its clients write it. It is a name within what holds names there: an AWS account and region, a
/// key vault of Azure, a Conjur account, a Google Cloud project, a mount of Vault. An environment stands for each of them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Alias {
    dialect: Dialect,
    name: String,
}

/// A dialect has no such name; it says what its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.rule())]
pub struct AliasError(pub Dialect);

impl Dialect {
    /// Every dialect, alphabetical.
    pub const ALL: [Self; 5] = [Self::Aws, Self::Azure, Self::Conjur, Self::Gcp, Self::VaultKv2];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Conjur => "conjur",
            Self::Gcp => "gcp",
            Self::VaultKv2 => "vault-kv2",
        }
    }

    /// The longest name, in bytes. Conjur and Vault have no such bound: there it is ours, as of paths.
    pub fn longest(self) -> u16 {
        match self {
            Self::Aws | Self::Conjur | Self::VaultKv2 => 512,
            Self::Azure => 127,
            Self::Gcp => 255,
        }
    }

    /// What its names are made of.
    fn rule(self) -> &'static str {
        match self {
            Self::Aws => "use 1 to 512 ASCII letters, digits or characters of `/_+=.@-`",
            Self::Azure => "use 1 to 127 ASCII letters, digits or `-`",
            Self::Conjur | Self::VaultKv2 => {
                "use at most 512 bytes: names between single slashes, without `..`, blanks at their ends or invisible characters"
            }
            Self::Gcp => "use 1 to 255 ASCII letters, digits, `_` or `-`",
        }
    }

    /// AWS: `CreateSecret`, `Name`; Azure: object identifiers; Google Cloud: `CreateSecretRequest.secret_id`; Vault: what its
    /// storage and its HTTP door take for a path, which is as good for Conjur.
    fn has(self, name: &str) -> bool {
        let made_of = |more: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c));
        let fits = match self {
            Self::Aws => made_of("/_+=.@-"),
            Self::Azure => made_of("-"),
            Self::Conjur | Self::VaultKv2 => {
                !name.contains("..")
                    && name.split('/').all(|part| !matches!(part, "" | ".") && part.trim() == part)
                    && !name.chars().any(is_invisible)
            }
            Self::Gcp => made_of("_-"),
        };
        fits && (1..=usize::from(self.longest())).contains(&name.len())
    }
}

impl FromStr for Dialect {
    type Err = DialectError;
    fn from_str(text: &str) -> Result<Self, DialectError> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == text).ok_or(DialectError)
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Alias {
    /// The name, if the dialect has such names.
    pub fn new(dialect: Dialect, name: &str) -> Result<Self, AliasError> {
        if dialect.has(name) { Ok(Self { dialect, name: name.to_owned() }) } else { Err(AliasError(dialect)) }
    }

    /// The system whose name it is.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// As it is written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the dialect compares: Azure takes names in other case for the same.
    pub fn folded(&self) -> String {
        match self.dialect {
            Dialect::Azure => self.name.to_ascii_lowercase(),
            Dialect::Aws | Dialect::Conjur | Dialect::Gcp | Dialect::VaultKv2 => self.name.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_dialect_has_the_names_that_its_system_has() {
        use Dialect::{Aws, Azure, Conjur, Gcp, VaultKv2};
        let long = |n| "x".repeat(n);
        for (dialect, name, is_one) in [
            (Aws, "prod/db_1+a=b.c@d-e", true),
            (Aws, "prod//db", true),
            (Aws, "prod db", false),
            (Aws, "prod:db", false),
            (Aws, "schlüssel", false),
            (Aws, &long(512), true),
            (Aws, &long(513), false),
            (Azure, "Prod-DB-1", true),
            (Azure, "prod_db", false),
            (Azure, "prod/db", false),
            (Azure, &long(127), true),
            (Azure, &long(128), false),
            (Gcp, "Prod_DB-1", true),
            (Gcp, "prod.db", false),
            (Gcp, &long(255), true),
            (Gcp, &long(256), false),
            (VaultKv2, "prod/db main/pass:word", true),
            (VaultKv2, "schlüssel/öffnen", true),
            (VaultKv2, "a.b/c", true),
            (VaultKv2, "/prod", false),
            (VaultKv2, "prod/", false),
            (VaultKv2, "prod//db", false),
            (VaultKv2, "prod/./db", false),
            (VaultKv2, "prod/a..b", false),
            (VaultKv2, "../prod", false),
            (VaultKv2, "prod/ db", false),
            (VaultKv2, "a\u{200b}b", false),
            (VaultKv2, "a\0b", false),
            (VaultKv2, &long(513), false),
            (Conjur, "prod/db/password", true),
            (Conjur, "prod/../db", false),
        ] {
            let read = Alias::new(dialect, name);
            assert_eq!(read.is_ok(), is_one, "{dialect} {name:?}");
            assert_eq!(read.err().unwrap_or(AliasError(dialect)), AliasError(dialect));
        }
        for dialect in Dialect::ALL {
            assert!(Alias::new(dialect, "").is_err(), "{dialect}");
            assert_eq!(dialect.as_str().parse(), Ok(dialect));
        }
    }

    #[test]
    fn only_azure_takes_two_cases_for_one() {
        for dialect in Dialect::ALL {
            let folded = |name: &str| Alias::new(dialect, name).unwrap().folded();
            assert_eq!(folded("Prod-DB") == folded("prod-db"), dialect == Dialect::Azure, "{dialect}");
        }
    }

    proptest! {
        /// Nothing of a name is lost or made up, and no two names are one but by case.
        #[test]
        fn a_name_comes_back_as_it_was(one in "[a-zA-Z0-9/_+=.@ -]{0,40}", other in "[a-zA-Z0-9/_+=.@ -]{0,40}") {
            for dialect in Dialect::ALL {
                let (Ok(one), Ok(other)) = (Alias::new(dialect, &one), Alias::new(dialect, &other)) else { continue };
                prop_assert_eq!(Alias::new(dialect, one.name()), Ok(one.clone()));
                if one.folded() == other.folded() {
                    prop_assert!(one.name().eq_ignore_ascii_case(other.name()));
                    prop_assert!(one == other || dialect == Dialect::Azure);
                }
            }
        }
    }
}
