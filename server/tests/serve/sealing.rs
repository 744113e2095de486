//! Becoming ready, losing the seal, and getting it back.

use std::fs;

use keywarden_vault::seal::softhsm::find_module;

use crate::house::{Server, fresh_database, keywarden, postgres, printed, told};

#[test]
fn a_server_on_the_defaults_becomes_ready_and_a_second_start_finds_its_keys() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    assert!(server.becomes("\"ready\"").starts_with("HTTP/1.1 200"));
    assert!(folder.path().join("data/softhsm/softhsm2.conf").exists());
    server.stop();
    let again = Server::start(folder.path());
    again.becomes("\"ready\"");
    again.stop();
}

#[test]
fn a_server_whose_token_is_away_says_so_and_unseals_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    server.stop();
    let (tokens, away) = (folder.path().join("data/softhsm/tokens"), folder.path().join("away"));
    fs::rename(&tokens, &away).unwrap();
    fs::create_dir(&tokens).unwrap();
    let server = Server::start(folder.path());
    let answer = server.becomes("\"title\":\"Sealed\"");
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("application/problem+json"), "{answer}");
    assert!(server.get("/livez").starts_with("HTTP/1.1 200"));
    let page = server.get_as("/", "text/html");
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("<h1>This node is sealed</h1>"), "{page}");
    assert!(page.contains("keywarden doctor") && page.to_lowercase().contains("retry-after"), "{page}");
    let refused = server.get("/api/v1/projects");
    assert!(refused.starts_with("HTTP/1.1 503") && refused.contains("application/problem+json"), "{refused}");
    fs::remove_dir(&tokens).unwrap();
    fs::rename(&away, &tokens).unwrap();
    server.becomes("\"ready\"");
    server.stop();
    // Not the token is away, but its library.
    let library = folder.path().join("libsofthsm2.so");
    let server = Server::start_with(folder.path(), &[("KEYWARDEN_PKCS11_MODULE", library.to_str().unwrap())]);
    server.becomes("the PKCS#11 module of its HSM does not load");
    let page = server.get_as("/", "text/html");
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("keywarden doctor"), "{page}");
    std::os::unix::fs::symlink(find_module().unwrap(), &library).unwrap();
    server.becomes("\"ready\"");
    server.stop();
}

#[test]
fn a_stranger_is_told_that_a_seal_is_away_and_not_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("hidden-place.key");
    let variables = [("KEYWARDEN_SEAL", "software"), ("KEYWARDEN_SEAL_KEY_FILE", key.to_str().unwrap())];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    server.stop();
    fs::remove_file(&key).unwrap();
    let server = Server::start_with(folder.path(), &variables);
    let answer = server.becomes("its key file cannot be read");
    let page = server.get_as("/", "text/html");
    assert!(page.contains("Its key file cannot be read."), "{page}");
    for told in [&answer, &page, &server.get("/api/v1/projects")] {
        assert!(!told.contains("hidden-place"), "{told}");
    }
    let status = printed(folder.path(), &variables, &["status", "--json"]);
    assert!(status.contains("hidden-place.key"), "the operator is told: {status}");
    server.stop();
}

#[test]
fn a_lost_key_file_is_degraded_until_grace_ends_and_then_sealed() {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_SEAL", "software"), ("KEYWARDEN_SEAL_GRACE", "2s")];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    let (key, away) = (folder.path().join("data/seal.key"), folder.path().join("away"));
    fs::rename(&key, &away).unwrap();
    assert!(server.becomes("degraded").starts_with("HTTP/1.1 200"));
    server.becomes("\"title\":\"Sealed\"");
    fs::rename(&away, &key).unwrap();
    server.becomes("\"ready\"");
    server.stop();
}

#[test]
fn a_server_runs_on_postgresql_and_starts_again_on_what_it_left() {
    let Some(server) = postgres() else { return };
    let url = fresh_database(&server);
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_DATABASE_URL", url.as_str()), ("KEYWARDEN_SEAL", "software")];
    for _ in 0..2 {
        let server = Server::start_with(folder.path(), &variables);
        server.becomes("\"ready\"");
        server.stop();
    }
    assert!(!folder.path().join("data/keywarden.db").exists());
}

#[test]
fn a_database_that_refuses_stops_the_start_with_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(
        folder.path().join("data/keywarden.db"),
        "this is no database, but long enough to be read as one".repeat(99),
    )
    .unwrap();
    let refused = keywarden(folder.path(), &["serve"])
        .env("KEYWARDEN_SEAL", "software")
        .env("KEYWARDEN_LOG_LEVEL", "off")
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1), "{}", told(&refused));
    assert!(told(&refused).contains("keywarden.db"), "{}", told(&refused));
    assert_eq!(told(&refused).lines().count(), 1, "{}", told(&refused));
    assert!(!folder.path().join("data/seal.key").exists(), "a refused start made a key");
}
