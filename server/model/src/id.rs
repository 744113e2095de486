//! Typed identifiers: a lower-case prefix, an underscore and a ULID in Crockford base32, for example
//! `key_01JDB2W1N9F6Q3R8T5V7X9Z0AB`. They sort by the moment they were made.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

/// A text is not an id of the wanted kind. It is not repeated: it may be a value that was taken for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is not a {kind} id: expected `{prefix}_` and 26 characters")]
pub struct IdError {
    kind: &'static str,
    prefix: &'static str,
}

/// What every id can do; lets generic code name a thing without knowing which.
pub trait TypedId: fmt::Display + Copy + Eq + Send + Sync + 'static {
    /// The text before the underscore.
    const PREFIX: &'static str;
    /// The noun in words.
    const KIND: &'static str;
    /// An id from a moment and 80 random bits (the upper 48 of `random` are ignored).
    fn from_parts(at: DateTime<Utc>, random: u128) -> Self;
    /// The moment that it was made at, to the millisecond; the latest there is for an id of no such moment.
    fn made_at(self) -> DateTime<Utc>;
    /// Its 128 bits, without what tells ids of one noun from those of another.
    fn to_bytes(self) -> [u8; 16];
    /// The id of these bits.
    fn from_bytes(bytes: [u8; 16]) -> Self;
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident = $prefix:literal, $kind:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Ulid);

        impl $name {
            /// The id of nothing: all zeros. Never given to anything.
            pub const NIL: Self = Self(Ulid::nil());
        }

        impl TypedId for $name {
            const PREFIX: &'static str = $prefix;
            const KIND: &'static str = $kind;
            fn from_parts(at: DateTime<Utc>, random: u128) -> Self {
                let millis = u64::try_from(at.timestamp_millis()).unwrap_or(0);
                Self(Ulid::from_parts(millis, random & ((1 << 80) - 1)))
            }
            fn made_at(self) -> DateTime<Utc> {
                let millis = i64::try_from(self.0.timestamp_ms()).unwrap_or(i64::MAX);
                DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
            }
            fn to_bytes(self) -> [u8; 16] {
                self.0.to_bytes()
            }
            fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Ulid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(self.0.array_to_str(&mut [0; ulid::ULID_LEN]))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text, $prefix).map(Self).ok_or(IdError { kind: $kind, prefix: $prefix })
            }
        }

        /// For rows, whose ids are text.
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'_, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

/// Only the canonical spelling is an id: upper case, no aliases of Crockford's alphabet (`I`, `L`, `O`),
/// so that one thing never has two names.
fn parse(text: &str, prefix: &str) -> Option<Ulid> {
    let body = text.strip_prefix(prefix)?.strip_prefix('_')?;
    let ulid = Ulid::from_string(body).ok()?;
    (ulid.to_string() == body).then_some(ulid)
}

ids! {
    /// A role that is held for a while.
    AccessGrantId = "grt", "grant";
    /// Somebody asks for access.
    AccessRequestId = "acr", "access request";
    /// An API key: keeps its identity through rotations.
    ApiKeyId = "key", "API key";
    /// One value of an API key.
    KeyValueId = "kvl", "key value";
    /// A backup that was made.
    BackupId = "bkp", "backup";
    /// A drill: the newest backup, restored for a look and taken away again.
    DrillId = "drl", "drill";
    /// A way by which messages leave the house.
    ChannelId = "chn", "channel";
    /// One message on its way through one channel.
    DeliveryId = "dlv", "delivery";
    /// An environment of a project.
    EnvironmentId = "env", "environment";
    /// An audit event.
    EventId = "evt", "event";
    /// A grant of a role to a person, team or workload.
    RoleBindingId = "rbd", "role binding";
    /// A WebAuthn ceremony under way.
    CeremonyId = "cer", "ceremony";
    /// A terminal that asks to be signed in.
    DeviceGrantId = "dvg", "device grant";
    /// A post that waits for a passkey.
    PendingPostId = "pst", "pending post";
    /// An invitation or other one-time link.
    InvitationId = "inv", "invitation";
    /// A key of the keyring.
    KeyringKeyId = "krk", "keyring key";
    /// Something that people and channels are told.
    MessageId = "msg", "message";
    /// Something that a person is told on their next visit.
    NoticeId = "ntc", "notice";
    /// The organization: one for each deployment.
    OrganizationId = "org", "organization";
    /// A registered passkey.
    PasskeyId = "psk", "passkey";
    /// A policy: keeps its identity through its versions.
    PolicyId = "pol", "policy";
    /// A test of policies: a question with the answer that is expected.
    PolicyTestId = "pts", "policy test";
    /// A project.
    ProjectId = "prj", "project";
    /// A project's own key, under which data keys are wrapped.
    ProjectKeyId = "pjk", "project key";
    /// Whom backups are encrypted to; from its public key.
    RecipientId = "rcp", "recovery recipient";
    /// One HTTP request or one run of a job.
    RequestId = "req", "request";
    /// A restore from a backup.
    RestoreId = "rst", "restore";
    /// A rewrap: what lies under one key, sealed anew under another.
    RewrapId = "rwp", "rewrap";
    /// A secret: keeps its identity through its versions.
    SecretId = "sec", "secret";
    /// One version of a secret; its 128 bits are the version's UUID too.
    SecretVersionId = "sev", "secret version";
    /// A session of a person; not the cookie's value.
    SessionId = "ses", "session";
    /// A one-time link to a secret's value.
    ShareId = "shr", "share";
    /// A service token of a workload.
    ServiceTokenId = "stk", "service token";
    /// A standard: keeps its identity through its versions.
    StandardId = "std", "standard";
    /// A team of people.
    TeamId = "team", "team";
    /// A rule that lets a workload sign in with a token of another issuer.
    TrustRuleId = "tru", "sign-in rule";
    /// A person.
    UserId = "usr", "user";
    /// A machine identity.
    WorkloadId = "wkl", "workload";
}

impl SecretVersionId {
    /// A fresh one, whose UUID is of version 7 (RFC 9562): that has the moment where a ULID has it.
    pub fn fresh(at: DateTime<Utc>, random: u128) -> Self {
        const VERSION: u128 = 0xF << 76;
        const VARIANT: u128 = 0b11 << 62;
        Self::from_parts(at, random & !VERSION & !VARIANT | 0x7 << 76 | 0b10 << 62)
    }

    /// As other systems name the version: `0192f4c1-5f2b-7000-8000-000000000000`.
    pub fn uuid(self) -> String {
        let hex = format!("{:032x}", self.0.0);
        let mut uuid = String::with_capacity(36);
        for (at, digit) in hex.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                uuid.push('-');
            }
            uuid.push(digit);
        }
        uuid
    }
}

impl RecipientId {
    /// The id that 128 bits of a digest are.
    pub const fn from_bytes(digest: [u8; 16]) -> Self {
        Self(Ulid(u128::from_be_bytes(digest)))
    }

    /// Its bits.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.0.to_be_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_versions_id_is_a_uuid_of_version_7() {
        let at = DateTime::from_timestamp_millis(0x0192_f4c1_5f2b).unwrap();
        let uuid = |random| SecretVersionId::fresh(at, random).uuid();
        assert_eq!(uuid(0), "0192f4c1-5f2b-7000-8000-000000000000");
        assert_eq!(uuid(u128::MAX), "0192f4c1-5f2b-7fff-bfff-ffffffffffff");
        let id = SecretVersionId::fresh(at, 7);
        assert_eq!(id.to_string().parse::<SecretVersionId>().unwrap().uuid(), id.uuid());
    }

    #[test]
    fn an_id_reads_back_as_itself() {
        let at = DateTime::from_timestamp_millis(1_732_406_400_000).unwrap();
        let id = ApiKeyId::from_parts(at, u128::MAX);
        assert_eq!(id.to_string().parse::<ApiKeyId>().unwrap(), id);
        assert!(id.to_string().starts_with("key_01"));
    }

    #[test]
    fn other_spellings_of_an_id_are_refused() {
        let at = DateTime::from_timestamp_millis(1_732_406_400_000).unwrap();
        let text = ProjectId::from_parts(at, 7).to_string();
        for wrong in
            [text.to_lowercase(), format!(" {text}"), format!("{text} "), text.replace("prj_", "key_")]
        {
            assert!(wrong.parse::<ProjectId>().is_err(), "{wrong}");
        }
        assert!(text.replacen('0', "O", 1).parse::<ProjectId>().is_err());
    }
}
