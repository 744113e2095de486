//! What key pages promise, asked of their handlers on a real store.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::{FromRequest as _, Path, State},
    response::Response,
};
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use keywarden_domain::{
    cast::{self, Player, Stage, both_engines},
    keys::{Issued, NewKey, Place},
};

use super::{issue, list, revoke, rotate, show, stop_old, suspend};
use crate::{
    console::Console,
    context::{Asking, House, Posted, Standing},
    form::Params,
    pages::leaks,
    shell::{Shell, Visit},
};

fn house(staged: &cast::House) -> House {
    let console = Console::new(false, |_| None);
    House::new(staged.domain.clone(), console, Arc::default(), Standing::default)
}

fn asking(house: &House, player: &Player) -> Asking {
    let op = player.op();
    let visit = Visit::read(&HeaderMap::new(), "/keys", "req_1".into(), house.console);
    Asking { shell: Shell::new(house.console, visit, op.now, "seed-of-this-page".into()), op }
}

async fn posted(house: &House, path: &str, body: &str) -> Posted {
    let request = Request::post(path)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap();
    Posted::from_request(request, house).await.unwrap()
}

async fn html(response: Response) -> (StatusCode, String) {
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn issued(staged: &cast::House, stage: &Stage, by: &Player, name: &str) -> Issued {
    let new = NewKey::named(Place::Environment(stage.live), name.parse().unwrap());
    staged.domain.issue_key(&by.op(), new).await.unwrap()
}

async fn shown(house: &House, by: &Player, id: &str, query: &str) -> (StatusCode, String) {
    html(show::show(State(house.clone()), asking(house, by), Path(id.into()), Params::parse(query)).await)
        .await
}

#[tokio::test]
async fn a_value_is_in_the_answer_that_made_it_and_in_no_other_page() {
    both_engines(async |staged| {
        let pay = staged.project("pay").await;
        let bob = staged.person("Bob", &[(keywarden_model::Role::Issuer, Some(pay.id))]).await;
        let house = house(&staged);
        let body = format!(
            "idempotency_key=seed-of-this-page&environment={}&name=checkout&expiry=90&rate_window=60&scopes=orders:read",
            pay.live
        );
        let form = posted(&house, "/keys/new", &body).await;
        let answer =
            issue::issue(State(house.clone()), asking(&house, &bob), Params::default(), form).await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let (status, page) = html(answer).await;
        assert_eq!(status, StatusCode::OK, "{page}");
        let at = page.find("value=\"kwk_live_").unwrap() + "value=\"".len();
        let value = page[at..].split('"').next().unwrap().to_owned();
        assert_eq!(page.matches(&value).count(), 1, "once, so that nothing else can carry it away");

        let id = page.split("/keys/key_").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let id = format!("key_{id}");
        for tab in ["", "tab=drain", "tab=audit"] {
            let (status, page) = shown(&house, &bob, &id, tab).await;
            assert_eq!(status, StatusCode::OK, "{tab}");
            assert!(page.contains("checkout") && !page.contains(&value), "{tab}");
        }
        let listed = list::list(State(house.clone()), asking(&house, &bob), Params::default()).await;
        let (_, page) = html(listed).await;
        assert!(page.contains(&format!("/keys/{id}")) && !page.contains(&value));
        let search = Params::parse(&format!("q={value}&state=active"));
        let moved = list::list(State(house.clone()), asking(&house, &bob), search).await;
        let to = moved.headers()[header::LOCATION].to_str().unwrap();
        assert!(to.starts_with("/keys?state=active&q=kwk_live_") && !to.contains(&value), "{to}");
    })
    .await;
}

#[tokio::test]
async fn a_refused_form_keeps_what_was_typed_and_says_what_is_wrong_where() {
    both_engines(async |staged| {
        let pay = staged.project("pay").await;
        let bob = staged.person("Bob", &[(keywarden_model::Role::Issuer, Some(pay.id))]).await;
        issued(&staged, &pay, &bob, "checkout").await;
        let house = house(&staged);
        for (fields, wrong) in [
            ("name=Checkout&expiry=90&rate_window=60", "field-name-error"),
            ("name=other&expiry=longest&rate_window=60&scopes=Orders", "field-scopes-error"),
            ("name=other&expiry=date&expires_at=2099-01-01T00:00&rate_window=60", "field-expires_at-error"),
        ] {
            let body = format!("environment={}&description=typed+by+hand&{fields}", pay.live);
            let form = posted(&house, "/keys/new", &body).await;
            let answer =
                issue::issue(State(house.clone()), asking(&house, &bob), Params::default(), form).await;
            let (status, page) = html(answer).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{fields}");
            assert!(page.contains("typed by hand") && page.contains(wrong), "{fields}: {page}");
        }
    })
    .await;
}

#[tokio::test]
async fn to_a_stranger_there_is_no_key() {
    both_engines(async |staged| {
        let pay = staged.project("pay").await;
        let bob = staged.person("Bob", &[(keywarden_model::Role::Issuer, Some(pay.id))]).await;
        let mallory = staged.person("Mallory", &[]).await;
        let key = issued(&staged, &pay, &bob, "checkout").await;
        let house = house(&staged);
        let id = key.id.to_string();
        let answers = [
            show::show(State(house.clone()), asking(&house, &mallory), Path(id.clone()), Params::default())
                .await,
            rotate::ask(State(house.clone()), asking(&house, &mallory), Path(id.clone())).await,
            suspend::ask(State(house.clone()), asking(&house, &mallory), Path(id.clone())).await,
            rotate::rotate(
                State(house.clone()),
                asking(&house, &mallory),
                Path(id.clone()),
                posted(&house, "/", "overlap=0").await,
            )
            .await,
            revoke::revoke(
                State(house.clone()),
                asking(&house, &mallory),
                Path(id.clone()),
                posted(&house, "/", "reason=superseded").await,
            )
            .await,
        ];
        for answer in answers {
            let (status, page) = html(answer).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert!(!page.contains("checkout"), "{page}");
        }
        let (_, page) =
            html(list::list(State(house.clone()), asking(&house, &mallory), Params::default()).await).await;
        assert!(!page.contains("checkout"));
    })
    .await;
}

#[tokio::test]
async fn a_rotation_leaves_an_old_value_that_can_be_stopped() {
    both_engines(async |staged| {
        let pay = staged.project("pay").await;
        let bob = staged.person("Bob", &[(keywarden_model::Role::Issuer, Some(pay.id))]).await;
        let key = issued(&staged, &pay, &bob, "checkout").await;
        let house = house(&staged);
        let id = key.id.to_string();
        let form = posted(&house, "/", "overlap=86400").await;
        let answer = rotate::rotate(State(house.clone()), asking(&house, &bob), Path(id.clone()), form).await;
        let (status, page) = html(answer).await;
        assert_eq!(status, StatusCode::OK);
        assert!(page.contains("kwk_live_") && !page.contains(key.value.expose()));

        let (_, page) = shown(&house, &bob, &id, "tab=drain").await;
        let old = page.split("/values/").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
        let at = Path((id.clone(), old));
        let form = posted(&house, "/", "").await;
        let answer = stop_old::stop(State(house.clone()), asking(&house, &bob), at, form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let (_, page) = shown(&house, &bob, &id, "tab=drain").await;
        assert!(!page.contains("/values/"), "{page}");
    })
    .await;
}

#[tokio::test]
async fn a_leaked_value_is_told_to_whom_it_concerns_and_echoed_to_nobody() {
    both_engines(async |staged| {
        let pay = staged.project("pay").await;
        let bob = staged.person("Bob", &[(keywarden_model::Role::Issuer, Some(pay.id))]).await;
        let mallory = staged.person("Mallory", &[]).await;
        let key = issued(&staged, &pay, &bob, "checkout").await;
        let house = house(&staged);
        for (player, knows) in [(&bob, true), (&mallory, false)] {
            let form = posted(&house, "/leaks", &format!("value={}", key.value.expose())).await;
            let answer = leaks::look_up::look_up(State(house.clone()), asking(&house, player), form).await;
            let (status, page) = html(answer).await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(page.contains(&format!("/keys/{}", key.id)), knows, "{}", player.name);
            assert!(!page.contains(key.value.expose()));
        }
    })
    .await;
}
