use chrono::{DateTime, TimeDelta, Utc};
use keywarden_model::SecretId;

use super::{Address, As, PutError, PutSecret, ReadSecretError, Scene, Validity, Which, labelled, of};
use crate::cast::{Player, both_engines};
use crate::keys::Place;
use crate::secrets::{
    BesideQuery, CellState, Expected, Outside, PromoteError, Promotion, RotateDataKeyError, SecretQuery,
    Standing,
};

use Outside::{Expired, NotYet};

const HOUR: TimeDelta = TimeDelta::hours(1);

fn good(text: &str, from: Option<DateTime<Utc>>, until: Option<DateTime<Utc>>) -> PutSecret {
    PutSecret { validity: Validity::new(from, until).unwrap(), ..of(text) }
}

impl Scene {
    /// Alice, whose passkey signed after an hour went by.
    fn an_hour_later(&self) -> Player {
        self.house.clock.advance(HOUR.to_std().unwrap());
        self.alice.steps_up()
    }

    async fn found(&self, by: &Player, standing: Standing) -> Vec<String> {
        let query = SecretQuery { standing, limit: 200, ..SecretQuery::default() };
        let page = self.house.domain.secrets(&by.op(), &query).await.unwrap();
        page.secrets.iter().map(|line| line.secret.path.to_string()).collect()
    }

    async fn asked(&self, by: &Player, id: SecretId, which: Which) -> Result<Vec<u8>, ReadSecretError> {
        let read = self.house.domain.read_secret(&by.op(), &Address::Id(id), &which).await;
        read.map(|revealed| revealed.value.expose().to_vec())
    }
}

#[tokio::test]
async fn a_value_is_read_within_its_time_only_and_nothing_else_stands_in_for_it() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let (from, until) = (scene.house.now() + HOUR, scene.house.now() + HOUR * 2);
        let id = scene.put("a", "always").await.id;
        scene.put_as(&scene.alice.op(), "a", good("for an hour", Some(from), Some(until))).await.unwrap();
        let meant = async |by: &Player| {
            let which = Which::default();
            domain.secret_tag_meant(&by.op(), &Address::Id(id), &which, As::Resolved).await.unwrap()
        };

        let early = scene.asked(&scene.alice, id, Which::default()).await;
        let NotYet(at) = outside(early) else { panic!("not yet") };
        assert_eq!(at, from);
        assert_eq!(meant(&scene.alice).await, None, "what the caller has is not said to be good");
        assert_eq!(scene.found(&scene.alice, Standing::Unreadable).await, ["a"]);
        assert_eq!(scene.asked(&scene.alice, id, Which::Number(1)).await.unwrap(), b"always");

        let alice = scene.an_hour_later();
        assert_eq!(scene.asked(&alice, id, Which::default()).await.unwrap(), b"for an hour", "from then on");
        assert!(meant(&alice).await.is_some());
        assert!(scene.found(&alice, Standing::Unreadable).await.is_empty());

        let alice = scene.an_hour_later();
        for which in [Which::default(), Which::Number(2)] {
            let Expired(at) = outside(scene.asked(&alice, id, which).await) else { panic!("expired") };
            assert_eq!(at, until, "at that very instant");
        }
        assert_eq!(meant(&alice).await, None);
        assert_eq!(scene.found(&alice, Standing::Unreadable).await, ["a"]);
        let compared = domain.compare_secret_versions(&alice.op(), id, 1, 2).await;
        assert!(matches!(compared, Err(ReadSecretError::Outside { number: 2, .. })), "{compared:?}");
        let rotated = domain.rotate_data_key(&alice.op(), id).await;
        assert!(matches!(rotated, Err(RotateDataKeyError::NoCurrent)), "{rotated:?}");
        let promotion = Promotion {
            to: Place::Environment(scene.pay.test),
            version: 2,
            expected: Some(Expected::Number(0)),
        };
        let promoted = domain.promote_secret(&alice.op(), id, promotion).await;
        assert!(matches!(promoted, Err(PromoteError::Outside { number: 2, .. })), "{promoted:?}");
        let beside = BesideQuery { project: scene.pay.id, folder: None, only: None, cursor: None, limit: 9 };
        let beside = domain.secrets_side_by_side(&alice.op(), &beside).await.unwrap();
        let live = beside.environments.iter().position(|it| it.id == scene.pay.live).unwrap();
        assert_eq!(beside.rows[0].cells[live].state, CellState::Unreadable);
        let read = scene.events(id).await;
        assert_eq!(
            read.iter().filter(|it| *it == "secret.read").count(),
            2,
            "what was refused is no reading"
        );
    })
    .await;
}

fn outside(read: Result<Vec<u8>, ReadSecretError>) -> Outside {
    match read {
        Err(ReadSecretError::Outside { number: 2, outside }) => outside,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_value_that_would_be_over_is_not_kept_and_a_time_never_changes() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (now, before) = (scene.house.now(), scene.house.rows().await);
        for until in [now, now - HOUR] {
            let put = scene.put_as(&scene.alice.op(), "a", good("x", None, Some(until))).await;
            assert!(matches!(put, Err(PutError::Lapsed)), "{put:?}");
        }
        let rows = scene.house.rows().await;
        let kept = |table: &str| (rows[table], before[table]);
        for table in ["secrets", "secret_versions", "secret_history"] {
            assert_eq!(kept(table).0, kept(table).1, "{table}");
        }
        let soon = now + TimeDelta::microseconds(1);
        let id = scene.put_as(&scene.alice.op(), "a", good("x", None, Some(soon))).await.unwrap().id;
        scene.put_as(&scene.alice.op(), "a", labelled("y", "pending")).await.unwrap();
        let view = scene.house.domain.secret(&scene.alice.op(), &Address::Id(id)).await.unwrap();
        let until: Vec<_> = view.versions.iter().map(|it| it.validity.expires_at()).collect();
        assert_eq!(until, [None, Some(soon)], "each version has its own");
    })
    .await;
}

#[tokio::test]
async fn the_same_value_elsewhere_or_under_another_key_is_good_for_as_long() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (domain, op) = (&scene.house.domain, || scene.alice.op());
        let until = scene.house.now() + HOUR;
        let id = scene.put_as(&op(), "a", good("x", None, Some(until))).await.unwrap().id;
        let expiry = async |at: Address, number: i64| {
            let view = domain.secret(&op(), &at).await.unwrap();
            view.versions.iter().find(|it| it.number == number).unwrap().validity.expires_at()
        };
        domain.rotate_data_key(&op(), id).await.unwrap();
        assert_eq!(expiry(Address::Id(id), 2).await, Some(until));
        let to = |version, there| Promotion {
            to: Place::Environment(scene.pay.test),
            version,
            expected: Some(Expected::Number(there)),
        };
        let there = domain.promote_secret(&op(), id, to(2, 0)).await.unwrap().id;
        assert_eq!(expiry(Address::Id(there), 1).await, Some(until));
        let again = domain.promote_secret(&op(), id, to(2, 1)).await;
        assert!(matches!(again, Err(PromoteError::Same)), "{again:?}");
        scene.put_as(&op(), "a", good("x", None, Some(until + HOUR))).await.unwrap();
        domain.promote_secret(&op(), id, to(3, 1)).await.unwrap();
        assert_eq!(expiry(Address::Id(there), 2).await, Some(until + HOUR), "the same value, for longer");
    })
    .await;
}

#[tokio::test]
async fn what_expires_within_thirty_days_is_found_and_what_is_not_in_force_is_not() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (op, now) = (|| scene.alice.op(), scene.house.now());
        let until = |text, until: TimeDelta| good(text, None, Some(now + until));
        scene.put_as(&op(), "soon", until("x", TimeDelta::days(30))).await.unwrap();
        scene.put_as(&op(), "later", until("x", TimeDelta::days(30) + HOUR)).await.unwrap();
        scene.put_as(&op(), "over", until("x", HOUR)).await.unwrap();
        scene.put("never", "x").await;
        scene.put_as(&op(), "replaced", until("x", HOUR)).await.unwrap();
        scene.put("replaced", "y").await;
        let pending = PutSecret { label: Some("pending".parse().unwrap()), ..until("x", HOUR) };
        scene.put_as(&op(), "pending", pending).await.unwrap();
        assert_eq!(scene.found(&scene.alice, Standing::Expiring).await, ["over", "soon"]);
        let alice = scene.an_hour_later();
        assert_eq!(scene.found(&alice, Standing::Expiring).await, ["later", "over", "soon"]);
        assert_eq!(scene.found(&alice, Standing::Unreadable).await, ["over", "pending"]);
        scene.house.domain.delete_secret(&alice.op(), &scene.address("soon"), None).await.unwrap();
        assert_eq!(scene.found(&alice, Standing::Expiring).await, ["later", "over"]);
    })
    .await;
}
