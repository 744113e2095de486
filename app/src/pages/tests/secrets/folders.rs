//! Pages of many secrets: folders, lists, environments side by side, a folder as it was.

use keywarden_domain::cast::Player;

use super::super::person;
use super::{VALUE, cast, form, put};

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
    put(&stage, &pay, &bob, "db/password", b"next").await;
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
