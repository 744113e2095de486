//! What a solver is given is what decides: the sets that are compared answer as decisions do, and what is taken for granted holds
//! of every question.

use cedar_policy::{Authorizer, Decision as Cedar, Policy, PolicySet, ValidationMode};
use keywarden_model::PolicyId;
use proptest::prelude::*;

use super::sliced::{moments, principals, texts, things};
use super::written::{in_force, validator};
use super::*;
use crate::authz::possible;
use crate::authz::shape::Shape;
use crate::authz::whole::is_asked;

/// The moment as it would be for whoever asks.
fn really(moment: &Circumstances, who: &Who) -> Circumstances {
    let is_person = matches!(who, Who::Person(_));
    let recovering = moment.recovering && is_person;
    let method = match (is_person, recovering) {
        (true, true) => SignInMethod::Recovery,
        (true, false) => SignInMethod::Passkey,
        (false, _) => SignInMethod::Token,
    };
    let passkey_age = (is_person && !recovering).then_some(7);
    Circumstances { recovering, passkey_age, method, ..moment.clone() }
}

/// The thing as it would be loaded: whoever is done something to by themselves holds what they hold.
fn loaded(target: Target, principal: &Principal) -> Target {
    let oneself = match (&target.resource, &principal.who) {
        (Resource::Person(it), Who::Person(id)) => it == id,
        (Resource::Workload { id: it, .. }, Who::Workload(id)) => it == id,
        _ => false,
    };
    if !oneself {
        return target;
    }
    let organization = principal.organization.iter().map(|role| (*role, None));
    let projects = principal.projects.iter().map(|(project, role)| (*role, Some(*project)));
    let held = Target::holder(target.resource, &organization.chain(projects).collect::<Vec<_>>());
    Target { facts: target.facts, ..held }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_whole_set_answers_as_decisions_do(
        texts in texts(),
        principal in principals(),
        moment in moments(),
        actions in prop::collection::vec(0_usize..Action::ALL.len(), 8),
    ) {
        let (rules, set) = (Rules::builtin().unwrap(), in_force(&texts));
        for action in actions.into_iter().map(|n| Action::ALL[n]) {
            let whole = rules.whole(&set, action, None).unwrap();
            for target in things(action) {
                let asked = rules.question_to(&set, &principal, action, &target, &moment);
                let (request, known) = asked.unwrap().unwrap();
                let answer = Authorizer::new().is_authorized(&request, &whole, &known);
                // One that fails is shown never to, or nothing is shown.
                if answer.diagnostics().errors().next().is_some() {
                    continue;
                }
                let decided = rules.decide_with(&set, &principal, action, &target, &moment);
                let allowed = answer.decision() == Cedar::Allow;
                prop_assert_eq!(allowed, decided.allowed, "{:?} {:?} {:?}", decided, texts, target);
            }
        }
    }

    #[test]
    fn what_can_be_is_never_ruled_out(
        texts in texts(),
        principal in principals(),
        moment in moments(),
        actions in prop::collection::vec(0_usize..Action::ALL.len(), 8),
    ) {
        let (rules, set, shape) = (Rules::builtin().unwrap(), in_force(&texts), Shape::of_schema().unwrap());
        let moment = really(&moment, &principal.who);
        let who = if matches!(principal.who, Who::Person(_)) { "Person" } else { "Workload" };
        for action in actions.into_iter().map(|n| Action::ALL[n]) {
            for target in things(action).into_iter().map(|it| loaded(it, &principal)) {
                let (kind, home) = (target.resource.type_name(), target.resource.project());
                let mut mentioned = possible::Mentioned::default();
                for policy in rules.whole(&set, action, None).unwrap().policies() {
                    mentioned.add(&policy.to_json().unwrap());
                }
                for one in set.deciding().iter().filter(|it| is_asked(it, action, None)) {
                    mentioned.add_zones(one, home);
                }
                let guard = possible::guard(&shape, who, kind, &mentioned, home).unwrap();
                let everything = Policy::parse(None, "permit (principal, action, resource);").unwrap();
                let all = PolicySet::from_policies([everything, guard.clone()]).unwrap();
                let asked = rules.question_to(&set, &principal, action, &target, &moment);
                let (request, known) = asked.unwrap().unwrap();
                let answer = Authorizer::new().is_authorized(&request, &all, &known);
                let failed = answer.diagnostics().errors().next().map(ToString::to_string);
                prop_assert_eq!((answer.decision(), failed), (Cedar::Allow, None), "{} {:?}", guard, target);
            }
        }
    }

    // Narrowed policies and the guard are strictly typed wherever they are asked: the symbolic compiler takes no others.
    #[test]
    fn what_a_solver_is_given_fits_the_schema(texts in texts()) {
        let (rules, set) = (Rules::builtin().unwrap(), in_force(&texts));
        for action in Action::ALL.iter().copied().step_by(7) {
            let whole = rules.whole(&set, action, None).unwrap();
            let result = validator().validate(&whole, ValidationMode::Strict);
            let errors: Vec<_> = result.validation_errors().map(ToString::to_string).collect();
            prop_assert!(errors.is_empty(), "{:?} {:?}", texts, errors);
        }
    }
}

#[test]
fn a_change_touches_what_either_version_speaks_of() {
    let rules = Rules::builtin().unwrap();
    let text = r#"forbid (principal, action in [Action::"secret.read", Action::"policy.view"], resource);"#;
    let before = in_force(&[]);
    let after = in_force(&[(PolicyScope::Organization, text.to_owned())]);
    let change = Change { policy: id::<PolicyId>(1), before: &before, after: &after };
    let touched = change.touches(&Rules::schema().unwrap());
    let words: Vec<_> =
        touched.iter().map(|it| (it.action.name(), it.resource.as_str(), it.principal.as_str())).collect();
    assert_eq!(
        words,
        [
            ("policy.view", "Organization", "Person"),
            ("policy.view", "Organization", "Operator"),
            ("policy.view", "Organization", "Workload"),
            ("policy.view", "Project", "Person"),
            ("policy.view", "Project", "Operator"),
            ("policy.view", "Project", "Workload"),
            ("secret.read", "Secret", "Person"),
            ("secret.read", "Secret", "Operator"),
            ("secret.read", "Secret", "Workload"),
        ]
    );
    let compared = rules.compare(&Shape::of_schema().unwrap(), &change, &touched[6]).unwrap();
    let count = |set: &PolicySet| set.policies().count();
    assert_eq!(count(&compared.after), count(&compared.before) + 1);
    assert!(compared.fallible.is_empty());
}

#[test]
fn a_policy_that_may_fail_is_told_with_what_is_compared() {
    let rules = Rules::builtin().unwrap();
    let text =
        r#"forbid (principal, action == Action::"secret.read", resource) when { context.weekday * 2 > 7 };"#;
    let (before, after) = (in_force(&[]), in_force(&[(PolicyScope::Organization, text.to_owned())]));
    let change = Change { policy: id::<PolicyId>(1), before: &before, after: &after };
    let touched = change.touches(&Rules::schema().unwrap());
    let compared = rules.compare(&Shape::of_schema().unwrap(), &change, &touched[0]).unwrap();
    let [fallible] = &compared.fallible[..] else { panic!("{} of them", compared.fallible.len()) };
    let text = fallible.to_cedar().unwrap();
    assert!(
        text.find("signInMethod") < text.find("context.weekday * 2").or(text.find("weekday\"] * 2")),
        "{text}"
    );
}
