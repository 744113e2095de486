use std::{
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use keywarden_vault::seal::pkcs11::User;

use super::{
    error::ConfigError,
    project_seal::ProjectSeal,
    source::Values,
    value::{List, Secret, Span},
};

/// What wraps the keyring, and how long a node outlives it.
#[derive(Debug)]
pub struct Seal {
    pub kind: SealKind,
    pub grace: Duration,
    /// Whom PKCS#11 libraries run as; where nothing is said and root runs the server: as nobody.
    pub user: Option<User>,
    /// Seals that projects may name; none of them wraps the keyring.
    pub projects: Vec<ProjectSeal>,
    /// How long an old key stays after a rotation took its place; none: until somebody destroys it.
    pub old_keys: Option<Duration>,
}

#[derive(Debug)]
pub enum SealKind {
    /// Your HSM.
    Pkcs11 { module: PathBuf, token: String, serial: Option<String>, pin: Secret },
    /// The embedded SoftHSM2 token, made on first start in the data folder.
    SoftHsm { module: Option<PathBuf> },
    /// A key file.
    Software { key_file: PathBuf },
}

impl Seal {
    pub(super) fn read(values: &Values, data_dir: &Path) -> Result<Self, ConfigError> {
        let module: Option<PathBuf> = values.optional("pkcs11.module")?;
        let token: Option<String> = values.optional("pkcs11.token")?;
        let serial: Option<String> = values.optional("pkcs11.serial")?;
        let pin: Option<Secret> = values.optional("pkcs11.pin")?;
        let key_file: Option<PathBuf> = values.optional("seal.key_file")?;
        let unused =
            |key: &'static str| values.refuse(key, "the chosen seal has no use for it; see KEYWARDEN_SEAL");
        let missing = |what: &str, variable: &str| {
            ConfigError::Conflict(format!("the seal `pkcs11` needs {what}: set {variable}"))
        };
        let kind = match values.parse("seal.kind")? {
            Kind::Pkcs11 if key_file.is_some() => return Err(unused("seal.key_file")),
            Kind::Pkcs11 => SealKind::Pkcs11 {
                module: module.ok_or_else(|| missing("the vendor's library", "KEYWARDEN_PKCS11_MODULE"))?,
                token: token.ok_or_else(|| missing("a token's label", "KEYWARDEN_PKCS11_TOKEN"))?,
                serial,
                pin: pin.ok_or_else(|| missing("the user PIN", "KEYWARDEN_PKCS11_PIN_FILE"))?,
            },
            Kind::SoftHsm if token.is_some() => return Err(unused("pkcs11.token")),
            Kind::SoftHsm if serial.is_some() => return Err(unused("pkcs11.serial")),
            Kind::SoftHsm if pin.is_some() => return Err(unused("pkcs11.pin")),
            Kind::SoftHsm if key_file.is_some() => return Err(unused("seal.key_file")),
            Kind::SoftHsm => SealKind::SoftHsm { module },
            Kind::Software if module.is_some() => return Err(unused("pkcs11.module")),
            Kind::Software if token.is_some() => return Err(unused("pkcs11.token")),
            Kind::Software if serial.is_some() => return Err(unused("pkcs11.serial")),
            Kind::Software if pin.is_some() => return Err(unused("pkcs11.pin")),
            Kind::Software => {
                SealKind::Software { key_file: key_file.unwrap_or_else(|| data_dir.join("seal.key")) }
            }
        };
        let projects: Option<List<ProjectSeal>> = values.optional("seal.projects")?;
        let projects = projects.map(|list| list.0).unwrap_or_default();
        let (grace, user) = (values.parse::<Span>("seal.grace")?.0, values.optional("pkcs11.user")?);
        let OldKeys(old_keys) = values.parse("seal.old_keys")?;
        Ok(Self { kind, grace, user, projects, old_keys })
    }

    /// Whether any of them is behind a PKCS#11 library.
    pub fn has_library(&self) -> bool {
        let is_token = |seal: &ProjectSeal| matches!(seal, ProjectSeal::Pkcs11 { .. });
        !matches!(self.kind, SealKind::Software { .. }) || self.projects.iter().any(is_token)
    }

    /// Whether the seal is a device of its own, which must be there before the first start.
    pub fn is_hsm(&self) -> bool {
        matches!(self.kind, SealKind::Pkcs11 { .. })
    }
}

/// `kept`, or a span of time: a day or more, in which somebody may find out that an old copy of the records is needed.
pub(super) struct OldKeys(pub(super) Option<Duration>);

impl FromStr for OldKeys {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "kept" => Ok(Self(None)),
            Ok(Span(span)) if span >= Duration::from_hours(24) => Ok(Self(Some(span))),
            _ => Err("write `kept`, or how long old keys stay: a day or more (`30d`)".into()),
        }
    }
}

enum Kind {
    Pkcs11,
    SoftHsm,
    Software,
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "pkcs11" => Ok(Self::Pkcs11),
            "softhsm" => Ok(Self::SoftHsm),
            "software" => Ok(Self::Software),
            _ => Err(format!("unknown seal `{text}`; write softhsm, pkcs11 or software")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_keys_are_kept_or_stay_for_a_day_or_more() {
        let stay = |text: &str| text.parse::<OldKeys>().map(|OldKeys(stay)| stay);
        assert_eq!(stay("kept"), Ok(None));
        assert_eq!(stay("30d"), Ok(Some(Duration::from_hours(720))));
        assert_eq!(stay("24h"), Ok(Some(Duration::from_hours(24))));
        for wrong in ["", "0", "23h", "never", "Kept", "-1d", "30 d"] {
            assert!(stay(wrong).is_err(), "{wrong}");
        }
    }
}
