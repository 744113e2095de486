use super::*;

#[test]
fn a_person_steps_up_with_a_passkey_of_theirs() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkeys = [stage.register(&mut SoftAuthenticator::new(2)), stage.register(&mut soft)];
    let (options, ceremony) = stage.start_step_up(&passkeys);
    assert_eq!(ceremony.kind(), CeremonyKind::StepUp);
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 2);
    assert_eq!(options["allowCredentials"][1]["id"], passkeys[1].credential_id().to_string());
    assert_eq!(options["allowCredentials"][1]["transports"], serde_json::json!(["usb", "nfc"]));

    let answer = soft.get(ORIGIN, &options).unwrap();
    let asserted = stage.passkeys.finish_step_up(ceremony, &bytes(&answer), &passkeys, stage.now).unwrap();
    assert_eq!(&asserted.credential_id, passkeys[1].credential_id());
    assert!(asserted.update.is_some());
}

#[test]
fn an_authenticator_may_leave_the_person_out_but_not_name_another() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.tells_user = false;
    let passkeys = [stage.register(&mut soft)];
    let (options, ceremony) = stage.start_step_up(&passkeys);
    let answer = soft.get(ORIGIN, &options).unwrap();
    stage.passkeys.finish_step_up(ceremony, &bytes(&answer), &passkeys, stage.now).unwrap();

    let (options, ceremony) = stage.start_step_up(&passkeys);
    let mut answer = soft.get(ORIGIN, &options).unwrap();
    answer["response"]["userHandle"] = Stage::of(2).user.to_string().into();
    let result = stage.passkeys.finish_step_up(ceremony, &bytes(&answer), &passkeys, stage.now);
    assert_eq!(refused(result), PasskeyError::OtherPerson);
}

#[test]
fn neither_verification_nor_counter_nor_backup_are_let_off() {
    type Change = fn(&mut soft::Habits);
    let cases: [(Change, PasskeyError); 4] = [
        (|h| h.user_present = false, PasskeyError::UserNotPresent),
        (|h| h.user_verified = false, PasskeyError::UserNotVerified),
        (|h| h.backup_eligible = true, PasskeyError::BackupChanged),
        (|h| h.cross_origin = true, PasskeyError::OtherOrigin),
    ];
    for (change, error) in cases {
        let stage = Stage::new();
        let mut soft = SoftAuthenticator::new(1);
        let passkeys = [stage.register(&mut soft)];
        change(&mut soft.habits);
        let (options, ceremony) = stage.start_step_up(&passkeys);
        let answer = soft.get(ORIGIN, &options).unwrap();
        let result = stage.passkeys.finish_step_up(ceremony, &bytes(&answer), &passkeys, stage.now);
        assert_eq!(refused(result), error);
    }
}

#[test]
fn only_the_person_asked_can_answer() {
    let (ada, bob) = (Stage::of(1), Stage::of(2));
    let (mut adas, mut bobs) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let (ada_key, bob_key) = (ada.register(&mut adas), bob.register(&mut bobs));

    // Ada answers Bob's question: whoever's passkeys are loaded, it does not serve.
    for loaded in [vec![ada_key.clone()], vec![bob_key.clone()], vec![ada_key.clone(), bob_key.clone()]] {
        let (mut options, ceremony) = bob.start_step_up(std::slice::from_ref(&bob_key));
        options["allowCredentials"] = serde_json::json!([]);
        let answer = bytes(&adas.get(ORIGIN, &options).unwrap());
        let result = bob.passkeys.finish_step_up(ceremony, &answer, &loaded, bob.now);
        assert_eq!(refused(result), PasskeyError::UnknownCredential);
    }
}

#[test]
fn a_passkey_that_was_not_asked_for_or_is_gone_does_not_serve() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let (old, new) = (stage.register(&mut SoftAuthenticator::new(2)), stage.register(&mut soft));
    let (mut options, ceremony) = stage.start_step_up(std::slice::from_ref(&old));
    options["allowCredentials"] = serde_json::json!([]);
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let result = stage.passkeys.finish_step_up(ceremony, &answer, &[old.clone(), new.clone()], stage.now);
    assert_eq!(refused(result), PasskeyError::AnotherPasskey);

    let (options, ceremony) = stage.start_step_up(std::slice::from_ref(&new));
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let result = stage.passkeys.finish_step_up(ceremony, &answer, &[old], stage.now);
    assert_eq!(refused(result), PasskeyError::UnknownCredential);
}

#[test]
fn nobody_and_several_people_are_not_asked() {
    let (ada, bob) = (Stage::of(1), Stage::of(2));
    assert_eq!(refused(ada.passkeys.start_step_up(&[], ada.now)), PasskeyError::NoPasskey);
    let both = [ada.register(&mut SoftAuthenticator::new(1)), bob.register(&mut SoftAuthenticator::new(2))];
    assert_eq!(refused(ada.passkeys.start_step_up(&both, ada.now)), PasskeyError::StoredState);
}

/// Every kind of ceremony, offered to the finish of every other kind with an answer that fits its challenge.
#[test]
fn a_ceremony_finishes_nothing_of_another_kind() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let keys = [stage.register(&mut soft)];
    soft.habits.ignores_exclusions = true;
    let begin = |kind: CeremonyKind| match kind {
        CeremonyKind::Registration => stage.start_registration(&[]),
        CeremonyKind::SignIn => stage.start_sign_in(),
        CeremonyKind::StepUp => stage.start_step_up(&keys),
        CeremonyKind::Approval => stage.start_approval(&keys, b"content"),
    };
    let kinds =
        [CeremonyKind::Registration, CeremonyKind::SignIn, CeremonyKind::StepUp, CeremonyKind::Approval];
    for begun in kinds {
        for finished in kinds {
            let mut soft = soft.clone();
            let (mut options, ceremony) = begin(begun);
            let create = finished == CeremonyKind::Registration;
            if create != (begun == CeremonyKind::Registration) {
                // The page lies to the authenticator about what is asked, but not about the challenge.
                let challenge = options["challenge"].clone();
                options = if create { stage.start_registration(&[]).0 } else { stage.start_sign_in().0 };
                options["challenge"] = challenge;
            }
            let answer = if create { soft.create(ORIGIN, &options) } else { soft.get(ORIGIN, &options) };
            let answer = bytes(&answer.unwrap());
            let (passkeys, now) = (&stage.passkeys, stage.now);
            let loaded = std::slice::from_ref(&keys[0]);
            let result = match finished {
                CeremonyKind::Registration => passkeys.finish_registration(ceremony, &answer, now).map(drop),
                CeremonyKind::SignIn => passkeys.finish_sign_in(ceremony, &answer, loaded, now).map(drop),
                CeremonyKind::StepUp => passkeys.finish_step_up(ceremony, &answer, loaded, now).map(drop),
                CeremonyKind::Approval => {
                    passkeys.finish_approval(ceremony, &answer, b"content", loaded, now).map(drop)
                }
            };
            let expected = if begun == finished { Ok(()) } else { Err(PasskeyError::WrongCeremony) };
            assert_eq!(result, expected, "{begun:?} as {finished:?}");
        }
    }
}
