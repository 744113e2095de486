//! Single fields of a JSON object: no page names them that did not ask, each is read by a post of its own, and what is kept
//! reaches no page.

use keywarden_domain::{
    cast::{Player, Stage as Project},
    secrets::{Address, As, Which},
};
use keywarden_model::{SecretId, SecretKind};

use super::super::{Came, Stage, person};
use super::{cast, put, put_as};

const CONFIG: &[u8] = br#"{"login-name": "app", "port": 65432, "passphrase": "hunter2", "lines": "a\r\nb"}"#;

async fn config(stage: &Stage, pay: &Project, by: &Player) -> SecretId {
    put_as(stage, pay, by, "db/config", (SecretKind::Json, CONFIG)).await.id
}

/// The value that a secret has now.
async fn text(stage: &Stage, by: &Player, id: SecretId) -> String {
    let read = stage.cast.domain.read_secret_as(&by.op(), &Address::Id(id), &Which::default(), As::Raw).await;
    String::from_utf8(read.unwrap().value.expose().to_vec()).unwrap()
}

fn leaks(came: &Came) -> Vec<&'static str> {
    ["hunter2", "65432", ">app<"].into_iter().filter(|it| came.body.contains(it)).collect()
}

#[tokio::test]
async fn no_page_names_a_field_that_did_not_ask_and_each_is_read_by_a_post_of_its_own() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let id = config(&stage, &pay, &bob).await;
    let page = format!("/secrets/{id}");
    let fields = format!("{page}/versions/1/fields");
    for path in
        [&page, &format!("{page}/versions/1"), &fields, &format!("{page}/fields"), &format!("{page}/edit")]
    {
        let shown = stage.get(person(&bob), path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        assert!(
            !shown.body.contains("passphrase") && !shown.body.contains("login-name"),
            "{path}: {}",
            shown.body
        );
    }
    assert!(stage.get(person(&bob), &page).await.body.contains(&format!("action=\"{fields}\"")));

    let listed = stage.post(person(&bob), &fields, "idempotency_key=0123456789abcdef").await;
    assert_eq!(listed.status, 200, "{}", listed.body);
    assert_eq!(listed.response.headers()["cache-control"], "no-store");
    for part in [">passphrase<", ">port<", "a number", "name=\"field\" value=\"login-name\"", "••••••••••••"]
    {
        assert!(listed.body.contains(part), "{part}: {}", listed.body);
    }
    assert_eq!(leaks(&listed), [""; 0], "{}", listed.body);
    let again = stage.post(person(&bob), &fields, "idempotency_key=0123456789abcdef").await;
    assert!(
        again.status == 409 && !again.body.contains("passphrase"),
        "a reload reads nothing: {}",
        again.body
    );

    let one =
        stage.post(person(&bob), &fields, "idempotency_key=0123456789abcdef-field-2&field=passphrase").await;
    assert_eq!((one.status.as_u16(), leaks(&one)), (200, vec!["hunter2"]), "{}", one.body);
    assert_eq!(one.body.matches("hunter2").count(), 1, "{}", one.body);
    assert!(one.body.contains("name=\"field\" value=\"port\""), "the others are at hand: {}", one.body);
    let none = stage.post(person(&bob), &fields, "field=nothing").await;
    assert!(none.status == 200 && none.body.contains("There is no field nothing"), "{}", none.body);
    let lines = stage.post(person(&bob), &fields, "field=lines").await;
    assert!(lines.body.contains("4 bytes that a page cannot show"), "{}", lines.body);
    assert!(lines.body.contains(&format!("action=\"{page}/versions/1/download\"")), "{}", lines.body);

    let told = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert_eq!(told.matches(">secret.read<").count(), 4, "{told}");
    let events = told.split("href=\"/audit/").skip(1).map(|it| it.split('"').next().unwrap().to_owned());
    let mut said = 0;
    for event in events.collect::<Vec<_>>() {
        let event = stage.get(person(&bob), &format!("/audit/{event}")).await.body;
        said += event.matches(">passphrase<").count();
        assert!(!event.contains("hunter2"), "{event}");
    }
    assert_eq!(said, 1, "the record says which field was read");

    assert_eq!(stage.post(person(&vera), &fields, "field=port").await.status, 403);
    assert_eq!(stage.post(person(&mallory), &fields, "field=port").await.status, 404);
    assert_eq!(stage.get(person(&mallory), &fields).await.status, 404);
    assert!(
        !stage.get(person(&vera), &page).await.body.contains("/fields\""),
        "nothing is offered that is refused"
    );
}

#[tokio::test]
async fn a_value_without_fields_says_so_and_is_not_opened() {
    let (stage, pay, [bob, ..]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", br#"{"looks": "alike"}"#).await.id;
    let page = format!("/secrets/{id}");
    assert!(!stage.get(person(&bob), &page).await.body.contains("/fields\""), "it is text");
    for path in [format!("{page}/fields"), format!("{page}/versions/1/fields")] {
        let came = stage.get(person(&bob), &path).await;
        assert!(
            came.status == 200 && came.body.contains("This value has no fields"),
            "{path}: {}",
            came.body
        );
    }
    assert!(
        stage
            .post(person(&bob), &format!("{page}/fields"), "")
            .await
            .body
            .contains("This value has no fields")
    );
    assert!(!stage.get(person(&bob), &format!("{page}?tab=audit")).await.body.contains(">secret.read<"));
    put_as(&stage, &pay, &bob, "db/password", (SecretKind::Json, b"[1]")).await;
    let list = stage.post(person(&bob), &format!("{page}/versions/2/fields"), "").await;
    assert!(list.status == 200 && list.body.contains("This value has no fields"), "{}", list.body);
}

#[tokio::test]
async fn fields_are_changed_by_a_form_that_begins_with_no_value() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let id = config(&stage, &pay, &bob).await;
    let page = format!("/secrets/{id}");
    let edit = format!("{page}/fields");
    assert!(stage.get(person(&bob), &page).await.body.contains(&format!("href=\"{edit}\"")));
    let form = stage.post(person(&bob), &edit, "").await;
    assert_eq!((form.status.as_u16(), leaks(&form)), (200, vec![]), "{}", form.body);
    for part in [
        "name=\"field_0\" value=\"login-name\"",
        "name=\"version\" value=\"1\"",
        "name=\"do_6\"",
        "Write JSON",
    ] {
        assert!(form.body.contains(part), "{part}: {}", form.body);
    }
    assert!(!form.body.contains("do_7"), "three new ones, and no more");

    let rest = "more=0&label=current&own=&expires_at=&not_before=&length=32&alphabet=letters-digits";
    let rows = |port: &str| {
        format!(
            "version=1&{rest}&field_0=login-name&sort_0=text&do_0=keep&value_0=\
             &field_1=port&sort_1=json&do_1=write&value_1={port}\
             &field_2=passphrase&sort_2=text&do_2=generate&value_2=\
             &field_3=lines&sort_3=text&do_3=remove&value_3=\
             &field_4=host&do_4=write&value_4=db.internal-host&field_5=&do_5=write&value_5=&field_6=&do_6=write&value_6="
        )
    };
    let refused = stage.post(person(&bob), &edit, &rows("many")).await;
    assert_eq!(refused.status, 422);
    for part in
        ["value=\"login-name\"", "field-value_1-error", "write JSON", "field-value_4-error", "value=\"host\""]
    {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert!(
        !refused.body.contains("db.internal-host") && !refused.body.contains(">many<"),
        "{}",
        refused.body
    );
    assert_eq!(leaks(&refused), [""; 0], "{}", refused.body);

    let unseen = format!("version=1&{rest}&field_0=passphrase&do_0=write&value_0=new-one");
    let unseen = stage.post(person(&bob), &edit, &unseen).await;
    assert!(unseen.status == 422 && unseen.body.contains("field-field_0-error"), "{}", unseen.body);
    assert!(text(&stage, &bob, id).await.contains("hunter2"), "a field that was not listed is kept");

    let saved = stage.post(person(&bob), &edit, &rows("65433")).await;
    assert_eq!((saved.status.as_u16(), saved.to.as_str()), (303, page.as_str()), "{}", saved.body);
    let now: serde_json::Value = serde_json::from_str(&text(&stage, &bob, id).await).unwrap();
    let made = now["passphrase"].as_str().unwrap();
    assert!(made.len() == 32 && made != "hunter2", "{now}");
    let wanted = serde_json::json!({ "login-name": "app", "port": 65433, "passphrase": made, "host": "db.internal-host" });
    assert_eq!(now, wanted);

    let stale = stage.post(person(&bob), &edit, &rows("65434")).await;
    assert!(stale.status == 422 && stale.body.contains("changed"), "somebody was faster: {}", stale.body);
    let nothing = format!("version=2&{rest}&field_0=port&sort_0=json&do_0=keep&value_0=");
    let nothing = stage.post(person(&bob), &edit, &nothing).await;
    assert!(nothing.status == 422 && nothing.body.contains("Nothing would change"), "{}", nothing.body);
    for wrong in ["version=x", "version=2&field_0=host&sort_0=text&do_0=remove"] {
        assert_eq!(stage.post(person(&bob), &edit, wrong).await.status, 422, "{wrong}");
    }
    for body in ["", rows("1").as_str()] {
        assert_eq!(stage.post(person(&vera), &edit, body).await.status, 403, "{body}");
        assert_eq!(stage.post(person(&mallory), &edit, body).await.status, 404, "{body}");
    }
    let sleepy = bob.without_step_up();
    let kept = stage.post(person(&sleepy), &edit, &rows("1")).await;
    assert!(kept.status == 303 && kept.to.starts_with("/step-up?post="), "{}", kept.to);
}

#[tokio::test]
async fn where_an_environment_asks_why_fields_ask_it_too() {
    let (stage, pay, [bob, ..]) = cast().await;
    let id = config(&stage, &pay, &bob).await;
    let body = "name=live&lifetime_days=365&overlap_hours=24&row_version=1&reads_need_reason=1";
    assert_eq!(stage.post(person(&bob), "/projects/pay/environments/live", body).await.status, 303);
    let page = format!("/secrets/{id}");
    let fields = format!("{page}/versions/1/fields");
    let edit = format!("{page}/fields");
    let shown = stage.get(person(&bob), &page).await.body;
    assert!(
        !shown.contains(&format!("action=\"{fields}\"")) && shown.contains(&format!("href=\"{fields}\"")),
        "{shown}"
    );
    for path in [&fields, &edit] {
        assert!(stage.get(person(&bob), path).await.body.contains("name=\"reason\""), "{path}");
        let refused = stage.post(person(&bob), path, "reason=ab").await;
        assert!(refused.status == 422 && !refused.body.contains("passphrase"), "{path}: {}", refused.body);
        let listed = stage.post(person(&bob), path, "reason=INC-7+is+open").await;
        assert!(listed.status == 200 && listed.body.contains("passphrase"), "{path}: {}", listed.body);
    }
    let listed = stage.post(person(&bob), &fields, "reason=INC-7+is+open").await.body;
    assert!(listed.contains("name=\"reason\" value=\"INC-7 is open\""), "it goes with each field: {listed}");
    let one = stage.post(person(&bob), &fields, "field=passphrase").await;
    assert!(one.status == 422 && one.body.contains("name=\"field\" value=\"passphrase\""), "{}", one.body);
}
