//! `keywarden access` and `keywarden approval`: a pipeline asks, looks, and finds nothing held that nobody signed.

use std::fs;

use serde_json::json;

use crate::client::Stage;
use crate::house::told;

#[test]
fn a_pipeline_asks_for_a_role_and_sees_how_it_is() {
    let stage = Stage::new();
    let operator = fs::read_to_string(stage.token()).unwrap();
    let workload = json!({ "name": "deployer", "project": "pay", "role": "viewer" });
    let workload = stage.post("/api/v1/workloads", &operator, &workload);
    let tokens = format!("/api/v1/workloads/{}/tokens", workload["id"].as_str().unwrap());
    let token = stage.post(&tokens, &operator, &json!({}));
    fs::write(stage.token(), token["token"].as_str().unwrap()).unwrap();

    let request =
        ["access", "request", "issuer", "--project", "pay", "--for", "30m", "--because", "INC-7: deploy"];
    let asked = String::from_utf8(stage.done(&request)).unwrap();
    let id = asked.trim();
    assert!(id.starts_with("acr_"), "{asked}");
    let status = String::from_utf8(stage.done(&["access", "status", id])).unwrap();
    assert!(status.contains("pending") && status.contains("0 of 1 signed"), "{status}");
    let listed = String::from_utf8(stage.done(&["access", "list", "--state", "pending"])).unwrap();
    assert!(listed.contains(id) && listed.contains("issuer pay"), "{listed}");
    let refused = |arguments: &[&str], why: &str| {
        let output = stage.command(arguments).output().unwrap();
        let said = told(&output);
        assert!(!output.status.success() && said.contains(why), "{arguments:?}: {said}");
    };
    refused(&["access", "give-back", id], "the role is not held: the request is pending");
    refused(&["access", "request", "owner", "--for", "1h", "--because", "why not"], "owner");

    let withdrawn = format!("/api/v1/access-requests/{id}/withdraw");
    let answer = stage.server.post(&withdrawn, token["token"].as_str().unwrap(), "{}");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    refused(&["access", "wait", id], "the role is not held: the request is withdrawn");

    // What nobody signed proves nothing, and neither does any other file.
    let evidence = stage.folder.path().join("evidence.json");
    let file = json!({
        "kind": "keywarden/access-evidence", "v": 1, "origin": "http://localhost:3000", "rp_id": "localhost",
        "request": id, "approvals": [], "grant": null,
    });
    fs::write(&evidence, file.to_string()).unwrap();
    let path = evidence.to_str().unwrap();
    refused(&["approval", "verify", path], "nobody has signed");
    fs::write(&evidence, "{}").unwrap();
    refused(&["approval", "verify", path], "this is no evidence of an approval");
    stage.server.stop();
}
