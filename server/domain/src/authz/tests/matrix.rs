use std::collections::BTreeSet;
use std::fmt::Write as _;

use cedar_policy::{ValidationMode, Validator};

use super::*;

#[test]
fn every_policy_fits_the_schema_strictly_and_has_a_name() {
    let rules = Rules::builtin().unwrap();
    let result = Validator::new(Rules::schema().unwrap()).validate(rules.policies(), ValidationMode::Strict);
    let errors = result.validation_errors().map(ToString::to_string);
    let findings: Vec<_> = errors.chain(result.validation_warnings().map(ToString::to_string)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
    for policy in rules.policies().policies() {
        assert_eq!(policy.annotation("id"), Some(policy.id().to_string().as_str()));
    }
}

/// So that roles in other projects need not be brought to a decision.
#[test]
fn no_policy_names_the_role_of_a_particular_project() {
    let rules = Rules::builtin().unwrap();
    let mut literals = 0;
    for uid in rules.policies().policies().flat_map(cedar_policy::Policy::entity_literals) {
        assert_ne!(uid.type_name().to_string(), "ProjectRole", "{uid}");
        literals += 1;
    }
    assert!(literals > 10);
}

#[test]
fn no_two_actions_share_a_name() {
    let names: BTreeSet<_> = Action::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(names.len(), Action::ALL.len());
}

#[test]
fn who_may_do_what() {
    let rules = Rules::builtin().unwrap();
    let columns = [
        "owner",
        "admin",
        "auditor",
        "manager",
        "issuer",
        "reader",
        "verifier",
        "viewer",
        "key owner",
        "oneself",
        "no role",
    ];
    let mut table = format!("{:28}{}\n", "", columns.map(|it| format!("{it:>10}")).concat());
    for action in Action::ALL {
        let _ = write!(table, "{:28}", action.name());
        for column in columns {
            let target = match (column, action.kind()) {
                ("key owner", Kind::ApiKey) | ("oneself", Kind::Person) => own(*action),
                _ => thing_in(*action, here()),
            };
            let principal = column.parse::<Role>().map_or_else(|_| alice(), |role| holding(role, here()));
            let allowed = rules.decide(&principal, *action, &target, false).allowed;
            let _ = write!(table, "{:>10}", if allowed { "yes" } else { "-" });
        }
        let mark = match action.nature() {
            Nature::Read => "",
            Nature::Disclose => "  shows a secret",
            Nature::Harmless | Nature::HarmlessRestrict => "  change, no passkey",
            Nature::Change | Nature::Restrict => "  change",
        };
        let _ = writeln!(table, "{mark}");
    }
    insta::assert_snapshot!(table);
}

#[test]
fn refusals_in_words() {
    let words: Vec<_> = Action::ALL.iter().map(|action| format!("you may not {}", action.words())).collect();
    insta::assert_snapshot!(words.join("\n"));
}
