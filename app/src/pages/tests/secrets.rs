//! What pages of secrets promise: a value leaves by a post and in no other page, a stranger sees nothing, what is
//! deleted can be had back.

use keywarden_domain::{
    SecretBytes,
    cast::{Player, Stage as Project},
    keys::Place,
    secrets::{About, NewValue, Put, PutSecret, Validity},
};
use keywarden_model::{Role, SecretKind};

use super::{Stage, person};

const VALUE: &str = "hunter2-correct-horse";

/// A project, its manager, one who only looks, and somebody who holds nothing.
pub(super) async fn cast() -> (Stage, Project, [Player; 3]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    (stage, pay, [bob, vera, mallory])
}

pub(super) async fn put(stage: &Stage, pay: &Project, by: &Player, path: &str, value: &[u8]) -> Put {
    let kind = if std::str::from_utf8(value).is_ok() { SecretKind::Text } else { SecretKind::Binary };
    let value = NewValue::new(kind, None, SecretBytes::copy_of(value)).unwrap();
    let put = PutSecret {
        value,
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let place = Place::Environment(pay.live);
    stage.cast.domain.put_secret(&by.op(), &place, &path.parse().unwrap(), put).await.unwrap()
}

fn form(pay: &Project, more: &str) -> String {
    format!("idempotency_key=0123456789abcdef&environment={}&how=write&kind=text&{more}", pay.live)
}

#[tokio::test]
async fn a_value_is_in_the_answer_to_the_post_that_asked_and_in_no_other_page() {
    let (stage, pay, [bob, ..]) = cast().await;
    let body =
        form(&pay, &format!("path=db/primary/password&value={VALUE}&description=of+the+shop&tags=pci"));
    let made = stage.post(person(&bob), "/secrets/new", &body).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let page = made.to;
    let one = format!("{page}/versions/1");
    for path in [
        page.clone(),
        format!("{page}?tab=audit"),
        format!("{page}/edit"),
        format!("{page}/delete"),
        format!("{page}/versions/new"),
        one.clone(),
        format!("{one}/label"),
        format!("{one}/disable"),
        format!("{one}/destroy"),
        format!("{one}/reveal"),
        "/secrets?project=pay&environment=live&folder=db/primary".to_owned(),
        "/secrets?q=PASSWORD".to_owned(),
    ] {
        let shown = stage.get(person(&bob), &path).await;
        assert_eq!(shown.status, 200, "{path}: {}", shown.body);
        assert!(shown.body.contains("password") && !shown.body.contains(VALUE), "{path}: {}", shown.body);
    }
    assert!(stage.get(person(&bob), &page).await.body.contains("of the shop"));

    let asked = "idempotency_key=abcdef0123456789";
    let shown = stage.post(person(&bob), &format!("{one}/reveal"), asked).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    assert_eq!(shown.response.headers()["cache-control"], "no-store");
    assert_eq!(shown.body.matches(VALUE).count(), 1, "once: {}", shown.body);
    let again = stage.post(person(&bob), &format!("{one}/reveal"), asked).await;
    assert_eq!(again.status, 409, "a reload reads nothing");
    assert!(!again.body.contains(VALUE) && again.body.contains(&format!("href=\"{one}\"")), "{}", again.body);

    let file = stage.post(person(&bob), &format!("{one}/download"), "idempotency_key=fedcba9876543210").await;
    assert_eq!(file.body, VALUE);
    let headers = file.response.headers();
    assert_eq!(headers["content-disposition"], "attachment; filename=\"password\"");
    assert_eq!(
        (&headers["cache-control"], &headers["x-content-type-options"]),
        (&"no-store".parse().unwrap(), &"nosniff".parse().unwrap())
    );
    let told = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert_eq!(told.matches(">secret.read<").count(), 2, "{told}");
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_but_never_the_value() {
    let (stage, pay, [bob, ..]) = cast().await;
    put(&stage, &pay, &bob, "db/password", b"x").await;
    for (typed, wrong) in [
        ("path=/db", "field-path-error"),
        ("path=db/password", "field-path-error"),
        ("path=DB/password", "field-path-error"),
        ("path=new&tags=Team", "field-tags-error"),
        ("path=new&description=%E2%80%8B", "field-description-error"),
    ] {
        let body = form(&pay, &format!("{typed}&value={VALUE}&length=77"));
        let body = body.replace("0123456789abcdef", &format!("{:-<16}", typed.len()));
        let came = stage.post(person(&bob), "/secrets/new", &body).await;
        assert_eq!(came.status, 422, "{typed}: {}", came.body);
        assert!(came.body.contains("value=\"77\"") && came.body.contains(wrong), "{typed}: {}", came.body);
        assert!(
            came.body.contains("field-value-error") && !came.body.contains(VALUE),
            "{typed}: {}",
            came.body
        );
    }
}

#[tokio::test]
async fn to_a_stranger_there_is_no_secret_and_who_only_looks_reads_no_value() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    let gets = [
        "",
        "/edit",
        "/delete",
        "/restore",
        "/versions/new",
        "/versions/1",
        "/versions/1/reveal",
        "/versions/1/label",
        "/labels/current",
    ];
    let ghost = "/secrets/sec_00000000000000000000000000";
    for path in gets {
        let came = stage.get(person(&mallory), &format!("{page}{path}")).await;
        let none = stage.get(person(&mallory), &format!("{ghost}{path}")).await;
        assert_eq!((came.status.as_u16(), none.status.as_u16()), (404, 404), "{path}");
        let id = secret.id.to_string();
        let alike = came.body.replace(&id, "sec_00000000000000000000000000");
        assert_eq!(alike, none.body, "{path}");
    }
    for path in [
        "/delete",
        "/edit",
        "/restore",
        "/versions/new",
        "/versions/1/reveal",
        "/versions/1/download",
        "/versions/1/label",
        "/versions/1/disable",
        "/versions/1/destroy",
        "/versions/1/delete",
    ] {
        let came = stage.post(person(&mallory), &format!("{page}{path}"), "name=password&current=1").await;
        assert_eq!(came.status, 404, "{path}");
    }
    assert!(!stage.get(person(&mallory), "/secrets?q=pass").await.body.contains("password"));
    assert_eq!(stage.get(person(&mallory), "/secrets?project=pay&environment=live").await.status, 404);

    let seen = stage.get(person(&vera), &page).await;
    assert_eq!(seen.status, 200);
    assert!(!seen.body.contains("/reveal"), "no act is offered that is refused: {}", seen.body);
    let refused = stage.post(person(&vera), &format!("{page}/versions/1/reveal"), "").await;
    assert_eq!(refused.status, 403);
    assert!(!refused.body.contains(VALUE) && refused.body.contains("secret.read"), "{}", refused.body);
}

#[tokio::test]
async fn folders_come_first_and_lead_down_and_up() {
    let (stage, pay, [bob, ..]) = cast().await;
    for path in ["api-token", "db/primary/password", "db/primary/user", "db/replica", "zoo/key"] {
        put(&stage, &pay, &bob, path, b"x").await;
    }
    let list = |folder: &'static str| stage.get(person(&bob), folder);
    let top = list("/secrets?project=pay&environment=live").await.body;
    let at = |page: &str, what: &str| page.find(what).unwrap_or_else(|| panic!("no `{what}` in {page}"));
    assert!(at(&top, ">db/<") < at(&top, ">zoo/<") && at(&top, ">zoo/<") < at(&top, ">api-token<"));
    assert!(!top.contains(">replica<") && top.contains("3 secrets"), "{top}");
    let db = list("/secrets?project=pay&environment=live&folder=db").await.body;
    assert!(at(&db, "folder=db%2Fprimary") < at(&db, ">replica<"), "{db}");
    let primary = list("/secrets?project=pay&environment=live&folder=db/primary").await.body;
    assert!(primary.contains(">user<") && primary.contains("folder=db\""), "{primary}");
    assert_eq!(list("/secrets?project=pay&environment=live&folder=../x").await.status, 404);
    assert_eq!(list("/secrets?project=pay&environment=gone&folder=db").await.to, "/secrets?project=pay");
    assert_eq!(list("/secrets?state=nonsense").await.status, 404, "what nobody can read widens nothing");
}

#[tokio::test]
async fn versions_are_made_labelled_disabled_and_destroyed() {
    let (stage, pay, [bob, ..]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", b"first").await;
    let page = format!("/secrets/{}", secret.id);
    let post = async |path: &str, body: &str| {
        let came = stage.post(person(&bob), &format!("{page}{path}"), body).await;
        assert!(!came.body.contains("second"), "{path}: {}", came.body);
        (came.status.as_u16(), came.to)
    };
    let done = (303, page.clone());
    let second = "how=write&kind=text&value=second&label=pending";
    assert_eq!(post("/versions/new", &format!("{second}&current=7")).await.0, 422, "somebody was faster");
    assert_eq!(post("/versions/new", &format!("{second}&current=1")).await, done);
    let made = "how=generate&length=32&alphabet=symbols&label=own&own=blue&current=1";
    assert_eq!(post("/versions/new", made).await, done);
    assert_eq!(post("/versions/new", &made.replace("own=blue", "own=previous")).await.0, 422);

    let form = stage.get(person(&bob), &format!("{page}/versions/2/label")).await.body;
    let version =
        form.split("name=\"row_version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert_eq!(
        post("/versions/2/label", "label=current&row_version=1").await.0,
        422,
        "it was changed meanwhile"
    );
    assert_eq!(post("/versions/2/label", &format!("label=current&row_version={version}")).await, done);
    assert_eq!(post("/labels/blue", "").await, done);
    assert_eq!(post("/labels/current", "").await.0, 422, "it can be moved, not removed");

    assert_eq!(post("/versions/1/disable", "").await, done);
    assert_eq!(post("/versions/1/disable", "").await.0, 422);
    assert_eq!(post("/versions/1/reveal", "").await.0, 422, "it is not read");
    assert_eq!(post("/versions/1/enable", "").await, done);
    assert_eq!(post("/versions/1/destroy", "name=Password").await.0, 422, "the name as it is");
    assert_eq!(post("/versions/1/destroy", "name=password").await, done);
    assert_eq!(post("/versions/2/destroy", "name=password").await.0, 422, "callers read it");
    let shown = stage.get(person(&bob), &page).await.body;
    for state in ["data-state=\"destroyed\"", "data-state=\"enabled\"", "Version 3"] {
        assert!(shown.contains(state), "{state}: {shown}");
    }
}

#[tokio::test]
async fn what_is_deleted_is_listed_with_its_day_and_can_be_had_back() {
    let (stage, pay, [bob, ..]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    let ask = stage.get(person(&bob), &format!("{page}/delete")).await.body;
    assert!(ask.contains("restored for 30 days"), "{ask}");
    let gone = stage.post(person(&bob), &format!("{page}/delete"), "current=1").await;
    assert_eq!((gone.status.as_u16(), &gone.to), (303, &page));
    assert!(!stage.get(person(&bob), "/secrets?q=pass").await.body.contains(&page));
    assert!(stage.get(person(&bob), "/secrets?state=deleted").await.body.contains(&page));
    assert_eq!(stage.post(person(&bob), &format!("{page}/versions/1/reveal"), "").await.status, 404);
    let taken = stage.post(person(&bob), "/secrets/new", &form(&pay, "path=db/password&value=x")).await;
    assert_eq!(taken.status, 422, "its path stays its own");
    let back = stage.post(person(&bob), &format!("{page}/restore"), "").await;
    assert_eq!((back.status.as_u16(), &back.to), (303, &page));
    assert!(stage.get(person(&bob), "/secrets?q=pass").await.body.contains(&page));
}

#[tokio::test]
async fn bytes_that_are_no_text_are_told_and_taken_away_as_a_file() {
    let (stage, pay, [bob, ..]) = cast().await;
    let secret = put(&stage, &pay, &bob, "lines", b"a\r\nb").await;
    let page = format!("/secrets/{}/versions/1", secret.id);
    let shown = stage.post(person(&bob), &format!("{page}/reveal"), "").await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("4 bytes") && !shown.body.contains("id=\"secret\""), "{}", shown.body);
    assert_eq!(stage.post(person(&bob), &format!("{page}/download"), "").await.body, "a\r\nb");
}

#[tokio::test]
async fn an_environment_keeps_what_is_deleted_and_protection_stays_on() {
    let (stage, _, [bob, ..]) = cast().await;
    let page = "/projects/pay/environments/live";
    let version = async || {
        let form = stage.get(person(&bob), &format!("{page}/secrets")).await.body;
        form.split("name=\"row_version\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let save = async |days: &str, more: &str| {
        let body = format!("row_version={}&days={days}{more}", version().await);
        stage.post(person(&bob), &format!("{page}/secrets"), &body).await.status.as_u16()
    };
    assert_eq!(save("6", "").await, 422);
    assert_eq!(save("20", "&protection=1").await, 303);
    assert!(stage.get(person(&bob), page).await.body.contains("20 days"));
    assert_eq!(save("19", "").await, 422, "a shorter window would go round the protection");
    assert_eq!(save("21", "").await, 303);
    assert!(!stage.get(person(&bob), &format!("{page}/secrets")).await.body.contains("type=\"checkbox\""));
}

#[tokio::test]
async fn a_secret_is_found_by_its_owner_and_its_tags_and_handed_to_a_team() {
    let (stage, pay, [bob, ..]) = cast().await;
    let team = stage.cast.team("payments", &[], &[]).await;
    let body = form(&pay, &format!("path=db/password&value={VALUE}&tags=pci%0Ateam=Shop&owner={team}"));
    let page = stage.post(person(&bob), "/secrets/new", &body).await.to;
    let shown = stage.get(person(&bob), &page).await.body;
    assert!(
        shown.contains(&format!("/secrets?owner={team}")) && shown.contains("/secrets?tag=pci"),
        "{shown}"
    );
    let finds = async |query: &str| {
        let came = stage.get(person(&bob), &format!("/secrets?{query}")).await;
        (came.status.as_u16(), came.body.contains(&page))
    };
    for query in [
        format!("owner={team}"),
        "tag=pci".into(),
        "tag=team=Shop".into(),
        "q=PAYMENTS".into(),
        "q=team=shop".into(),
        "project=pay&environment=live&folder=db&q=pci".into(),
    ] {
        assert_eq!(finds(&query).await, (200, true), "{query}");
    }
    for query in [format!("owner={}", bob.id), "tag=team=shop".into(), "state=unreadable".into()] {
        assert_eq!(finds(&query).await, (200, false), "{query}");
    }
    for query in ["owner=me", "tag=%00", "tag=Team", "state=x"] {
        assert_eq!(finds(query).await.0, 404, "{query}: what nobody can read widens nothing");
    }
    let edit = stage.get(person(&bob), &format!("{page}/edit")).await.body;
    let version = edit.split("name=\"row_version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let nobody = format!("row_version={version}&owner=usr_00000000000000000000000000");
    let refused = stage.post(person(&bob), &format!("{page}/edit"), &nobody).await;
    assert!(refused.status == 422 && refused.body.contains("field-owner-error"), "{}", refused.body);
    let mine = format!("row_version={version}&owner={}", bob.id);
    assert_eq!(stage.post(person(&bob), &format!("{page}/edit"), &mine).await.status, 303);
    assert_eq!(finds(&format!("owner={}", bob.id)).await, (200, true));
    assert!(!stage.get(person(&bob), &format!("{page}?tab=audit")).await.body.contains(VALUE));
    let post = stage.post(person(&bob), &format!("{page}/versions/1/disable"), "").await;
    assert_eq!(post.status, 303);
    assert_eq!(finds("state=unreadable").await, (200, true));
}

#[tokio::test]
async fn environments_stand_side_by_side_without_any_value() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let live = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    put(&stage, &pay, &bob, "db/user", b"app").await;
    let new = |path: &str| format!("/secrets/new?project=pay&amp;environment=test&amp;path={path}");
    let page = stage.get(person(&bob), "/secrets/beside?project=pay").await;
    assert_eq!(page.status, 200);
    for part in [&format!("/secrets/{}", live.id), &new("db%2Fpassword"), &new("db%2Fuser")] {
        assert!(page.body.contains(part), "no `{part}` in {}", page.body);
    }
    assert!(!page.body.contains(VALUE));
    let form = stage.get(person(&bob), "/secrets/new?project=pay&environment=test&path=db%2Fuser").await.body;
    assert!(form.contains("value=\"db/user\""), "{form}");
    let seen = stage.get(person(&vera), "/secrets/beside?project=pay&only=missing").await;
    assert!(seen.body.contains("db/user") && !seen.body.contains("/secrets/new"), "{}", seen.body);
    let complete = stage.get(person(&bob), "/secrets/beside?project=pay&folder=nothing").await;
    assert!(complete.status == 200 && complete.body.contains("Nothing here yet"), "{}", complete.body);
    for (who, path) in [
        (&mallory, "/secrets/beside?project=pay"),
        (&bob, "/secrets/beside"),
        (&bob, "/secrets/beside?project=gone"),
        (&bob, "/secrets/beside?project=pay&only=x"),
        (&bob, "/secrets/beside?project=pay&folder=../x"),
    ] {
        assert_eq!(stage.get(person(who), path).await.status, 404, "{path}");
    }
    let lost = stage.get(person(&bob), "/secrets/beside?project=pay&after=%25").await;
    assert_eq!((lost.status.as_u16(), lost.to.as_str()), (303, "/secrets/beside?project=pay"));
}

#[tokio::test]
async fn a_value_is_promoted_from_a_page_that_names_both_sides() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    let ask = format!("{page}/promote/test");
    assert!(stage.get(person(&bob), &page).await.body.contains(&ask));
    assert!(
        !stage.get(person(&vera), &page).await.body.contains("/promote/"),
        "nothing is offered that is refused"
    );
    let asked = stage.get(person(&bob), &ask).await.body;
    for part in ["Promote db/password from live to", "There is no secret at this path in"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let post = async |who: &Player, body: &str| {
        let came = stage.post(person(who), &ask, body).await;
        assert!(!came.body.contains(VALUE), "{}", came.body);
        (came.status.as_u16(), came.to)
    };
    assert_eq!(post(&mallory, "version=1&current=0").await.0, 404);
    assert_eq!(post(&vera, "version=1&current=0").await.0, 403);
    for wrong in ["", "version=1", "version=2&current=0", "version=1&current=3", "version=1&current=-1"] {
        assert_eq!(post(&bob, wrong).await.0, 422, "{wrong}");
    }
    let (status, there) = post(&bob, "version=1&current=0").await;
    assert!(status == 303 && there.starts_with("/secrets/sec_") && there != page, "{status} {there}");
    assert_eq!(post(&bob, "version=1&current=1").await.0, 422, "it is there already");
    let shown = stage.get(person(&bob), &page).await.body;
    assert!(shown.contains("same as here") && !shown.contains(&ask), "{shown}");
    let beside = stage.get(person(&bob), "/secrets/beside?project=pay&only=differences").await.body;
    assert!(beside.contains("No differences"), "{beside}");
    let events = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert_eq!(events.matches(">secret.read<").count(), 1, "{events}");

    // Where nothing may be destroyed at once, the name is written.
    let environment = "/projects/pay/environments/test";
    let form = stage.get(person(&bob), &format!("{environment}/secrets")).await.body;
    let version = form.split("name=\"row_version\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let keep = format!("row_version={version}&days=30&protection=1");
    assert_eq!(stage.post(person(&bob), &format!("{environment}/secrets"), &keep).await.status, 303);
    let place = Place::Environment(pay.live);
    let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"next")).unwrap();
    let next = PutSecret {
        value,
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    stage.cast.domain.put_secret(&bob.op(), &place, &"db/password".parse().unwrap(), next).await.unwrap();
    assert!(stage.get(person(&bob), &ask).await.body.contains("name=\"name\""));
    assert_eq!(post(&bob, "version=2&current=1").await.0, 422);
    assert_eq!(post(&bob, "version=2&current=1&name=live").await.0, 422);
    assert_eq!(post(&bob, "version=2&current=1&name=test").await, (303, there));
    for nowhere in ["gone", "live"] {
        let came = stage.get(person(&bob), &format!("{page}/promote/{nowhere}")).await;
        assert_eq!(came.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn two_versions_are_compared_by_a_post_that_is_told_twice() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db", b"{\"user\": \"app\", \"password\": \"hunter2\"}").await;
    put(&stage, &pay, &bob, "db", b"{\"user\": \"app\", \"password\": \"hunter3\"}").await;
    let page = format!("/secrets/{}", secret.id);
    let ask = format!("{page}/versions/2/compare");
    assert!(stage.get(person(&bob), &format!("{page}/versions/2")).await.body.contains(&ask));
    let form = stage.get(person(&bob), &ask).await;
    assert!(
        form.status == 200 && form.body.contains("Version 1") && !form.body.contains("hunter"),
        "{}",
        form.body
    );
    for wrong in ["", "with=2", "with=9", "with=x"] {
        assert_eq!(stage.post(person(&bob), &ask, wrong).await.status, 422, "{wrong}");
    }
    assert_eq!(stage.post(person(&vera), &ask, "with=1").await.status, 403);
    let asked = "idempotency_key=0123456789abcdef&with=1";
    let shown = stage.post(person(&bob), &ask, asked).await;
    assert_eq!(shown.response.headers()["cache-control"], "no-store");
    for part in ["/password", "changed", "<del>", "hunter2", "<ins>", "hunter3"] {
        assert!(shown.body.contains(part), "{part}: {}", shown.body);
    }
    assert!(
        !shown.body.contains("app&quot;") && !shown.body.contains("/user"),
        "what is the same is not shown: {}",
        shown.body
    );
    assert_eq!(stage.post(person(&bob), &ask, asked).await.status, 409, "a reload reads nothing");
    let told = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert_eq!(told.matches(">secret.read<").count(), 2, "{told}");
    let disabled = stage.post(person(&bob), &format!("{page}/versions/1/disable"), "").await;
    assert_eq!(disabled.status, 303);
    assert_eq!(stage.post(person(&bob), &ask, "with=1").await.status, 422);
}

#[tokio::test]
async fn a_version_is_deleted_from_its_page_and_restored_there() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", b"one").await;
    put(&stage, &pay, &bob, "db/password", b"two").await;
    let page = format!("/secrets/{}", secret.id);
    let (one, two) = (format!("{page}/versions/1"), format!("{page}/versions/2"));
    let get = async |who: &Player, path: &str| stage.get(person(who), path).await.body;
    assert!(get(&bob, &one).await.contains(&format!("{one}/delete")));
    assert!(!get(&vera, &one).await.contains("/delete"), "nothing is offered that is refused");
    assert!(!get(&bob, &two).await.contains("/delete"), "it is current");
    let asked = get(&bob, &format!("{one}/delete")).await;
    for part in ["Delete version 1 of db/password", "previous", "restored for 30 days"] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    let post = async |who: &Player, path: &str| stage.post(person(who), path, "").await;
    let refused = post(&bob, &format!("{two}/delete")).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("It is current"), "{}", refused.body);
    assert_eq!(post(&vera, &format!("{one}/delete")).await.status, 403);
    for path in [format!("{one}/delete"), format!("{one}/restore")] {
        assert_eq!(post(&mallory, &path).await.status, 404, "{path}");
        assert_eq!(stage.get(person(&mallory), &path).await.status, 404, "{path}");
    }
    assert_eq!(post(&bob, &format!("{page}/versions/9/delete")).await.status, 404);
    let done = post(&bob, &format!("{one}/delete")).await;
    assert_eq!((done.status.as_u16(), done.to.as_str()), (303, one.as_str()));
    assert_eq!(post(&bob, &format!("{one}/delete")).await.status, 422, "once");
    let shown = get(&bob, &one).await;
    for part in
        ["This version is deleted. It can be restored until", "data-state=\"soft-deleted\"", "/restore"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("/reveal\"") && !shown.contains(&format!("{one}/label")), "{shown}");
    assert!(get(&bob, &page).await.contains("data-state=\"soft-deleted\""), "the list of versions shows it");
    let read = post(&bob, &format!("{one}/reveal")).await;
    assert_eq!(read.status, 422);
    let done = post(&bob, &format!("{one}/restore")).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(post(&bob, &format!("{one}/restore")).await.status, 422, "once");
    assert!(get(&bob, &one).await.contains("data-state=\"enabled\""));
}

#[tokio::test]
async fn how_long_a_value_is_good_is_asked_told_and_kept() {
    let (stage, pay, [bob, ..]) = cast().await;
    let now = stage.cast.now();
    let field = |hours: i64| (now + chrono::TimeDelta::hours(hours)).format("%Y-%m-%dT%H:%M").to_string();
    let post = async |body: &str| {
        let body = form(&pay, &format!("path=db&value={VALUE}&{body}"));
        stage.post(person(&bob), "/secrets/new", &body).await
    };
    for (wrong, said) in [
        (format!("expires_at={}", field(-1)), "field-expires_at-error"),
        (format!("expires_at={}&not_before={}", field(1), field(2)), "field-expires_at-error"),
        ("expires_at=tomorrow".to_owned(), "field-expires_at-error"),
        ("not_before=2027-02-30T14:00".to_owned(), "field-not_before-error"),
        (format!("not_before={}", "9".repeat(500)), "field-not_before-error"),
    ] {
        let came = post(&wrong).await;
        assert_eq!(came.status, 422, "{wrong}: {}", came.body);
        assert!(came.body.contains(said) && !came.body.contains(VALUE), "{wrong}: {}", came.body);
    }
    let made = post(&format!("expires_at={}", field(73))).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let (page, list) = (made.to, "/secrets?project=pay&environment=live");
    for path in [page.as_str(), list, "/secrets?state=expiring", &format!("{page}/versions/1")] {
        let shown = stage.get(person(&bob), path).await.body;
        assert!(shown.contains("expires in 3 days"), "{path}: {shown}");
    }
    let later = format!("how=write&kind=text&value=x&label=pending&current=1&not_before={}", field(2));
    let came = stage.post(person(&bob), &format!("{page}/versions/new"), &later).await;
    assert_eq!(came.status, 303, "{}", came.body);
    let two = stage.get(person(&bob), &format!("{page}/versions/2")).await.body;
    assert!(
        two.contains("not valid yet") && two.contains("is not read before") && !two.contains("/reveal\""),
        "{two}"
    );
    let read = stage.post(person(&bob), &format!("{page}/versions/2/reveal"), "").await;
    assert!(read.status == 422 && read.body.contains("Version 2 is not read before"), "{}", read.body);

    stage.cast.clock.advance(std::time::Duration::from_hours(73));
    let bob = bob.steps_up();
    for path in [page.as_str(), list, "/secrets?state=expiring", "/secrets?state=unreadable"] {
        let shown = stage.get(person(&bob), path).await.body;
        assert!(shown.contains(">expired<"), "{path}: {shown}");
    }
    let read = stage.post(person(&bob), &format!("{page}/versions/1/reveal"), "").await;
    assert!(read.status == 422 && read.body.contains("Version 1 expired at"), "{}", read.body);
    assert!(!read.body.contains(VALUE));
}

#[tokio::test]
async fn a_folder_is_returned_to_what_it_was_from_a_page_that_says_what_that_does() {
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let moved = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let deleted = put(&stage, &pay, &bob, "db/user", b"one").await;
    let lost = put(&stage, &pay, &bob, "db/lost", b"one").await;
    let then = stage.cast.now().format("%Y-%m-%dT%H:%M").to_string();
    stage.cast.clock.advance(std::time::Duration::from_mins(1));
    let domain = &stage.cast.domain;
    put(&stage, &pay, &bob, "db/password", b"two").await;
    put(&stage, &pay, &bob, "db/lost", b"two").await;
    put(&stage, &pay, &bob, "db/later", b"one").await;
    domain.destroy_secret_version(&bob.op(), lost.id, 1).await.unwrap();
    let address = keywarden_domain::secrets::Address::Id(deleted.id);
    domain.delete_secret(&bob.op(), &address, None).await.unwrap();

    let here = "/secrets/as-of?project=pay&environment=live&folder=db";
    let list = "/secrets?project=pay&environment=live&folder=db";
    let link = here.replace('&', "&amp;");
    let shown = stage.get(person(&bob), list).await.body;
    assert!(shown.contains(&link), "{link}: {shown}");
    let asked = stage.get(person(&bob), here).await;
    assert!(asked.status == 200 && asked.body.contains("type=\"datetime-local\""), "{}", asked.body);
    let at = format!("{here}&at={then}");
    let shown = stage.get(person(&bob), &at).await;
    for part in [
        "version 1 is current again",
        "not restorable: version 1 was destroyed",
        ">restored<",
        "was not there",
        "1 secret cannot be as it was",
        "name=\"later\"",
    ] {
        assert!(shown.body.contains(part), "{part}: {}", shown.body);
    }
    assert!(!shown.body.contains(VALUE));
    let seen = |body: &str| {
        body.split("name=\"seen\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let looked = stage.get(person(&vera), &at).await;
    assert!(looked.status == 200 && !looked.body.contains("name=\"seen\""), "{}", looked.body);

    let post = async |who: &Player, path: &str, body: &str| {
        let came = stage.post(person(who), path, body).await;
        assert!(!came.body.contains(VALUE), "{}", came.body);
        (came.status.as_u16(), came.to, came.body)
    };
    let mark = seen(&shown.body);
    assert_eq!(post(&vera, &at, &format!("seen={mark}")).await.0, 403);
    assert_eq!(post(&mallory, &at, &format!("seen={mark}")).await.0, 404);
    for (path, body) in [
        (at.as_str(), String::new()),
        (&at, "seen=x".to_owned()),
        (here, format!("seen={mark}")),
        (&format!("{here}&at=tomorrow"), format!("seen={mark}")),
    ] {
        assert_eq!(post(&bob, path, &body).await.0, 422, "{path} {body}");
    }
    put(&stage, &pay, &bob, "db/password", b"three").await;
    let (status, _, body) = post(&bob, &at, &format!("seen={mark}")).await;
    assert!(status == 422 && body.contains("name=\"seen\""), "what was seen is not so any more: {body}");
    let (status, to, _) = post(&bob, &at, &format!("later=1&seen={}", seen(&body))).await;
    assert_eq!((status, to.as_str()), (303, list));
    let view = domain.secret(&bob.op(), &keywarden_domain::secrets::Address::Id(moved.id)).await.unwrap();
    assert_eq!(view.labels[0].1, 1, "{:?}", view.labels);
    let after = stage.get(person(&bob), list).await.body;
    assert!(after.contains(">user<") && !after.contains(">later<"), "{after}");
    let same = stage.get(person(&bob), &at).await.body;
    assert!(same.contains("Nothing can be returned"), "{same}");

    for (who, path, status) in [
        (&mallory, at.as_str(), 404),
        (&bob, "/secrets/as-of", 404),
        (&bob, "/secrets/as-of?project=pay", 404),
        (&bob, "/secrets/as-of?project=pay&environment=gone", 404),
        (&bob, "/secrets/as-of?project=pay&environment=live&folder=../x", 404),
        (&bob, "/secrets/as-of?project=pay&environment=live&at=yesterday", 422),
        (&bob, "/secrets/as-of?project=pay&environment=live&at=2027-02-30T10:00", 422),
        (&bob, "/secrets/as-of?project=pay&environment=live&at=9999-01-01T00:00", 422),
        (&bob, "/secrets/as-of?project=pay&environment=live&at=1970-01-01T00:00", 200),
    ] {
        assert_eq!(stage.get(person(who), path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn a_leaked_secret_is_told_to_who_may_see_it_and_echoed_to_nobody() {
    const LEAKED: &str = "sk_live_4f9a1c77e2b8d03a";
    let (stage, pay, [bob, vera, mallory]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", LEAKED.as_bytes()).await.id;
    for (player, knows) in [(&bob, true), (&vera, true), (&mallory, false)] {
        let came = stage.post(person(player), "/leaks", &format!("value=+{LEAKED}")).await;
        assert_eq!(came.status, 200, "{}", came.body);
        assert_eq!(came.body.contains(&format!("/secrets/{id}")), knows, "{}: {}", player.name, came.body);
        assert_eq!(
            came.body.contains("This is a secret&#x27;s current value")
                || came.body.contains("This is a secret's current value"),
            knows
        );
        assert!(!came.body.contains(LEAKED), "{}", player.name);
    }
    put(&stage, &pay, &bob, "db/password", b"newer").await;
    let came = stage.post(person(&vera), "/leaks", &format!("value={LEAKED}")).await;
    assert!(came.body.contains("A secret held this value"), "{}", came.body);
}

#[tokio::test]
async fn where_an_environment_asks_why_each_form_that_reads_asks_it() {
    let (stage, pay, [bob, ..]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await.id;
    put(&stage, &pay, &bob, "db/password", b"newer").await;
    let edit = "/projects/pay/environments/live";
    let form = stage.get(person(&bob), edit).await.body;
    assert!(form.contains("name=\"reads_need_reason\"") && !form.contains("checked"), "{form}");
    let body = "idempotency_key=aaaaaaaaaaaaaaaa&name=live&lifetime_days=365&overlap_hours=24&row_version=1&reads_need_reason=1";
    let saved = stage.post(person(&bob), edit, body).await;
    assert_eq!(saved.status, 303, "{}", saved.body);

    let page = format!("/secrets/{id}");
    let one = format!("{page}/versions/1");
    let shown = stage.get(person(&bob), &page).await.body;
    assert!(
        !shown.contains(&format!("action=\"{page}/versions/2/reveal\"")),
        "no button reads at once: {shown}"
    );
    assert!(shown.contains(&format!("href=\"{page}/versions/2/reveal\"")), "{shown}");
    let asking = [
        (format!("{one}/reveal"), ""),
        (format!("{one}/download"), ""),
        (format!("{one}/compare"), "&with=2"),
        (format!("{one}/share"), "&who=passphrase&life=1h"),
        ("/secrets/export?project=pay&environment=live".to_owned(), "&format=json"),
    ];
    for (n, (path, more)) in asking.iter().enumerate() {
        let form = stage.get(person(&bob), path).await.body;
        assert!(
            form.contains("name=\"reason\"") && form.contains("This environment asks for it"),
            "{path}: {form}"
        );
        for (m, (reason, says)) in
            [("", "Fill this in"), ("ab", "Use at least 3 characters")].iter().enumerate()
        {
            let body = format!("idempotency_key=bbbbbbbbbbbbbb{n}{m}&reason={reason}{more}");
            let came = stage.post(person(&bob), path, &body).await;
            assert_eq!(came.status, 422, "{path}: {}", came.body);
            assert!(came.body.contains(says) && !came.body.contains(VALUE), "{path}: {}", came.body);
        }
        let body = format!("idempotency_key=cccccccccccccc{n}{n}&reason=INC-7+is+open{more}");
        let came = stage.post(person(&bob), path, &body).await;
        assert_eq!(came.status, 200, "{path}: {}", came.body);
    }
    let told = stage.get(person(&bob), &format!("{page}?tab=audit")).await.body;
    assert!(told.matches(">secret.read<").count() >= 5, "{told}");
}
