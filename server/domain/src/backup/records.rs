//! What stands in a backup: records of one byte of kind, four of length, and JSON.

use std::collections::BTreeMap;
use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, RecipientId};
use keywarden_store::Value;
use keywarden_vault::keyring::RecoveryWrap;
use keywarden_vault::{Purpose, SealId};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// A record of rows is closed once it is this long.
pub(super) const LONG: usize = 1 << 20;
/// No record is longer: one row and what fits before it.
const LONGEST: u32 = 64 << 20;

/// What anybody can read at the beginning of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The organization's id; none before setup.
    pub deployment: Option<String>,
    /// The instant of which it is.
    pub made_at: DateTime<Utc>,
    /// The change counter then.
    pub counter: i64,
    /// The schema's version.
    pub schema: i64,
    /// What kept the records: `SQLite` or `PostgreSQL`. Either can take them.
    pub engine: String,
    /// The program's version.
    pub program: String,
}

impl Manifest {
    pub(super) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// From the description of a file.
    pub fn read(bytes: &[u8]) -> Result<Self, Damage> {
        serde_json::from_slice(bytes).map_err(|_| Damage("its description makes no sense"))
    }
}

/// The file is authentic, but not what this version writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the backup is damaged: {0}")]
pub struct Damage(pub(super) &'static str);

/// A key of the keyring with its wraps, and the seals that it was under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyringPart {
    pub(super) seals: Vec<SealId>,
    pub(super) keys: Vec<(KeyringKeyId, Purpose)>,
    pub(super) wraps: Vec<RecoveryWrap>,
}

#[derive(Debug, PartialEq)]
pub(super) enum Record {
    Keyring(KeyringPart),
    Table {
        name: String,
        columns: Vec<String>,
    },
    Rows(Vec<Vec<Value>>),
    /// How many rows each table has: the last one.
    End(BTreeMap<String, u64>),
}

#[derive(Serialize, Deserialize)]
struct WrittenKeyring {
    seals: Vec<String>,
    keys: Vec<WrittenKey>,
    wraps: Vec<WrittenWrap>,
}

#[derive(Serialize, Deserialize)]
struct WrittenKey {
    id: KeyringKeyId,
    purpose: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenWrap {
    key: KeyringKeyId,
    recipient: RecipientId,
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
struct WrittenTable {
    table: String,
    columns: Vec<String>,
}

fn framed(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    [&[kind][..], &length.to_be_bytes(), body].concat()
}

impl KeyringPart {
    pub(super) fn write(&self) -> Vec<u8> {
        let written = WrittenKeyring {
            seals: self.seals.iter().map(ToString::to_string).collect(),
            keys: self
                .keys
                .iter()
                .map(|(id, purpose)| WrittenKey { id: *id, purpose: purpose.name().to_owned() })
                .collect(),
            wraps: self
                .wraps
                .iter()
                .map(|wrap| WrittenWrap {
                    key: wrap.key_id,
                    recipient: wrap.recipient,
                    wrapped: STANDARD_NO_PAD.encode(&wrap.wrapped),
                })
                .collect(),
        };
        framed(b'K', &serde_json::to_vec(&written).unwrap_or_default())
    }

    fn read(body: &[u8]) -> Option<Self> {
        let written: WrittenKeyring = serde_json::from_slice(body).ok()?;
        let keys = written.keys.into_iter().map(|key| Some((key.id, key.purpose.parse().ok()?)));
        let wraps = written.wraps.into_iter().map(|wrap| {
            Some(RecoveryWrap {
                key_id: wrap.key,
                recipient: wrap.recipient,
                wrapped: STANDARD_NO_PAD.decode(wrap.wrapped).ok()?,
            })
        });
        Some(Self {
            seals: written.seals.into_iter().map(|seal| seal.parse().ok()).collect::<Option<_>>()?,
            keys: keys.collect::<Option<_>>()?,
            wraps: wraps.collect::<Option<_>>()?,
        })
    }
}

pub(super) fn write_table(name: &str, columns: &[String]) -> Vec<u8> {
    let written = WrittenTable { table: name.to_owned(), columns: columns.to_vec() };
    framed(b'T', &serde_json::to_vec(&written).unwrap_or_default())
}

pub(super) fn write_end(rows: &BTreeMap<&str, u64>) -> Vec<u8> {
    framed(b'E', &serde_json::to_vec(rows).unwrap_or_default())
}

/// Rows of one table, put together until there are enough for a record.
#[derive(Debug, Default)]
pub(super) struct RowsWriter {
    body: Vec<u8>,
}

impl RowsWriter {
    /// Adds a row.
    pub(super) fn add(&mut self, row: Vec<Value>) {
        self.body.push(if self.body.is_empty() { b'[' } else { b',' });
        let row: Vec<Json> = row.into_iter().map(written).collect();
        let row = serde_json::to_vec(&row).unwrap_or_default();
        self.body.extend(row);
    }

    pub(super) fn is_long(&self) -> bool {
        self.body.len() >= LONG
    }

    /// The record; nothing if there is no row.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.body.is_empty() {
            return None;
        }
        self.body.push(b']');
        Some(framed(b'R', &std::mem::take(&mut self.body)))
    }
}

/// A truth value is written as SQLite keeps it: the target knows its columns.
fn written(value: Value) -> Json {
    match value {
        Value::Bool(Some(it)) => i64::from(it).into(),
        Value::Int(Some(it)) => it.into(),
        Value::Text(Some(it)) => it.into(),
        Value::Bytes(Some(it)) => json!({ "b": STANDARD_NO_PAD.encode(it) }),
        Value::Bool(None) | Value::Bytes(None) | Value::Int(None) | Value::Text(None) => Json::Null,
    }
}

fn read_cell(cell: Json) -> Option<Value> {
    Some(match cell {
        Json::Null => Value::Text(None),
        Json::Number(it) => Value::Int(Some(it.as_i64()?)),
        Json::String(it) => Value::Text(Some(it)),
        Json::Object(it) => Value::Bytes(Some(STANDARD_NO_PAD.decode(it.get("b")?.as_str()?).ok()?)),
        Json::Array(_) | Json::Bool(_) => return None,
    })
}

/// Why there is no next record.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    #[error(transparent)]
    Damage(#[from] Damage),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The next record. After [`Record::End`] nothing may come.
pub(super) fn read(from: &mut impl Read) -> Result<Record, ReadError> {
    let mut head = [0; 5];
    from.read_exact(&mut head)?;
    let [kind, length @ ..] = head;
    let length = u32::from_be_bytes(length);
    if length > LONGEST {
        return Err(Damage("a record is too long").into());
    }
    let mut body = vec![0; length as usize];
    from.read_exact(&mut body)?;
    let record = match kind {
        b'K' => KeyringPart::read(&body).map(Record::Keyring),
        b'T' => serde_json::from_slice(&body)
            .ok()
            .map(|it: WrittenTable| Record::Table { name: it.table, columns: it.columns }),
        b'R' => serde_json::from_slice(&body).ok().and_then(|rows: Vec<Vec<Json>>| {
            let rows = rows.into_iter().map(|row| row.into_iter().map(read_cell).collect());
            rows.collect::<Option<_>>().map(Record::Rows)
        }),
        b'E' => serde_json::from_slice(&body).ok().map(Record::End),
        _ => None,
    };
    if matches!(record, Some(Record::End(_))) && from.read(&mut [0])? > 0 {
        return Err(Damage("something stands behind its end").into());
    }
    record.ok_or_else(|| Damage("a record makes no sense").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_reads_back_as_the_target_takes_it() {
        let row = vec![
            Value::Int(Some(i64::MIN)),
            Value::Text(Some("a \"quoted\" – line\n".into())),
            Value::Bytes(Some(vec![0, 255, 7])),
            Value::Bytes(Some(Vec::new())),
            Value::Bool(Some(true)),
            Value::Bytes(None),
        ];
        let mut writer = RowsWriter::default();
        assert!(writer.take().is_none());
        writer.add(row);
        let read_back = read(&mut &writer.take().unwrap()[..]).unwrap();
        let expected = vec![
            Value::Int(Some(i64::MIN)),
            Value::Text(Some("a \"quoted\" – line\n".into())),
            Value::Bytes(Some(vec![0, 255, 7])),
            Value::Bytes(Some(Vec::new())),
            Value::Int(Some(1)),
            Value::Text(None),
        ];
        assert_eq!(read_back, Record::Rows(vec![expected]));
        assert!(writer.take().is_none(), "what was taken is gone");
    }

    #[test]
    fn what_is_no_record_is_refused_and_nothing_stands_behind_the_end() {
        let end = write_end(&BTreeMap::from([("users", 3)]));
        assert_eq!(read(&mut &end[..]).unwrap(), Record::End(BTreeMap::from([("users".into(), 3)])));
        assert!(read(&mut &[&end[..], b"x"].concat()[..]).is_err());
        for wrong in [&b""[..], b"E\0\0\0", b"E\xff\xff\xff\xff", b"X\0\0\0\x02{}", b"R\0\0\0\x08[[true]]"] {
            assert!(read(&mut &wrong[..]).is_err(), "{wrong:?}");
        }
    }
}
