//! S-14: stepping up proves the session's person, and never makes it another's.

use std::time::Duration;

use keywarden_model::Role;
use serde_json::json;

use super::*;
use crate::cast::both_engines;
use crate::passkeys::PasskeyError;
use crate::{Action, Refused, Resource};

#[tokio::test]
async fn a_session_that_grew_old_changes_nothing_until_its_person_signs_again() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        house.clock.advance(Duration::from_mins(6));
        let ask = async |ada: &Somebody| {
            house.domain.authorize(&ada.op(&house), Action::CreateTeam, &Resource::Organization).await.is_ok()
        };
        assert!(!ask(&ada).await);
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let after = house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await.unwrap();
        let after = Somebody::new(ada.soft.clone(), after);
        assert!(ask(&after).await);
        assert_eq!(after.person.session, ada.person.session);
        // The cookie changed with the proof (ASVS 7.2.4).
        assert_eq!(ada.resolved(&house).await, None);
        assert_eq!(after.resolved(&house).await.as_ref(), Some(&after.person));
    })
    .await;
}

#[tokio::test]
async fn somebody_elses_passkey_steps_nobody_up_and_is_recorded() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let mut bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let mut options = super::json(&started.options);
        options["allowCredentials"] = json!([]);
        let answer = got(&mut bob.soft, &options);
        let refused = house.domain.finish_step_up(&ada.op(&house), started.ceremony, &answer).await;
        assert!(matches!(refused, Err(CeremonyError::Passkey(PasskeyError::UnknownCredential))));
        assert_eq!(ada.resolved(&house).await.as_ref(), Some(&ada.person));
        assert_eq!(events(&house, "session.step-up", "refused").await, 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_finishes_no_other_sessions_ceremony() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let elsewhere = ada.signs_in(&house).await.unwrap();
        let started = house.domain.start_step_up(&ada.op(&house)).await.unwrap();
        let answer = got(&mut ada.soft, &started.options);
        let refused = house.domain.finish_step_up(&elsewhere.op(&house), started.ceremony, &answer).await;
        assert!(matches!(refused, Err(CeremonyError::Gone)));
        let nobody = house.domain.start_step_up(&nobody(&house)).await;
        assert!(matches!(nobody, Err(CeremonyError::Refused(Refused::NotFound))));
    })
    .await;
}
