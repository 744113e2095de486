use super::*;

#[test]
fn the_question_names_nobody() {
    let (options, ceremony) = Stage::new().start_sign_in();
    assert_eq!(ceremony.kind(), CeremonyKind::SignIn);
    let mut keys: Vec<_> = options.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    assert_eq!(keys, ["allowCredentials", "challenge", "rpId", "timeout", "userVerification"]);
    assert_eq!(options["allowCredentials"], serde_json::json!([]));
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["userVerification"], "required");
}

#[test]
fn a_person_signs_in_again_and_again() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let mut passkey = stage.register(&mut soft);
    for _ in 0..3 {
        let (options, ceremony) = stage.start_sign_in();
        let answer = soft.get(ORIGIN, &options).unwrap();
        let claim = identify(&bytes(&answer)).unwrap();
        assert_eq!(claim, Claim { user: stage.user.clone(), credential_id: passkey.credential_id().clone() });
        let asserted = stage.finish_sign_in(ceremony, &answer, &passkey).unwrap();
        assert_eq!(&asserted.user, &stage.user);
        assert_eq!(&asserted.credential_id, passkey.credential_id());
        assert!(!asserted.synced && !asserted.backed_up);
        let kept = asserted.update.expect("the counter moved").to_json().unwrap();
        passkey = PasskeyRecord::from_json(&kept).unwrap();
    }
}

#[test]
fn a_synced_passkey_that_does_not_count_changes_only_with_its_backup() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.backup_eligible = true;
    soft.habits.counts = false;
    let passkey = stage.register(&mut soft);
    let first = stage.sign_in(&mut soft, ORIGIN, &passkey).unwrap();
    assert!(first.synced && !first.backed_up && first.update.is_none());
    soft.habits.backed_up = true;
    let second = stage.sign_in(&mut soft, ORIGIN, &passkey).unwrap();
    assert!(second.synced && second.backed_up);
    let third = stage.sign_in(&mut soft, ORIGIN, &second.update.unwrap()).unwrap();
    assert!(third.backed_up && third.update.is_none());
}

#[test]
fn presence_verification_site_call_frame_and_backup_are_checked() {
    type Change = fn(&mut soft::Habits);
    let cases: [(Change, PasskeyError); 8] = [
        (|h| h.user_present = false, PasskeyError::UserNotPresent),
        (|h| h.user_verified = false, PasskeyError::UserNotVerified),
        (|h| h.rp_id = Some("evillocalhost"), PasskeyError::OtherRelyingParty),
        (|h| h.call = Some("webauthn.create"), PasskeyError::WrongCeremony),
        (|h| h.cross_origin = true, PasskeyError::OtherOrigin),
        (|h| h.backup_eligible = true, PasskeyError::BackupChanged),
        (|h| h.backed_up = true, PasskeyError::BackupChanged),
        (|h| h.tells_user = false, PasskeyError::NotDiscoverable),
    ];
    for (change, error) in cases {
        let stage = Stage::new();
        let mut soft = SoftAuthenticator::new(1);
        let passkey = stage.register(&mut soft);
        change(&mut soft.habits);
        assert_eq!(refused(stage.sign_in(&mut soft, ORIGIN, &passkey)), error);
    }
}

#[test]
fn a_synced_passkey_does_not_become_device_bound() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.backup_eligible = true;
    let passkey = stage.register(&mut soft);
    soft.habits.backup_eligible = false;
    assert_eq!(refused(stage.sign_in(&mut soft, ORIGIN, &passkey)), PasskeyError::BackupChanged);
}

#[test]
fn other_origins_are_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    for origin in OTHER_ORIGINS {
        assert_eq!(
            refused(stage.sign_in(&mut soft, origin, &passkey)),
            PasskeyError::OtherOrigin,
            "{origin}"
        );
    }
}

#[test]
fn a_copied_authenticator_is_noticed() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let mut copy = soft.clone();
    let passkey = stage.sign_in(&mut soft, ORIGIN, &passkey).unwrap().update.unwrap();
    assert_eq!(refused(stage.sign_in(&mut copy, ORIGIN, &passkey)), PasskeyError::CounterWentBack);
    let passkey = stage.sign_in(&mut copy, ORIGIN, &passkey).unwrap().update.unwrap();
    assert_eq!(refused(stage.sign_in(&mut soft, ORIGIN, &passkey)), PasskeyError::CounterWentBack);
}

/// The ceremony remembers no counter: what counts is the one kept when the answer comes.
#[test]
fn a_counter_that_moved_during_the_ceremony_counts() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let (options, ceremony) = stage.start_sign_in();
    let answer = soft.clone().get(ORIGIN, &options).unwrap();
    let passkey = stage.sign_in(&mut soft, ORIGIN, &passkey).unwrap().update.unwrap();
    assert_eq!(refused(stage.finish_sign_in(ceremony, &answer, &passkey)), PasskeyError::CounterWentBack);
}

#[test]
fn an_answer_serves_one_ceremony() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.counts = false;
    let passkey = stage.register(&mut soft);
    let (options, ceremony) = stage.start_sign_in();
    let answer = soft.get(ORIGIN, &options).unwrap();
    stage.finish_sign_in(ceremony, &answer, &passkey).unwrap();
    let (_, next) = stage.start_sign_in();
    assert_eq!(refused(stage.finish_sign_in(next, &answer, &passkey)), PasskeyError::AnotherChallenge);
}

#[test]
fn time_runs_out() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let (options, ceremony) = stage.start_sign_in();
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let late = stage.passkeys.finish_sign_in(ceremony, &answer, &[passkey], stage.later(300));
    assert_eq!(refused(late), PasskeyError::Expired);
}

#[test]
fn a_passkey_speaks_for_nobody_else() {
    let (ada, bob) = (Stage::of(1), Stage::of(2));
    let (mut adas, mut bobs) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let (ada_key, bob_key) = (ada.register(&mut adas), bob.register(&mut bobs));

    // Bob's answer, judged by Ada's passkeys.
    let (options, ceremony) = ada.start_sign_in();
    let answer = bobs.get(ORIGIN, &options).unwrap();
    assert_eq!(refused(ada.finish_sign_in(ceremony, &answer, &ada_key)), PasskeyError::UnknownCredential);

    // Bob says he is Ada: his passkey knows better.
    let (options, ceremony) = ada.start_sign_in();
    let mut answer = bobs.get(ORIGIN, &options).unwrap();
    answer["response"]["userHandle"] = ada.user.to_string().into();
    assert_eq!(refused(ada.finish_sign_in(ceremony, &answer, &bob_key)), PasskeyError::OtherPerson);

    // Bob says his passkey is Ada's: the signature knows better.
    let (options, ceremony) = ada.start_sign_in();
    let mut answer = bobs.get(ORIGIN, &options).unwrap();
    answer["response"]["userHandle"] = ada.user.to_string().into();
    answer["id"] = ada_key.credential_id().to_string().into();
    answer["rawId"] = answer["id"].clone();
    assert_eq!(refused(ada.finish_sign_in(ceremony, &answer, &ada_key)), PasskeyError::BadSignature);
}
