//! Standards, as people write them and as their keys are held to them.

use keywarden_domain::{
    authz::PolicyScope,
    keys::{NewKey, Place},
    standards::{NewStandard, Rules},
};
use keywarden_model::{Description, Role};

use super::{Stage, person};

#[tokio::test]
async fn a_refused_key_says_at_its_field_which_standard_it_breaks() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let pay = stage.cast.project("pay").await;
    let domain = &stage.cast.domain;
    // Keys may live as long as they like there, but for standards.
    let key = NewKey::named(Place::Environment(pay.test), "Checkout".parse().unwrap());
    let key = domain.issue_key(&olga.op(), key).await.unwrap().id;
    let new = NewStandard {
        scope: PolicyScope::Organization,
        name: "Our names".parse().unwrap(),
        rules: Rules { key_names: Some("pay-.*".parse().unwrap()), ..Rules::default() },
        note: Description::default(),
    };
    let id = domain.draft_standard(&olga.op(), new).await.unwrap();

    let draft = stage.get(person(&olga), &format!("/standards/{id}")).await;
    assert!(draft.body.contains("One thing breaks this."), "{}", draft.body);
    assert!(draft.body.contains(&format!("/keys/{key}")), "{}", draft.body);
    let post = "idempotency_key=aaaaaaaaaaaaaaaa&row_version=1";
    let done = stage.post(person(&olga), &format!("/standards/{id}/versions/1/activate"), post).await;
    assert_eq!(done.status, 303, "{}", done.body);

    let shown = stage.get(person(&olga), &format!("/keys/{key}")).await;
    assert!(shown.body.contains("This breaks a standard"), "{}", shown.body);
    let version = domain.key(&olga.op(), key).await.unwrap().key.row_version;
    let body = format!("idempotency_key=bbbbbbbbbbbbbbbb&name=Books&owner={}&row_version={version}", olga.id);
    let refused = stage.post(person(&olga), &format!("/keys/{key}/edit"), &body).await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("The standard “Our names” is in force."), "{}", refused.body);
}

#[tokio::test]
async fn a_look_at_rules_keeps_nothing_and_tells_what_they_would_find() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let form = stage.get(person(&olga), "/standards/new").await;
    assert_eq!(form.status, 200);
    let post = async |fields: &[(&str, &str)]| {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        stage.post(person(&olga), "/standards/new", &body).await
    };
    let fields = [
        ("idempotency_key", "aaaaaaaaaaaaaaaa"),
        ("name", "Ours"),
        ("key_names", "pay-[a-z]+"),
        ("sample", "pay-1"),
        ("act", "check"),
    ];
    let looked = post(&fields).await;
    assert_eq!(looked.status, 200, "{}", looked.body);
    assert!(looked.body.contains("Nothing breaks this."), "{}", looked.body);
    assert!(looked.body.contains("“pay-1” does not fit."), "{}", looked.body);
    assert!(looked.body.contains("pay-[a-z]+"), "{}", looked.body);
    let none = stage.get(person(&olga), "/standards").await;
    assert!(none.body.contains("No standard yet"), "{}", none.body);

    let wrong = post(&[("idempotency_key", "bbbbbbbbbbbbbbbb"), ("name", "Ours"), ("key_names", "(")]).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.contains("This is no pattern."), "{}", wrong.body);
    let kept =
        post(&fields.map(|(name, value)| if name == "act" { (name, "") } else { (name, value) })).await;
    assert_eq!(kept.status, 303, "{}", kept.body);
}

#[tokio::test]
async fn rules_that_cannot_be_read_are_told_wherever_they_hold_and_can_be_written_anew() {
    let stage = Stage::new().await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let pay = stage.cast.project("pay").await;
    let domain = &stage.cast.domain;
    let key = NewKey::named(Place::Environment(pay.live), "Checkout".parse().unwrap());
    let key = domain.issue_key(&olga.op(), key).await.unwrap().id;
    let new = NewStandard {
        scope: PolicyScope::Organization,
        name: "Our names".parse().unwrap(),
        rules: Rules { key_names: Some(".*".parse().unwrap()), ..Rules::default() },
        note: Description::default(),
    };
    let id = domain.draft_standard(&olga.op(), new).await.unwrap();
    domain.activate_standard(&olga.op(), id, 1, 1).await.unwrap();
    stage.cast.put_by(&["UPDATE standard_versions SET rules = '{\"colour\":\"red\"}'"]).await;

    let get = async |path: String| {
        let shown = stage.get(person(&olga), &path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        shown.body
    };
    for path in [format!("/keys/{key}"), format!("/standards/{id}")] {
        let body = get(path.clone()).await;
        assert!(body.contains("cannot be read"), "{path}: {body}");
    }
    let environment = get("/projects/pay/environments/live".to_owned()).await;
    assert!(environment.contains("What it asks for cannot be read"), "{environment}");
    assert!(get(format!("/standards/{id}")).await.contains("Nothing is made where it holds"));
    get(format!("/standards/{id}/end")).await;
    let body = "idempotency_key=aaaaaaaaaaaaaaaa&row_version=2&key_names=pay-.*";
    let written = stage.post(person(&olga), &format!("/standards/{id}/edit"), body).await;
    assert_eq!(written.status, 303, "{}", written.body);
    get(format!("/standards/{id}/versions/2/activate")).await;
    let body = "idempotency_key=bbbbbbbbbbbbbbbb&row_version=3";
    let active = stage.post(person(&olga), &format!("/standards/{id}/versions/2/activate"), body).await;
    assert_eq!(active.status, 303, "{}", active.body);
    assert!(get(format!("/keys/{key}")).await.contains("Names of keys look like pay-.* here"));
}
