//! Lists of secrets, as the engines would run them.

use keywarden_model::{Alias, Dialect, EnvironmentId, EventId, ProjectId, ProjectKeyId, SecretId};

use super::aliases;
use super::beside;
use super::changes::{changed, referred, turned};
use super::find::{at_path, at_paths, over, versions_over};
use super::fingerprints;
use super::history;
use super::list::{After, BY_PATH, Filter, Standing, page};
use super::project_keys::under;
use super::references::{BY_PLACE, referring};
use super::shares;
use crate::explain::Planner;

fn after() -> After {
    After { folded_path: "8".into(), id: SecretId::NIL }
}

#[tokio::test]
async fn secrets_are_listed_along_their_paths_everywhere_and_within_a_place() {
    let none = Filter::default;
    for planner in Planner::each().await {
        for filter in [
            none(),
            Filter { project: Some(ProjectId::NIL), ..none() },
            Filter { environment: Some(EnvironmentId::NIL), ..none() },
            Filter { environment: Some(EnvironmentId::NIL), folder: Some("a/b".into()), ..none() },
            Filter { owner: Some("usr_1".into()), ..none() },
            Filter { contains: Some("pass".into()), ..none() },
            Filter { project: Some(ProjectId::NIL), contains: Some("pass".into()), ..none() },
            Filter { environment: Some(EnvironmentId::NIL), contains: Some("pass".into()), ..none() },
            Filter { project: Some(ProjectId::NIL), standing: Some(Standing::Unreadable(7)), ..none() },
        ] {
            for after in [None, Some(after())] {
                let plan = planner.plan(page(&filter, after.as_ref()), BY_PATH).await;
                let told = format!("{filter:?} {after:?}: {plan:#?}");
                assert!(!plan.scans("secrets", "s"), "{told}");
                // Of a place that has no secret PostgreSQL knows that there is little to sort.
                let narrow =
                    filter.project.is_some() || filter.environment.is_some() || filter.owner.is_some();
                assert!(!plan.sorts() || narrow && plan.searches("secrets", "s"), "{told}");
            }
        }
    }
}

#[tokio::test]
async fn a_secret_is_found_by_its_path_and_what_is_due_by_its_time_along_an_index() {
    for planner in Planner::each().await {
        let plan = planner.plan(at_path(EnvironmentId::NIL, "a/b"), "LIMIT ?").await;
        assert!(plan.searches("secrets", "s"), "{plan:#?}");
        let many: Vec<_> = (0..50).map(|n| format!("a/{n}")).collect();
        let plan = planner.plan(at_paths(EnvironmentId::NIL, &many), "LIMIT ?").await;
        assert!(plan.searches("secrets", "s"), "{plan:#?}");
        let plan = planner.plan(over(7), "ORDER BY purge_at LIMIT ?").await;
        assert!(plan.searches("secrets", "secrets") && !plan.sorts(), "{plan:#?}");
        let plan = planner.plan(versions_over(7), "ORDER BY purge_at LIMIT ?").await;
        assert!(plan.searches("secret_versions", "secret_versions") && !plan.sorts(), "{plan:#?}");
        let reach = Filter { reach: Some(vec![ProjectId::NIL]), ..Filter::default() };
        let plan = planner.plan(page(&reach, None), BY_PATH).await;
        assert!(plan.searches("secrets", "s"), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_tag_leads_to_its_secrets_and_a_word_is_decided_within_the_index() {
    let none = Filter::default;
    for planner in Planner::each().await {
        let tagged = Filter { tag: Some("team=7".into()), ..none() };
        let plan = planner.plan(page(&tagged, None), BY_PATH).await;
        let expiring = Filter { standing: Some(Standing::Expiring(7)), ..none() };
        let expiring = planner.plan(page(&expiring, None), BY_PATH).await;
        assert!(!expiring.scans("secret_versions", "v"), "{expiring:#?}");
        // Of what a tag leads to there may be so much that PostgreSQL reads the secrets at once, and puts them in order.
        assert!(!plan.scans("secret_tags", "secret_tags"), "{plan:#?}");
        let word = || Filter { contains: Some("pass".into()), ..none() };
        for (filter, index) in [
            (word(), "secrets_in_path_order"),
            (Filter { project: Some(ProjectId::NIL), ..word() }, "secrets_by_project"),
        ] {
            let plan = planner.plan(page(&filter, None), BY_PATH).await;
            assert!(plan.goes_along(index), "{filter:?} does not go along {index}: {plan:#?}");
        }
    }
}

#[tokio::test]
async fn paths_of_a_project_are_walked_once_whatever_environments_hold_them() {
    for planner in Planner::each().await {
        for folder in [None, Some("a/b")] {
            for after in [None, Some("8")] {
                let plan = planner.plan(beside::walk(ProjectId::NIL, folder, after), beside::IN_ORDER).await;
                assert!(plan.searches("secrets", "s"), "{plan:#?}");
            }
        }
        let plan = planner.plan(beside::at(ProjectId::NIL, &["a".into(), "b".into()]), "LIMIT ?").await;
        assert!(plan.searches("secrets", "s"), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_rewrap_goes_through_the_data_keys_under_a_key_along_an_index() {
    for planner in Planner::each().await {
        let plan = planner.plan(under(ProjectKeyId::NIL, ""), "ORDER BY id LIMIT ?").await;
        assert!(plan.goes_along("secret_versions_by_project_key"), "{plan:#?}");
    }
}

#[tokio::test]
async fn changes_are_found_by_what_was_done_and_not_by_reading_the_record() {
    for planner in Planner::each().await {
        let plan = planner.plan(changed(EnvironmentId::NIL, EventId::NIL), "ORDER BY e.id LIMIT ?").await;
        assert!(!plan.scans("events", "e"), "{plan:#?}");
        let through = "ORDER BY c.event_id, s.id LIMIT ?";
        let plan = planner.plan(referred(EnvironmentId::NIL, EventId::NIL), through).await;
        assert!(!plan.scans("events", "e"), "{plan:#?}");
    }
}

#[tokio::test]
async fn whose_time_begins_or_ends_is_found_along_two_indexes() {
    for planner in Planner::each().await {
        let plan =
            planner.plan(turned(EnvironmentId::NIL, 7, 8), "ORDER BY t.at, s.id, t.action LIMIT ?").await;
        assert!(!plan.scans("secret_versions", "v"), "{plan:#?}");
        for index in ["secret_versions_by_expiry", "secret_versions_by_beginning"] {
            assert!(plan.goes_along(index), "{plan:#?}");
        }
        assert!(!plan.scans("secrets", "s") && !plan.scans("secret_references", "r"), "{plan:#?}");
    }
}

#[tokio::test]
async fn an_alias_leads_to_its_secret_along_an_index() {
    let alias = Alias::new(Dialect::Aws, "prod/7").unwrap();
    for planner in Planner::each().await {
        let plan = planner.plan(aliases::named(EnvironmentId::NIL, &alias), "LIMIT ?").await;
        assert!(plan.searches("secrets", "s"), "{plan:#?}");
        assert!(plan.searches("secret_aliases", "secret_aliases"), "{plan:#?}");
    }
}

#[tokio::test]
async fn what_refers_to_a_secret_is_found_along_an_index() {
    for planner in Planner::each().await {
        let plan = planner.plan(referring("pay", "live", "a/b"), BY_PLACE).await;
        assert!(plan.searches("secret_references", "r"), "{plan:#?}");
        assert!(!plan.scans("secrets", "s"), "{plan:#?}");
    }
}

#[tokio::test]
async fn a_folder_as_it_was_is_read_along_its_paths_and_each_secret_by_its_own_history() {
    for planner in Planner::each().await {
        for folder in [None, Some("a/b")] {
            let plan = planner.plan(history::was(EnvironmentId::NIL, folder, 7), history::ALONG).await;
            assert!(plan.searches("secrets", "s"), "{plan:#?}");
            for (table, alias) in [("secret_history", "h"), ("secret_history", "x"), ("secret_versions", "v")]
            {
                assert!(!plan.scans(table, alias), "{table} {alias}: {plan:#?}");
            }
        }
    }
}

#[tokio::test]
async fn open_links_are_found_by_their_secret_and_those_that_are_over_by_their_time() {
    for planner in Planner::each().await {
        let plan = planner.plan(shares::opens(SecretId::NIL, 7), shares::NEWEST).await;
        assert!(plan.searches("secret_shares", "h") && !plan.scans("users", "u"), "{plan:#?}");
        let plan = planner.plan(shares::over(7), "ORDER BY expires_at LIMIT ?").await;
        assert!(plan.searches("secret_shares", "secret_shares") && !plan.sorts(), "{plan:#?}");
    }
}

#[tokio::test]
async fn versions_are_found_by_their_fingerprints_along_an_index() {
    for planner in Planner::each().await {
        let prints = [[7; 32], [8; 32]];
        let plan = planner.plan(fingerprints::held(&prints), fingerprints::BY_SECRET).await;
        assert!(plan.searches("secret_versions", "v"), "{plan:#?}");
        let plan = planner.plan(fingerprints::of_secret(SecretId::NIL, &prints), fingerprints::NEWEST).await;
        assert!(plan.searches("secret_versions", "v"), "{plan:#?}");
    }
}
