use super::*;
use crate::Refused;

fn judge(principal: &Principal, action: Action, seconds: Option<i64>) -> Result<Permit, Refused> {
    let rules = Rules::builtin().unwrap();
    rules.judge(
        &InForce::default(),
        principal,
        &op(seconds.map(TimeDelta::seconds)),
        action,
        &thing_in(action, here()),
        7,
    )
}

#[test]
fn a_permit_says_what_it_is_for() {
    let permit = judge(&holding(Role::Issuer, here()), Action::RotateKey, Some(0)).unwrap();
    assert_eq!(permit.action(), Action::RotateKey);
    assert_eq!(*permit.resource(), thing_in(Action::RotateKey, here()).resource);
    assert_eq!(permit.policies(), ["project-issuer"]);
    assert_eq!(permit.counter(), 7);
}

#[test]
fn a_permit_cannot_be_copied() {
    trait Once<Marker> {
        fn once() {}
    }
    impl<T: ?Sized> Once<()> for T {}
    impl<T: Clone> Once<u8> for T {}
    // Ambiguous, so that it does not compile, if a permit could be cloned.
    <Permit as Once<_>>::once();
}

#[test]
fn a_change_needs_a_passkey_of_the_last_five_minutes_and_suspending_does_not() {
    let issuer = holding(Role::Issuer, here());
    for fresh in [300, 0, -10] {
        assert!(judge(&issuer, Action::RotateKey, Some(fresh)).is_ok(), "{fresh}");
    }
    for age in [None, Some(301), Some(-11), Some(i64::from(i32::MAX))] {
        assert!(matches!(judge(&issuer, Action::RotateKey, age), Err(Refused::StepUp)), "{age:?}");
        assert!(judge(&issuer, Action::SuspendKey, age).is_ok());
        assert!(judge(&issuer, Action::ViewKey, age).is_ok());
    }
}

#[test]
fn adding_a_passkey_and_issuing_a_key_are_never_harmless() {
    for action in [Action::AddPasskey, Action::IssueKey, Action::IssueServiceToken, Action::ImportKey] {
        assert!(action.needs_step_up(), "{}", action.name());
    }
}

#[test]
fn machines_have_no_passkey_to_show() {
    let mut deployer = Principal::bare(Who::Workload(id(1)));
    give(&mut deployer, Role::Issuer, here());
    let op = Op { actor: Actor::Workload { id: id(1), token: id(1) }, ..op(None) };
    let rules = Rules::builtin().unwrap();
    assert!(
        rules
            .judge(
                &InForce::default(),
                &deployer,
                &op,
                Action::IssueKey,
                &thing_in(Action::IssueKey, here()),
                0
            )
            .is_ok()
    );
}

#[test]
fn whoever_recovers_needs_no_passkey_to_add_one() {
    let mut op = op(None);
    if let Actor::Person(person) = &mut op.actor {
        person.recovering = true;
    }
    let rules = Rules::builtin().unwrap();
    let ask = |action| rules.judge(&InForce::default(), &alice(), &op, action, &own(action), 0);
    assert!(ask(Action::AddPasskey).is_ok());
    assert!(ask(Action::RemovePasskey).is_err());
}

#[test]
fn a_stranger_learns_only_that_there_is_nothing() {
    let stranger = holding(Role::Manager, elsewhere());
    let viewer = holding(Role::Viewer, here());
    let hidden = [Kind::ApiKey, Kind::Environment, Kind::Project, Kind::Workload];
    for action in Action::ALL.iter().filter(|action| hidden.contains(&action.kind())) {
        let answer = judge(&stranger, *action, None);
        assert!(matches!(answer, Err(Refused::NotFound)), "{} {answer:?}", action.name());
        if !action.is_read() {
            let answer = judge(&viewer, *action, None);
            assert!(
                matches!(answer, Err(Refused::Forbidden(it)) if it == *action),
                "{} {answer:?}",
                action.name()
            );
        }
    }
}

#[test]
fn nobody_hears_not_found_everywhere() {
    let nobody = Principal::bare(Who::Nobody);
    for action in Action::ALL {
        let answer = judge(&nobody, *action, Some(0));
        assert!(matches!(answer, Err(Refused::NotFound)), "{} {answer:?}", action.name());
    }
}
