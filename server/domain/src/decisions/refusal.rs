//! What was refused, on its way to whoever may open it: an id that says nothing to anybody else.
//!
//! The id is sealed text and no row: it says who asked what about which thing, and when. Any node opens it, after a restart too;
//! refusing leaves nothing behind, however often it happens. Every *not found* has one of the same length, be the thing there or
//! not, so that no id tells that something is hidden. It ends with the keyring's key, or after thirty days.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use keywarden_model::time::{from_micros, micros};
use keywarden_model::{
    ApiKeyId, EnvironmentId, ProjectId, SecretId, ServiceTokenId, TeamId, TypedId, UserId, WorkloadId,
};
use keywarden_vault::Purpose;
use sha2::{Digest, Sha256};

use super::Who;
use crate::authz::{Circumstances, SignInMethod};
use crate::{Action, Actor, Domain, Op, Permit, Refused, Resource};

/// What an id begins with.
const PREFIX: &str = "dec_";
/// What the sealed text belongs to.
const CONTEXT: &[u8] = b"decision";
/// How long an id is good for.
const LIFE: chrono::TimeDelta = chrono::TimeDelta::days(30);
const HOUR: i64 = 3_600;

/// The last no of one operation, shared by all who handle it. The door that answers makes an id of it.
#[derive(Debug, Clone, Default)]
pub struct LastRefusal(Arc<Mutex<Noted>>);

#[derive(Debug, Clone, Copy, Default)]
struct Noted {
    who: Option<Who>,
    at: Option<DateTime<Utc>>,
    asked: Option<Asked>,
}

/// A question that was answered with a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) action: Action,
    pub(crate) thing: Subject,
    pub(crate) around: Around,
    pub(crate) answer: Answer,
    pub(crate) counter: i64,
}

/// What else was known of the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Around {
    pub(crate) method: SignInMethod,
    pub(crate) address: Option<IpAddr>,
    pub(crate) passkey_age: Option<i64>,
    pub(crate) reason: bool,
}

/// How it was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// No, of a thing that the caller may know of.
    Forbidden,
    /// As if there were no such thing.
    NotFound,
    /// Not without a fresh passkey.
    StepUp,
}

/// A thing by its id alone: all else is looked up when it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    ApiKey(ApiKeyId),
    Environment(EnvironmentId),
    Organization,
    Person(UserId),
    Project(ProjectId),
    Secret(SecretId),
    Team(TeamId),
    Workload(WorkloadId),
}

/// What an id says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) who: Who,
    pub(crate) at: DateTime<Utc>,
    pub(crate) asked: Option<Asked>,
}

impl LastRefusal {
    /// Notes who asks.
    pub fn by(&self, actor: &Actor, now: DateTime<Utc>) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (noted.who, noted.at) = (Some(Who::of(actor)), Some(now));
    }

    /// Notes that somebody may do this nowhere, or not to all that they asked for: no single thing was asked about.
    pub fn nowhere(&self, op: &Op, action: Action) {
        let refused = Err(Refused::Forbidden(action));
        self.note(op, i64::MAX, action, &Resource::Organization, &refused);
    }

    /// Notes an answer of the gate, if it is a no.
    pub(crate) fn note(
        &self,
        op: &Op,
        counter: i64,
        action: Action,
        resource: &Resource,
        answer: &Result<Permit, Refused>,
    ) {
        let answer = match answer {
            Err(Refused::Forbidden(_)) => Answer::Forbidden,
            Err(Refused::NotFound) => Answer::NotFound,
            Err(Refused::StepUp) => Answer::StepUp,
            Ok(_) | Err(Refused::Fault(_) | Refused::Replayed(_) | Refused::Stale) => return,
        };
        let Circumstances { method, address, passkey_age, reason, .. } = Circumstances::of(op);
        let around = Around { method, address, passkey_age, reason };
        let asked = Asked { action, thing: resource.into(), around, answer, counter };
        self.by(&op.actor, op.now);
        self.0.lock().unwrap_or_else(PoisonError::into_inner).asked = Some(asked);
    }
}

impl Domain {
    /// The id of a refusal: sealed, and never the same twice. `None` while the keyring is sealed.
    pub fn decision_id(&self, refusal: &LastRefusal) -> Option<String> {
        let Noted { who, at, asked } = *refusal.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told =
            Told { who: who.unwrap_or(Who::Nobody), at: at.unwrap_or_else(|| self.env().now()), asked };
        let hour = u64::try_from(told.at.timestamp().div_euclid(HOUR)).unwrap_or(0);
        let sealed = self
            .env()
            .with_rng(|rng| self.keyring().seal_within(Purpose::Session, hour, CONTEXT, &told.encode(), rng));
        let sealed = sealed.ok()?;
        Some(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode([&hour.to_be_bytes()[..], &sealed].concat())))
    }

    /// What an id says; `None` if it is none of ours, or of long ago.
    pub(crate) fn told_by(&self, id: &str, now: DateTime<Utc>) -> Option<Told> {
        let bytes = URL_SAFE_NO_PAD.decode(id.strip_prefix(PREFIX)?).ok()?;
        let (hour, sealed) = bytes.split_at_checked(8)?;
        let text = self.keyring().open_for(Purpose::Session, hour, CONTEXT, sealed).ok()?;
        Told::decode(text.expose()).filter(|told| now - told.at <= LIFE)
    }
}

impl Around {
    /// As the policies saw it.
    pub(crate) fn circumstances(self, at: DateTime<Utc>) -> Circumstances {
        let mut circumstances = Circumstances::absent(at, self.method);
        circumstances.recovering = self.method == SignInMethod::Recovery;
        circumstances.address = self.address;
        circumstances.passkey_age = self.passkey_age;
        circumstances.reason = self.reason;
        circumstances
    }

    /// Method, what is known, address, age: always as long. An address of version 4 stands in one of version 6, and goes back to what it was.
    fn encode(self) -> [u8; 26] {
        let mut bytes = [0; 26];
        let (head, age) = bytes.split_at_mut(18);
        if let [method, known, address @ ..] = head {
            *method = match self.method {
                SignInMethod::Passkey => 1,
                SignInMethod::Recovery => 2,
                SignInMethod::Shell => 3,
                SignInMethod::Token => 4,
            };
            *known = u8::from(self.address.is_some()) | u8::from(self.reason) << 1;
            let octets = match self.address {
                None => [0; 16],
                Some(IpAddr::V4(it)) => it.to_ipv6_mapped().octets(),
                Some(IpAddr::V6(it)) => it.octets(),
            };
            address.copy_from_slice(&octets);
        }
        age.copy_from_slice(&self.passkey_age.unwrap_or(-1).to_be_bytes());
        bytes
    }

    fn decode(bytes: [u8; 26]) -> Option<Self> {
        let ([method, known], rest) = bytes.split_first_chunk()?;
        let (address, age) = rest.split_first_chunk::<16>()?;
        let age = i64::from_be_bytes(age.try_into().ok()?);
        let method = match method {
            1 => SignInMethod::Passkey,
            2 => SignInMethod::Recovery,
            3 => SignInMethod::Shell,
            4 => SignInMethod::Token,
            _ => return None,
        };
        let address = IpAddr::V6(Ipv6Addr::from(*address)).to_canonical();
        let address = match known {
            0 | 2 if address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) => None,
            1 | 3 => Some(address),
            _ => return None,
        };
        Some(Self { method, address, passkey_age: (age != -1).then_some(age), reason: known & 2 != 0 })
    }
}

impl From<&Resource> for Subject {
    fn from(resource: &Resource) -> Self {
        match resource {
            Resource::ApiKey { id, .. } => Self::ApiKey(*id),
            Resource::Environment { id, .. } => Self::Environment(*id),
            Resource::Organization => Self::Organization,
            Resource::Person(id) => Self::Person(*id),
            Resource::Project(id) => Self::Project(*id),
            Resource::Secret { id, .. } => Self::Secret(*id),
            Resource::Team(id) => Self::Team(*id),
            Resource::Workload { id, .. } => Self::Workload(*id),
        }
    }
}

impl Subject {
    /// Its typed id, or `organization`.
    pub(crate) fn id(self) -> String {
        match self {
            Self::ApiKey(id) => id.to_string(),
            Self::Environment(id) => id.to_string(),
            Self::Organization => "organization".into(),
            Self::Person(id) => id.to_string(),
            Self::Project(id) => id.to_string(),
            Self::Secret(id) => id.to_string(),
            Self::Team(id) => id.to_string(),
            Self::Workload(id) => id.to_string(),
        }
    }

    fn encode(self) -> (u8, [u8; 16]) {
        match self {
            Self::ApiKey(id) => (1, id.to_bytes()),
            Self::Environment(id) => (2, id.to_bytes()),
            Self::Organization => (3, [0; 16]),
            Self::Person(id) => (4, id.to_bytes()),
            Self::Project(id) => (5, id.to_bytes()),
            Self::Secret(id) => (6, id.to_bytes()),
            Self::Team(id) => (7, id.to_bytes()),
            Self::Workload(id) => (8, id.to_bytes()),
        }
    }

    fn decode(kind: u8, id: [u8; 16]) -> Option<Self> {
        Some(match kind {
            1 => Self::ApiKey(TypedId::from_bytes(id)),
            2 => Self::Environment(TypedId::from_bytes(id)),
            3 => Self::Organization,
            4 => Self::Person(TypedId::from_bytes(id)),
            5 => Self::Project(TypedId::from_bytes(id)),
            6 => Self::Secret(TypedId::from_bytes(id)),
            7 => Self::Team(TypedId::from_bytes(id)),
            8 => Self::Workload(TypedId::from_bytes(id)),
            _ => return None,
        })
    }
}

/// The first byte of what is sealed.
const VERSION: u8 = 1;
const NIL: [u8; 16] = [0; 16];

impl Told {
    /// Always as long: version, who, when, how it was answered, action, thing, what was around it, counter.
    fn encode(&self) -> Vec<u8> {
        let (kind, who) = match self.who {
            Who::Nobody => (0, NIL),
            Who::Operator(None) => (1, NIL),
            Who::Operator(Some(token)) => (2, token.to_bytes()),
            Who::Person(id) => (3, id.to_bytes()),
            Who::Workload(id) => (4, id.to_bytes()),
        };
        let mut text = vec![VERSION, kind];
        text.extend(who);
        text.extend(micros(self.at).to_be_bytes());
        let (answer, action, thing, around, counter) = match self.asked {
            None => (0, [0; 4], (0, NIL), [0; 26], 0),
            Some(Asked { action, thing, around, answer, counter }) => {
                let answer = match answer {
                    Answer::Forbidden => 1,
                    Answer::NotFound => 2,
                    Answer::StepUp => 3,
                };
                (answer, mark(action), thing.encode(), around.encode(), counter)
            }
        };
        text.push(answer);
        text.extend(action);
        text.push(thing.0);
        text.extend(thing.1);
        text.extend(around);
        text.extend(counter.to_be_bytes());
        text
    }

    fn decode(text: &[u8]) -> Option<Self> {
        let ([VERSION, kind], rest) = text.split_first_chunk()? else { return None };
        let (who, rest) = rest.split_first_chunk::<16>()?;
        let (at, rest) = rest.split_first_chunk::<8>()?;
        let ([answer], rest) = rest.split_first_chunk()?;
        let (action, rest) = rest.split_first_chunk::<4>()?;
        let ([thing], rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk::<16>()?;
        let (around, rest) = rest.split_first_chunk::<26>()?;
        let counter = i64::from_be_bytes(rest.try_into().ok()?);
        let who = match kind {
            0 => Who::Nobody,
            1 => Who::Operator(None),
            2 => Who::Operator(Some(ServiceTokenId::from_bytes(*who))),
            3 => Who::Person(UserId::from_bytes(*who)),
            4 => Who::Workload(WorkloadId::from_bytes(*who)),
            _ => return None,
        };
        let answer = match answer {
            0 => None,
            1 => Some(Answer::Forbidden),
            2 => Some(Answer::NotFound),
            3 => Some(Answer::StepUp),
            _ => return None,
        };
        let asked = answer.map(|answer| {
            let action = Action::ALL.iter().copied().find(|it| mark(*it) == *action)?;
            let thing = Subject::decode(*thing, *id)?;
            let around = Around::decode(*around)?;
            Some(Asked { action, thing, around, answer, counter })
        });
        let asked = match asked {
            Some(None) => return None,
            Some(asked) => asked,
            None => None,
        };
        Some(Self { who, at: from_micros(i64::from_be_bytes(*at)), asked })
    }
}

/// Four bytes for an action, the same in every version that has it.
fn mark(action: Action) -> [u8; 4] {
    let digest: [u8; 32] = Sha256::digest(action.name()).into();
    let [a, b, c, d, ..] = digest;
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_actions_have_one_mark() {
        let marks: BTreeSet<_> = Action::ALL.iter().map(|action| mark(*action)).collect();
        assert_eq!(marks.len(), Action::ALL.len());
    }

    fn around(address: &str) -> Around {
        let address = Some(address.parse().unwrap());
        Around { method: SignInMethod::Recovery, address, passkey_age: Some(301), reason: true }
    }

    #[test]
    fn what_is_told_is_read_back_and_always_as_long() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let nothing = Told { who: Who::Nobody, at, asked: None };
        let asked = Asked {
            action: Action::ReadSecret,
            thing: Subject::Secret(SecretId::from_parts(at, 7)),
            around: around("192.0.2.7"),
            answer: Answer::NotFound,
            counter: 42,
        };
        let who = Who::Workload(WorkloadId::from_parts(at, 9));
        let something = Told { who, at, asked: Some(asked) };
        let bare = Around { method: SignInMethod::Token, address: None, passkey_age: None, reason: true };
        let least = Around { reason: false, ..bare };
        let with = |around| Told { asked: Some(Asked { around, ..asked }), ..something };
        for told in [nothing, something, with(bare), with(least)] {
            assert_eq!(Told::decode(&told.encode()), Some(told));
        }
        assert_eq!(nothing.encode().len(), something.encode().len());
    }

    #[test]
    fn what_was_cut_or_changed_reads_otherwise_or_not_at_all() {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let asked = Asked {
            action: Action::IssueKey,
            thing: Subject::Environment(EnvironmentId::from_parts(at, 3)),
            around: around("2001:db8::7"),
            answer: Answer::Forbidden,
            counter: 7,
        };
        let text = Told { who: Who::Person(UserId::from_parts(at, 1)), at, asked: Some(asked) }.encode();
        for cut in 0..text.len() {
            assert_eq!(Told::decode(&text[..cut]), None);
        }
        for place in 0..text.len() {
            let mut other = text.clone();
            other[place] ^= 0xff;
            assert_ne!(Told::decode(&other), Told::decode(&text), "{place}");
        }
    }
}
