//! Whose address an event carries: S-19, from the socket to the record.

use serde_json::json;

use crate::house::{Server, json_of, printed};

/// The address in the event of a project that was made by a request with these lines.
fn address_of(server: &Server, token: &str, slug: &str, lines: &[&str]) -> String {
    let authorization = format!("Authorization: Bearer {token}");
    let headers = [&[authorization.as_str()], lines].concat().join("\r\n");
    let body = json!({ "slug": slug, "name": slug }).to_string();
    let made = server.send_with("POST", "/api/v1/projects", &headers, &body);
    assert!(made.starts_with("HTTP/1.1 201"), "{lines:?}: {made}");
    let id = json_of(&made)["id"].as_str().unwrap().to_owned();
    // Reading is by the same token from elsewhere: it changes nothing of what was written.
    let path = format!("/api/v1/audit?action=project.create&resource={id}");
    let found = json_of(&server.get_with(&path, &[("Authorization", &format!("Bearer {token}"))]));
    let events = found["items"].as_array().unwrap();
    assert_eq!(events.len(), 1, "{found}");
    let personal = events[0]["personal"].as_object().unwrap();
    let addresses: Vec<_> = personal.values().filter_map(|told| told["address"].as_str()).collect();
    assert_eq!(addresses.len(), 1, "{found}");
    assert!(!events[0]["event"].to_string().contains(addresses[0]), "outside what is sealed: {found}");
    addresses[0].to_owned()
}

fn house(proxies: &str) -> (tempfile::TempDir, Server, String) {
    let folder = tempfile::tempdir().unwrap();
    let variables = [("KEYWARDEN_SEAL", "software"), ("KEYWARDEN_TRUSTED_PROXIES", proxies)];
    let server = Server::start_with(folder.path(), &variables);
    server.becomes("\"ready\"");
    let token =
        printed(folder.path(), &variables, &["operator", "token", "--role", "admin"]).trim().to_owned();
    (folder, server, token)
}

#[test]
fn behind_a_trusted_proxy_an_event_carries_the_clients_address() {
    let (_folder, server, token) = house("127.0.0.0/8, 10.0.0.0/8, 2001:db8:aaaa::/48");
    let cases: [(&[&str], &str); 11] = [
        (&["X-Forwarded-For: 198.51.100.7"], "198.51.100.7"),
        (&["x-forwarded-for:198.51.100.7:4711"], "198.51.100.7"),
        // What the client wrote itself stands left of what the proxies wrote.
        (&["X-Forwarded-For: 203.0.113.9, 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        (&["X-Forwarded-For: 203.0.113.9", "X-Forwarded-For: 198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        (&["X-Forwarded-For: 2001:db8::7"], "2001:db8::7"),
        (&["X-Forwarded-For: 203.0.113.9, [2001:DB8:0::7]:4711, 2001:db8:aaaa::1"], "2001:db8::7"),
        (&["X-Forwarded-For: ::ffff:198.51.100.7"], "198.51.100.7"),
        (&["X-Forwarded-For: 10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        // Nobody can read it: the last whom somebody vouched for is who it was.
        (&["X-Forwarded-For: 198.51.100.7, nonsense"], "127.0.0.1"),
        (&["X-Forwarded-For: 198.51.100.7, <b>, 10.1.2.3"], "10.1.2.3"),
        (&["Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7", "X-Forwarded-For: "], "127.0.0.1"),
    ];
    for (n, (lines, expected)) in cases.iter().enumerate() {
        assert_eq!(address_of(&server, &token, &format!("p{n}"), lines), *expected, "{lines:?}");
    }
    server.stop();
}

#[test]
fn without_a_trusted_proxy_an_event_carries_the_sockets_address_whatever_is_claimed() {
    for proxies in ["", "10.0.0.0/8, ::1/128"] {
        let (_folder, server, token) = house(proxies);
        let lines: [&[&str]; 4] = [
            &["X-Forwarded-For: 198.51.100.7"],
            &["X-Forwarded-For: 198.51.100.7, 10.1.2.3, 127.0.0.1"],
            &["Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7", "X-Client-IP: 198.51.100.7"],
            &[],
        ];
        for (n, lines) in lines.iter().enumerate() {
            assert_eq!(
                address_of(&server, &token, &format!("p{n}"), lines),
                "127.0.0.1",
                "{proxies}: {lines:?}"
            );
        }
        server.stop();
    }
}
