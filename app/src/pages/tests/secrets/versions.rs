//! Versions: made, labelled, disabled, deleted, restored, destroyed.

use std::time::Duration;

use keywarden_domain::{
    backup::Schedule,
    cast::{Engine, House, Player},
};
use keywarden_model::Role;

use super::super::{Stage, person};
use super::{VALUE, cast, form, put};

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
async fn what_a_value_is_for_other_programs_is_asked_and_carried_on() {
    let (stage, pay, [bob, ..]) = cast().await;
    let body = form(&pay, "path=tls/key&value=a&content_type=application/x-pem-file");
    let made = stage.post(person(&bob), "/secrets/new", &body).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let (next, typed) = (format!("{}/versions/new", made.to), "name=\"content_type\"");
    let value = "value=\"application/x-pem-file\"";
    let asked = stage.get(person(&bob), &next).await.body;
    assert!(asked.contains(typed) && asked.contains(value), "as before: {asked}");
    let shown = stage.get(person(&bob), &format!("{}/versions/1", made.to)).await.body;
    assert!(shown.contains(">application/x-pem-file<"), "{shown}");

    let put = "current=1&label=current&how=generate&length=32&alphabet=symbols&content_type=";
    let wrong = stage.post(person(&bob), &next, &format!("{put}PEM")).await;
    assert!(wrong.status == 422 && wrong.body.contains("field-content_type-error"), "{}", wrong.body);
    assert_eq!(stage.post(person(&bob), &next, put).await.status, 303);
    let shown = stage.get(person(&bob), &format!("{}/versions/2", made.to)).await.body;
    assert!(shown.contains(">text/plain<"), "{shown}");
    let asked = stage.get(person(&bob), &next).await.body;
    assert!(asked.contains(typed) && !asked.contains("text/plain"), "the kind's own: {asked}");
}

#[tokio::test]
async fn a_version_says_who_made_it_with_what_from_where_and_why() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let why = "reason=INC-7+is+open";
    let post = async |path: &str, body: &str| stage.post(person(&bob), path, body).await;
    let get = async |who: &Player, path: &str| stage.get(person(who), path).await.body;
    assert!(get(&bob, "/secrets/new").await.contains("name=\"reason\""));
    let first = |reason: &str| form(&pay, &format!("path=db/password&value={VALUE}&{reason}"));
    let wrong = post("/secrets/new", &first("reason=no")).await;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    assert!(wrong.body.contains("Use at least 3 characters"), "{}", wrong.body);
    let made = post("/secrets/new", &first(why)).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let page = made.to;
    let one = get(&bob, &format!("{page}/versions/1")).await;
    for part in ["Made with", "console", "INC-7 is open", ">Bob<", "Show the event"] {
        assert!(one.contains(part), "{part}: {one}");
    }
    let seen = get(&vera, &format!("{page}/versions/1")).await;
    assert!(seen.contains("INC-7 is open") && !seen.contains("Show the event"), "{seen}");

    let new = format!("{page}/versions/new");
    assert!(get(&bob, &new).await.contains("name=\"reason\""));
    let second = "idempotency_key=aaaaaaaaaaaaaaaa&how=write&kind=text&value=second&label=current&current=1";
    assert_eq!(post(&new, &format!("{second}&reason=no")).await.status, 422);
    let put = post(&new, &second.replace("aaaa", "bbbb")).await;
    assert_eq!(put.status, 303, "{}", put.body);
    assert!(!get(&bob, &format!("{page}/versions/2")).await.contains("INC-7"), "nothing was said");

    let promote = format!("{page}/promote/test");
    assert!(get(&bob, &promote).await.contains("You may leave it empty"), "nobody asks for it");
    let carried =
        post(&promote, &format!("idempotency_key=cccccccccccccccc&version=2&current=0&{why}")).await;
    assert_eq!(carried.status, 303, "{}", carried.body);
    let there = get(&bob, &format!("{}/versions/1", carried.to)).await;
    for part in ["Value from", "Version 2 in live", "INC-7 is open", &format!("href=\"{page}\"")] {
        assert!(there.contains(part), "{part}: {there}");
    }

    let rotate = format!("{page}/data-key");
    assert!(get(&bob, &rotate).await.contains("You may leave it empty"));
    let key = "idempotency_key=dddddddddddddddd";
    let wrong = post(&rotate, &format!("{key}&reason=no")).await;
    assert!(wrong.status == 422 && wrong.body.contains("field-reason-error"), "{}", wrong.body);
    let rotated = post(&rotate, &format!("{key}&reason=a+key+turned+up")).await;
    assert_eq!(rotated.status, 303, "{}", rotated.body);
    assert!(get(&bob, &format!("{page}/versions/3")).await.contains("a key turned up"));
}

#[tokio::test]
async fn of_a_deleted_secret_the_page_offers_to_destroy_what_is_current() {
    let (stage, pay, [bob, ..]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    let destroy = format!("{page}/versions/1/destroy");
    let post = async |path: &str, body: &str| stage.post(person(&bob), path, body).await;
    let version = async || stage.get(person(&bob), &format!("{page}/versions/1")).await.body;
    assert!(!version().await.contains(&destroy), "callers read it");
    let refused = post(&destroy, "name=password").await;
    assert_eq!(refused.status, 422, "{}", refused.body);
    assert!(refused.body.contains("delete the secret first"), "{}", refused.body);
    assert_eq!(post(&format!("{page}/delete"), "current=1").await.status, 303);
    assert!(version().await.contains(&destroy));
    assert_eq!(post(&destroy, "name=password").await.status, 303);
    let shown = version().await;
    assert!(shown.contains("data-state=\"destroyed\"") && !shown.contains(&destroy), "{shown}");
}

#[tokio::test]
async fn a_deleted_secret_is_destroyed_when_its_name_is_typed() {
    let (stage, pay, [bob, vera, _]) = cast().await;
    let secret = put(&stage, &pay, &bob, "db/password", VALUE.as_bytes()).await;
    let page = format!("/secrets/{}", secret.id);
    let purge = format!("{page}/purge");
    let post = async |path: &str, body: &str| stage.post(person(&bob), path, body).await;
    let shown = async |who: &Player| stage.get(person(who), &page).await.body;
    assert!(!shown(&bob).await.contains(&purge), "it is not deleted");
    assert_eq!(post(&purge, "name=password").await.status, 422);
    assert_eq!(post(&format!("{page}/delete"), "current=1").await.status, 303);
    assert!(shown(&bob).await.contains(&purge) && !shown(&vera).await.contains(&purge));
    assert_eq!(stage.post(person(&vera), &purge, "name=password").await.status, 403);
    assert_eq!(post(&purge, "name=Password").await.status, 422, "the name as it is");
    let once = "idempotency_key=0123456789abcdef&name=password";
    let done = post(&purge, once).await;
    assert_eq!(done.status, 303, "{}", done.body);
    assert_eq!(stage.get(person(&bob), &page).await.status, 404);
    let again = post(&purge, once).await;
    assert_eq!((again.status.as_u16(), again.to.as_str()), (303, "/secrets"), "a form that comes twice");
    let other = "idempotency_key=0123456789abcdee&name=password";
    assert_eq!(post(&purge, other).await.status, 404, "it is not there any more");
    assert_eq!(stage.post(person(&vera), &purge, once).await.status, 404, "nor was it she who did it");
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
    let restore = "idempotency_key=0123456789abcdef";
    for time in ["once", "a form that comes twice"] {
        let back = stage.post(person(&bob), &format!("{page}/restore"), restore).await;
        assert_eq!((back.status.as_u16(), &back.to), (303, &page), "{time}: {}", back.body);
    }
    assert!(stage.get(person(&bob), "/secrets?q=pass").await.body.contains(&page));
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
async fn before_and_after_a_value_is_destroyed_it_is_said_until_when_backups_hold_it() {
    const BACKUPS: &str = "INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
        VALUES ('bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 4000000000000000, 1, '/backups/a', 10, 'aa', '[]'),
               ('bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AC', 4000000000000001, 1, '/media/usb/b', 10, 'aa', '[]')";
    const RECIPIENT: &str =
        "INSERT INTO backup_recipients (id, name, text, added_at) VALUES ('rcp_a', 'Safe', '-', 1)";
    let cast = House::new(Engine::Sqlite).await;
    let schedule = Schedule { folder: "/backups".into(), every: Duration::from_hours(24), keep: 2 };
    let stage = Stage::of(cast.neighbour_with(|settings| settings.backups = Some(schedule)).await);
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let id = put(&stage, &pay, &bob, "db/password", b"one").await.id;
    put(&stage, &pay, &bob, "db/password", b"two").await;
    let gone = put(&stage, &pay, &bob, "db/key", b"one").await;
    let one = format!("/secrets/{id}/versions/1");
    let get = async |path: &str| stage.get(person(&bob), path).await.body;
    let asked = get(&format!("{one}/destroy")).await;
    assert!(asked.contains("No backup that this server knows of holds it."), "{asked}");
    stage.cast.put_by(&[BACKUPS, RECIPIENT]).await;
    let asked = get(&format!("{one}/destroy")).await;
    for said in ["until 4 Oct 2096", "1 backup was written elsewhere", "are not known here"] {
        assert!(asked.contains(said), "{said}: {asked}");
    }
    assert!(
        !asked.contains("/backups") && !asked.contains("usb"),
        "where they lie is told to nobody here: {asked}"
    );
    assert!(!get(&one).await.contains("In backups"), "it is there still");
    let (deleted, purge) = (format!("/secrets/{}/delete", gone.id), format!("/secrets/{}/purge", gone.id));
    assert_eq!(stage.post(person(&bob), &deleted, "current=1").await.status, 303);
    let wrong = stage.post(person(&bob), &purge, "name=keg").await.body;
    for asked in [get(&purge).await, wrong] {
        for said in ["until 4 Oct 2096", "1 backup was written elsewhere", "are not known here"] {
            assert!(asked.contains(said), "{said}: {asked}");
        }
    }

    let wrong = stage.post(person(&bob), &format!("{one}/destroy"), "name=passwort").await;
    assert!(wrong.status == 422 && wrong.body.contains("until 4 Oct 2096"), "{}", wrong.body);
    assert_eq!(stage.post(person(&bob), &format!("{one}/destroy"), "name=password").await.status, 303);
    let after = get(&one).await;
    assert!(after.contains("In backups") && after.contains("No backup that this server knows of"), "{after}");
}
