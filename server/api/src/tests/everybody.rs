//! What anybody may ask without a token (S-32): the list is reviewed, and nothing else answers.

use keywarden_domain::cast::both_engines;
use serde_json::json;

use super::{Api, examples};

/// Addresses beside those of the document.
const BESIDE: [&str; 7] = [
    "/api/v1/openapi.json",
    "/.well-known/keywarden/secret-patterns.json",
    "/.well-known/security.txt",
    "/api/v1/nothing",
    "/oauth2/device_authorization",
    "/oauth2/revoke",
    "/oauth2/token",
];

#[tokio::test]
async fn who_shows_no_token_gets_these_answers_and_no_others() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let mut open = Vec::new();
        let mut asked = 0;
        let documented = examples::routes().into_iter().map(|(path, _)| path);
        for path in documented.chain(BESIDE.map(Into::into)) {
            for method in ["get", "head", "post", "put", "patch", "delete", "options", "trace"] {
                let answer = api.call(method, &examples::fill(&path, &api.pay)).send("").await;
                asked += 1;
                if ![401, 404, 405].contains(&answer.status.as_u16()) {
                    open.push(json!([method, path, answer.status.as_u16()]));
                }
            }
        }
        assert!(asked > 300, "{asked}");
        insta::assert_json_snapshot!("open", open);
    })
    .await;
}
