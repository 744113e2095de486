//! A question as it stands in an address: who, what, to which thing, at which moment, under which policies.

use chrono::{DateTime, Utc};
use keywarden_domain::{
    Action,
    authz::SignInMethod,
    permissions::{Case, PasskeyAge, Setting, Under},
    roles::Holder,
};

use crate::{
    form::{Params, parse_moment},
    text::Text,
};

/// What came of reading one.
#[derive(Debug)]
pub(in crate::pages) enum Asked {
    /// All of it is there.
    Whole(Box<Case>, Under),
    /// Not all of it is there yet.
    Unasked,
    /// No such action, or no such kind of id.
    Unknown,
    /// A part of the moment cannot be read.
    Unreadable(&'static str),
}

impl Asked {
    pub(in crate::pages) fn read(t: Text, params: &Params) -> Self {
        let setting = match setting(t, params) {
            Ok(setting) => setting,
            Err(what) => return Self::Unreadable(what),
        };
        // Whoever names something by its id means that, and not what is chosen beside it.
        let (principal, thing) = (principal(params), thing(params));
        if principal.is_empty() || thing.is_empty() || params.text("action").is_empty() {
            return Self::Unasked;
        }
        let found = (Holder::parse(&principal), Action::named(params.text("action")), under(params));
        let (Some(holder), Some(action), Some(under)) = found else { return Self::Unknown };
        Self::Whole(Box::new(Case { holder, action, thing, setting }), under)
    }
}

pub(super) fn principal(params: &Params) -> String {
    params.some("principal_id").unwrap_or_else(|| params.text("principal").to_owned())
}

pub(super) fn thing(params: &Params) -> String {
    params.some("resource_id").unwrap_or_else(|| params.text("resource").to_owned())
}

fn setting(t: Text, params: &Params) -> Result<Setting, &'static str> {
    let at: Option<DateTime<Utc>> = match params.text("at") {
        "" => None,
        text => Some(parse_moment(text).ok_or_else(|| t.permissions_at())?),
    };
    let address = match params.text("address") {
        "" => None,
        text => Some(text.parse().map_err(|_| t.permissions_address())?),
    };
    let passkey = match params.text("passkey_age") {
        "" => PasskeyAge::default(),
        text => PasskeyAge::parse(text).ok_or_else(|| t.permissions_passkey())?,
    };
    let method = match params.text("method") {
        "" => None,
        text => Some(SignInMethod::named(text).ok_or_else(|| t.permissions_session())?),
    };
    let reason = match params.text("reason") {
        "" => false,
        "given" => true,
        _ => return Err(t.permissions_reason()),
    };
    Ok(Setting { at, address, passkey, method, reason })
}

fn under(params: &Params) -> Option<Under> {
    match params.text("under") {
        "" => Some(Under::InForce),
        text => {
            let (policy, number) = text.split_once('@')?;
            Some(Under::With(policy.parse().ok()?, number.parse().ok()?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHO: &str = "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB";

    fn read(query: &str) -> Asked {
        Asked::read(Text::default(), &Params::parse(query))
    }

    #[test]
    fn a_question_is_whole_or_says_what_is_amiss() {
        let whole = format!("principal={WHO}&action=key.issue&resource=organization");
        let moment = "&at=2027-01-01T09:30&address=192.0.2.7&passkey_age=never&method=recovery&reason=given";
        let Asked::Whole(case, under) = read(&format!("{whole}{moment}")) else { panic!("not whole") };
        assert_eq!((case.thing.as_str(), under), ("organization", Under::InForce));
        assert_eq!(case.setting.passkey, PasskeyAge::Never);
        assert_eq!(case.setting.method, Some(SignInMethod::Recovery));
        assert!(case.setting.reason);
        let by_id = read(&format!("{whole}&resource_id=key_1"));
        assert!(matches!(by_id, Asked::Whole(case, _) if case.thing == "key_1"));
        assert!(matches!(read("principal=x"), Asked::Unasked));
        for wrong in ["&action=nothing", "&under=pol_1"] {
            let query = format!("principal={WHO}&resource=organization{wrong}&action=key.issue");
            assert!(matches!(read(&query), Asked::Unknown), "{wrong}");
        }
        for wrong in ["&at=soon", "&address=office", "&passkey_age=old", "&method=guess", "&reason=good"] {
            assert!(matches!(read(&format!("{whole}{wrong}")), Asked::Unreadable(_)), "{wrong}");
        }
    }
}
