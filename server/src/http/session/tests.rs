//! The cookie's contract, with a real store and a real ceremony behind it.

use std::sync::Mutex;

use axum::{Extension, body::Body, extract::Path, routing::get};
use keywarden_domain::{
    cast::both_engines,
    passkeys::soft::SoftAuthenticator,
    people::{LinkKind, SignedIn},
};
use tower::ServiceExt;

use super::*;

const ORIGIN: &str = "https://keys.example.com";

async fn set_up(domain: &Domain, soft: &mut SoftAuthenticator) -> SignedIn {
    let op = |actor| domain.op(actor, Source::default(), domain.env().id(domain.env().now()));
    let link = domain.open_setup(&op(Actor::System("start"))).await.unwrap();
    let prefix = [ORIGIN, LinkKind::Setup.path()].concat();
    let link = link.url.expose().strip_prefix(&prefix).unwrap().to_owned();
    let (organization, ada) = ("Example".parse().unwrap(), "Ada".parse().unwrap());
    let started = domain.start_setup(&op(Actor::Nobody), &link, &organization, &ada).await.unwrap();
    let options = serde_json::to_value(&started.options).unwrap();
    let answer = soft.create(ORIGIN, &options).unwrap();
    let answer = serde_json::to_vec(&answer).unwrap();
    domain.finish_setup(&op(Actor::Nobody), &link, started.ceremony, &answer, &ada).await.unwrap()
}

/// A door with three rooms: who asks, in, and out.
fn door(domain: &Domain, https: bool, change: SessionChange) -> Router {
    let change = Arc::new(Mutex::new(Some(change)));
    let door =
        Router::new().route("/who", get(async |Extension(actor): Extension<Actor>| actor.to_string())).route(
            "/{way}",
            get(async move |Path(way): Path<String>| {
                let opened = change.lock().unwrap().take();
                Extension(if way == "in" { opened.unwrap() } else { SessionChange::Ended })
            }),
        );
    around(door, domain, https)
}

async fn ask(door: &Router, path: &str, cookies: &str) -> (Vec<String>, String) {
    let request = Request::builder().uri(path).header(header::COOKIE, cookies);
    let response = door.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let set = response.headers().get_all(header::SET_COOKIE);
    let set = set.iter().map(|line| line.to_str().unwrap().to_owned()).collect();
    let body = axum::body::to_bytes(response.into_body(), 1_000).await.unwrap();
    (set, String::from_utf8(body.to_vec()).unwrap())
}

fn value(line: &str) -> &str {
    line.split(';').next().unwrap()
}

#[tokio::test]
async fn a_cookie_is_made_by_signing_in_and_stops_with_the_session() {
    both_engines(async |house| {
        let ada = set_up(&house.domain, &mut SoftAuthenticator::new(1)).await;
        let person = format!("person {}", ada.person.id);
        let door = door(&house.domain, true, ada.into());
        let browser = "__Host-keywarden-browser=0123456789abcdef0123456789abcdef";
        let (set, _) = ask(&door, "/in", browser).await;
        let [line] = set.as_slice() else { panic!("{set:?}") };
        assert!(line.starts_with("__Host-keywarden=") && !line.contains("Domain"), "{line}");
        assert!(!line.contains("Max-Age") && !line.contains("Expires"), "gone with the browser: {line}");
        for attribute in ["HttpOnly", "Secure", "SameSite=Lax", "Path=/"] {
            assert!(line.contains(attribute), "{line}");
        }
        let cookies = format!("{browser}; {}", value(line));
        let proven = |cookies: &str| {
            let headers = [(header::COOKIE, HeaderValue::from_str(cookies).unwrap())].into_iter().collect();
            shown(&headers, true).and_then(|key| house.domain.proven_session(&key)).is_some()
        };
        assert!(!proven(&cookies), "nobody has shown it yet");
        assert_eq!(ask(&door, "/who", &cookies).await, (vec![], person));
        assert!(proven(&cookies) && !proven(browser));
        let plain = cookies.replace("__Host-keywarden=", "keywarden=");
        assert_eq!(ask(&door, "/who", &plain).await.1, "nobody nobody", "another name is another cookie");
        let (set, _) = ask(&door, "/out", &cookies).await;
        assert!(set.len() == 1 && set[0].starts_with("__Host-keywarden=;"), "{set:?}");
        assert_eq!(ask(&door, "/who", &cookies).await.1, "nobody nobody");
        assert!(!proven(&cookies));
    })
    .await;
}

#[tokio::test]
async fn a_browser_is_known_from_its_first_visit_on_and_no_cookie_makes_a_session() {
    both_engines(async |house| {
        let ada = set_up(&house.domain, &mut SoftAuthenticator::new(1)).await;
        let door = door(&house.domain, false, ada.into());
        let (set, who) = ask(&door, "/who", "").await;
        assert_eq!(who, "nobody nobody");
        let [line] = set.as_slice() else { panic!("{set:?}") };
        assert!(
            line.starts_with("keywarden-browser=") && line.contains("HttpOnly") && !line.contains("Secure")
        );
        assert!(ask(&door, "/who", value(line)).await.0.is_empty());
        let guessed = format!("{}; keywarden=AAAAAAAAAAAAAAAAAAAAAA", value(line));
        assert_eq!(ask(&door, "/who", &guessed).await.1, "nobody nobody");
    })
    .await;
}

#[tokio::test]
async fn what_was_sent_before_a_step_up_takes_the_new_cookie_from_nobody() {
    both_engines(async |house| {
        let mut soft = SoftAuthenticator::new(1);
        let ada = set_up(&house.domain, &mut soft).await;
        let door = door(&house.domain, true, SessionChange::Ended);
        let with = |key: &SessionKey| {
            let browser = "__Host-keywarden-browser=0123456789abcdef0123456789abcdef";
            format!("{browser}; __Host-keywarden={}", id(key))
        };
        let op = house.op(Actor::Person(ada.person.clone()));
        let started = house.domain.start_step_up(&op).await.unwrap();
        let options = serde_json::to_value(&started.options).unwrap();
        let answer = serde_json::to_vec(&soft.get(ORIGIN, &options).unwrap()).unwrap();
        let after = house.domain.finish_step_up(&op, started.ceremony, &answer).await.unwrap();
        let (set, who) = ask(&door, "/who", &with(&ada.key)).await;
        assert_eq!(who, "nobody nobody");
        assert!(set.is_empty(), "the browser has the new cookie under the same name: {set:?}");
        let (set, who) = ask(&door, "/who", &with(&after.key)).await;
        assert_eq!((set.len(), who), (0, format!("person {}", ada.person.id)));
        // Going out is asked for, whatever is shown.
        assert_eq!(ask(&door, "/out", &with(&ada.key)).await.0.len(), 1);
    })
    .await;
}
