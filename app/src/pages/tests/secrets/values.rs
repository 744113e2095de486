//! Values: each leaves by a post that asked for it, and is in no other page.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keywarden_domain::{
    Op, Source,
    secrets::{Address, Which},
};
use keywarden_model::Role;

use super::super::{person, undecided};
use super::{VALUE, cast, form, put};

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
        let alike = undecided(&came.body).replace(&id, "sec_00000000000000000000000000");
        assert_eq!(alike, undecided(&none.body), "{path}");
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
    let copied = stage.get(person(&bob), &format!("{page}?tab=copy")).await.body;
    assert!(copied.contains("Keywarden-Reason: $KEYWARDEN_REASON"), "{copied}");
    assert!(copied.contains("takes the reason from KEYWARDEN_REASON"), "{copied}");
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

#[tokio::test]
async fn where_a_value_went_is_told_once_for_each_reader_to_who_may_read_the_record() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let id = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await.id;
    let page = format!("/secrets/{id}");
    let none = stage.get(person(&bob), &page).await.body;
    assert!(none.contains("Nobody has read it lately"), "{none}");
    assert!(!stage.get(person(&vera), &page).await.body.contains("Where it is delivered"));
    let machine = stage.cast.workload("deployer", Role::Reader, Some(pay.id)).await;
    let op = machine.op();
    let source = Source { agent: Some("keywarden/1.2.3 (run)".into()), ..op.source };
    let (op, address) = (Op { source, ..op }, Address::Id(id));
    stage.cast.domain.read_secret(&op, &address, &Which::default()).await.unwrap();
    put(&stage, &pay, &bob, "db/password", b"newer").await;
    assert_eq!(stage.post(person(&bob), &format!("{page}/versions/2/reveal"), "").await.status, 200);
    let told = stage.get(person(&bob), &page).await.body;
    let panel = told.split("id=\"delivered\"").nth(1).unwrap().split("</section>").next().unwrap();
    for part in [
        ">deployer<",
        "keywarden run",
        ">Bob<",
        "console",
        "1 of them last got a version that is not current",
    ] {
        assert!(panel.contains(part), "{part}: {panel}");
    }
    assert_eq!(panel.matches("not current<").count(), 1, "{panel}");
    assert!(!panel.contains(VALUE) && !panel.contains("newer"), "{panel}");
}

#[tokio::test]
async fn a_page_says_where_else_its_value_is_and_a_notice_that_it_is_an_old_one() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let value = "sk_live_4f9a1c77e2b8d03a";
    let secret = put(&stage, &pay, &bob, "db/password", value.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    assert!(!stage.get(person(&bob), &page).await.body.contains("id=\"reuse\""), "it is nowhere else");
    put(&stage, &pay, &bob, "db/copy", value.as_bytes()).await;
    let shown = stage.get(person(&bob), &page).await.body;
    let panel = shown.split("id=\"reuse\"").nth(1).unwrap();
    assert!(panel.contains("db/copy") && !shown.contains(value), "{shown}");
    let seen = stage.get(person(&vera), &page).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(
        !seen.body.contains("id=\"reuse\""),
        "who may not read them learns nothing of them: {}",
        seen.body
    );
    let again =
        format!("idempotency_key=0123456789abcdef&how=write&kind=text&value={value}&label=current&current=1");
    let came = stage.post(person(&bob), &format!("{page}/versions/new"), &again).await;
    assert_eq!((came.status.as_u16(), &came.to), (303, &page), "{}", came.body);
    let said = URL_SAFE_NO_PAD.encode("Version 2 is kept. Its value is the same as that of version 1.");
    let cookie = came.response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains(&said), "{cookie}");
}
