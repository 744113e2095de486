//! `keywarden config`: what is in force and where each value came from, without secrets.

use serde::Serialize;

use super::{Config, Mail, Origin, SETTINGS, SealKind, Setting, Values};

/// One line of `keywarden config`.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct ShownSetting {
    pub key: &'static str,
    pub value: String,
    /// `default`, the file's path, the variable's name or the flag.
    pub origin: String,
    pub variable: &'static str,
}

/// Every setting in the table's order, as it is in force: derived defaults are spelled out.
pub fn shown(config: &Config, values: &Values) -> Vec<ShownSetting> {
    let line = |setting: &'static Setting| ShownSetting {
        key: setting.key,
        value: value(config, values, setting),
        origin: values.origin(setting.key).to_string(),
        variable: setting.variable,
    };
    SETTINGS.iter().map(line).collect()
}

fn value(config: &Config, values: &Values, setting: &Setting) -> String {
    match setting.key {
        "database.url" => config.database.shown(),
        "mail.url" => config.mail.as_ref().map(Mail::shown).unwrap_or_default(),
        "pkcs11.pin" => if values.origin(setting.key) == Origin::Default { "" } else { "***" }.into(),
        "public_url" => config.public.origin(),
        "rp_id" => config.public.rp_id.clone(),
        "seal.key_file" => match &config.seal.kind {
            SealKind::Software { key_file } => key_file.display().to_string(),
            SealKind::Pkcs11 { .. } | SealKind::SoftHsm { .. } => String::new(),
        },
        _ if setting.is_secret() => "***".into(),
        key => values.optional(key).ok().flatten().unwrap_or_default(),
    }
}
