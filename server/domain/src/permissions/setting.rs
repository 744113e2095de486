//! The moment that a question supposes.

use std::fmt;
use std::net::IpAddr;

use chrono::{DateTime, Utc};

use crate::authz::{ASSERTION_AGE, Circumstances, SignInMethod, Who};

/// What is supposed of the moment. What is left open is as usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Setting {
    /// When; otherwise now.
    pub at: Option<DateTime<Utc>>,
    /// From where; otherwise that is not known.
    pub address: Option<IpAddr>,
    /// When the person last showed a passkey. Workloads have none.
    pub passkey: PasskeyAge,
    /// How the person signed in; otherwise with a passkey. Workloads always show a token.
    pub method: Option<SignInMethod>,
    /// Whether whoever asks says why.
    pub reason: bool,
}

/// How long ago a passkey was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasskeyAge {
    /// In this session not at all.
    Never,
    /// So many seconds.
    Seconds(u32),
}

impl PasskeyAge {
    /// From `never`, or from seconds.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "never" => Some(Self::Never),
            _ if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok().map(Self::Seconds),
            _ => None,
        }
    }

    /// In seconds.
    fn seconds(self) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::Seconds(age) => Some(age.into()),
        }
    }

    /// Whether it has to be shown again before a change.
    pub(super) fn is_old(self) -> bool {
        self.seconds().is_none_or(|age| age > ASSERTION_AGE.num_seconds())
    }
}

impl Default for PasskeyAge {
    fn default() -> Self {
        Self::Seconds(0)
    }
}

impl fmt::Display for PasskeyAge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Never => f.write_str("never"),
            Self::Seconds(age) => write!(f, "{age}"),
        }
    }
}

impl Setting {
    /// As policies see it of this principal. Whoever recovers has no passkey to show.
    pub(crate) fn circumstances(&self, who: &Who, now: DateTime<Utc>) -> Circumstances {
        let person = matches!(who, Who::Person(_));
        let usual = SignInMethod::usual(who);
        let of_people = |method: &SignInMethod| {
            person && matches!(method, SignInMethod::Passkey | SignInMethod::Recovery)
        };
        let method = self.method.filter(of_people).unwrap_or(usual);
        let mut circumstances = Circumstances::absent(self.at.unwrap_or(now), method);
        circumstances.recovering = method == SignInMethod::Recovery;
        circumstances.address = self.address.map(|it| it.to_canonical());
        circumstances.reason = self.reason;
        if person && !circumstances.recovering {
            circumstances.passkey_age = self.passkey.seconds();
        }
        circumstances
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::{UserId, WorkloadId};

    use super::*;

    #[test]
    fn an_age_is_read_as_it_is_written() {
        for text in ["never", "0", "300"] {
            assert_eq!(PasskeyAge::parse(text).unwrap().to_string(), text);
        }
        for wrong in ["", "-1", "+1", "soon", "4294967296"] {
            assert_eq!(PasskeyAge::parse(wrong), None, "{wrong}");
        }
        assert!(PasskeyAge::Never.is_old() && PasskeyAge::Seconds(301).is_old());
        assert!(!PasskeyAge::Seconds(300).is_old());
    }

    #[test]
    fn only_what_a_principal_can_have_is_supposed_of_it() {
        let now = DateTime::UNIX_EPOCH;
        let setting = Setting { method: Some(SignInMethod::Recovery), ..Setting::default() };
        let person = setting.circumstances(&Who::Person(UserId::NIL), now);
        assert!(person.recovering && person.passkey_age.is_none());
        let machine = setting.circumstances(&Who::Workload(WorkloadId::NIL), now);
        assert_eq!((machine.method, machine.passkey_age), (SignInMethod::Token, None));
        let usual = Setting::default().circumstances(&Who::Person(UserId::NIL), now);
        assert_eq!((usual.method, usual.passkey_age), (SignInMethod::Passkey, Some(0)));
    }
}
