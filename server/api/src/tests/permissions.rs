//! Who can what, what would be, and why not.

use keywarden_domain::cast::both_engines;
use keywarden_model::Role;
use serde_json::{Value, json};

use super::{Api, token};

#[tokio::test]
async fn who_can_is_listed_by_page_and_filter() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let ask = async |more: &str| {
            api.get(&format!("/api/v1/permissions?action=key.issue&resource={}{more}", api.pay.live)).await
        };
        let names = |answer: &super::Answer| -> Vec<String> {
            let items = answer.json()["items"].as_array().unwrap().clone();
            items.iter().map(|it| it["name"].as_str().unwrap().to_owned()).collect()
        };
        let whole = ask("").await;
        assert_eq!(names(&whole), ["alice", "olga"]);
        let path = &whole.json()["items"][0]["paths"][0];
        assert_eq!(
            *path,
            json!({ "by": "role", "role": "manager", "held_in": "project", "policies": ["project-manager"] })
        );
        assert_eq!(names(&ask("&q=OLG").await), ["olga"]);
        assert_eq!(names(&ask("&role=manager").await), ["alice"]);
        assert!(names(&ask("&kind=person").await).is_empty());
        let first = ask("&limit=1").await;
        let cursor = first.json()["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!(names(&ask(&format!("&limit=1&cursor={cursor}")).await), ["olga"]);
        for wrong in ["&kind=team", "&role=king", "&cursor=team_1", "&action=x"] {
            assert_eq!(ask(wrong).await.status, 400, "{wrong}");
        }
        assert_eq!(api.get("/api/v1/permissions?action=key.issue").await.status, 400);
        let missing = api.get("/api/v1/permissions?action=key.issue&resource=env_1").await;
        assert_eq!(missing.status, 404, "{missing:?}");
    })
    .await;
}

#[tokio::test]
async fn a_simulation_names_the_smallest_role_and_a_principal_what_it_holds() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let id = api.house.workload("idle", Role::Viewer, Some(api.pay.id)).await.id;
        let ask = async |more: &str| {
            let path =
                format!("/api/v1/permissions/simulation?principal={id}&resource={}{more}", api.pay.live);
            api.get(&path).await
        };
        let no = ask("&action=key.issue").await.json();
        assert_eq!(no["allowed"], false);
        assert_eq!(no["smallest_role"], json!({ "role": "issuer", "project": api.pay.id }));
        let considered = no["considered"].as_array().unwrap();
        let issuer = considered.iter().find(|it| it["policy"] == "project-issuer").unwrap();
        assert_eq!(issuer["came_to"], "conditions");
        for wrong in [
            "",
            "&action=nothing",
            "&action=key.issue&passkey_age=old",
            "&action=key.issue&method=token",
            "&action=key.issue&at=soon",
            "&action=key.issue&address=office",
            "&action=key.issue&version=1",
        ] {
            assert_eq!(ask(wrong).await.status, 400, "{wrong}");
        }
        // A draft is asked about before it decides, by its name.
        let text = format!(
            r#"permit (principal == Workload::"{id}", action == Action::"key.issue", resource)
               when {{ context has address && context.address.isInRange(ip("192.0.2.0/24")) }};"#
        );
        let draft = json!({ "name": "Idle hands", "project": "pay", "text": text });
        let draft = api.post("/api/v1/policies", draft).await.json()["id"].as_str().unwrap().to_owned();
        let under = format!("&action=key.issue&policy={draft}&version=1");
        let without = ask(&under).await.json();
        let of = |answer: &Value| {
            let considered = answer["considered"].as_array().unwrap().clone();
            considered.into_iter().find(|it| it["name"] == "Idle hands").unwrap()
        };
        assert_eq!((&without["allowed"], &of(&without)["came_to"]), (&json!(false), &json!("conditions")));
        let inside = ask(&format!("{under}&address=192.0.2.7&at=2027-01-01T00:00:00Z")).await.json();
        assert_eq!((&inside["allowed"], &inside["policies"]), (&json!(true), &json!([format!("{draft}@1")])));
        assert_eq!(ask("&action=key.issue&address=192.0.2.7").await.json()["allowed"], false);
        let held = api.get(&format!("/api/v1/workloads/{id}/permissions?q=key.")).await.json();
        let actions: Vec<_> =
            held["permissions"].as_array().unwrap().iter().map(|it| &it["action"]).collect();
        assert_eq!(actions, ["key.view"]);
        assert_eq!(held["permissions"][0]["of"], json!(api.pay.id));
        let olivia = api.get(&format!("/api/v1/users/{}/permissions", api.owner)).await.json();
        assert!(olivia["permissions"].as_array().unwrap().iter().any(|it| it["place"] == "own-keys"));
    })
    .await;
}

#[tokio::test]
async fn every_refusal_has_a_decision_that_its_caller_cannot_open() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let auditor = token(&api.house, "auditor", Role::Auditor, None).await;
        let viewer = token(&api.house, "viewer", Role::Viewer, Some(&api.pay)).await;
        let body = json!({ "slug": "more", "name": "More" });
        let path = "/api/v1/projects/pay/environments";
        let forbidden = api.call("post", path).bearer(&viewer).json(body).await;
        let hidden = api.call("get", "/api/v1/projects/pay").bearer(&api.mallory).send("").await;
        let nowhere = api.call("get", "/api/v1/projects/nowhere").bearer(&api.mallory).send("").await;
        let open = async |caller: &str, answer: &super::Answer| {
            let decision = answer.json()["decision"].as_str().unwrap().to_owned();
            api.call("get", &format!("/api/v1/decisions/{decision}")).bearer(caller).send("").await
        };
        assert_eq!([forbidden.status, hidden.status, nowhere.status].map(|it| it.as_u16()), [403, 404, 404]);
        let why = open(&auditor, &forbidden).await.json();
        assert_eq!(why["name"], "viewer");
        let question = &why["question"];
        assert_eq!([&question["action"], &question["answer"]], ["environment.create", "forbidden"]);
        assert_eq!(question["method"], "token");
        assert_eq!(question["smallest_role"]["role"], "manager");
        assert_eq!(open(&auditor, &hidden).await.json()["question"]["answer"], "not-found");
        // What there is not is asked about as a thing that nobody holds anything of.
        let nowhere_asked = open(&auditor, &nowhere).await.json()["question"].clone();
        assert_eq!([&nowhere_asked["action"], &nowhere_asked["answer"]], ["project.view", "not-found"]);
        assert_eq!(nowhere_asked["resource_id"], json!(keywarden_model::ProjectId::NIL));
        for answer in [&forbidden, &hidden, &nowhere] {
            for caller in [&viewer, &api.mallory] {
                assert_eq!(open(caller, answer).await.status, 404);
            }
        }
        // At the hot door, too; and nothing but a refusal has one.
        let verify = json!({ "key": "kwk_live_0A1B2C3D4E5F_x" });
        let hot = api.call("post", "/api/v1/keys/verify").bearer(&viewer).json(verify).await;
        assert_eq!(open(&auditor, &hot).await.json()["question"]["action"], "key.verify");
        for other in [api.get("/api/v1/keys?limit=0").await, api.call("get", "/api/v1/keys").send("").await] {
            assert!(other.status.is_client_error() && other.json().get("decision").is_none(), "{other:?}");
        }
    })
    .await;
}
