//! What is in force: `keywarden.toml`, then `KEYWARDEN_…` variables, then flags.
//!
//! **Invariant:** after [`Config::read`] every value is right and fits the others; nothing reads a setting elsewhere.
//! A name that is not in [`setting::SETTINGS`] is an error, so that a typo never means a silent default.

mod backup;
mod database;
mod error;
mod exchange;
mod limits;
mod listen;
mod log;
mod mail;
#[cfg(test)]
mod parsers;
mod project_seal;
mod proofs;
mod public;
mod seal;
mod secrets;
mod session;
mod setting;
mod shown;
mod source;
mod tls;
mod value;
mod verify;
mod webhooks;

use std::path::PathBuf;

use keywarden_domain::backup::{DrillsDue, Schedule};

pub use database::Database;
pub use error::ConfigError;
pub use exchange::Exchange;
pub use limits::Limits;
pub use listen::Listen;
pub use log::{Log, LogFormat};
pub use mail::Mail;
pub use project_seal::ProjectSeal;
pub use proofs::Proofs;
pub use public::Public;
pub use seal::{Seal, SealKind};
pub use secrets::Secrets;
pub use session::Session;
pub use setting::{SETTINGS, Setting};
pub use shown::{ShownSetting, shown};
pub use source::{Given, Origin, Values};
pub use tls::Tls;
pub use value::{Secret, Span};
pub use verify::Verify;
pub use webhooks::Webhooks;

/// The whole configuration. `Debug` shows no secret.
#[derive(Debug)]
pub struct Config {
    pub data_dir: PathBuf,
    pub listen: Listen,
    pub public: Public,
    pub tls: Option<Tls>,
    pub database: Database,
    pub seal: Seal,
    /// When backups are made by themselves.
    pub backup: Option<Schedule>,
    /// When the newest backup is drilled; none: switched off.
    pub drills: Option<DrillsDue>,
    pub verify: Verify,
    pub exchange: Exchange,
    pub proofs: Proofs,
    /// How mail is sent; none: no mail is sent.
    pub mail: Option<Mail>,
    pub webhooks: Webhooks,
    pub secrets: Secrets,
    pub session: Session,
    pub log: Log,
    pub limits: Limits,
}

impl Config {
    pub fn read(values: &Values) -> Result<Self, ConfigError> {
        let data_dir: PathBuf = values.parse("data_dir")?;
        let listen = Listen::read(values)?;
        let tls = Tls::read(values)?;
        Ok(Self {
            public: Public::read(values, listen.address, tls.as_ref())?,
            database: Database::read(values, &data_dir)?,
            seal: Seal::read(values, &data_dir)?,
            backup: backup::read(values)?,
            drills: backup::drills(values)?,
            verify: Verify::read(values)?,
            exchange: Exchange::read(values)?,
            proofs: Proofs::read(values)?,
            mail: Mail::read(values)?,
            webhooks: Webhooks::read(values)?,
            secrets: Secrets::read(values)?,
            session: Session::read(values)?,
            log: Log::read(values)?,
            limits: Limits::read(values)?,
            data_dir,
            listen,
            tls,
        })
    }

    /// The Unix socket on which commands speak to the running server.
    pub fn operator_socket(&self) -> PathBuf {
        self.data_dir.join("operator.sock")
    }
}

#[cfg(test)]
mod tests;
