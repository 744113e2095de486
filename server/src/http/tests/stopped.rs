//! Who asks too much is stopped, and nobody else: by address, and by what was proven here.

use keywarden_domain::{
    keys::{NewKey, Place},
    workloads::TokenLifetime,
};
use keywarden_model::Role;

use super::*;

#[tokio::test]
async fn an_address_that_guesses_is_stopped_and_others_go_on() {
    let server = Server::new(&[("KEYWARDEN_TRUSTED_PROXIES", "192.0.2.0/24")]);
    let from = |address: &str| Request::get("/api/v1/closed").header("x-forwarded-for", address);
    // Guesses come back with time, some between any two requests: what counts is that they run out.
    for spelling in ["198.51.100.7", "::ffff:198.51.100.7"] {
        let mut stopped = None;
        for _ in 0..5_000 {
            let (parts, _) = server.send(from(spelling), "").await;
            if parts.status == StatusCode::TOO_MANY_REQUESTS {
                stopped = Some(parts);
                break;
            }
        }
        assert!(stopped.unwrap().headers.contains_key(header::RETRY_AFTER), "{spelling}");
    }
    assert_eq!(server.send(from("198.51.100.8"), "").await.0.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_address_that_was_stopped_is_answered_before_its_body_is_read() {
    let server = Server::new(&[]);
    for _ in 0..20 {
        while server.get("/api/v1/closed").await.0.status != StatusCode::TOO_MANY_REQUESTS {}
        let never = stream::pending::<Result<&'static str, Infallible>>();
        let asked = server.stream(Request::post("/api/v1/things/1"), Body::from_stream(never));
        // A guess that came back between the two is let by, and waits for the body.
        if let Ok((parts, _)) = tokio::time::timeout(Duration::from_secs(1), asked).await {
            assert_eq!(parts.status, StatusCode::TOO_MANY_REQUESTS);
            return;
        }
    }
    panic!("its body is waited for");
}

/// Who is no proxy of ours says of itself what it likes: its own address is counted, and told to the doors.
#[tokio::test]
async fn a_strangers_forwarded_for_is_read_by_nothing() {
    for (proxies, believed) in [("", false), ("10.0.0.0/8", false), ("192.0.2.0/24", true)] {
        let server = match proxies {
            "" => Server::new(&[]),
            named => Server::new(&[("KEYWARDEN_TRUSTED_PROXIES", named)]),
        };
        let mut stopped = false;
        // Guesses come back with time: what counts is that they run out.
        for n in 0..if believed { 1_500 } else { 5_000_u32 } {
            let address = std::net::Ipv4Addr::from_bits(0xC633_6400 + n);
            let asked = |path: &str| Request::get(path).header("x-forwarded-for", address.to_string());
            if server.send(asked("/api/v1/closed"), "").await.0.status == StatusCode::TOO_MANY_REQUESTS {
                stopped = true;
                break;
            }
            if n < 10 {
                let whose = if believed { address.to_string() } else { "192.0.2.1".to_owned() };
                assert_eq!(server.send(asked("/api/v1/whose"), "").await.1, whose, "{proxies}");
            }
        }
        assert_eq!(stopped, !believed, "{proxies}");
    }
}

#[tokio::test]
async fn what_is_refused_before_the_doors_is_counted_in_the_record() {
    let cast = keywarden_domain::cast::House::new(keywarden_domain::cast::Engine::Sqlite).await;
    let house = House::without_cellars(config(&[]));
    house.condition.send_replace(Condition::Ready);
    let router = router(&house, Doors { domain: Some(cast.domain.clone()), ..doors() });
    let server = Server { house, router };
    let form = Request::post("/posted").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    let crossed = form.header("sec-fetch-site", "cross-site");
    assert_eq!(server.send(crossed, "").await.0.status, StatusCode::FORBIDDEN);
    assert_eq!(cast.domain.flush_refusals().await.unwrap(), 1);
    let mut asked = 0;
    while server.get("/kept").await.0.status == StatusCode::OK {
        asked += 1;
        assert!(asked < 5_000, "nobody stops it");
    }
    assert_eq!(cast.domain.flush_refusals().await.unwrap(), 1);
}

#[tokio::test]
async fn an_address_that_has_things_kept_for_nobody_is_stopped() {
    let server = Server::new(&[]);
    let mut served = 0;
    while server.get("/kept").await.0.status == StatusCode::OK {
        served += 1;
        assert!(served < 5_000, "nobody stops it");
    }
    assert!(served >= 1_000, "{served}");
    assert_eq!(server.get("/").await.0.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(
        server.get("/api/v1/things/1").await.0.status,
        StatusCode::TOO_MANY_REQUESTS,
        "one for both doors"
    );
}

#[tokio::test]
async fn one_with_a_dead_token_shuts_nobody_out_who_was_proven_here() {
    let cast = keywarden_domain::cast::House::new(keywarden_domain::cast::Engine::Sqlite).await;
    let domain = &cast.domain;
    let house = House::without_cellars(config(&[]));
    house.condition.send_replace(Condition::Ready);
    let router = router(&house, Doors { domain: Some(domain.clone()), ..doors() });
    let server = Server { house, router };
    let gate = cast.workload("gate", Role::Verifier, None).await;
    let operator = cast.operator(Role::Owner);
    let issue = async || {
        let issued = domain.issue_service_token(&operator, gate.id, TokenLifetime::default()).await.unwrap();
        (issued.id, issued.value.expose().to_owned())
    };
    let ((id, good), (_, unseen)) = (issue().await, issue().await);
    domain.authenticate_token(&good).await.unwrap();
    let ask = async |path: &str, token: &str| {
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        server.send(request, "").await.0.status
    };
    let flood = async |token: &str| {
        let mut asked = 0;
        while ask("/api/v1/closed", token).await == StatusCode::UNAUTHORIZED {
            asked += 1;
            assert!(asked < 5_000, "nobody stops it");
        }
        asked
    };
    flood("kws_dead").await;
    for _ in 0..100 {
        ask("/api/v1/closed", "kws_dead").await;
        assert_eq!(ask("/api/v1/things/1", &good).await, StatusCode::OK);
    }
    // Guesses come back with time: a stranger gets some of them, and no thousand.
    for stranger in [unseen.as_str(), &good[..good.len() - 1]] {
        assert!(flood(stranger).await < 500, "{stranger}");
    }
    assert!(flood(&good).await >= 1_000, "who was proven is counted apart, and stopped too");

    domain.revoke_service_token(&operator, id).await.unwrap();
    assert!(domain.authenticate_token(&good).await.is_err());
    assert!(flood(&good).await < 500, "who is proven no more is a stranger");
}

/// Behind a proxy all requests come from its address: what it asks about is its callers' keys, and no guess of its own.
#[tokio::test]
async fn callers_without_a_good_key_shut_nobody_out_who_comes_by_the_same_proxy() {
    let cast = keywarden_domain::cast::House::new(keywarden_domain::cast::Engine::Sqlite).await;
    let domain = &cast.domain;
    let pay = cast.project("pay").await;
    let house = House::without_cellars(config(&[]));
    house.condition.send_replace(Condition::Ready);
    let machines = keywarden_api::router(domain.clone(), keywarden_api::Streams::default());
    let router = router(&house, Doors { machines, domain: Some(domain.clone()), ..Doors::default() });
    let server = Server { house, router };
    let gate = cast.workload("gate", Role::Verifier, Some(pay.id)).await;
    let operator = cast.operator(Role::Owner);
    let token = domain.issue_service_token(&operator, gate.id, TokenLifetime::default()).await.unwrap();
    let bob = cast.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
    let new = NewKey::named(Place::Environment(pay.live), "Orders".parse().unwrap());
    let key = domain.issue_key(&bob.op(), new).await.unwrap();
    let (token, key) = (token.value.expose(), key.value.expose());
    // The token beside the key, and the key beside the token.
    let ask = async |beside: bool, token: &str, key: &str| {
        let bearer = |it: &str| format!("Bearer {it}");
        let (own, authorization, api_key) =
            if beside { (token, bearer(key), "") } else { ("", bearer(token), key) };
        let mut request = Request::get("/api/v1/keys/authorize").header(header::AUTHORIZATION, authorization);
        for (name, value) in [("x-keywarden-token", own), ("x-api-key", api_key)] {
            if !value.is_empty() {
                request = request.header(name, value);
            }
        }
        let (parts, _) = server.send(request, "").await;
        (parts.status.as_u16(), parts.headers.contains_key("x-keywarden-code"))
    };
    for beside in [true, false] {
        for _ in 0..2_000 {
            assert_eq!(ask(beside, token, "kwk_none").await, (401, true));
        }
        assert_eq!(ask(beside, token, key).await, (200, true));
    }
    // A proxy that is nobody is stopped as everybody is, and the good one goes on at the same address.
    for beside in [true, false] {
        let mut asked = 0;
        while ask(beside, "kws_dead", key).await.0 == 401 {
            asked += 1;
            assert!(asked < 5_000, "nobody stops it");
        }
        assert_eq!(ask(beside, token, key).await, (200, true));
    }
}
