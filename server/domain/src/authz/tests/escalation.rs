//! Ways to become more than one is.

use super::*;

#[test]
fn nobody_adds_a_passkey_to_another_account_or_acts_as_its_person() {
    let rules = Rules::builtin().unwrap();
    let own_only = |action: &&Action| action.groups().any(|group| group == "as-oneself");
    assert!(Action::ALL.iter().filter(own_only).count() > 4);
    for action in Action::ALL.iter().filter(own_only) {
        for role in Role::ALL {
            let somebody = holding(role, here());
            let others = rules.decide(&somebody, *action, &thing_in(*action, here()), false);
            assert!(!others.allowed, "{role} {}", action.name());
            assert!(
                rules.decide(&somebody, *action, &own(*action), false).allowed,
                "{role} {}",
                action.name()
            );
        }
    }
    let mut operator = Principal::bare(Who::Operator("shell".into()));
    operator.organization.push(Role::Owner);
    assert!(!rules.decide(&operator, Action::AddPasskey, &own(Action::AddPasskey), false).allowed);
}

#[test]
fn an_admin_changes_nothing_about_owners() {
    let rules = Rules::builtin().unwrap();
    let admin = holding(Role::Admin, here());
    let mut changes = 0;
    for action in Action::ALL {
        if !matches!(action.kind(), Kind::Person | Kind::Team | Kind::Workload) {
            continue;
        }
        let resource = thing_in(*action, here()).resource;
        let plain = Target::holder(resource, &[(Role::Admin, None)]);
        let owner = Target::holder(resource, &[(Role::Auditor, None), (Role::Owner, None)]);
        let over_plain = rules.decide(&admin, *action, &plain, false).allowed;
        let over_owner = rules.decide(&admin, *action, &owner, false).allowed;
        assert_eq!(over_owner, over_plain && action.is_read(), "{}", action.name());
        changes += usize::from(over_plain && !action.is_read());
    }
    assert!(changes > 5, "{changes}");
    assert!(
        !rules
            .decide(&admin, Action::to_grant(Role::Owner), &Target::thing(Resource::Organization), false)
            .allowed
    );
}

#[test]
fn an_owner_may_change_another_owner() {
    let rules = Rules::builtin().unwrap();
    let target = Target::holder(Resource::Person(id(98)), &[(Role::Owner, None)]);
    assert!(rules.decide(&holding(Role::Owner, here()), Action::DeactivateUser, &target, false).allowed);
}

#[test]
fn a_manager_gets_no_token_of_a_workload_that_reaches_beyond_the_project_and_lets_no_machine_sign_in_as_it() {
    let rules = Rules::builtin().unwrap();
    let manager = holding(Role::Manager, here());
    let gateway = Resource::Workload { id: id(1), project: Some(here()) };
    let ways = [Action::IssueServiceToken, Action::CreateTrustRule, Action::EditTrustRule];
    let token = |held: &[(Role, Option<ProjectId>)]| {
        let target = Target::holder(gateway, held);
        let [one, others @ ..] = ways.map(|way| rules.decide(&manager, way, &target, false).allowed);
        assert_eq!(others, [one; 2], "each way carries as far");
        one
    };
    assert!(token(&[]));
    assert!(token(&[(Role::Manager, Some(here())), (Role::Verifier, Some(here()))]));
    assert!(!token(&[(Role::Verifier, Some(here())), (Role::Verifier, Some(elsewhere()))]));
    assert!(!token(&[(Role::Auditor, None)]));
    let beyond = Target::holder(gateway, &[(Role::Auditor, None)]);
    assert!(
        rules.decide(&manager, Action::DeactivateWorkload, &beyond, false).allowed,
        "cutting off is no gain"
    );
}

#[test]
fn what_a_thing_holds_is_read_before_somebody_is_changed() {
    for action in Action::ALL {
        let target = thing_in(*action, here());
        let somebody = matches!(action.kind(), Kind::Person | Kind::Team | Kind::Workload);
        assert_eq!(Target::must_be_loaded(*action, &target.resource), somebody && !action.is_read());
    }
}

#[test]
fn a_keys_owner_may_do_these_things_and_no_others() {
    let rules = Rules::builtin().unwrap();
    let mut member = alice();
    member.teams.push(id(7));
    let theirs = |principal: &Principal, owner| -> Vec<_> {
        let target = Target::thing(key(here(), owner));
        let may = |action: &&Action| rules.decide(principal, **action, &target, false).allowed;
        let of_keys = Action::ALL.iter().filter(|action| action.kind() == Kind::ApiKey);
        of_keys.filter(may).map(|action| action.name()).collect()
    };
    let expected =
        ["key.extend-overlap", "key.revoke", "key.rotate", "key.stop-old-value", "key.suspend", "key.view"];
    assert_eq!(theirs(&alice(), Owner::Person(id(1))), expected);
    assert_eq!(theirs(&member, Owner::Team(id(7))), expected);
    assert!(theirs(&alice(), Owner::Team(id(7))).is_empty());
    assert!(theirs(&member, Owner::Team(id(8))).is_empty());
    assert!(theirs(&member, Owner::Person(id(7))).is_empty());
}

#[test]
fn a_workload_verifies_in_its_project_and_an_operator_is_what_its_token_says() {
    let rules = Rules::builtin().unwrap();
    let mut gateway = Principal::bare(Who::Workload(id(1)));
    give(&mut gateway, Role::Verifier, here());
    let verify = |project| {
        rules.decide(&gateway, Action::VerifyKeys, &Target::thing(Resource::Project(project)), false)
    };
    assert!(verify(here()).allowed);
    assert!(!verify(elsewhere()).allowed);
    let others: Vec<_> = Action::ALL
        .iter()
        .filter(|action| rules.decide(&gateway, **action, &thing_in(**action, here()), false).allowed)
        .collect();
    let own = [Action::GiveBackAccess, Action::RequestAccess];
    assert_eq!(others, [&own[0], &own[1], &Action::VerifyKeys, &Action::LookUpLeak, &Action::ViewProject]);

    let organization = Target::thing(Resource::Organization);
    let mut operator = Principal::bare(Who::Operator("shell".into()));
    assert!(!rules.decide(&operator, Action::CreateProject, &organization, false).allowed);
    operator.organization.push(Role::Admin);
    assert!(rules.decide(&operator, Action::CreateProject, &organization, false).allowed);
    assert!(!rules.decide(&operator, Action::GrantOwner, &organization, false).allowed);
}

#[test]
fn whoever_acts_on_themselves_is_known_in_full() {
    let rules = Rules::builtin().unwrap();
    let mut gateway = Principal::bare(Who::Workload(id(1)));
    give(&mut gateway, Role::Manager, here());
    let itself = Resource::Workload { id: id(1), project: Some(here()) };
    let seen = rules.decide(&gateway, Action::ViewWorkload, &Target::thing(itself), false);
    assert_eq!(seen.policies, ["project-manager"]);
}

#[test]
fn whoever_recovers_may_enrol_a_passkey_and_nothing_else() {
    let rules = Rules::builtin().unwrap();
    let owner = holding(Role::Owner, here());
    for action in Action::ALL {
        let expected = matches!(action, Action::AddPasskey | Action::EndOwnSession | Action::ViewOwnAccount);
        let decision = rules.decide(&owner, *action, &own(*action), true);
        assert_eq!(decision.allowed, expected, "{}", action.name());
    }
}

#[test]
fn a_failing_policy_denies_even_where_another_says_yes() {
    let rules = Rules::parse(
        r#"@id("all") permit (principal, action, resource);
           @id("guard") forbid (principal, action, resource) when { resource.misspelt };"#,
    )
    .unwrap();
    let decision = rules.decide(&alice(), Action::ViewProject, &thing_in(Action::ViewProject, here()), false);
    assert_eq!((decision.allowed, decision.policies), (false, Vec::new()));
}

#[test]
fn an_action_on_the_wrong_kind_of_thing_is_denied() {
    let rules = Rules::builtin().unwrap();
    let owner = holding(Role::Owner, here());
    let project = Target::thing(Resource::Project(here()));
    assert!(rules.decide(&owner, Action::ViewProject, &project, false).allowed);
    assert!(!rules.decide(&owner, Action::RotateKey, &project, false).allowed);
}
