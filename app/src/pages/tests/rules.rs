//! Sign-in rules of a workload, as people make, mend and delete them.

use keywarden_domain::{
    Source,
    cast::Player,
    exchange::{Exchange, shelf::Issuer},
    workloads::NewWorkload,
};
use keywarden_model::{Role, WorkloadId};
use serde_json::json;

use super::{Stage, person};

/// A workload, its project's manager, one who only looks, and somebody who holds nothing.
pub(super) async fn cast() -> (Stage, WorkloadId, [Player; 3]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let new = NewWorkload { name: "shop".parse().unwrap(), project: Some(pay.id), role: None };
    let workload = stage.cast.domain.create_workload(&bob.op(), new).await.unwrap();
    (stage, workload, [bob, vera, mallory])
}

fn form(more: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("idempotency_key", "0123456789abcdef").append_pair("keys", "discovery");
    form.append_pair("audience", "https://keys.example.com").extend_pairs(more);
    form.finish()
}

#[tokio::test]
async fn a_rule_is_made_from_a_preset_and_mended_by_the_token_that_it_refused() {
    let (stage, workload, [bob, vera, mallory]) = cast().await;
    let issuer = Issuer::new("https://issuer.example", "k1", 7);
    issuer.publish(&stage.cast.shelf);
    let home = format!("/workloads/{workload}");
    let empty = stage.get(person(&bob), &home).await.body;
    assert!(empty.contains("No rule yet") && empty.contains(&format!("{home}/rules/new")), "{empty}");
    let preset = stage.get(person(&bob), &format!("{home}/rules/new?preset=github")).await.body;
    for filled in [
        "https://token.actions.githubusercontent.com",
        "repository=OWNER/REPOSITORY",
        "https://keys.example.com",
    ] {
        assert!(preset.contains(filled), "{filled}: {preset}");
    }

    let claims = ("claims", "sub=shop\nref=refs/heads/main");
    let made = form(&[("issuer", &issuer.url), claims, ("single_use", "1")]);
    let made = stage.post(person(&bob), &format!("{home}/rules/new"), &made).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let rule = made.to;
    let shown = stage.get(person(&bob), &rule).await.body;
    assert!(shown.contains("None was refused") && shown.contains("once only"), "{shown}");

    let now = stage.cast.now().timestamp();
    let claims = json!({
        "iss": issuer.url, "aud": "https://keys.example.com", "sub": "shop", "ref": "refs/heads/<b>dev",
        "actor": "ada", "iat": now, "exp": now + 60,
    });
    let (token, request) = (issuer.sign(&claims), stage.cast.domain.env().id(stage.cast.now()));
    let asked = Exchange { token: &token, workload: None };
    stage.cast.domain.exchange(&Source::default(), request, asked).await.unwrap_err();
    let shown = stage.get(person(&bob), &rule).await.body;
    assert!(shown.contains("refs/heads/&lt;b&gt;dev") && shown.contains("Differs"), "{shown}");
    let seen = shown.split("/edit?seen=").nth(1).unwrap().split(['"', '&']).next().unwrap();
    let edit = format!("{rule}/edit?seen={seen}");
    let filled = stage.get(person(&bob), &edit).await.body;
    assert!(filled.contains("ref=refs/heads/&lt;b&gt;dev\nsub=shop"), "{filled}");
    let pinned = stage.get(person(&bob), &format!("{edit}&pin=actor")).await.body;
    assert!(pinned.contains("actor=ada\nref=refs/heads/main\nsub=shop"), "{pinned}");
    for other in [format!("{rule}/edit?seen=1"), format!("{rule}/edit"), format!("{edit}&pin=ghost")] {
        let unfilled = stage.get(person(&bob), &other).await.body;
        assert!(
            unfilled.contains("ref=refs/heads/main\nsub=shop") && !unfilled.contains("Filled in"),
            "{other}"
        );
    }

    let looked = stage.get(person(&vera), &rule).await.body;
    assert!(
        looked.contains("refs/heads/main") && !looked.contains("ada"),
        "what tells of people is for who keeps the rule"
    );
    for (path, status) in [("", 404), ("/edit", 404), ("/delete", 404)] {
        assert_eq!(stage.get(person(&mallory), &format!("{rule}{path}")).await.status, status);
    }

    let saved = form(&[("issuer", &issuer.url), ("claims", "sub=shop"), ("row_version", "1")])
        .replace("0123456789abcdef", "123456789abcdef0");
    let saved_page = stage.post(person(&bob), &format!("{rule}/edit"), &saved).await;
    assert_eq!(
        (saved_page.status.as_u16(), saved_page.to.as_str()),
        (303, rule.as_str()),
        "{}",
        saved_page.body
    );
    let stale = saved.replace("123456789abcdef0", "fedcba9876543210");
    let stale = stage.post(person(&bob), &format!("{rule}/edit"), &stale).await;
    assert_eq!(stale.status, 422);
    assert!(stale.body.contains("Somebody edited this rule meanwhile"), "{}", stale.body);

    let asked = stage.get(person(&bob), &format!("{rule}/delete")).await.body;
    assert!(asked.contains("Delete the rule for https://issuer.example"), "{asked}");
    let gone = stage.post(person(&bob), &format!("{rule}/delete"), "idempotency_key=abcdef0123456789").await;
    assert_eq!((gone.status.as_u16(), gone.to), (303, format!("{home}#rules")));
    assert_eq!(stage.get(person(&bob), &rule).await.status, 404);
}

#[tokio::test]
async fn every_flaw_of_a_rule_is_told_at_its_field() {
    let (stage, workload, [bob, ..]) = cast().await;
    let path = format!("/workloads/{workload}/rules/new");
    let issuer = ("issuer", "https://issuer.example");
    for (fields, says) in [
        (vec![("issuer", "http://a.example"), ("claims", "sub=x")], "Write an address as https://"),
        (vec![issuer, ("claims", "")], "Name at least one claim"),
        (vec![issuer, ("claims", "sub")], "sub is no claim"),
        (vec![issuer, ("claims", "sub=repo:octo-org*")], "could admit more than it says"),
        (vec![issuer, ("claims", "repository=octo-org/*")], "Write at least one claim without *"),
        (vec![issuer, ("claims", "aud=x")], "aud is checked for every token"),
        (
            vec![
                ("issuer", "https://token.actions.githubusercontent.com"),
                ("claims", "ref=refs/heads/main"),
            ],
            "Anybody can get a token from this issuer",
        ),
    ] {
        let came = stage.post(person(&bob), &path, &form(&fields)).await;
        assert_eq!(came.status, 422, "{fields:?}");
        assert!(came.body.contains(says), "{says}: {}", came.body);
    }
    let private = json!({ "keys": [{ "kty": "oct", "k": "c2VjcmV0" }] }).to_string();
    for (keys, document, says) in [
        ("document", "", "Fill this in"),
        ("document", "{}", "This is no JWKS"),
        ("document", private.as_str(), "A private key stands in it"),
        ("elsewhere", "", "Choose"),
    ] {
        let body = form(&[issuer, ("claims", "sub=x"), ("jwks", document)])
            .replace("keys=discovery", &format!("keys={keys}"));
        let came = stage.post(person(&bob), &path, &body).await;
        assert_eq!(came.status, 422, "{keys} {document}");
        assert!(came.body.contains(says), "{says}: {}", came.body);
    }
}
