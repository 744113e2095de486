//! The decision: what a value is good for, now. Pure.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use keywarden_model::{AllowedCidrs, KeyState, RevokeReason, Scopes, VerifyCode};

/// What the key's life says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyLife {
    /// Not valid before.
    pub not_before: Option<DateTime<Utc>>,
    /// Not valid from then on.
    pub expires_at: Option<DateTime<Utc>>,
    /// Stopped for a while.
    pub suspended: bool,
    /// Stopped for good.
    pub revoked: Option<RevokeReason>,
}

/// What the life of one of its values says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ValueLife {
    /// Not valid from then on: an overlap's end, an imported value's last day.
    pub stops_at: Option<DateTime<Utc>>,
    /// Stopped for good.
    pub revoked: Option<RevokeReason>,
    /// Its hash is gone.
    pub destroyed: bool,
}

/// What is known of the value that was shown; its hash was compared before.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The key's life.
    pub key: &'a KeyLife,
    /// The value's life.
    pub value: &'a ValueLife,
    /// What the key may be used for.
    pub scopes: &'a Scopes,
    /// From where.
    pub allowed_cidrs: &'a AllowedCidrs,
}

/// What is wanted of it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What for.
    pub scopes: &'a Scopes,
    /// From where it was used; a key with ranges is not good from an unknown address.
    pub ip: Option<IpAddr>,
    /// Whether its rate limit has room.
    pub within_rate: bool,
}

/// The first that fits, in the order of [`VerifyCode::ALL`]. `None` is an unknown, wrong or foreign value.
pub fn judge(facts: Option<Facts<'_>>, asked: &Asked<'_>, now: DateTime<Utc>) -> VerifyCode {
    let Some(facts) = facts.filter(|facts| !facts.value.destroyed) else { return VerifyCode::NotFound };
    match life(facts.value, facts.key, now) {
        VerifyCode::Valid => {}
        over => return over,
    }
    if !facts.allowed_cidrs.is_empty() && !asked.ip.is_some_and(|ip| facts.allowed_cidrs.allow(ip)) {
        return VerifyCode::IpNotAllowed;
    }
    if !facts.scopes.cover(asked.scopes) {
        return VerifyCode::InsufficientScope;
    }
    if !asked.within_rate {
        return VerifyCode::RateLimited;
    }
    VerifyCode::Valid
}

/// The part of the verdict that hangs on nothing but time and what was done to the key.
fn life(value: &ValueLife, key: &KeyLife, now: DateTime<Utc>) -> VerifyCode {
    let over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| now >= end);
    if key.revoked.is_some() || value.revoked.is_some() {
        VerifyCode::Revoked
    } else if key.suspended {
        VerifyCode::Suspended
    } else if key.not_before.is_some_and(|begin| now < begin) {
        VerifyCode::NotYetValid
    } else if over(key.expires_at) || over(value.stops_at) {
        VerifyCode::Expired
    } else {
        VerifyCode::Valid
    }
}

/// The value's state (NIST SP 800-57 Part 1 Rev. 5, section 7), always in step with the verdict.
pub fn state_of(value: &ValueLife, key: &KeyLife, now: DateTime<Utc>) -> KeyState {
    if value.destroyed {
        return KeyState::Destroyed;
    }
    match life(value, key, now) {
        VerifyCode::Revoked => {
            let compromised = [key.revoked, value.revoked].contains(&Some(RevokeReason::KeyCompromise));
            if compromised { KeyState::Compromised } else { KeyState::Deactivated }
        }
        VerifyCode::Suspended => KeyState::Suspended,
        VerifyCode::NotYetValid => KeyState::PreActivation,
        VerifyCode::Expired => KeyState::Deactivated,
        _ => KeyState::Active,
    }
}

/// Whether the value answers, or would as soon as its key is resumed and its first instant has come. Not so what has
/// ended: suspension hides an end from the state, and takes none back.
pub fn is_living(value: &ValueLife, key: &KeyLife, now: DateTime<Utc>) -> bool {
    let open = KeyLife { not_before: None, suspended: false, ..*key };
    state_of(value, &open, now) == KeyState::Active
}

/// The state of a value that has nothing of its own against it: what a key as a whole is said to be.
pub fn key_state(key: &KeyLife, now: DateTime<Utc>) -> KeyState {
    state_of(&ValueLife::default(), key, now)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    struct Case {
        key: KeyLife,
        value: ValueLife,
        held: Scopes,
        cidrs: AllowedCidrs,
        wanted: Scopes,
        ip: Option<IpAddr>,
        within_rate: bool,
    }

    impl Case {
        fn good() -> Self {
            Self {
                key: KeyLife::default(),
                value: ValueLife::default(),
                held: Scopes::parse(["orders:*"]).unwrap(),
                cidrs: AllowedCidrs::parse(["10.0.0.0/8"]).unwrap(),
                wanted: Scopes::parse(["orders:read"]).unwrap(),
                ip: Some("10.1.2.3".parse().unwrap()),
                within_rate: true,
            }
        }

        fn code(&self) -> VerifyCode {
            let facts =
                Facts { key: &self.key, value: &self.value, scopes: &self.held, allowed_cidrs: &self.cidrs };
            let asked = Asked { scopes: &self.wanted, ip: self.ip, within_rate: self.within_rate };
            judge(Some(facts), &asked, at(0))
        }

        fn state(&self) -> KeyState {
            state_of(&self.value, &self.key, at(0))
        }
    }

    type Flaw = fn(&mut Case);

    /// One flaw for each code, the gravest first.
    const FLAWS: [(VerifyCode, Flaw); 8] = [
        (VerifyCode::NotFound, |case| case.value.destroyed = true),
        (VerifyCode::Revoked, |case| case.key.revoked = Some(RevokeReason::Superseded)),
        (VerifyCode::Suspended, |case| case.key.suspended = true),
        (VerifyCode::NotYetValid, |case| case.key.not_before = Some(at(1))),
        (VerifyCode::Expired, |case| case.key.expires_at = Some(at(0))),
        (VerifyCode::IpNotAllowed, |case| case.ip = Some("11.0.0.1".parse().unwrap())),
        (VerifyCode::InsufficientScope, |case| case.wanted = Scopes::parse(["refunds:write"]).unwrap()),
        (VerifyCode::RateLimited, |case| case.within_rate = false),
    ];

    #[test]
    fn each_flaw_has_its_code_and_a_good_key_is_valid() {
        assert_eq!(Case::good().code(), VerifyCode::Valid);
        for (code, flaw) in FLAWS {
            let mut case = Case::good();
            flaw(&mut case);
            assert_eq!(case.code(), code);
        }
    }

    #[test]
    fn an_unknown_value_is_not_found() {
        let asked = Asked { scopes: &Scopes::default(), ip: None, within_rate: true };
        assert_eq!(judge(None, &asked, at(0)), VerifyCode::NotFound);
    }

    #[test]
    fn the_first_instant_of_validity_is_not_before_and_the_last_lies_before_expiry() {
        let mut case = Case::good();
        case.key.not_before = Some(at(0));
        case.key.expires_at = Some(at(0) + TimeDelta::microseconds(1));
        assert_eq!(case.code(), VerifyCode::Valid);
        case.value.stops_at = Some(at(0));
        assert_eq!(case.code(), VerifyCode::Expired);
        assert_eq!(case.state(), KeyState::Deactivated);
    }

    #[test]
    fn a_key_with_ranges_is_not_good_from_an_unknown_address() {
        let mut case = Case::good();
        case.ip = None;
        assert_eq!(case.code(), VerifyCode::IpNotAllowed);
        case.cidrs = AllowedCidrs::default();
        assert_eq!(case.code(), VerifyCode::Valid);
    }

    #[test]
    fn a_compromised_value_is_told_from_one_that_was_merely_revoked() {
        let mut case = Case::good();
        case.key.revoked = Some(RevokeReason::KeyCompromise);
        assert_eq!((case.code(), case.state()), (VerifyCode::Revoked, KeyState::Compromised));
        case.key.revoked = Some(RevokeReason::CessationOfOperation);
        assert_eq!((case.code(), case.state()), (VerifyCode::Revoked, KeyState::Deactivated));
    }

    #[test]
    fn an_ended_value_lives_no_more_whatever_hides_its_end() {
        let mut case = Case::good();
        case.key.suspended = true;
        case.key.not_before = Some(at(1));
        assert!(is_living(&case.value, &case.key, at(0)));
        assert_eq!(case.state(), KeyState::Suspended);
        let ends: [Flaw; 5] = [
            |case| case.value.stops_at = Some(at(0)),
            |case| case.value.revoked = Some(RevokeReason::Superseded),
            |case| case.value.destroyed = true,
            |case| case.key.revoked = Some(RevokeReason::Superseded),
            |case| case.key.expires_at = Some(at(0)),
        ];
        for end in ends {
            let mut case = Case::good();
            case.key.suspended = true;
            end(&mut case);
            assert!(!is_living(&case.value, &case.key, at(0)));
        }
    }

    proptest! {
        #[test]
        fn of_several_flaws_the_gravest_is_told(which in prop::collection::vec(any::<bool>(), 8)) {
            let mut case = Case::good();
            let mut expected = VerifyCode::Valid;
            for ((code, flaw), _) in FLAWS.iter().zip(&which).rev().filter(|(_, on)| **on) {
                flaw(&mut case);
                expected = *code;
            }
            prop_assert_eq!(case.code(), expected);
        }

        #[test]
        fn time_alone_never_makes_an_ended_value_good_again(
            not_before in prop::option::of(-5_i64..5), expires in prop::option::of(-5_i64..5),
            stops in prop::option::of(-5_i64..5), now in -10_i64..10, later in 0_i64..10,
        ) {
            let key = KeyLife { not_before: not_before.map(at), expires_at: expires.map(at), ..KeyLife::default() };
            let value = ValueLife { stops_at: stops.map(at), ..ValueLife::default() };
            if state_of(&value, &key, at(now)) == KeyState::Deactivated {
                prop_assert_eq!(state_of(&value, &key, at(now + later)), KeyState::Deactivated);
            }
            let active = state_of(&value, &key, at(now)) == KeyState::Active;
            let open = not_before.is_none_or(|it| it <= now)
                && expires.is_none_or(|it| now < it) && stops.is_none_or(|it| now < it);
            prop_assert_eq!(active, open);
        }
    }
}
