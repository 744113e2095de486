//! Lists of people, machines and events.

use keywarden_model::{
    ApiKeyId, ChannelId, DeliveryId, EnvironmentId, ProjectId, SecretId, UserId, WorkloadId,
};

use super::Planner;
use crate::access::{grants, requests};
use crate::people::{ceremonies, notices, users};
use crate::{
    channels, decisions, deliveries, estate, event, facts, idempotency, messages, policies, proofs,
    standards, tags, trust_rules, workloads,
};

#[tokio::test]
async fn people_are_listed_along_their_names() {
    let none = users::Filter::default;
    for planner in Planner::each().await {
        for filter in [
            none(),
            users::Filter { state: Some("active"), ..none() },
            users::Filter { after: Some(("8".into(), UserId::NIL)), ..none() },
            users::Filter { state: Some("deactivated"), after: Some(("8".into(), UserId::NIL)), ..none() },
        ] {
            let plan = planner.plan(users::page(&filter), users::BY_NAME).await;
            assert!(!plan.scans("users", "users") && !plan.sorts(), "{filter:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn events_are_listed_newest_first_and_found_by_what_they_are_about() {
    let none = event::Filter::default;
    for planner in Planner::each().await {
        for filter in [
            none(),
            event::Filter { before: Some("evt_00000000000000000000005000".parse().unwrap()), ..none() },
        ] {
            let plan = planner.plan(event::page(&filter), event::NEWEST_FIRST).await;
            assert!(!plan.scans("events", "events") && !plan.sorts(), "{filter:?}: {plan:#?}");
        }
        for filter in [
            event::Filter { projects: Some(vec![ProjectId::NIL]), ..none() },
            event::Filter { action: Some("action.7".into()), ..none() },
            event::Filter { action: Some("action.7,action.8".into()), ..none() },
            event::Filter { actor: Some("usr_7".into()), ..none() },
            event::Filter { resource: Some("key_00000000000000000000000007".into()), ..none() },
        ] {
            let plan = planner.plan(event::page(&filter), event::NEWEST_FIRST).await;
            assert!(plan.searches("events", "events"), "{filter:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn who_did_something_lately_is_found_along_the_things_events() {
    for planner in Planner::each().await {
        let lately = event::lately("key_00000000000000000000000007", &["action.7", "action.8"], 2_000);
        let plan = planner.plan(lately, event::EACH_ONCE).await;
        assert!(plan.searches("events", "events") && plan.goes_along("events_by_resource"), "{plan:#?}");
        let older = event::of_thing("key_00000000000000000000000007");
        let plan = planner.plan(older, event::TWO_FROM_THERE).await;
        assert!(plan.searches("events", "events") && plan.goes_along("events_by_resource"), "{plan:#?}");
    }
}

#[tokio::test]
async fn events_are_exported_in_the_order_of_their_ids() {
    for planner in Planner::each().await {
        let after = "evt_00000000000000000000005000".parse().unwrap();
        let plan = planner.plan(event::following(after), event::OLDEST_FIRST).await;
        assert!(!plan.scans("events", "events") && !plan.sorts(), "{plan:#?}");
    }
}

#[tokio::test]
async fn what_a_session_began_is_found_by_the_session() {
    for planner in Planner::each().await {
        let plan = planner.plan(ceremonies::oldest_of("ses_7"), ceremonies::BUT_THE_LATEST).await;
        assert!(!plan.scans("ceremonies", "ceremonies"), "{plan:#?}");
        assert!(plan.goes_along("ceremonies_by_bound"), "{plan:#?}");
    }
}

#[tokio::test]
async fn workloads_are_listed_in_order_and_found_by_project() {
    let none = workloads::Filter::default;
    for planner in Planner::each().await {
        for filter in
            [none(), workloads::Filter { after: Some(WorkloadId::NIL), deactivated: true, ..none() }]
        {
            let plan = planner.plan(workloads::page(&filter), workloads::OLDEST_FIRST).await;
            assert!(!plan.scans("workloads", "w") && !plan.sorts(), "{filter:?}: {plan:#?}");
        }
        let filter = workloads::Filter { projects: Some(vec![ProjectId::NIL]), ..none() };
        let plan = planner.plan(workloads::page(&filter), workloads::OLDEST_FIRST).await;
        assert!(plan.searches("workloads", "w"), "{plan:#?}");
    }
}

#[tokio::test]
async fn sign_in_rules_are_found_by_workload_and_by_issuer() {
    for planner in Planner::each().await {
        let of_workload = trust_rules::of_workload(WorkloadId::NIL);
        let plan = planner.plan(of_workload, trust_rules::OLDEST_FIRST).await;
        assert!(plan.searches("trust_rules", "r"), "{plan:#?}");
        for workload in [None, Some(WorkloadId::NIL)] {
            let of_issuer = trust_rules::of_issuer("https://issuer-7.example", workload);
            let plan = planner.plan(of_issuer, trust_rules::OLDEST_FIRST).await;
            assert!(plan.searches("trust_rules", "r"), "{workload:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn answers_that_lose_their_secrets_are_found_among_those_that_have_one() {
    for planner in Planner::each().await {
        let before = idempotency::sealed_before(chrono::DateTime::UNIX_EPOCH);
        let plan = planner.plan(before, idempotency::ALL).await;
        assert!(plan.searches("idempotency", "idempotency"), "{plan:#?}");
        assert!(plan.goes_along("idempotency_sealed"), "{plan:#?}");
    }
}

#[tokio::test]
async fn standards_are_listed_along_their_ids_and_found_by_where_they_hold() {
    let none = standards::Filter::default;
    for planner in Planner::each().await {
        for filter in [none(), standards::Filter { after: Some(keywarden_model::StandardId::NIL), ..none() }]
        {
            let plan = planner.plan(standards::select(&filter), standards::OLDEST_FIRST).await;
            assert!(!plan.scans("standards", "s") && !plan.sorts(), "{filter:?}: {plan:#?}");
        }
        let within = standards::Filter { within: Some(vec!["prj_7".into()]), ..none() };
        let plan = planner.plan(standards::select(&within), standards::OLDEST_FIRST).await;
        assert!(plan.searches("standards", "s"), "{plan:#?}");
        let plan =
            planner.plan(standards::in_force_in(ProjectId::NIL), "ORDER BY v.standard_id LIMIT ?").await;
        assert!(plan.searches("standard_versions", "v"), "{plan:#?}");
    }
}

#[tokio::test]
async fn messages_wait_along_their_ids_and_deliveries_and_notices_are_found_by_whose_they_are() {
    let none = deliveries::Filter::default;
    let one = ChannelId::NIL;
    for planner in Planner::each().await {
        let plan = planner.plan(messages::unrouted(), messages::OLDEST_FIRST).await;
        assert!(!plan.scans("messages", "messages") && !plan.sorts(), "{plan:#?}");
        let before = Some(DeliveryId::NIL);
        for filter in [
            deliveries::Filter { channels: vec![one], ..none() },
            deliveries::Filter { channels: vec![one, one], ..none() },
            deliveries::Filter { channels: vec![one], state: Some("dead"), ..none() },
            deliveries::Filter { channels: vec![one], state: Some("waiting"), before },
        ] {
            let plan = planner.plan(deliveries::page(&filter), deliveries::NEWEST_FIRST).await;
            assert!(plan.searches("deliveries", "d"), "{filter:?}: {plan:#?}");
        }
        for user in [None, Some(UserId::NIL)] {
            let plan = planner.plan(channels::owned(user), channels::OLDEST_FIRST).await;
            assert!(plan.searches("channels", "channels") || user.is_none(), "{user:?}: {plan:#?}");
        }
        for unread in [false, true] {
            let filter = notices::Filter { unread, before: None };
            let plan = planner.plan(notices::page(UserId::NIL, filter), notices::NEWEST_FIRST).await;
            assert!(plan.searches("notices", "n"), "{unread}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn what_is_held_against_standards_is_read_along_its_ids() {
    let now = chrono::DateTime::UNIX_EPOCH;
    for planner in Planner::each().await {
        for project in [None, Some(ProjectId::NIL)] {
            let slice = standards::Slice { project, after: "", now, limit: 500 };
            let plan = planner.plan(standards::living_keys(&slice), standards::KEYS_ALONG).await;
            assert!(!plan.scans("api_keys", "k"), "{project:?}: {plan:#?}");
            let plan = planner.plan(standards::living_secrets(&slice), standards::SECRETS_ALONG).await;
            assert!(!plan.scans("secrets", "s"), "{project:?}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn policies_are_listed_along_their_ids_and_found_by_their_scope() {
    let none = policies::Filter::default;
    for planner in Planner::each().await {
        for filter in [none(), policies::Filter { after: Some(keywarden_model::PolicyId::NIL), ..none() }] {
            let plan = planner.plan(policies::select(&filter), policies::OLDEST_FIRST).await;
            assert!(!plan.scans("policies", "p") && !plan.sorts(), "{filter:?}: {plan:#?}");
        }
        let within = policies::Filter { within: Some(vec!["prj_7".into()]), ..none() };
        let plan = planner.plan(policies::select(&within), policies::OLDEST_FIRST).await;
        assert!(plan.searches("policies", "p"), "{plan:#?}");
        let plan =
            planner.plan(policies::waiting(chrono::DateTime::UNIX_EPOCH), policies::LONGEST_WAITING).await;
        assert!(plan.searches("policy_versions", "policy_versions"), "{plan:#?}");
        let plan = planner.plan(proofs::open(chrono::DateTime::UNIX_EPOCH), proofs::LONGEST_WAITING).await;
        assert!(plan.searches("policy_proofs", "policy_proofs") && !plan.sorts(), "{plan:#?}");
    }
}

#[tokio::test]
async fn everybody_and_everything_is_read_along_the_ids() {
    use estate::Kind;
    for planner in Planner::each().await {
        for kind in [Kind::ApiKeys, Kind::People, Kind::Workloads] {
            for after in ["", "usr_7"] {
                let plan = planner.plan(estate::select(kind, None, after), estate::ALONG_IDS).await;
                let table = match kind {
                    Kind::ApiKeys => "api_keys",
                    Kind::People => "users",
                    _ => "workloads",
                };
                assert!(!plan.scans(table, table) && !plan.sorts(), "{kind:?}: {plan:#?}");
            }
        }
        for (table, select) in
            [("users", estate::active_people("")), ("workloads", estate::active_workloads(""))]
        {
            let plan = planner.plan(select, estate::ALONG_IDS).await;
            assert!(!plan.scans(table, table) && !plan.sorts(), "{table}: {plan:#?}");
        }
        let here = estate::select(Kind::ApiKeys, Some(ProjectId::NIL), "");
        let plan = planner.plan(here, estate::ALONG_IDS).await;
        assert!(plan.searches("api_keys", "api_keys"), "{plan:#?}");
    }
}

#[tokio::test]
async fn decisions_are_replayed_along_their_action() {
    for planner in Planner::each().await {
        for project in [None, Some(ProjectId::NIL)] {
            let latest = decisions::select("secret.read", project, chrono::DateTime::UNIX_EPOCH);
            let plan = planner.plan(latest, decisions::LATEST_FIRST).await;
            if planner.store.engine() == crate::Engine::Sqlite {
                assert!(plan.searches("decision_log", "decision_log"), "{plan:#?}");
                assert!(plan.goes_along("decision_log_by_action"), "{plan:#?}");
            }
        }
    }
}

#[tokio::test]
async fn what_policies_ask_of_a_thing_is_found_by_its_id() {
    for planner in Planner::each().await {
        for (asked, tables) in [
            (facts::key(ApiKeyId::NIL), &[("api_keys", "k"), ("environments", "e"), ("projects", "p")][..]),
            (facts::secret(SecretId::NIL), &[("secrets", "s"), ("environments", "e"), ("projects", "p")]),
            (facts::environment(EnvironmentId::NIL), &[("environments", "e"), ("projects", "p")]),
            (facts::project(ProjectId::NIL), &[("projects", "p")]),
        ] {
            let plan = planner.plan(asked, facts::ONE).await;
            for (table, alias) in tables {
                // PostgreSQL looks at all rows of what has but a few pages.
                let few =
                    plan.engine == crate::Engine::Postgres && matches!(*table, "environments" | "projects");
                assert!(few || plan.searches(table, alias), "{table}: {plan:#?}");
            }
        }
    }
}

#[tokio::test]
async fn tags_are_found_by_steps_along_their_index_and_by_project() {
    for planner in Planner::each().await {
        for (table, alias, all) in
            [("key_tags", "k", tags::every_key()), ("secret_tags", "s", tags::every_secret())]
        {
            let plan = planner.plan(all, tags::SOME).await;
            assert!(plan.searches(table, alias), "{table}: {plan:#?}");
        }
        for (things, alias, table, within) in [
            ("api_keys", "k", "key_tags", tags::keys_in(ProjectId::NIL)),
            ("secrets", "s", "secret_tags", tags::secrets_in(ProjectId::NIL)),
        ] {
            let plan = planner.plan(within, tags::IN_ORDER).await;
            // PostgreSQL joins them as it sees fit.
            let joined = plan.engine == crate::Engine::Postgres || plan.searches(table, "t");
            assert!(plan.searches(things, alias) && joined, "{table}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn requests_for_access_are_found_by_whose_they_are_where_they_wait_and_when_they_are_over() {
    let none = requests::Filter::default;
    let epoch = chrono::DateTime::UNIX_EPOCH;
    for planner in Planner::each().await {
        let newest = planner.plan(requests::page(&none()), requests::NEWEST_FIRST).await;
        assert!(!newest.scans("access_requests", "r") && !newest.sorts(), "{newest:#?}");
        for filter in [
            requests::Filter { of: Some("usr_7".into()), ..none() },
            requests::Filter { scopes: Some(vec!["prj_7".into()]), ..none() },
            requests::Filter { scopes: Some(vec!["prj_7".into()]), state: Some("pending"), ..none() },
        ] {
            let plan = planner.plan(requests::page(&filter), requests::NEWEST_FIRST).await;
            assert!(!plan.scans("access_requests", "r"), "{filter:?}: {plan:#?}");
        }
        for scopes in [None, Some(vec!["prj_7".to_owned()])] {
            let plan =
                planner.plan(requests::waiting_by(scopes, "usr_7", epoch), requests::NEWEST_FIRST).await;
            assert!(!plan.scans("access_requests", "r") && !plan.scans("access_approvals", "a"), "{plan:#?}");
        }
        let plan = planner.plan(requests::due_by(epoch), requests::LONGEST_DUE_FIRST).await;
        assert!(plan.searches("access_requests", "r") && plan.goes_along("access_requests_due"), "{plan:#?}");
    }
}

#[tokio::test]
async fn roles_for_a_while_are_found_by_their_holder_and_when_they_are_over() {
    let none = grants::Filter::default;
    let epoch = chrono::DateTime::UNIX_EPOCH;
    for planner in Planner::each().await {
        for filter in [
            none(),
            grants::Filter { of: Some("usr_7".into()), ..none() },
            grants::Filter { of: Some("usr_7".into()), active: Some(epoch), ..none() },
            grants::Filter { scopes: Some(vec!["prj_7".into()]), ..none() },
        ] {
            let plan = planner.plan(grants::page(&filter), grants::NEWEST_FIRST).await;
            assert!(!plan.scans("access_grants", "g"), "{filter:?}: {plan:#?}");
        }
        let plan = planner.plan(grants::held_at("usr_7", epoch), "ORDER BY ends_at, id LIMIT ?").await;
        assert!(plan.searches("access_grants", "access_grants"), "{plan:#?}");
        assert!(plan.goes_along("access_grants_held"), "{plan:#?}");
        let plan = planner.plan(grants::due_by(epoch), grants::LONGEST_DUE_FIRST).await;
        assert!(plan.searches("access_grants", "g") && plan.goes_along("access_grants_due"), "{plan:#?}");
    }
}
