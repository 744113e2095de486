//! What is wrong with a form is said in the catalogue's words, whatever the noun.

use axum::body::Body;
use http::{Request, header};
use keywarden_model::Role;

use super::{Stage, person};
use crate::text::pseudo::raw_words;

/// What a page says beside its fields and above them.
fn complaints(page: &str) -> String {
    let errors = page.split("class=\"field-error\"").skip(1).filter_map(|rest| rest.split("</p>").next());
    let summary = page.split("class=\"form-summary\"").nth(1).and_then(|rest| rest.split("</div>").next());
    errors.chain(summary).flat_map(|piece| ["<p", piece, "</p>"]).collect()
}

#[tokio::test]
async fn refused_forms_of_every_noun_speak_the_visitors_language() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let gateway = stage.cast.workload("gateway", Role::Verifier, Some(pay.id)).await;
    let long = "x".repeat(130);
    let invisible = "a%E2%80%8Db";
    for (path, body) in [
        ("/projects/new".to_owned(), "name=Shop&slug=admin".to_owned()),
        ("/projects/new".to_owned(), format!("name={invisible}&slug=Not+a+slug")),
        ("/projects/new".to_owned(), format!("name={long}&slug={long}")),
        ("/projects/pay/edit".to_owned(), format!("name={invisible}")),
        (
            "/projects/pay/environments/new".to_owned(),
            format!("name={long}&slug=--&label=NO!&overlap_hours=x"),
        ),
        ("/projects/pay/environments/live".to_owned(), format!("name={invisible}&overlap_hours=24")),
        ("/workloads/new".to_owned(), format!("name={invisible}&role=king")),
        (format!("/workloads/{}/rules/new", gateway.id), "issuer=ftp%3A&audience=*&claims=x".to_owned()),
        ("/teams/new".to_owned(), format!("name={invisible}&slug=root")),
        ("/people/invite".to_owned(), format!("name={long}&role=king")),
        ("/keys/new".to_owned(), format!("name={invisible}&scopes=%21&tags=%3D&allowed_cidrs=x&expiry=x")),
        ("/secrets/new".to_owned(), "path=..%2Fx&how=write&tags=%3D".to_owned()),
    ] {
        let request = Request::post(&path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::ACCEPT_LANGUAGE, "en-XA")
            .body(Body::from(body.clone()))
            .unwrap();
        let came = stage.send(person(&alice), request).await;
        assert_eq!(came.status, 422, "{path}: {body}");
        let said = complaints(&came.body);
        assert!(said.contains("field-") || said.contains("<li>"), "{path}: {body}: nothing is said");
        assert_eq!(raw_words(&said), Vec::<String>::new(), "{path}: {body}: {said}");
    }
}
