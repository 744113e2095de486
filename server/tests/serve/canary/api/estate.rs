//! One of everything that the API's addresses name.

use std::cell::RefCell;

use serde_json::{Value, json};

use super::{SETTINGS, Scene, Visit, text};

impl<'a> Visit<'a> {
    /// One of everything.
    pub(super) fn new(scene: &'a Scene, document: Value) -> Self {
        let bearer = format!("Bearer {}", scene.token);
        let mut visit = Self {
            scene,
            document,
            bearer,
            things: Vec::new(),
            examples: Vec::new(),
            answered: RefCell::default(),
        };
        let told = |what: &str| scene.marks.told(format!("fixture: {what}"));
        visit.makes("/api/v1/projects", json!({ "slug": "pay", "name": told("project") }));
        for (slug, label) in [("live", "live"), ("stage", "test")] {
            let body = json!({ "slug": slug, "name": told("environment"), "label": label });
            visit.makes("/api/v1/projects/pay/environments", body);
        }
        let person = visit.gets("/api/v1/users")["items"][0]["id"].clone();
        let key = |name: String| {
            let place = json!({ "project": "pay", "environment": "live", "owner": person, "name": name });
            let made = visit.makes("/api/v1/keys", place);
            scene.marks.note_token("a key", made["key"].as_str().unwrap());
            made["id"].clone()
        };
        let (first, victim) = (key(told("key")), key(told("key")));
        let value = visit.gets(&format!("/api/v1/keys/{}", text(&first)))["values"][0]["id"].clone();
        let workload = json!({ "name": told("workload"), "project": "pay", "role": "verifier" });
        let workload = visit.makes("/api/v1/workloads", workload);
        let of = format!("/api/v1/workloads/{}", text(&workload["id"]));
        let token = visit.makes(&format!("{of}/tokens"), json!({}));
        scene.marks.note_token("a service token", token["token"].as_str().unwrap());
        let rule = json!({ "issuer": "https://issuer.example", "claims": { "sub": told("a claim") } });
        let rule = visit.makes(&format!("{of}/rules"), rule);
        let policy = json!({
            "name": told("policy"), "project": "pay",
            "text": "forbid (principal, action == Action::\"secret.purge\", resource) when { context.recovering };",
        });
        let policy = visit.makes("/api/v1/policies", policy);
        let case = json!({ "principal": person, "action": "project.create", "resource": "organization" });
        let test = json!({ "name": told("policy test"), "case": case, "allowed": false });
        let test = visit.makes("/api/v1/policies/tests", test);
        // In force, it changes nothing for what is tried after it.
        let standard =
            json!({ "name": told("standard"), "project": "pay", "rules": { "key_rotation_days": 3650 } });
        let standard = visit.makes("/api/v1/standards", standard);
        let request = json!({
            "role": "viewer", "project": "pay", "lasts_seconds": 3600, "reason": told("access request"),
        });
        let request = visit.makes("/api/v1/access-requests", request);
        let channel = json!({
            "name": told("channel"), "kind": "webhook", "target": "https://hooks.example.com/keywarden",
        });
        let channel = visit.makes("/api/v1/channels", channel);
        let team = visit.makes("/api/v1/teams", json!({ "slug": told("team"), "name": told("team") }));
        let secrets = "/api/v1/projects/pay/environments/live/secrets/database/password";
        let value_of = scene.marks.secret("fixture: a value");
        let secret = visit.asks("fixture", "put", secrets, &json!({ "value": value_of })).json();
        let fields = json!({ "password": scene.marks.secret("fixture: a field") }).to_string();
        visit.asks("fixture", "put", SETTINGS, &json!({ "value": fields, "kind": "json" }));
        let shares = format!("/api/v1/secrets/{}/shares", text(&secret["id"]));
        let share = visit.makes(&shares, json!({ "version": 1, "expires_in": "24h" }));
        visit.makes("/api/v1/projects/pay/key/rotate", json!({}));
        let rewrap = visit.gets("/api/v1/rewraps")["items"][0]["id"].clone();
        let event = visit.gets("/api/v1/audit?limit=1")["items"][0]["id"].clone();
        // Whoever is refused is given an id.
        let decision = visit.gets("/api/v1/keys/key_01JDB2W1N9F6Q3R8T5V7X9Z0AB")["decision"].clone();
        visit.examples = vec![
            ("usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&person)),
            ("key_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&victim)),
            ("wkl_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&workload["id"])),
            ("pol_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&policy["id"])),
            ("pts_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&test["id"])),
            ("std_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&standard["id"])),
            ("chn_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&channel["id"])),
            ("team_01JDB2W1N9F6Q3R8T5V7X9Z0AB", text(&team["id"])),
        ];
        visit.things = vec![
            ("{channel}", text(&channel["id"])),
            ("{decision}", text(&decision)),
            ("{dialect}", "aws".into()),
            ("{environment}", "live".into()),
            ("{event}", text(&event)),
            ("{key}", text(&first)),
            ("{label}", "blue".into()),
            ("{name}", "prod/database-password".into()),
            ("{path}", "database/password".into()),
            ("{policy}", text(&policy["id"])),
            ("{test}", text(&test["id"])),
            ("{project}", "pay".into()),
            // Nobody approves by the API, so that none is held.
            ("{grant}", "grt_01JDB2W1N9F6Q3R8T5V7X9Z0AB".into()),
            ("{request}", text(&request["id"])),
            ("{rewrap}", text(&rewrap)),
            ("{role}", text(&workload["roles"][0]["id"])),
            ("{rule}", text(&rule["id"])),
            ("{secret}", text(&secret["id"])),
            ("{standard}", text(&standard["id"])),
            ("{share}", text(&share["id"])),
            ("{team}", text(&team["id"])),
            ("{token}", text(&token["id"])),
            ("{user}", text(&person)),
            ("{value}", text(&value)),
            ("{version}", "1".into()),
            ("{workload}", text(&workload["id"])),
        ];
        visit
    }
}
