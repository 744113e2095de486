//! What a text must be to decide, and what it can never do.

use cedar_policy::Validator;

use super::*;

pub(super) fn validator() -> Validator {
    Validator::new(Rules::schema().unwrap())
}

fn look(scope: PolicyScope, text: &str) -> Result<Checked, Vec<TextError>> {
    check(&validator(), scope, text)
}

fn everywhere(text: &str) -> Result<Checked, Vec<TextError>> {
    look(PolicyScope::Organization, text)
}

/// Versions that decide, from texts.
pub(super) fn in_force(texts: &[(PolicyScope, String)]) -> InForce {
    let validator = validator();
    let deciding = texts.iter().enumerate().map(|(n, (scope, text))| Deciding {
        policy: id(u128::try_from(n).unwrap() + 1),
        number: 1,
        scope: *scope,
        checked: std::sync::Arc::new(
            check(&validator, *scope, text).unwrap_or_else(|it| panic!("{text}: {it:?}")),
        ),
    });
    InForce::of(1, deciding.collect()).unwrap()
}

fn one(scope: PolicyScope, text: String) -> InForce {
    in_force(&[(scope, text)])
}

fn may(in_force: &InForce, principal: &Principal, action: Action, target: &Target) -> bool {
    Rules::builtin().unwrap().decide_with(in_force, principal, action, target, &quiet()).allowed
}

#[test]
fn texts_that_may_decide() {
    let (prj, env, usr) = (here(), id::<keywarden_model::EnvironmentId>(1), id::<keywarden_model::UserId>(1));
    let team = id::<keywarden_model::TeamId>(7);
    for text in [
        r#"permit (principal, action == Action::"secret.read", resource);"#.to_owned(),
        format!(r#"permit (principal in Team::"{team}", action in [Action::"secret.view", Action::"key.view"], resource in Project::"{prj}");"#),
        format!(r#"forbid (principal, action == Action::"secret.put", resource in Environment::"{env}") unless {{ principal in Team::"{team}" }};"#),
        format!(r#"permit (principal == Person::"{usr}", action in Action::"as-reader", resource in Project::"{prj}");"#),
        r#"@advice("only from the office") forbid (principal is Person, action, resource)
           unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) };"#.to_owned(),
        r#"forbid (principal, action in Action::"reading", resource) when { context.weekday > 5 };"#.to_owned(),
        r#"forbid (principal is Person, action == Action::"key.rotate", resource)
           when { resource has ownerPerson && resource.ownerPerson != principal };"#.to_owned(),
        r#"permit (principal, action == Action::"key.rotate", resource)
           when { resource has project && principal in resource.project.viewer };"#.to_owned(),
        r#"forbid (principal, action == Action::"secret.read", resource)
           when { context.now > datetime("2027-01-01T00:00:00Z") && !(context has passkeyAge && context.passkeyAge < 60) };"#.to_owned(),
    ] {
        let read = everywhere(&text);
        assert!(read.is_ok(), "{text}: {read:?}");
    }
}

#[test]
fn texts_that_are_refused_and_what_is_said() {
    let prj = elsewhere();
    for (text, says) in [
        ("", "one statement"),
        ("permit (principal, action", "unexpected"),
        (
            r#"permit (principal, action == Action::"secret.read", resource); forbid (principal, action, resource);"#,
            "one statement only",
        ),
        (r#"permit (principal == ?principal, action == Action::"secret.read", resource);"#, "slots"),
        (
            r#"@id("owner-may-everything") permit (principal, action == Action::"secret.read", resource);"#,
            "@id",
        ),
        (r#"permit (principal, action == Action::"secret.steal", resource);"#, "secret.steal"),
        (
            r#"permit (principal, action == Action::"secret.read", resource) when { resource.colour == "red" };"#,
            "colour",
        ),
        ("permit (principal, action, resource);", "built-in roles"),
        (r#"permit (principal, action in Action::"as-admin", resource);"#, "built-in roles"),
        (r#"permit (principal, action == Action::"role.grant-owner", resource);"#, "built-in roles"),
        (r#"permit (principal, action == Action::"policy.activate", resource);"#, "built-in roles"),
        (
            r#"permit (principal, action == Action::"key.rotate", resource) when { principal in ProjectRole::"prj_1/manager" };"#,
            "alone",
        ),
        (
            r#"permit (principal is Workload, action == Action::"key.rotate", resource) when { principal.confined };"#,
            "`confined`",
        ),
        (
            r#"permit (principal, action == Action::"key.rotate", resource) when { resource.environment.project == resource.project };"#,
            "`project`",
        ),
        (r#"permit (principal == Person::"alice", action == Action::"secret.read", resource);"#, "by its id"),
        (
            r#"permit (principal == Person::"usr_00000000000000000000000000", action == Action::"secret.read", resource);"#,
            "by its id",
        ),
        (
            r#"permit (principal, action == Action::"secret.read", resource in OrganizationRole::"owner");"#,
            "",
        ),
        // What lists could not follow (S-06).
        (
            r#"forbid (principal, action == Action::"secret.view", resource in Project::"prj_01HZ");"#,
            "by its id",
        ),
        (
            r#"forbid (principal, action == Action::"key.view", resource) when { context.weekday + 1 == 2 };"#,
            "they can fail",
        ),
        (
            r#"permit (principal, action == Action::"key.view", resource) when { resource has ownerTeam };"#,
            "which lists are made by",
        ),
    ] {
        let refused = everywhere(text).expect_err(text);
        assert!(refused.iter().any(|it| it.says.contains(says)), "{text}: {refused:?}");
    }
    let listed =
        format!(r#"forbid (principal, action == Action::"secret.view", resource in Project::"{prj}");"#);
    assert!(everywhere(&listed).unwrap_err()[0].says.contains("for all things or for none"));
}

#[test]
fn an_error_is_told_where_it_is() {
    let text = "forbid (\n  principal,\n  action == Action::\"key.rotate\",\n  resource\n) when { context.colour == 1 };";
    let refused = everywhere(text).unwrap_err();
    assert_eq!((refused[0].line, refused[0].column > 8), (5, true), "{refused:?}");
}

#[test]
fn what_is_enormous_or_deep_is_refused_before_it_is_taken_apart() {
    let around = |condition: &str| {
        format!(r#"forbid (principal, action == Action::"key.rotate", resource) when {{ {condition} }};"#)
    };
    for text in [
        around(&"true && ".repeat(3_000)),
        around(&format!("{}true{}", "(".repeat(5_000), ")".repeat(5_000))),
        around(&format!("{}true", "!".repeat(10_000))),
        around(&format!("{}true", "if true then true else ".repeat(600))),
        around(&format!("context.weekday == {}1", "-".repeat(4_000))),
        around(&format!("[{}].isEmpty()", "1, ".repeat(2_000))) + &"[".repeat(2_000),
        around(&format!("context.weekday == 1{}", " + 1".repeat(2_000))),
        around(&format!("[{}1].contains(context.weekday)", "1, ".repeat(4_000))),
        around(&format!("principal in [{}]", [r#"Team::"team_00000000000000000000000001""#; 520].join(", "))),
        around(&format!("context{}", " has x.y".repeat(400))),
        around(&format!("{}1{}.a == 1", "{a: ".repeat(3_000), "}".repeat(3_000))),
        around("true") + &" unless { false }".repeat(900),
        "@a ".repeat(2_000) + &around("true"),
        around("true")
            .replace("key.rotate\"", &format!("key.rotate\", {}", "Action::\"key.rotate\", ".repeat(700))),
        around(&format!("context.signInMethod like \"{}\"", "*a".repeat(9_000))),
        "permit (principal, action, resource);\n".repeat(32_768),
        format!("{}true{}", "(".repeat(10_000), ")".repeat(10_000)),
        "x".repeat(LONGEST + 1),
        format!("// {}", "ä".repeat(LONGEST)),
    ] {
        assert_eq!(everywhere(&text).unwrap_err().len(), 1);
    }
    // What is just within is taken apart without harm.
    assert!(everywhere(&around(&format!("[{}1].contains(context.weekday)", "1, ".repeat(499)))).is_ok());
    assert!(everywhere(&around(&format!("context.signInMethod like \"{}\"", "*a".repeat(4_000)))).is_ok());
    assert!(everywhere(&around(&format!("{}true", "true && ".repeat(120)))).is_ok());
    assert!(everywhere(&around(&format!("{}true{}", "(".repeat(20), ")".repeat(20)))).is_ok());
}

#[test]
fn a_pattern_as_long_as_may_be_is_compared_with_what_nearly_fits() {
    let condition = format!("context.signInMethod like \"{}b\"", "*a*".repeat(2_000));
    let text =
        format!("forbid (principal, action == Action::\"key.rotate\", resource) when {{ {condition} }};");
    let set = one(PolicyScope::Organization, text);
    let issuer = holding(Role::Issuer, here());
    assert!(may(&set, &issuer, Action::RotateKey, &thing_in(Action::RotateKey, here())));
}

#[test]
fn letters_that_look_like_others_are_refused_in_a_text() {
    let around = |word: &str| {
        format!(
            r#"forbid (principal, action == Action::"key.rotate", resource) when {{ context.signInMethod == "{word}" }};"#
        )
    };
    assert!(everywhere(&around("passkey")).is_ok());
    // A Cyrillic letter, one that turns around what is beside it, one that cannot be seen.
    for word in ["p\u{430}sskey", "pass\u{202e}yek", "pass\u{200b}key"] {
        assert!(everywhere(&around(word)).is_err(), "{word}");
    }
    for action in ["key.r\u{43e}tate", "KEY.ROTATE", "key.rotate ", "\u{212a}ey.rotate"] {
        let text = around("passkey").replace("key.rotate", action);
        assert!(everywhere(&text).is_err(), "{text}");
    }
    let role =
        r#"forbid (principal in OrganizationRole::"Owner", action == Action::"key.rotate", resource);"#;
    assert!(everywhere(role).is_err());
}

#[test]
fn names_and_comments_are_no_syntax() {
    // A bracket in a text or a comment nests nothing, and a text that looks like a policy stays a text (S-04).
    let text = format!(
        r#"// {}
           @note("\"); permit (principal, action, resource); //") forbid (principal, action == Action::"key.rotate", resource);"#,
        "(".repeat(200)
    );
    let checked = everywhere(&text).unwrap();
    assert_eq!(
        (checked.effect, checked.actions),
        (keywarden_model::PolicyEffect::Forbid, vec![Action::RotateKey])
    );
}

#[test]
fn no_written_policy_allows_what_is_kept_back() {
    let kept: Vec<_> = Action::ALL.iter().filter(|it| !it.is_grantable()).collect();
    insta::assert_snapshot!(kept.iter().map(|it| it.name()).collect::<Vec<_>>().join("\n"));
    for action in kept {
        for scope in [PolicyScope::Organization, PolicyScope::Project(here())] {
            let text = format!(r#"permit (principal, action == Action::"{}", resource);"#, action.name());
            assert!(look(scope, &text).is_err(), "{text}");
        }
    }
}

#[test]
fn a_projects_policy_allows_no_more_than_its_manager_may_and_nothing_elsewhere() {
    let scope = PolicyScope::Project(here());
    let mut speaks = 0;
    for action in Action::ALL.iter().filter(|it| it.is_grantable()) {
        let text = format!(r#"permit (principal, action == Action::"{}", resource);"#, action.name());
        let Ok(_) = look(scope, &text) else { continue };
        speaks += 1;
        let set = one(scope, text);
        let builtin = Rules::builtin().unwrap();
        let manager =
            builtin.decide(&holding(Role::Manager, here()), *action, &thing_in(*action, here()), false);
        assert!(manager.allowed, "{}", action.name());
        assert!(may(&set, &alice(), *action, &thing_in(*action, here())), "{}", action.name());
        let alone = builtin.decide(&alice(), *action, &thing_in(*action, elsewhere()), false).allowed;
        assert_eq!(may(&set, &alice(), *action, &thing_in(*action, elsewhere())), alone, "{}", action.name());
    }
    assert!(speaks > 20, "{speaks}");
    for text in [
        r#"forbid (principal, action == Action::"policy.disable", resource);"#.to_owned(),
        r#"forbid (principal, action == Action::"role.grant-project", resource);"#.to_owned(),
        r#"forbid (principal, action == Action::"user.invite", resource);"#.to_owned(),
        "forbid (principal, action, resource);".to_owned(),
        format!(
            r#"forbid (principal, action == Action::"key.rotate", resource in Project::"{}");"#,
            elsewhere()
        ),
    ] {
        assert!(look(scope, &text).is_err(), "{text}");
    }
}

#[test]
fn no_written_policy_changes_anything_about_owners() {
    let mut changes = 0;
    for action in Action::ALL.iter().filter(|it| it.is_grantable() && !it.is_read()) {
        if !matches!(action.kind(), Kind::Person | Kind::Team | Kind::Workload) {
            continue;
        }
        let set = one(
            PolicyScope::Organization,
            format!(r#"permit (principal, action == Action::"{}", resource);"#, action.name()),
        );
        let resource = thing_in(*action, here()).resource;
        let over = |held: &[(Role, Option<ProjectId>)]| {
            may(&set, &alice(), *action, &Target::holder(resource, held))
        };
        assert!(over(&[(Role::Auditor, None)]), "{}", action.name());
        assert!(!over(&[(Role::Owner, None)]), "{}", action.name());
        changes += 1;
    }
    assert!(changes > 2, "{changes}");
}

#[test]
fn guards_hold_over_everything_that_people_write() {
    let rules = Rules::builtin().unwrap();
    let grantable = Action::ALL.iter().filter(|it| it.is_grantable());
    let permit = |it: &Action| format!(r#"permit (principal, action == Action::"{}", resource);"#, it.name());
    let texts: Vec<_> = grantable.map(|it| (PolicyScope::Organization, permit(it))).collect();
    let set = in_force(&texts);
    let recovering = Circumstances { recovering: true, ..quiet() };
    for action in Action::ALL {
        let alone = rules.decide(&alice(), *action, &own(*action), true).allowed;
        let beside = rules.decide_with(&set, &alice(), *action, &own(*action), &recovering).allowed;
        assert_eq!(beside, alone, "{}", action.name());
        let nobody = Principal::bare(Who::Nobody);
        assert!(!may(&set, &nobody, *action, &own(*action)), "{}", action.name());
    }
}

#[test]
fn a_forbid_holds_against_owners_where_it_fits_and_nowhere_else() {
    let env = id::<keywarden_model::EnvironmentId>(1);
    let set = one(
        PolicyScope::Organization,
        format!(
            r#"forbid (principal, action == Action::"secret.put", resource in Environment::"{env}") when {{ context.weekday == 5 }};"#
        ),
    );
    let owner = holding(Role::Owner, here());
    let friday = quiet();
    let saturday = Circumstances { now: now() + TimeDelta::days(1), ..quiet() };
    let rules = Rules::builtin().unwrap();
    let ask = |environment: u128, action, circumstances| {
        let resource = Resource::Secret { id: id(1), project: here(), environment: id(environment) };
        rules.decide_with(&set, &owner, action, &Target::thing(resource), circumstances)
    };
    let refused = ask(1, Action::PutSecret, &friday);
    assert_eq!(
        (refused.allowed, refused.policies),
        (false, vec![format!("{}@1", id::<keywarden_model::PolicyId>(1))])
    );
    assert!(ask(2, Action::PutSecret, &friday).allowed);
    assert!(ask(1, Action::ReadSecret, &friday).allowed);
    assert!(ask(1, Action::PutSecret, &saturday).allowed);
}

#[test]
fn a_policy_that_fails_when_it_is_asked_is_a_no() {
    let text = r#"permit (principal, action == Action::"secret.read", resource) when { context.weekday * 9223372036854775807 > 1 };"#;
    let set = one(PolicyScope::Organization, text.to_owned());
    let reader = holding(Role::Reader, here());
    assert!(may(&InForce::default(), &reader, Action::ReadSecret, &thing_in(Action::ReadSecret, here())));
    assert!(!may(&set, &reader, Action::ReadSecret, &thing_in(Action::ReadSecret, here())));
    assert!(may(
        &set,
        &holding(Role::Owner, here()),
        Action::PutSecret,
        &thing_in(Action::PutSecret, here())
    ));
}

#[test]
fn the_circumstances_are_as_they_are() {
    let text = r#"permit (principal, action == Action::"secret.read", resource)
        when { context has address && context.address == ip("192.0.2.7") && context.signInMethod == "passkey"
               && context has passkeyAge && context.passkeyAge < 60
               && context.now.toTime() < duration("9h") && context.now.toDate() == datetime("2027-01-15") };"#;
    let set = one(PolicyScope::Organization, text.to_owned());
    let rules = Rules::builtin().unwrap();
    let ask = |circumstances: &Circumstances| {
        rules
            .decide_with(
                &set,
                &alice(),
                Action::ReadSecret,
                &thing_in(Action::ReadSecret, here()),
                circumstances,
            )
            .allowed
    };
    let mut from = op(Some(TimeDelta::seconds(59)));
    from.source.address = Some("::ffff:192.0.2.7".parse().unwrap());
    let there = Circumstances::of(&from);
    assert!(ask(&there), "{there:?}");
    for other in [
        Circumstances { address: None, ..there.clone() },
        Circumstances { address: Some([192, 0, 2, 8].into()), ..there.clone() },
        Circumstances { passkey_age: Some(60), ..there.clone() },
        Circumstances { passkey_age: None, ..there.clone() },
        Circumstances { method: SignInMethod::Token, ..there.clone() },
        Circumstances { now: now() + TimeDelta::hours(1), ..there.clone() },
        Circumstances { now: now() + TimeDelta::days(1), ..there },
    ] {
        assert!(!ask(&other), "{other:?}");
    }
}
