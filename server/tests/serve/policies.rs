//! Policies by the client: a folder of files, planned, applied, and pulled again.

use std::fs;

use serde_json::json;

use crate::client::Stage;
use crate::house::{printed, told};

#[test]
fn a_folder_of_policies_is_planned_applied_and_comes_back_as_it_was() {
    let stage = Stage::new();
    let token = printed(stage.folder.path(), &[], &["operator", "token", "--role", "owner"]);
    fs::write(stage.token(), &token).unwrap();
    let folder = stage.folder.path().join("policies");
    fs::create_dir(&folder).unwrap();
    let night =
        "forbid (principal, action == Action::\"secret.purge\", resource)\nwhen { context.recovering };\n";
    fs::write(folder.join("No purge.cedar"), night).unwrap();
    let said = |arguments: &[&str]| String::from_utf8(stage.done(arguments)).unwrap();

    fs::write(folder.join("Broken.cedar"), "forbid (principal,\n  action, resource").unwrap();
    let broken = stage.command(&["policy", "apply", "policies"]).output().unwrap();
    assert_eq!(broken.status.code(), Some(1));
    let lines = String::from_utf8(broken.stdout.clone()).unwrap();
    assert!(lines.contains("create   No purge\n") && lines.contains("Broken.cedar:2:"), "{lines}");
    assert!(told(&broken).contains("1 of the files"), "{}", told(&broken));
    fs::remove_file(folder.join("Broken.cedar")).unwrap();

    assert_eq!(said(&["policy", "plan", "policies"]), "create   No purge\n");
    assert_eq!(said(&["policy", "apply", "policies"]), "create   No purge\n");
    assert_eq!(said(&["policy", "plan", "policies"]), "activate No purge\n");
    stage.done(&["policy", "apply", "policies", "--activate"]);
    assert_eq!(said(&["policy", "plan", "policies"]), "same     No purge\n");

    fs::write(folder.join("No purge.cedar"), night.replace("purge", "delete")).unwrap();
    assert_eq!(said(&["policy", "plan", "policies"]), "change   No purge\n");
    stage.done(&["policy", "apply", "policies", "--activate", "--note", "deleting, too"]);
    fs::write(folder.join("No purge.cedar"), night).unwrap();
    stage.done(&["policy", "apply", "policies", "--activate"]);
    assert_eq!(said(&["policy", "plan", "policies"]), "same     No purge\n", "it was rolled back to");

    // What is expected of the folder is asked before anything of it is there.
    let shop = stage.post("/api/v1/projects", &token, &json!({ "slug": "shop", "name": "Shop" }));
    let workload = json!({ "name": "Deployer", "project": "shop", "role": "manager" });
    let workload = stage.post("/api/v1/workloads", &token, &workload);
    let tests = format!(
        "[[test]]\nname = \"Deployers make environments\"\nprincipal = {:?}\naction = \"environment.create\"\n\
         resource = {:?}\nexpect = \"allowed\"\n",
        workload["id"].as_str().unwrap(),
        shop["id"].as_str().unwrap(),
    );
    fs::write(folder.join("tests.toml"), tests).unwrap();
    assert_eq!(said(&["policy", "test", "policies"]), "pass     Deployers make environments\n");
    let never = "forbid (principal is Workload, action == Action::\"environment.create\", resource);\n";
    fs::write(folder.join("Never.cedar"), never).unwrap();
    let failed = stage.command(&["policy", "test", "policies"]).output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
    let lines = String::from_utf8(failed.stdout.clone()).unwrap();
    assert_eq!(lines, "fail     Deployers make environments: refused, and must be allowed\n");
    assert!(told(&failed).contains("1 of the tests failed"), "{}", told(&failed));
    fs::remove_file(folder.join("Never.cedar")).unwrap();

    let pulled = said(&["policy", "pull", "again"]);
    assert!(pulled.ends_with("version 1, active\n"), "{pulled}");
    assert_eq!(fs::read_to_string(stage.folder.path().join("again/No purge.cedar")).unwrap(), night);
    fs::remove_file(folder.join("No purge.cedar")).unwrap();
    assert_eq!(said(&["policy", "plan", "policies"]), "extra    No purge\n");
    stage.server.stop();
}
