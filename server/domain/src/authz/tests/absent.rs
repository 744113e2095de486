//! What is not there is asked about as what is somebody else's is: it costs as many decisions, and gets the same answer.

use futures_util::future::BoxFuture;
use keywarden_model::{ApiKeyId, EnvironmentId, RevokeReason, Role, SecretId, SecretKind};
use keywarden_vault::SecretBytes;

use crate::cast::{House, both_engines};
use crate::keys::{BulkRevokeError, IssueError, NewKey, Place, RevokeError};
use crate::secrets::{
    About, Address, NewValue, PurgeSecretError, PutError, PutSecret, ReadSecretError, Validity, Which,
};
use crate::{Domain, Op, Refused};

/// What is asked about.
#[derive(Debug, Clone, Copy)]
struct Things {
    key: ApiKeyId,
    secret: SecretId,
    environment: EnvironmentId,
    /// In the environment that is there.
    path: &'static str,
    home: EnvironmentId,
}

type Ask = for<'a> fn(&'a Domain, Op, Things) -> BoxFuture<'a, Refused>;

fn refused<T, E>(answer: Result<T, E>, of: impl FnOnce(E) -> Option<Refused>) -> Refused {
    answer.err().and_then(of).expect("refused by the gate")
}

fn put() -> PutSecret {
    let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"v")).unwrap();
    PutSecret { value, label: None, expected: None, validity: Validity::default(), about: About::default() }
}

const ASKED: [(&str, Ask); 9] = [
    ("a key", |domain, op, it| Box::pin(async move { refused(domain.key(&op, it.key).await, Some) })),
    ("a key's end", |domain, op, it| {
        Box::pin(async move {
            let revoked = domain.revoke_key(&op, it.key, RevokeReason::Superseded, "").await;
            refused(revoked, |error| if let RevokeError::Refused(why) = error { Some(why) } else { None })
        })
    }),
    ("the end of several keys", |domain, op, it| {
        Box::pin(async move {
            let revoked = domain.bulk_revoke(&op, vec![it.key], RevokeReason::Superseded, "").await;
            refused(revoked, |error| if let BulkRevokeError::Refused(why) = error { Some(why) } else { None })
        })
    }),
    ("a secret", |domain, op, it| {
        Box::pin(async move { refused(domain.secret(&op, &Address::Id(it.secret)).await, Some) })
    }),
    ("a secret at its path", |domain, op, it| {
        Box::pin(async move {
            let address =
                Address::Path { place: Place::Environment(it.home), path: it.path.parse().unwrap() };
            refused(domain.secret(&op, &address).await, Some)
        })
    }),
    ("a value", |domain, op, it| {
        Box::pin(async move {
            let read = domain.read_secret(&op, &Address::Id(it.secret), &Which::default()).await;
            refused(read, |error| if let ReadSecretError::Refused(why) = error { Some(why) } else { None })
        })
    }),
    ("a secret's end", |domain, op, it| {
        Box::pin(async move {
            let purged = domain.purge_secret(&op, it.secret).await;
            refused(purged, |error| if let PurgeSecretError::Refused(why) = error { Some(why) } else { None })
        })
    }),
    ("a new secret", |domain, op, it| {
        Box::pin(async move {
            let place = Place::Environment(it.environment);
            let made = domain.put_secret(&op, &place, &"new".parse().unwrap(), put()).await;
            refused(made, |error| if let PutError::Refused(why) = error { Some(why) } else { None })
        })
    }),
    ("a new key", |domain, op, it| {
        Box::pin(async move {
            let new = NewKey::named(Place::Environment(it.environment), "Orders".parse().unwrap());
            let made = domain.issue_key(&op, new).await;
            refused(made, |error| if let IssueError::Refused(why) = error { Some(why) } else { None })
        })
    }),
];

/// A key and a secret of a project, and ids and a path of nothing.
async fn things(house: &House) -> (Things, Things) {
    let hr = house.project("hr").await;
    let harry = house.person("Harry", &[(Role::Manager, Some(hr.id))]).await;
    let place = || Place::Environment(hr.live);
    let key = house.domain.issue_key(&harry.op(), NewKey::named(place(), "Pay".parse().unwrap())).await;
    let secret = house.domain.put_secret(&harry.op(), &place(), &"db".parse().unwrap(), put()).await;
    let (key, secret) = (key.unwrap().id, secret.unwrap().id);
    let (env, now) = (house.domain.env(), house.now());
    (
        Things { key, secret, environment: hr.live, path: "db", home: hr.live },
        Things {
            key: env.id(now),
            secret: env.id(now),
            environment: env.id(now),
            path: "nothing",
            home: hr.live,
        },
    )
}

#[tokio::test]
async fn it_costs_as_many_decisions() {
    both_engines(async |house| {
        let (foreign, absent) = things(&house).await;
        let pay = house.project("pay").await;
        let mallory = house.person("Mallory", &[(Role::Manager, Some(pay.id))]).await;
        house.domain.flush_refusals().await.unwrap();
        for (name, ask) in ASKED {
            let mut told = Vec::new();
            for things in [foreign, absent] {
                let answer = ask(&house.domain, mallory.op(), things).await;
                assert!(matches!(answer, Refused::NotFound), "{name}: {answer:?}");
                told.push(house.domain.flush_refusals().await.unwrap());
            }
            assert!(told[0] > 0 && told[0] == told[1], "{name}: {told:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn it_is_not_found_by_whoever_could_do_it_anywhere_and_asks_them_for_no_passkey() {
    both_engines(async |house| {
        let (_, absent) = things(&house).await;
        let olga = house.person("Olga", &[(Role::Owner, None)]).await;
        let mae = house.person("Mae", &[(Role::Auditor, None)]).await;
        for player in [&olga, &mae, &olga.without_step_up(), &mae.without_step_up()] {
            for (name, ask) in ASKED {
                let answer = ask(&house.domain, player.op(), absent).await;
                assert!(matches!(answer, Refused::NotFound), "{name}: {answer:?}");
            }
        }
    })
    .await;
}
