//! What pages of files promise: a file is looked at before it is imported, by its person alone, and no page holds a value.

use std::time::Duration;

use keywarden_domain::{
    SecretBytes,
    cast::{Player, Stage as Project},
    keys::Place,
    secrets::{About, NewValue, PutSecret, Validity},
};
use keywarden_model::{Role, SecretKind};

use super::{Came, Stage, person};

const VALUE: &str = "hunter2-correct-horse";
const KEY: &str = "idempotency_key=0123456789abcdef";

async fn cast() -> (Stage, Project, [Player; 3]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[(Role::Owner, None)]).await;
    (stage, pay, [bob, vera, mallory])
}

async fn put(stage: &Stage, pay: &Project, by: &Player, path: &str, value: &str) {
    put_as(stage, pay, by, path, SecretKind::Text, value.as_bytes()).await;
}

async fn put_as(stage: &Stage, pay: &Project, by: &Player, path: &str, kind: SecretKind, value: &[u8]) {
    let value = NewValue::new(kind, None, SecretBytes::copy_of(value)).unwrap();
    let put = PutSecret {
        value,
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let place = Place::Environment(pay.live);
    stage.cast.domain.put_secret(&by.op(), &place, &path.parse().unwrap(), put).await.unwrap();
}

async fn choose(
    stage: &Stage,
    pay: &Project,
    by: &Player,
    more: &[(&str, &str)],
    file: Option<(&str, &str)>,
) -> Came {
    let environment = pay.live.to_string();
    let mut fields = vec![
        ("environment", environment.as_str()),
        ("folder", "shop"),
        ("format", "auto"),
        ("nested", "folders"),
    ];
    fields.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
    fields.extend(more);
    stage.upload(person(by), "/secrets/import", &fields, file).await
}

/// What the preview's form says was seen.
fn seen(page: &str) -> String {
    let rest = page.split("name=\"seen\" value=\"").nth(1).unwrap_or_else(|| panic!("{page}"));
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_file_is_chosen_looked_at_and_imported_and_no_page_holds_a_value() {
    let (stage, pay, [bob, ..]) = cast().await;
    put(&stage, &pay, &bob, "shop/PASSWORD", "old").await;
    let text = format!("URL={VALUE}\nPASSWORD={VALUE}\n");
    let chosen = choose(&stage, &pay, &bob, &[], Some((".env", &text))).await;
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    let preview = stage.get(person(&bob), &chosen.to).await;
    assert_eq!(preview.status, 200, "{}", preview.body);
    for told in ["shop/URL", "shop/PASSWORD", "1, then 2", "Import 2 secrets", ".env, into pay / live / shop"]
    {
        assert!(preview.body.contains(told), "{told}: {}", preview.body);
    }
    let new = stage.get(person(&bob), &format!("{}?show=new", chosen.to)).await.body;
    assert!(new.contains("shop/URL") && !new.contains("shop/PASSWORD"), "{new}");
    let post = format!("{KEY}&seen={}", seen(&preview.body));
    let done = stage.post(person(&bob), &chosen.to, &post).await;
    assert_eq!(done.status, 200, "{}", done.body);
    assert!(
        done.body.contains("2 secrets were created or changed") && done.body.contains("href=\"/secrets/sec_")
    );
    let again = stage.post(person(&bob), &chosen.to, &post).await;
    assert_eq!(again.status, 200, "a reload imports nothing twice");
    assert!(again.body.contains("2 secrets were created or changed"), "{}", again.body);
    let after = stage.get(person(&bob), &chosen.to).await;
    assert!(after.body.contains("Everything is there already"), "{}", after.body);
    for page in [&preview, &done, &again, &after] {
        assert!(!page.body.contains(VALUE));
    }
    let list = stage.get(person(&bob), "/secrets?project=pay&environment=live&folder=shop").await.body;
    assert!(list.contains("/secrets/import?") && list.contains("/secrets/export?"), "{list}");
}

#[tokio::test]
async fn an_import_says_why_with_each_version_that_it_makes() {
    let (stage, pay, [bob, ..]) = cast().await;
    let chosen = choose(&stage, &pay, &bob, &[("paste", "A=1"), ("format", "dotenv")], None).await;
    let preview = stage.get(person(&bob), &chosen.to).await.body;
    assert!(preview.contains("You may leave it empty"), "{preview}");
    let post = |reason: &str| format!("{KEY}&seen={}&reason={reason}", seen(&preview));
    let wrong = stage.post(person(&bob), &chosen.to, &post("no")).await;
    assert!(wrong.status == 422 && wrong.body.contains("field-reason-error"), "{}", wrong.body);
    assert_eq!(seen(&wrong.body), seen(&preview), "the form can be sent again");
    let done = stage.post(person(&bob), &chosen.to, &post("it+moves+in")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    let made = done.body.split("href=\"/secrets/sec_").nth(1).unwrap().split('"').next().unwrap();
    let version = stage.get(person(&bob), &format!("/secrets/sec_{made}/versions/1")).await.body;
    assert!(version.contains("it moves in"), "{version}");
}

#[tokio::test]
async fn a_kept_file_is_its_persons_for_ten_minutes() {
    let (stage, pay, [bob, _, mallory]) = cast().await;
    let chosen = choose(&stage, &pay, &bob, &[("paste", "A=1"), ("format", "dotenv")], None).await;
    assert_eq!(chosen.status, 303, "{}", chosen.body);
    let post = format!("{KEY}&seen=0");
    for came in [
        stage.get(person(&mallory), &chosen.to).await,
        stage.post(person(&mallory), &chosen.to, &post).await,
        stage.get(person(&bob), "/secrets/import/nothing").await,
    ] {
        assert_eq!(came.status, 410, "{}", came.body);
    }
    stage.cast.clock.advance(Duration::from_mins(6));
    let asked = stage.get(person(&bob), &chosen.to).await;
    assert!(asked.status == 303 && asked.to.starts_with("/step-up?to="), "even to compare takes a passkey");
    let kept = stage.post(person(&bob), &chosen.to, &post).await;
    assert!(kept.status == 303 && kept.to.starts_with("/step-up?post="), "{}", kept.to);
    let id = kept.to.split(['=', '&']).nth(1).unwrap();
    let fresh = bob.steps_up();
    let done = stage.post(person(&fresh), &chosen.to, &format!("kept_post={id}")).await;
    assert_eq!(done.status, 200, "{}", done.body);
    stage.cast.clock.advance(Duration::from_mins(5));
    let late = stage.get(person(&fresh.steps_up()), &chosen.to).await;
    assert_eq!(late.status, 410, "{}", late.body);
}

#[tokio::test]
async fn what_is_wrong_is_said_where_it_is() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let file = Some((".env", VALUE));
    for (more, file, field) in [
        (&[][..], None, "field-file-error"),
        (&[("paste", VALUE)][..], file, "field-file-error"),
        (&[("paste", VALUE)][..], None, "field-format-error"),
        (&[][..], Some(("notes.txt", VALUE)), "field-format-error"),
        (&[("folder", "/a")][..], file, "field-folder-error"),
        (&[("environment", "x")][..], file, "field-environment-error"),
    ] {
        let came = choose(&stage, &pay, &bob, more, file).await;
        assert_eq!(came.status, 422, "{more:?}: {}", came.body);
        assert!(came.body.contains(field) && !came.body.contains(VALUE), "{more:?}: {}", came.body);
    }
    let big = "x".repeat(keywarden_domain::secrets::files::MAX_FILE + 1);
    let came = choose(&stage, &pay, &bob, &[], Some((".env", &big))).await;
    assert!(came.status == 422 && came.body.contains("field-file-error"), "{}", came.status);

    let broken = choose(&stage, &pay, &bob, &[], Some((".env", "A=1\nhunter2\nB=\"x"))).await;
    let page = stage.get(person(&bob), &broken.to).await;
    assert_eq!(page.status, 422, "{}", page.body);
    assert!(page.body.contains("Write NAME=value.") && page.body.contains("never closed"), "{}", page.body);
    assert!(!page.body.contains("hunter2") && !page.body.contains("name=\"seen\""));

    let refused = choose(&stage, &pay, &bob, &[], Some((".env", "A=1\na=2"))).await;
    let page = stage.get(person(&bob), &refused.to).await.body;
    assert!(page.contains("1 entry cannot be imported") && !page.contains("name=\"seen\""), "{page}");
    let forced = stage.post(person(&bob), &refused.to, &format!("{KEY}&seen=0,0")).await;
    assert_eq!(forced.status, 409, "{}", forced.body);

    let only = choose(&stage, &pay, &vera, &[], Some((".env", "A=1"))).await;
    let page = stage.get(person(&vera), &only.to).await.body;
    assert!(page.contains("secret.create") && !page.contains("name=\"seen\""), "{page}");
}

#[tokio::test]
async fn what_changed_since_the_look_is_looked_at_again() {
    let (stage, pay, [bob, ..]) = cast().await;
    let chosen = choose(&stage, &pay, &bob, &[], Some((".env", "A=1\nB=1\n"))).await;
    let preview = stage.get(person(&bob), &chosen.to).await.body;
    put(&stage, &pay, &bob, "shop/B", "meanwhile").await;
    let came = stage.post(person(&bob), &chosen.to, &format!("{KEY}&seen={}", seen(&preview))).await;
    assert_eq!(came.status, 409, "{}", came.body);
    assert!(came.body.contains("shop/B changed since you looked"), "{}", came.body);
    let post = format!("{}&seen={}", KEY.replace('0', "f"), seen(&came.body));
    assert_eq!(stage.post(person(&bob), &chosen.to, &post).await.status, 200);
}

#[tokio::test]
async fn a_folder_is_exported_by_a_post_once() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    put(&stage, &pay, &bob, "shop/url", VALUE).await;
    let page = "/secrets/export?project=pay&environment=live&folder=shop";
    let form = stage.get(person(&bob), page).await;
    assert!(form.body.contains("Export 1 value") && !form.body.contains(VALUE), "{}", form.body);
    let post = format!("{KEY}&format=dotenv&reason=it+moves");
    let file = stage.post(person(&bob), page, &post).await;
    assert_eq!(file.body, format!("URL='{VALUE}'\n"));
    let headers = file.response.headers();
    assert_eq!(headers["content-disposition"], "attachment; filename=\"pay-live-shop.env\"");
    assert_eq!(headers["cache-control"], "no-store");
    let again = stage.post(person(&bob), page, &post).await;
    assert!(again.status == 409 && !again.body.contains(VALUE), "a reload reads nothing");
    let wrong = stage.post(person(&bob), page, &format!("{KEY}&format=toml")).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert_eq!(stage.get(person(&vera), page).await.status, 403);
    let nowhere = "/secrets/export?project=pay&environment=live&folder=nowhere";
    assert_eq!(stage.get(person(&bob), nowhere).await.status, 409);
    stage.cast.clock.advance(Duration::from_mins(6));
    let kept = stage.post(person(&bob), page, &post.replace('0', "e")).await;
    assert!(kept.status == 303 && kept.to.starts_with("/step-up?post="), "{}", kept.to);
}

#[tokio::test]
async fn a_binary_value_is_exported_where_a_file_can_hold_it_and_imports_as_it_was() {
    let (stage, pay, [bob, ..]) = cast().await;
    put(&stage, &pay, &bob, "shop/url", VALUE).await;
    put_as(&stage, &pay, &bob, "shop/keystore", SecretKind::Binary, &[0, 255]).await;
    let page = "/secrets/export?project=pay&environment=live&folder=shop";
    let form = stage.get(person(&bob), page).await.body;
    assert!(form.contains("Export 2 values") && form.contains("1 value is binary"), "{form}");
    let post = |key: &str, format: &str| format!("{}&format={format}&reason=it+moves", KEY.replace('0', key));
    let file = stage.post(person(&bob), page, &post("a", "dotenv")).await;
    assert_eq!(file.body, format!("URL='{VALUE}'\n"));
    let file = stage.post(person(&bob), page, &post("b", "json")).await.body;
    assert!(file.contains("\"keystore\": { \"$binary\": \"AP8=\" }"), "{file}");
    let chosen = choose(&stage, &pay, &bob, &[], Some(("pay.json", &file))).await;
    let preview = stage.get(person(&bob), &chosen.to).await.body;
    assert!(preview.contains("Everything is there already"), "{preview}");
    let chosen = choose(&stage, &pay, &bob, &[("folder", "other")], Some(("pay.json", &file))).await;
    let preview = stage.get(person(&bob), &chosen.to).await.body;
    assert!(preview.contains("Import 2 secrets") && preview.contains("other/keystore"), "{preview}");
}

#[tokio::test]
async fn systems_that_run_are_read_by_commands_that_can_be_copied() {
    let (stage, _, [bob, ..]) = cast().await;
    let page = |address: &'static str| stage.get(person(&bob), address);
    let here = page("/secrets/import?project=pay&environment=live&folder=shop").await.body;
    for told in ["secret import --from-aws", "secret import --from-vault", "AWS_ACCESS_KEY_ID", "VAULT_TOKEN"]
    {
        assert!(here.contains(told), "{told}: {here}");
    }
    assert_eq!(here.matches("--project pay --environment live --folder shop --dry-run").count(), 2, "{here}");
    let anywhere = page("/secrets/import").await.body;
    assert!(anywhere.contains("--project PROJECT --environment ENVIRONMENT --dry-run"), "{anywhere}");
}
