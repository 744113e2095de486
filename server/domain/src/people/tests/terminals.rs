//! Terminals: let in by their person, for as long as that person's sessions last, and by nobody else.

use std::time::Duration;

use futures_util::future::join_all;
use keywarden_model::Role;

use super::super::terminals::ASKING;
use super::super::turns::TURN;
use super::*;
use crate::cast::both_engines;
use crate::{Action, Refused, Resource};

const MINUTE: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_secs(5);

/// A terminal that asks, and is let in.
async fn let_in(house: &House, by: &Somebody) -> DeviceStarted {
    let started = house.domain.start_device(&nobody(house)).await.unwrap();
    house.domain.approve_terminal(&by.op(house), started.user_code.expose()).await.unwrap();
    started
}

async fn redeemed(house: &House, started: &DeviceStarted) -> Result<TerminalToken, RedeemError> {
    house.domain.redeem_device(&nobody(house), started.device_code.expose()).await
}

/// Gets back in by a recovery code and enrols a passkey.
async fn recovers(house: &House, who: &Somebody) -> Somebody {
    let code = typed(&codes(house, who).await[0]);
    let recovered = house.domain.use_recovery_code(&nobody(house), &code).await.unwrap();
    let mut soft = SoftAuthenticator::new(7);
    let op = Somebody::new(soft.clone(), recovered).op(house);
    let started = house.domain.start_add_passkey(&op, &named("Added")).await.unwrap();
    let answer = made(&mut soft, &started.options);
    let added = house.domain.finish_add_passkey(&op, started.ceremony, &answer, &named("New")).await;
    Somebody::new(soft, added.unwrap().recovered.unwrap())
}

/// Whom a token speaks for.
async fn who(house: &House, token: &TerminalToken) -> Option<Person> {
    match house.domain.authenticate_token(token.value.expose()).await {
        Ok(Actor::Person(person)) => Some(person),
        Ok(other) => panic!("{other}"),
        Err(Refused::NotFound) => None,
        Err(other) => panic!("{other}"),
    }
}

async fn asking(house: &House) -> i64 {
    let count = sql("SELECT count(*) AS number FROM device_grants");
    number(count, &mut house.store.read().await.unwrap()).await.unwrap()
}

#[tokio::test]
async fn a_flood_of_terminals_leaves_a_bounded_number_and_the_latest_is_let_in() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let flood = (0..ASKING + 50).map(|n| {
            sql("INSERT INTO device_grants (id, device_hash, code_hash, state, sealed, every, asked_at, created_at,
                                            expires_at)
                 VALUES ($1, $2, $3, 'waiting', $4, 5, 0, $5, $6)")
            .bind(format!("flood_{n}"))
            .bind(n.to_be_bytes().to_vec())
            .bind(n.to_be_bytes().to_vec())
            .bind(vec![0_u8])
            .bind(house.now())
            .bind(house.now() + chrono::TimeDelta::minutes(1))
        });
        for some in flood.collect::<Vec<_>>().chunks(2_000) {
            house.put(some.to_vec()).await;
        }
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        assert_eq!(asking(&house).await, ASKING);
        house.domain.approve_terminal(&ada.op(&house), started.user_code.expose()).await.unwrap();
        house.clock.advance(EVERY);
        assert!(redeemed(&house, &started).await.is_ok());
        for _ in 0..TURN {
            house.domain.start_device(&nobody(&house)).await.unwrap();
        }
        assert_eq!(asking(&house).await, ASKING, "somebody looked again");
    })
    .await;
}

#[tokio::test]
async fn a_terminal_that_its_person_lets_in_acts_as_them_for_eight_hours() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        let seen = house.domain.asking_terminal(&ada.op(&house), started.user_code.expose()).await.unwrap();
        assert_eq!((seen.code.as_str(), seen.agent.as_deref()), (started.user_code.expose(), Some("cast/1")));
        assert_eq!(seen.address, Some([192, 0, 2, 7].into()));
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Pending)));
        let typed = started.user_code.expose().to_lowercase().replace('-', " ");
        house.domain.approve_terminal(&ada.op(&house), &typed).await.unwrap();
        house.clock.advance(EVERY);
        let token = redeemed(&house, &started).await.unwrap();
        assert!(token.value.expose().starts_with("kws_person_"));
        let person = who(&house, &token).await.unwrap();
        assert_eq!((person.id, person.passkey), (ada.person.id, ada.person.passkey));
        assert_eq!(person.asserted_at, ada.person.asserted_at, "no fresher than its person");
        assert_ne!(person.session, ada.person.session);
        let own = house.domain.list_own_sessions(&ada.op(&house)).await.unwrap();
        let terminals: Vec<_> = own.iter().filter(|it| it.terminal).map(|it| it.id).collect();
        assert_eq!(terminals, [person.session]);
        assert_eq!(events(&house, "session.approve-terminal", "allowed").await, 1);
        assert_eq!(events(&house, "session.open-terminal", "allowed").await, 1);

        // Not in use for hours, and still good; an owner's browser would be out after a quarter of one.
        house.clock.advance(Duration::from_secs(8 * 3_600 - 65));
        assert!(who(&house, &token).await.is_some());
        house.clock.advance(MINUTE + EVERY);
        assert!(who(&house, &token).await.is_none(), "eight hours are over");
    })
    .await;
}

#[tokio::test]
async fn what_needs_a_fresh_passkey_is_refused_when_the_approval_grew_old() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let started = let_in(&house, &ada).await;
        let token = redeemed(&house, &started).await.unwrap();
        let person = who(&house, &token).await.unwrap();
        let ask = async |action| {
            let op = house.op(Actor::Person(person.clone()));
            house.domain.authorize(&op, action, &Resource::Organization).await
        };
        assert!(ask(Action::CreateTeam).await.is_ok());
        house.clock.advance(5 * MINUTE + EVERY);
        assert!(matches!(ask(Action::CreateTeam).await, Err(Refused::StepUp)));
        assert!(ask(Action::ViewTeams).await.is_ok(), "what anybody signed in may see, it sees");
    })
    .await;
}

#[tokio::test]
async fn letting_a_terminal_in_needs_a_fresh_passkey_and_keeping_it_out_does_not() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        house.clock.advance(6 * MINUTE);
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        let code = started.user_code.expose();
        let stale = house.domain.approve_terminal(&ada.op(&house), code).await;
        assert!(matches!(stale, Err(TerminalError::Refused(Refused::StepUp))), "{stale:?}");
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Pending)));
        house.domain.refuse_terminal(&ada.op(&house), code).await.unwrap();
        house.clock.advance(EVERY);
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Denied)));
        let late = house.domain.asking_terminal(&ada.op(&house), code).await;
        assert!(matches!(late, Err(TerminalError::Gone)), "it is decided");
        assert_eq!(credentials(&house).await[4], 1, "no session came of it");
    })
    .await;
}

#[tokio::test]
async fn a_passkey_that_was_added_by_a_recovery_lets_no_terminal_in_for_a_day() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let own = let_in(&house, &bob).await;
        assert!(redeemed(&house, &own).await.is_ok(), "the passkey that he came with may at once");

        let mut new = recovers(&house, &bob).await;
        let from = house.now() + APPROVES_AFTER;
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        let code = started.user_code.expose();
        let seen = house.domain.asking_terminal(&new.op(&house), code).await.unwrap();
        assert_eq!(seen.not_before, Some(from));
        let early = house.domain.approve_terminal(&new.op(&house), code).await;
        assert!(matches!(early, Err(TerminalError::NotYet(told)) if told == from), "{early:?}");
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Pending)));
        assert_eq!(events(&house, "session.approve-terminal", "refused").await, 1);

        house.clock.advance(Duration::from_hours(24));
        let new = new.signs_in(&house).await.unwrap();
        let started = let_in(&house, &new).await;
        assert!(redeemed(&house, &started).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_passkey_that_was_removed_lets_no_terminal_in() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Admin, None, 2).await;
        let new = recovers(&house, &bob).await;
        let again = bob.signs_in(&house).await.unwrap();
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        let code = started.user_code.expose();
        // As somebody who asks in the very moment in which it goes.
        house.domain.remove_passkey(&again.op(&house), new.person.passkey.unwrap()).await.unwrap();
        let seen = house.domain.asking_terminal(&new.op(&house), code).await;
        assert!(matches!(seen, Err(TerminalError::Refused(Refused::StepUp))), "{seen:?}");
        let gone = house.domain.approve_terminal(&new.op(&house), code).await;
        assert!(matches!(gone, Err(TerminalError::Refused(Refused::StepUp))), "{gone:?}");
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Pending)));

        // Removed after the approval, whatever became of the session that gave it.
        let waiting = let_in(&house, &ada).await;
        house.put(vec![sql("DELETE FROM passkeys WHERE id = $1").bind(ada.person.passkey.unwrap())]).await;
        assert!(matches!(redeemed(&house, &waiting).await, Err(RedeemError::Expired)));
        assert_eq!(events(&house, "session.open-terminal", "allowed").await, 0);
    })
    .await;
}

#[tokio::test]
async fn codes_serve_once_for_ten_minutes_and_nobody_is_told_of_others() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        for wrong in ["", "WDJB-MJHT", "not a code", &"W".repeat(10_000)] {
            let gone = house.domain.approve_terminal(&ada.op(&house), wrong).await;
            assert!(matches!(gone, Err(TerminalError::Gone)), "{wrong}");
            let none = house.domain.redeem_device(&nobody(&house), wrong).await;
            assert!(matches!(none, Err(RedeemError::Expired)), "{wrong}");
        }
        let unknown = nobody(&house);
        let started = house.domain.start_device(&unknown).await.unwrap();
        let code = started.user_code.expose();
        assert!(house.domain.asking_terminal(&unknown, code).await.is_err());
        assert!(house.domain.approve_terminal(&unknown, code).await.is_err());
        // The code that is typed opens nothing, and the one that is kept names no terminal.
        let typed = house.domain.redeem_device(&unknown, code).await;
        assert!(matches!(typed, Err(RedeemError::Expired)));
        let kept = house.domain.asking_terminal(&ada.op(&house), started.device_code.expose()).await;
        assert!(matches!(kept, Err(TerminalError::Gone)));

        house.domain.approve_terminal(&ada.op(&house), code).await.unwrap();
        let twice = house.domain.approve_terminal(&ada.op(&house), code).await;
        assert!(matches!(twice, Err(TerminalError::Gone)));
        assert!(redeemed(&house, &started).await.is_ok());
        house.clock.advance(EVERY);
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Expired)), "it served");

        let late = house.domain.start_device(&nobody(&house)).await.unwrap();
        house.clock.advance(10 * MINUTE);
        let mut fresh = ada;
        let fresh = fresh.signs_in(&house).await.unwrap();
        let gone = house.domain.approve_terminal(&fresh.op(&house), late.user_code.expose()).await;
        assert!(matches!(gone, Err(TerminalError::Gone)));
        assert!(matches!(redeemed(&house, &late).await, Err(RedeemError::Expired)));
    })
    .await;
}

#[tokio::test]
async fn whoever_asks_too_often_must_ask_more_slowly() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let started = house.domain.start_device(&nobody(&house)).await.unwrap();
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::Pending)));
        house.clock.advance(Duration::from_millis(4_999));
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::SlowDown)));
        house.clock.advance(EVERY);
        assert!(matches!(redeemed(&house, &started).await, Err(RedeemError::SlowDown)), "ten seconds by now");
        house.domain.approve_terminal(&ada.op(&house), started.user_code.expose()).await.unwrap();
        house.clock.advance(3 * EVERY);
        assert!(redeemed(&house, &started).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn a_terminal_ends_with_its_persons_sessions() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let token = redeemed(&house, &let_in(&house, &bob).await).await.unwrap();
        let session = who(&house, &token).await.unwrap().session;
        house.domain.end_own_session(&bob.op(&house), session).await.unwrap();
        assert!(who(&house, &token).await.is_none(), "ended by itself");

        let token = redeemed(&house, &let_in(&house, &bob).await).await.unwrap();
        house.domain.end_sessions_of(&ada.op(&house), bob.person.id).await.unwrap();
        assert!(who(&house, &token).await.is_none(), "ended with the others");

        // Approved, not yet taken, and then its person is signed out: nothing is given for it.
        let again = bob.signs_in(&house).await.unwrap();
        let waiting = let_in(&house, &again).await;
        house.domain.sign_out(&again.op(&house)).await.unwrap();
        assert!(matches!(redeemed(&house, &waiting).await, Err(RedeemError::Expired)));

        let again = bob.signs_in(&house).await.unwrap();
        let token = redeemed(&house, &let_in(&house, &again).await).await.unwrap();
        house.domain.deactivate_user(&ada.op(&house), bob.person.id).await.unwrap();
        assert!(who(&house, &token).await.is_none(), "deactivated");
    })
    .await;
}

#[tokio::test]
async fn of_two_hundred_who_redeem_one_code_one_succeeds() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let started = let_in(&house, &ada).await;
        let all = join_all((0..200).map(|_| redeemed(&house, &started))).await;
        assert_eq!(all.into_iter().flatten().count(), 1);
        assert_eq!(credentials(&house).await[4], 2, "one session beside the browser's");
    })
    .await;
}

#[tokio::test]
async fn a_terminals_token_is_no_cookie_and_a_changed_one_is_nothing() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let token = redeemed(&house, &let_in(&house, &ada).await).await.unwrap();
        let text = token.value.expose();
        for wrong in [
            text.replace("person", "workload"),
            text.to_uppercase(),
            format!("{text} "),
            "kws_person_".into(),
        ] {
            assert!(house.domain.authenticate_token(&wrong).await.is_err(), "{wrong}");
        }
        let key = SessionKey::new(*text.as_bytes().first_chunk().unwrap());
        assert!(house.domain.resolve_session(&key, house.now()).await.unwrap().is_none());
    })
    .await;
}
