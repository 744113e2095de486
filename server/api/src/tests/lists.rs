//! A list shows what looking one by one shows, no more and no less (S-06): for callers with roles drawn at random.

use std::collections::BTreeSet;

use keywarden_domain::cast::{Stage, both_engines};
use keywarden_model::Role;
use serde_json::json;

use super::{Api, examples, strangers, token};

/// Every id (or slug) on every page of a list; `narrowed` begins with `&` or is empty.
async fn listed(api: &Api, caller: &str, path: &str, narrowed: &str, field: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let asked = format!("{path}?limit=3{narrowed}{cursor}");
        let page = api.call("get", &asked).bearer(caller).send("").await;
        assert_eq!(page.status, 200, "{asked}: {page:?}");
        for item in page.json()["items"].as_array().unwrap() {
            assert!(all.insert(item[field].as_str().unwrap().to_owned()), "{asked}: twice");
        }
        match page.json()["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

/// Those of `all` that the caller is shown when it asks for one.
async fn shown(api: &Api, caller: &str, path: &str, all: &BTreeSet<String>) -> BTreeSet<String> {
    let mut shown = BTreeSet::new();
    for id in all {
        let answer = api.call("get", &format!("{path}/{id}")).bearer(caller).send("").await;
        match answer.status.as_u16() {
            200 => drop(shown.insert(id.clone())),
            // That there are people and teams is no secret: a door to all of them may say 403.
            403 | 404 => {}
            other => panic!("{path}/{id}: {other}"),
        }
    }
    shown
}

/// Three callers with one role each, and three with a role in each of two projects.
async fn callers(api: &Api, stages: &[Stage]) -> Vec<(String, String)> {
    let roles = [Role::Issuer, Role::Manager, Role::Reader, Role::Verifier, Role::Viewer];
    let mut callers = vec![("auditor".to_owned(), token(&api.house, "auditor", Role::Auditor, None).await)];
    let draw = || usize::from(api.house.domain.env().bytes::<1>()[0]);
    for n in 0..6 {
        let (role, stage) = (roles[draw() % roles.len()], &stages[draw() % stages.len()]);
        let name = format!("{n}: {role} of {}", stage.slug);
        callers.push((name.clone(), token(&api.house, &name, role, Some(stage)).await));
    }
    callers
}

#[tokio::test]
async fn keys_secrets_projects_workloads_and_events_are_listed_to_whom_they_are_shown() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let mut stages = Vec::new();
        let soon = (api.house.now() + chrono::TimeDelta::days(9)).to_rfc3339();
        for slug in ["alpha", "beta", "gamma"] {
            let stage = api.house.project(slug).await;
            for n in 0..4 {
                let key = json!({ "project": slug, "environment": "live", "name": format!("{n}"), "owner": api.owner });
                assert_eq!(api.post("/api/v1/keys", key).await.status, 201);
                let secret = format!("/api/v1/projects/{slug}/environments/live/secrets/s/{n}");
                let value = match n {
                    1 => json!({ "value": "x", "tags": ["nightly"], "owner": api.owner }),
                    2 => json!({ "value": "x", "expires_at": soon }),
                    _ => json!({ "value": "x" }),
                };
                let put = api.call("put", &secret).bearer(&api.olga).json(value).await;
                assert_eq!(put.status, 201, "{put:?}");
                if n == 3 {
                    let deleted = api.call("delete", &secret).bearer(&api.olga).send("").await;
                    assert_eq!(deleted.status, 200, "{deleted:?}");
                }
            }
            let team = json!({ "slug": format!("team-{slug}"), "name": format!("Team {slug}") });
            assert_eq!(api.post("/api/v1/teams", team).await.status, 201);
            let invited = api.house.person(&format!("Ann {slug}"), &[(Role::Viewer, Some(stage.id))]).await;
            assert_eq!(api.get(&format!("/api/v1/users/{}", invited.id)).await.status, 200);
            stages.push(stage);
        }
        let callers = callers(&api, &stages).await;
        let of_olivia = format!("&owner={}", api.owner);
        let of_secrets = [
            "&q=s%2F1",
            "&q=2",
            "&tag=nightly",
            of_olivia.as_str(),
            "&folder=s",
            "&state=expiring",
            "&state=deleted",
            "&deleted=true",
        ];
        // What narrows a list leaves out, and never lets in.
        for (path, field, narrowed) in [
            ("/api/v1/keys", "id", &["&q=1", "&q=key_", "&state=active", "&environment=live&project=beta"][..]),
            ("/api/v1/secrets", "id", &of_secrets[..]),
            ("/api/v1/projects", "slug", &["&q=a"]),
            ("/api/v1/workloads", "id", &["&q=of"]),
            ("/api/v1/audit", "id", &["&action=key.", "&outcome=allowed"]),
            ("/api/v1/users", "id", &["&q=ann", "&state=active"]),
            ("/api/v1/teams", "slug", &[]),
        ] {
            let all = listed(&api, &api.olga, path, "", field).await;
            assert!(all.len() >= 3, "{path}: {all:?}");
            // What is deleted stands only where it is asked for.
            let mut known = all.clone();
            for narrowed in narrowed {
                let found = listed(&api, &api.olga, path, narrowed, field).await;
                assert!(path != "/api/v1/secrets" || !found.is_empty(), "{path}: nothing is {narrowed}");
                known.extend(found);
            }
            let mut different = BTreeSet::new();
            for (who, caller) in &callers {
                let answer = api.call("get", &format!("{path}?limit=1")).bearer(caller).send("").await;
                let shown = shown(&api, caller, path, &known).await;
                let found = match answer.status.as_u16() {
                    200 => listed(&api, caller, path, "", field).await,
                    _ => BTreeSet::new(),
                };
                let mine: BTreeSet<_> = all.intersection(&shown).cloned().collect();
                assert_eq!(found, mine, "{who} at {path}");
                different.insert(found.len());
                for narrowed in narrowed {
                    let foreign = format!("{path}?limit=3{narrowed}");
                    let answer = api.call("get", &foreign).bearer(caller).send("").await;
                    let found = match answer.status.as_u16() {
                        200 => listed(&api, caller, path, narrowed, field).await,
                        _ => BTreeSet::new(),
                    };
                    let all = listed(&api, &api.olga, path, narrowed, field).await;
                    let mine: BTreeSet<_> = all.intersection(&shown).cloned().collect();
                    assert_eq!(found, mine, "{who} at {foreign}");
                }
            }
            let open = ["/api/v1/users", "/api/v1/teams"].contains(&path);
            assert!(open || different.len() > 1, "{path}: everybody sees {different:?}");
        }
        let all = listed(&api, &api.olga, "/api/v1/keys", "", "id").await;
        for (who, caller) in &callers {
            let preview = "/api/v1/keys/bulk-revoke/preview?state=active";
            let answer = api.call("get", preview).bearer(caller).send("").await;
            let shown = shown(&api, caller, "/api/v1/keys", &all).await;
            let previewed = answer.json()["keys"].as_array().cloned().unwrap_or_default();
            for key in previewed {
                assert!(shown.contains(key["id"].as_str().unwrap()), "{who} is told of {key}");
            }
        }
    })
    .await;
}

/// The document names what a query may hold, no less and no more.
#[tokio::test]
async fn every_parameter_of_a_query_is_documented_and_every_documented_one_is_taken() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let belongings = strangers::belongings(&api).await;
        let document = crate::openapi();
        let documented = |path: &str| -> BTreeSet<String> {
            let parameters =
                document["paths"][path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
            let named = parameters.iter().filter(|it| it["in"] == "query");
            named.map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        let routes: Vec<String> = examples::routes()
            .into_iter()
            .filter(|(_, methods)| methods.iter().any(|method| method == "get"))
            .map(|(path, _)| path)
            // A stream of changes has no end.
            .filter(|path| !path.ends_with("/watch"))
            .collect();
        let all: BTreeSet<String> = routes.iter().flat_map(|path| documented(path)).collect();
        let mut read = 0;
        for path in &routes {
            let there = examples::fill(&belongings.within(path), &api.pay);
            let refuses = async |name: &str| {
                let answer = api.get(&format!("{there}?{name}=x")).await;
                answer.body.contains(&format!("`{name}` is not a parameter here"))
            };
            if !refuses("nonsense").await {
                continue;
            }
            read += 1;
            for name in &all {
                assert_eq!(!refuses(name).await, documented(path).contains(name), "{path} {name}");
            }
        }
        assert!(read > 10, "{read} addresses read a query");
    })
    .await;
}
