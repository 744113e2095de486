//! Usual cases: what a policy begins with.

use keywarden_domain::{
    Action,
    policy::form::{Clause, Condition, Effect, Form, Group, Named, Scope, Test, What},
};

use crate::text::Text;

/// A usual case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Template {
    Contractors,
    FreshPasskey,
    NoDestruction,
    OfficeHours,
    OfficeNetwork,
    OwnKeys,
    OwnRole,
    RotateKeys,
    SecretsByMachines,
}

impl Template {
    pub(super) const ALL: [Self; 9] = [
        Self::OwnRole,
        Self::Contractors,
        Self::OfficeNetwork,
        Self::OfficeHours,
        Self::RotateKeys,
        Self::NoDestruction,
        Self::FreshPasskey,
        Self::SecretsByMachines,
        Self::OwnKeys,
    ];

    /// Its name in addresses.
    pub(super) fn slug(self) -> &'static str {
        match self {
            Self::Contractors => "contractors",
            Self::FreshPasskey => "fresh-passkey",
            Self::NoDestruction => "no-destruction",
            Self::OfficeHours => "office-hours",
            Self::OfficeNetwork => "office-network",
            Self::OwnKeys => "own-keys",
            Self::OwnRole => "own-role",
            Self::RotateKeys => "rotate-keys",
            Self::SecretsByMachines => "secrets-by-machines",
        }
    }

    pub(super) fn named(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.slug() == slug)
    }

    /// What it is for.
    pub(super) fn title(self, t: Text) -> &'static str {
        match self {
            Self::Contractors => t.policies_template_contractors(),
            Self::FreshPasskey => t.policies_template_fresh_passkey(),
            Self::NoDestruction => t.policies_template_no_destruction(),
            Self::OfficeHours => t.policies_template_office_hours(),
            Self::OfficeNetwork => t.policies_template_office_network(),
            Self::OwnKeys => t.policies_template_own_keys(),
            Self::OwnRole => t.policies_template_own_role(),
            Self::RotateKeys => t.policies_template_rotate_keys(),
            Self::SecretsByMachines => t.policies_template_machines(),
        }
    }

    /// What it means, and what to look at.
    pub(super) fn means(self, t: Text) -> &'static str {
        match self {
            Self::Contractors => t.policies_template_contractors_means(),
            Self::FreshPasskey => t.policies_template_fresh_passkey_means(),
            Self::NoDestruction => t.policies_template_no_destruction_means(),
            Self::OfficeHours => t.policies_template_office_hours_means(),
            Self::OfficeNetwork => t.policies_template_office_network_means(),
            Self::OwnKeys => t.policies_template_own_keys_means(),
            Self::OwnRole => t.policies_template_own_role_means(),
            Self::RotateKeys => t.policies_template_rotate_keys_means(),
            Self::SecretsByMachines => t.policies_template_machines_means(),
        }
    }

    /// Whether a project's own policy may speak of what it speaks of.
    pub(super) fn is_of_projects(self) -> bool {
        let names = match self.form().what {
            What::All => return false,
            What::Equal(one) | What::In(one) => vec![one],
            What::Listed(names) => names,
        };
        names.iter().all(|name| Action::named(name).is_some_and(Action::is_of_projects))
    }

    /// The form it begins with. What only its author knows is left open.
    pub(super) fn form(self) -> Form {
        let forbid = |what: What| Form { what, ..Form::default() };
        let people = || Scope::Is("Person".to_owned());
        match self {
            Self::Contractors => Form {
                who: open_in("Team"),
                things: open_in("Environment"),
                ..forbid(What::Equal("secret.read".to_owned()))
            },
            Self::FreshPasskey => Form {
                who: people(),
                clauses: vec![clause(true, vec![test("passkey-age", "less", "120")])],
                ..forbid(What::Equal("secret.read".to_owned()))
            },
            Self::NoDestruction => forbid(listed(&["secret.destroy-version", "secret.purge"])),
            Self::OfficeHours => Form {
                who: people(),
                clauses: vec![clause(
                    true,
                    vec![
                        test("weekday", "on", "1 2 3 4 5"),
                        test("time", "from", "07:00"),
                        test("time", "before", "19:00"),
                    ],
                )],
                ..forbid(listed(&["key.rotate", "secret.delete", "secret.put", "secret.read"]))
            },
            Self::OfficeNetwork => Form {
                who: people(),
                clauses: vec![clause(true, vec![test("address", "in-range", "10.0.0.0/8")])],
                ..forbid(listed(&["key.issue", "key.rotate", "secret.put", "secret.read"]))
            },
            Self::OwnKeys => Form {
                who: people(),
                clauses: vec![Clause {
                    unless: true,
                    group: Group {
                        any: true,
                        of: vec![test("owner-person", "self", ""), test("owner-team", "self", "")],
                    },
                }],
                ..forbid(listed(&["key.edit", "key.rotate"]))
            },
            Self::OwnRole => Form {
                effect: Effect::Permit,
                who: open_in("Team"),
                things: open_in("Project"),
                ..forbid(listed(&["key.issue", "key.rotate", "secret.put"]))
            },
            Self::RotateKeys => Form {
                effect: Effect::Permit,
                who: open_in("Team"),
                things: open_in("Project"),
                ..forbid(What::Equal("key.rotate".to_owned()))
            },
            Self::SecretsByMachines => Form {
                who: people(),
                things: open_in("Environment"),
                ..forbid(What::Equal("secret.read".to_owned()))
            },
        }
    }
}

fn open_in(kind: &str) -> Scope {
    Scope::In(Named { kind: kind.to_owned(), id: String::new() })
}

fn listed(names: &[&str]) -> What {
    What::Listed(names.iter().map(|name| (*name).to_owned()).collect())
}

fn clause(unless: bool, of: Vec<Condition>) -> Clause {
    Clause { unless, group: Group { any: false, of } }
}

fn test(field: &str, operator: &str, value: &str) -> Condition {
    Condition::Test(Test { field: field.to_owned(), operator: operator.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use keywarden_domain::{
        authz::PolicyScope,
        cast::{Engine, House},
    };
    use keywarden_model::Role;

    use super::*;

    #[tokio::test]
    async fn every_usual_case_is_a_policy_once_it_is_filled_in() {
        let house = House::new(Engine::Sqlite).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let pay = house.project("pay").await;
        let team = house.team("contractors", &[olga.id], &[]).await;
        for template in Template::ALL {
            let mut form = template.form();
            for scope in [&mut form.who, &mut form.things] {
                if let Scope::In(named) = scope {
                    named.id = match named.kind.as_str() {
                        "Team" => team.to_string(),
                        "Project" => pay.id.to_string(),
                        _ => pay.live.to_string(),
                    };
                }
            }
            let text = form.to_text().unwrap();
            assert_eq!(Form::read(&text), Ok(form), "{text}");
            let places = [PolicyScope::Organization, PolicyScope::Project(pay.id)];
            for place in places.into_iter().take(if template.is_of_projects() { 2 } else { 1 }) {
                let checked = house.domain.check_policy(&olga.op(), place, &text).await.unwrap();
                assert!(checked.is_ok(), "{}: {:?}", template.slug(), checked.err());
            }
        }
    }

    #[test]
    fn every_usual_case_has_its_address() {
        for template in Template::ALL {
            assert_eq!(Template::named(template.slug()), Some(template));
        }
        assert_eq!(Template::named("moon"), None);
    }
}
