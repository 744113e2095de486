//! A file of expected decisions beside the policies of a folder: `tests.toml` or `tests.json`.

use std::{fs, path::Path};

use serde::Deserialize;

use super::Failure;
use crate::client::PolicyCase;

/// Where they lie, the first that is there.
const NAMES: [&str; 2] = ["tests.toml", "tests.json"];
/// Longer files are none that people write.
const LONGEST: u64 = 1024 * 1024;

/// A decision that is expected.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    principal: String,
    action: String,
    resource: String,
    at: Option<String>,
    address: Option<String>,
    passkey_age: Option<String>,
    method: Option<String>,
    reason_given: Option<bool>,
    pub(super) expect: Expect,
}

impl Case {
    /// The question to the server.
    pub(super) fn asked(&self) -> PolicyCase<'_> {
        PolicyCase {
            principal: &self.principal,
            action: &self.action,
            resource: &self.resource,
            at: self.at.as_deref(),
            address: self.address.as_deref(),
            passkey_age: self.passkey_age.as_deref(),
            method: self.method.as_deref(),
            reason_given: self.reason_given,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Expect {
    Allowed,
    Refused,
}

impl Expect {
    /// As the server says it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    test: Vec<Case>,
}

/// The decisions that are expected of a folder's policies.
pub(super) fn read(folder: &Path, file: Option<&Path>) -> Result<Vec<Case>, Failure> {
    let file = match file {
        Some(file) => file.to_owned(),
        None => NAMES
            .iter()
            .map(|name| folder.join(name))
            .find(|file| file.exists())
            .ok_or(Failure::Usage("there is no `tests.toml` and no `tests.json` in the folder"))?,
    };
    let length = fs::metadata(&file).map_err(Failure::io("read the file of tests"))?.len();
    if length > LONGEST {
        return Err(Failure::Usage("a file of tests has at most 1 MiB"));
    }
    let text = fs::read_to_string(&file).map_err(Failure::io("read the file of tests"))?;
    let json = file.extension().is_some_and(|it| it == "json");
    parse(&text, json).map_err(|cause| Failure::NoTests { file, cause })
}

fn parse(text: &str, json: bool) -> Result<Vec<Case>, String> {
    let cases: Cases = if json {
        serde_json::from_str(text).map_err(|cause| cause.to_string())?
    } else {
        toml::from_str(text).map_err(|cause| cause.to_string())?
    };
    Ok(cases.test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_formats_say_the_same() {
        let toml = r#"
            [[test]]
            name = "Bob issues no keys at night"
            principal = "usr_1"
            action = "key.issue"
            resource = "env_1"
            at = "2027-01-31T23:00:00Z"
            passkey_age = "never"
            reason_given = true
            expect = "refused"
        "#;
        let json = r#"{"test":[{"name":"Bob issues no keys at night","principal":"usr_1","action":"key.issue",
            "resource":"env_1","at":"2027-01-31T23:00:00Z","passkey_age":"never","reason_given":true,"expect":"refused"}]}"#;
        for cases in [parse(toml, false).unwrap(), parse(json, true).unwrap()] {
            let [case] = &cases[..] else { panic!("{cases:?}") };
            assert_eq!((case.name.as_str(), case.expect), ("Bob issues no keys at night", Expect::Refused));
            let asked = serde_json::to_value(case.asked()).unwrap();
            let wanted = serde_json::json!({
                "principal": "usr_1", "action": "key.issue", "resource": "env_1", "at": "2027-01-31T23:00:00Z",
                "passkey_age": "never", "reason_given": true,
            });
            assert_eq!(asked, wanted);
        }
        for wrong in [r#"{"test":[{}]}"#, r#"{"tests":[]}"#, "[]", ""] {
            assert!(parse(wrong, true).is_err(), "{wrong}");
        }
        assert!(parse(&toml.replace("refused", "perhaps"), false).is_err());
        assert!(parse(&toml.replace("passkey_age", "passkey"), false).is_err(), "a slip is told");
    }
}
