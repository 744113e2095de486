//! A customer's own token beside the house's: a second SoftHSM2 behind the library that fails, for one project.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keywarden_vault::seal::softhsm::find_module;
use serde_json::{Value, json};

use crate::house::{Server, keywarden, printed, told};
use crate::hsm::{libraries, opens_to_libraries, shim};

const SEAL: &str = "pkcs11:keywarden";

/// The house's folder, and in it the customer's token with the library before it.
struct Scene {
    folder: tempfile::TempDir,
    variables: Vec<(&'static str, String)>,
}

impl Scene {
    /// The token is the one that a server on the defaults makes; it is emptied of nothing and used by nobody else.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let customer = folder.path().join("customer");
        fs::create_dir(&customer).unwrap();
        let maker = Server::start(&customer);
        maker.becomes("\"ready\"");
        maker.stop();
        opens_to_libraries(folder.path(), "customer");
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let at = |name: &str| text(folder.path().join(name));
        let uri = format!(
            "pkcs11:token=keywarden?module-path={}&pin-source=file:{}",
            text(shim(folder.path())),
            at("customer/data/softhsm/pin")
        );
        let variables = vec![
            ("KEYWARDEN_SEAL_PROJECTS", uri),
            ("KEYWARDEN_SEAL_GRACE", "1s".to_owned()),
            ("SOFTHSM2_CONF", at("customer/data/softhsm/softhsm2.conf")),
            ("SHIM_LIBRARY", text(find_module().unwrap())),
            ("SHIM_FAULT", at("fault")),
            ("SHIM_LOGINS", at("logins")),
        ];
        Self { folder, variables }
    }

    fn at(&self) -> &Path {
        self.folder.path()
    }

    fn variables(&self) -> Vec<(&str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }

    fn start(&self) -> Server {
        let server = Server::start_with(self.at(), &self.variables());
        server.becomes("\"ready\"");
        server
    }

    fn says(&self, arguments: &[&str]) -> String {
        printed(self.at(), &self.variables(), arguments)
    }

    fn fails_by(&self, fault: &str) {
        fs::write(self.at().join("fault"), fault).unwrap();
    }
}

/// What is answered: the head and the JSON.
fn asked(server: &Server, method: &str, path: &str, token: &str, body: &Value) -> (String, Value) {
    let answer = server.send(method, path, token, &body.to_string());
    let json = answer.rsplit("\r\n\r\n").next().unwrap();
    (answer.lines().next().unwrap().to_owned(), serde_json::from_str(json).unwrap_or_default())
}

fn done(server: &Server, method: &str, path: &str, token: &str, body: &Value) -> Value {
    let (head, json) = asked(server, method, path, token, body);
    assert!(head.starts_with("HTTP/1.1 20"), "{method} {path}: {head} {json}");
    json
}

/// The value of a project's one secret, or the status and detail of why there is none.
fn value(server: &Server, project: &str, token: &str) -> Result<String, String> {
    let wanted = json!({ "project": project, "environment": "live", "items": [{ "path": "db" }] });
    let got = done(server, "POST", "/api/v1/secrets/batch-get", token, &wanted);
    let item = &got["items"][0];
    item["value"]["value"].as_str().map(ToOwned::to_owned).ok_or_else(|| item.to_string())
}

#[test]
fn a_project_under_a_customers_token_waits_for_it_alone_and_nobody_else_does() {
    let scene = Scene::new();
    let server = scene.start();
    let token = scene.says(&["operator", "token", "--role", "admin"]).trim().to_owned();
    for slug in ["pay", "mail"] {
        done(&server, "POST", "/api/v1/projects", &token, &json!({ "slug": slug, "name": slug }));
        let live = json!({ "slug": "live", "name": "Live", "label": "live" });
        done(&server, "POST", &format!("/api/v1/projects/{slug}/environments"), &token, &live);
        let put = json!({ "value": format!("of {slug}") });
        let path = format!("/api/v1/projects/{slug}/environments/live/secrets/db");
        done(&server, "PUT", &path, &token, &put);
    }
    let named = json!({ "seal": SEAL });
    let (head, refused) = asked(&server, "PUT", "/api/v1/projects/pay/seal", &token, &named);
    assert!(head.contains("409"), "nobody offered it: {head} {refused}");
    assert!(scene.says(&["seal", "offer", SEAL]).contains("projects may name"));
    let now = done(&server, "PUT", "/api/v1/projects/pay/seal", &token, &named);
    assert_eq!((&now["seal"]["id"], &now["seal"]["present"]), (&json!(SEAL), &json!(true)), "{now}");
    let both = || ["pay", "mail"].map(|project| value(&server, project, &token));
    assert_eq!(both(), [Ok("of pay".into()), Ok("of mail".into())]);
    let removed = keywarden(scene.at(), &["seal", "remove", SEAL]).envs(scene.variables()).output().unwrap();
    assert!(told(&removed).contains("pay"), "{}", told(&removed));

    for fault in ["removed", "error", "hang", "crash"] {
        scene.fails_by(fault);
        server.waits_for(fault, || value(&server, "pay", &token).is_err());
        let [pay, mail] = both();
        let pay = pay.unwrap_err();
        assert!(
            pay.contains("503") && pay.contains("the seal of this project") && pay.contains(SEAL),
            "{fault}: {pay}"
        );
        assert_eq!(mail, Ok("of mail".into()), "{fault}");
        assert!(server.get("/readyz").contains("\"ready\""), "{fault}: the house has all that it needs");
        scene.fails_by("");
        server.waits_for("the token's return", || value(&server, "pay", &token).is_ok());
    }

    scene.fails_by("removed");
    server.waits_for("the token's absence", || value(&server, "pay", &token).is_err());
    let list = scene.says(&["seal", "list"]);
    assert!(list.contains(&format!("{SEAL}  ")) && list.contains("the seal of pay; AWAY"), "{list}");
    let doctor = keywarden(scene.at(), &["doctor"]).envs(scene.variables()).output().unwrap();
    let said = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(said.contains("the own seal of pay, is away"), "{said}");
    let fsck = keywarden(scene.at(), &["fsck"]).envs(scene.variables()).output().unwrap();
    let said = String::from_utf8_lossy(&fsck.stdout).into_owned();
    assert_eq!(fsck.status.code(), Some(5), "{said}");
    assert!(said.contains("not looked at: one value") && said.contains("clean as far as"), "{said}");
    // A start without the token is a start.
    server.stop();
    let server = scene.start();
    assert!(value(&server, "pay", &token).is_err());
    assert_eq!(value(&server, "mail", &token), Ok("of mail".into()));
    let (head, kept) = asked(&server, "DELETE", "/api/v1/projects/pay/seal", &token, &json!({}));
    assert!(
        head.contains("503") && kept["type"].as_str().unwrap().ends_with("project-sealed"),
        "{head} {kept}"
    );

    scene.fails_by("");
    server.waits_for("the token's return", || value(&server, "pay", &token) == Ok("of pay".into()));
    let now = done(&server, "DELETE", "/api/v1/projects/pay/seal", &token, &json!({}));
    assert!(now.get("seal").is_none(), "{now}");
    scene.fails_by("removed");
    scene.says(&["seal", "remove", SEAL]);
    server.stop();
    let server = scene.start();
    assert_eq!(value(&server, "pay", &token), Ok("of pay".into()), "no token is needed any more");
    server.stop();
}

#[test]
fn a_customers_token_that_hangs_has_a_process_of_its_own_also_on_the_library_of_the_house() {
    let mut scene = Scene::new();
    let shim = scene.at().join("libkeywarden_shim.so").to_str().unwrap().to_owned();
    scene.variables.push(("KEYWARDEN_PKCS11_MODULE", shim));
    let server = scene.start();
    let token = scene.says(&["operator", "token", "--role", "admin"]).trim().to_owned();
    scene.says(&["seal", "offer", SEAL]);
    for slug in ["pay", "mail"] {
        done(&server, "POST", "/api/v1/projects", &token, &json!({ "slug": slug, "name": slug }));
        let live = json!({ "slug": "live", "name": "Live", "label": "live" });
        done(&server, "POST", &format!("/api/v1/projects/{slug}/environments"), &token, &live);
    }
    done(&server, "PUT", "/api/v1/projects/pay/seal", &token, &json!({ "seal": SEAL }));
    let put = |slug: &str| {
        let path = format!("/api/v1/projects/{slug}/environments/live/secrets/db");
        done(&server, "PUT", &path, &token, &json!({ "value": format!("of {slug}") }));
    };
    put("pay");
    put("mail");
    assert_eq!(value(&server, "pay", &token), Ok("of pay".into()));
    assert_eq!(libraries(&server).len(), 2, "one for the house, one for the customer");

    scene.fails_by("hang customer");
    server.waits_for("the token's absence", || {
        // All the while: the house's own token is asked every second, and answers.
        assert!(server.get("/readyz").contains("\"ready\""), "the house waits for a customer's token");
        assert_eq!(value(&server, "mail", &token), Ok("of mail".into()));
        value(&server, "pay", &token).is_err()
    });
    let pay = value(&server, "pay", &token).unwrap_err();
    assert!(pay.contains("503") && pay.contains("the seal of this project") && pay.contains(SEAL), "{pay}");
    put("mail");
    let keys = scene.says(&["seal", "list"]);
    assert!(keys.contains("softhsm:keywarden") && keys.contains("the seal of pay; AWAY"), "{keys}");
    assert!(server.get("/readyz").contains("\"ready\""));
    scene.fails_by("");
    server.waits_for("the token's return", || value(&server, "pay", &token) == Ok("of pay".into()));
    server.stop();
}

#[test]
fn a_customers_token_gets_a_new_key_and_the_old_one_is_destroyed_while_the_project_goes_on() {
    let scene = Scene::new();
    let server = scene.start();
    let token = scene.says(&["operator", "token", "--role", "admin"]).trim().to_owned();
    scene.says(&["seal", "offer", SEAL]);
    done(&server, "POST", "/api/v1/projects", &token, &json!({ "slug": "pay", "name": "pay" }));
    let live = json!({ "slug": "live", "name": "Live", "label": "live" });
    done(&server, "POST", "/api/v1/projects/pay/environments", &token, &live);
    done(&server, "PUT", "/api/v1/projects/pay/seal", &token, &json!({ "seal": SEAL }));
    let path = "/api/v1/projects/pay/environments/live/secrets/db";
    done(&server, "PUT", path, &token, &json!({ "value": "of pay" }));
    let refused = keywarden(scene.at(), &["seal", "destroy-key", SEAL, "1"]).envs(scene.variables()).output();
    assert!(told(&refused.unwrap()).contains("is the newest"));
    let said = scene.says(&["seal", "rotate", SEAL]);
    assert!(said.contains(&format!("key 2 of `{SEAL}` wraps the keys of one project")), "{said}");
    assert_eq!(value(&server, "pay", &token), Ok("of pay".into()));
    scene.says(&["seal", "destroy-key", SEAL, "1"]);
    // For as long as several looks at the token take.
    for _ in 0..15 {
        assert_eq!(value(&server, "pay", &token), Ok("of pay".into()));
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    server.stop();
    let server = scene.start();
    assert_eq!(value(&server, "pay", &token), Ok("of pay".into()), "under the new key alone");
    assert!(scene.says(&["fsck"]).contains("clean"));
    server.stop();
}
