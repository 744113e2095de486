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
    let key = NewKey::named(Place::Environment(pay.live), "Checkout".parse().unwrap());
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
