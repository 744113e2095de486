use cedar_policy::{EntityUid, Request};
use keywarden_model::{
    ApiKeyId, EnvironmentId, PasskeyId, SecretId, ServiceTokenId, SessionId, TeamId, UserId, WorkloadId,
};
use proptest::prelude::*;

use super::*;
use crate::authz::entities;

fn roles() -> impl Strategy<Value = Vec<(u128, usize)>> {
    prop::collection::vec((1_u128..5, 0_usize..Role::ALL.len()), 0..6)
}

fn with(roles: &[(u128, usize)], teams: &[u128]) -> Principal {
    let mut principal = alice();
    for (project, role) in roles {
        give(&mut principal, Role::ALL[*role], id(*project));
    }
    principal.teams.extend(teams.iter().map(|team| id::<TeamId>(*team)));
    principal
}

fn owner() -> impl Strategy<Value = Owner> {
    prop_oneof![(1_u128..4).prop_map(|n| Owner::Person(id(n))), (1_u128..4).prop_map(|n| Owner::Team(id(n)))]
}

fn any_action() -> impl Strategy<Value = Action> {
    (0_usize..Action::ALL.len()).prop_map(|n| Action::ALL[n])
}

fn is_typed(id: &str) -> bool {
    let body = id.split_once('/').map_or(id, |(project, role)| {
        assert!(role.parse::<Role>().is_ok_and(|role| role.scope() == RoleScope::Project), "{id}");
        project
    });
    body.parse::<ApiKeyId>().is_ok()
        || body.parse::<EnvironmentId>().is_ok()
        || body.parse::<ProjectId>().is_ok()
        || body.parse::<SecretId>().is_ok()
        || body.parse::<ServiceTokenId>().is_ok()
        || body.parse::<TeamId>().is_ok()
        || body.parse::<UserId>().is_ok()
        || body.parse::<WorkloadId>().is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_list_holds_exactly_what_may_be_seen_one_by_one(
        roles in roles(),
        teams in prop::collection::vec(1_u128..4, 0..3),
        keys in prop::collection::vec((1_u128..7, owner()), 8),
    ) {
        let rules = Rules::builtin().unwrap();
        let principal = with(&roles, &teams);
        for action in [Action::ViewKey, Action::SuspendKey, Action::RotateKey] {
            let reach = rules.reach_with(&InForce::default(), &principal, action, &quiet());
            for (project, owner) in &keys {
                let one = rules.decide(&principal, action, &Target::thing(key(id(*project), *owner)), false);
                let listed = match &reach {
                    Reach::All => true,
                    Reach::Part { projects, owners } => projects.contains(&id(*project)) || owners.contains(owner),
                };
                prop_assert_eq!(one.allowed, listed, "{} {:?} of {:?}", action.name(), principal, owner);
            }
        }
        for action in [Action::ViewProject, Action::ReadAudit, Action::ViewWorkload, Action::EditEnvironment, Action::ViewSecret, Action::ReadSecret] {
            let reach = rules.reach_with(&InForce::default(), &principal, action, &quiet());
            for project in (1..7).map(id) {
                let one = rules.decide(&principal, action, &thing_in(action, project), false).allowed;
                prop_assert_eq!(one, reach.covers(project), "{}", action.name());
            }
        }
    }

    #[test]
    fn roles_in_one_project_give_nothing_in_another(roles in roles(), action in any_action()) {
        let rules = Rules::builtin().unwrap();
        let mut principal = with(&roles, &[]);
        principal.organization.clear();
        let there = rules.decide(&principal, action, &thing_in(action, id(9)), false);
        let bare = rules.decide(&alice(), action, &thing_in(action, id(9)), false);
        prop_assert_eq!(there.allowed, bare.allowed, "{}", action.name());
    }

    #[test]
    fn a_machine_without_a_role_may_do_only_what_the_table_says(n in any::<u128>(), action in any_action()) {
        let rules = Rules::builtin().unwrap();
        let open = action.groups().any(|group| group == "as-any-workload");
        let operator = Who::Operator(id::<ServiceTokenId>(n).to_string());
        for (who, open) in [(Who::Nobody, false), (operator, false), (Who::Workload(id(n)), open)] {
            let decision = rules.decide(&Principal::bare(who), action, &thing_in(action, here()), false);
            prop_assert_eq!(decision.allowed, open, "{:?}", decision);
        }
    }

    #[test]
    fn a_person_without_a_role_may_do_only_what_the_table_says(n in 2_u128..90, action in any_action()) {
        let rules = Rules::builtin().unwrap();
        let stranger = Principal::bare(Who::Person(id(n)));
        let open = action.groups().any(|group| group == "as-anybody-signed-in");
        prop_assert_eq!(rules.decide(&stranger, action, &thing_in(action, here()), false).allowed, open);
    }

    #[test]
    fn an_operators_word_for_itself_gives_it_no_role(text in "(owner|admin|shell|prj_[0-9A-Z]{26}/manager|.{0,40})") {
        let rules = Rules::builtin().unwrap();
        for action in Action::ALL {
            let operator = Principal::bare(Who::Operator(text.clone()));
            prop_assert!(!rules.decide(&operator, *action, &thing_in(*action, here()), false).allowed);
        }
    }

    #[test]
    fn entities_carry_typed_ids_and_no_text_of_anybodys_choosing(
        roles in roles(),
        teams in prop::collection::vec(1_u128..4, 0..3),
        action in any_action(),
    ) {
        let rules = Rules::builtin().unwrap();
        let principal = with(&roles, &teams);
        let entities = entities::gather(rules.types(), &principal, action, &thing_in(action, here())).unwrap();
        for entity in entities.iter() {
            let parents = entities.ancestors(&entity.uid()).into_iter().flatten().cloned();
            for uid in parents.chain([entity.uid()]) {
                let text = uid.id().unescaped().to_owned();
                let known = match uid.type_name().to_string().as_str() {
                    "Action" => Action::ALL.iter().map(|it| it.name()).chain(Action::all_groups()).any(|it| it == text),
                    "Organization" => text == "organization",
                    "OrganizationRole" => text.parse::<Role>().is_ok_and(|it| it.scope() == RoleScope::Organization),
                    _ => is_typed(&text),
                };
                prop_assert!(known, "{uid}");
            }
        }
    }

    // S-04: even if a hostile text were taken for an id, it would be an id and nothing else.
    #[test]
    fn text_that_looks_like_policy_stays_text(
        text in r#"("\) ?;? ?)?(permit|forbid|\*|\?principal|OrganizationRole::"owner"|//|\\u\{0\}|, |\}|;|"){1,8}"#,
        action in any_action(),
    ) {
        prop_assert!(text.parse::<ProjectId>().is_err() && text.parse::<PasskeyId>().is_err());
        prop_assert!(text.parse::<UserId>().is_err() && text.parse::<SessionId>().is_err());
        let rules = Rules::builtin().unwrap();
        let uid = |kind: &str| EntityUid::from_type_name_and_id(kind.parse().unwrap(), cedar_policy::EntityId::new(&text));
        let action = EntityUid::from_type_name_and_id("Action".parse().unwrap(), cedar_policy::EntityId::new(action.name()));
        for (who, what) in [("Workload", "Project"), ("Operator", "Organization"), ("Workload", "ApiKey")] {
            let context = cedar_policy::Context::from_pairs([(
                "recovering".to_owned(),
                cedar_policy::RestrictedExpression::new_bool(false),
            )]).unwrap();
            let request = Request::new(uid(who), action.clone(), uid(what), context, None).unwrap();
            let answer = cedar_policy::Authorizer::new()
                .is_authorized(&request, rules.policies(), &cedar_policy::Entities::empty());
            prop_assert_eq!(answer.decision(), cedar_policy::Decision::Deny);
        }
    }
}
