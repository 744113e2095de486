//! What stands in the head of a request, changed by chance (S-28).

use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};
use keywarden_garble::{bytes, texts};

use super::client_address::client_address;
use super::csp_report::{origin, read};

#[test]
fn forwarded_addresses() {
    let proxy: IpAddr = [10, 0, 0, 1].into();
    let proxies = ["10.0.0.0/8".parse().unwrap()];
    bytes(&["203.0.113.7, 10.0.0.2", "[2001:db8::1]:443", "::ffff:203.0.113.7", "unknown, _x"], |input| {
        let Ok(value) = HeaderValue::from_bytes(input) else { return };
        let mut headers = HeaderMap::new();
        headers.append(HeaderName::from_static("x-forwarded-for"), value.clone());
        headers.append(HeaderName::from_static("x-forwarded-for"), value);
        // Whoever is no proxy of ours says nothing about addresses.
        let stranger: IpAddr = [203, 0, 113, 9].into();
        assert_eq!(client_address(stranger, &headers, &proxies), stranger);
        let found = client_address(proxy, &headers, &proxies);
        assert_eq!(found, found.to_canonical());
    });
}

#[test]
fn reports_of_browsers() {
    let report = r#"{"csp-report":{"document-uri":"https://x/recover/kwt_secret","blocked-uri":"https://evil.example/steal?k=x","violated-directive":"script-src"}}"#;
    bytes(&[report], |input| {
        if let Some((directive, blocked)) = read(input) {
            assert!(directive.chars().count() <= 40 && !directive.chars().any(char::is_control));
            assert!(!blocked.contains("kwt_secret"), "{blocked}");
        }
    });
    texts(
        &["https://u:p@evil.example:8443/steal?k=x#y", "inline", "data:text/html,x", "blob:https://x/y"],
        |text| {
            let kept = origin(text);
            assert!(!kept.contains(['?', '#', '@']), "{text:?}: {kept}");
        },
    );
}
