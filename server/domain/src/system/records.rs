//! Between the store's rows and the vault's records.

use keywarden_model::time::{from_micros, micros};
use keywarden_store::keyring::{self, KeyRow, SealRow, WrapRow};
use keywarden_store::{Conn, StoreError};
use keywarden_vault::{KeyRecord, Purpose, SealDescription, SealRecord, WrapRecord};

use crate::Fault;

/// The whole keyring as stored.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) seals: Vec<SealRecord>,
    pub(crate) keys: Vec<KeyRecord>,
    pub(crate) wraps: Vec<WrapRecord>,
    /// Keys of purposes that only a newer version knows. They are kept, and never counted as absent.
    pub(crate) unknown: usize,
}

impl Records {
    pub(crate) async fn load(conn: &mut Conn) -> Result<Self, Fault> {
        let mut records = Self::default();
        for row in keyring::seals(conn).await? {
            records.seals.push(seal(row)?);
        }
        for row in keyring::keys(conn).await? {
            match row.purpose.parse::<Purpose>() {
                Ok(purpose) => records.keys.push(key(row, purpose)?),
                Err(_) => records.unknown = records.unknown.saturating_add(1),
            }
        }
        for row in keyring::wraps(conn).await? {
            records.wraps.push(wrap(row)?);
        }
        Ok(records)
    }

    /// No key was ever made.
    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.unknown == 0
    }
}

fn damaged(table: &'static str, cause: impl std::fmt::Display) -> Fault {
    StoreError::Damaged { table, cause: cause.to_string() }.into()
}

fn seal(row: SealRow) -> Result<SealRecord, Fault> {
    Ok(SealRecord {
        id: row.id.parse().map_err(|cause| damaged("seals", cause))?,
        kind: row.kind.parse().map_err(|cause| damaged("seals", cause))?,
        label: row.label,
        protection: row.protection.parse().map_err(|cause| damaged("seals", cause))?,
        added_at: from_micros(row.added_at),
    })
}

fn key(row: KeyRow, purpose: Purpose) -> Result<KeyRecord, Fault> {
    Ok(KeyRecord {
        id: row.id.parse().map_err(|cause| damaged("keyring_keys", cause))?,
        purpose,
        created_at: from_micros(row.created_at),
        retired_at: row.retired_at.map(from_micros),
        uses: u64::try_from(row.uses).map_err(|_| damaged("keyring_keys", "a negative number of uses"))?,
    })
}

fn wrap(row: WrapRow) -> Result<WrapRecord, Fault> {
    Ok(WrapRecord {
        key_id: row.key_id.parse().map_err(|cause| damaged("keyring_wraps", cause))?,
        seal_id: row.seal_id.parse().map_err(|cause| damaged("keyring_wraps", cause))?,
        algorithm: row.algorithm,
        wrapped: row.wrapped,
    })
}

pub(crate) fn seal_row(seal: &SealDescription, added_at: chrono::DateTime<chrono::Utc>) -> SealRow {
    SealRow {
        id: seal.id.to_string(),
        kind: seal.kind.name().to_owned(),
        label: seal.label.clone(),
        protection: seal.protection.name().to_owned(),
        added_at: micros(added_at),
    }
}

pub(super) fn key_row(key: &KeyRecord) -> KeyRow {
    KeyRow {
        id: key.id.to_string(),
        purpose: key.purpose.name().to_owned(),
        created_at: micros(key.created_at),
        retired_at: key.retired_at.map(micros),
        uses: i64::try_from(key.uses).unwrap_or(i64::MAX),
    }
}

pub(crate) fn wrap_row(wrap: &WrapRecord) -> WrapRow {
    WrapRow {
        key_id: wrap.key_id.to_string(),
        seal_id: wrap.seal_id.to_string(),
        algorithm: wrap.algorithm.clone(),
        wrapped: wrap.wrapped.clone(),
    }
}
