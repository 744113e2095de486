use super::*;

#[test]
fn the_question_asks_for_a_discoverable_verified_passkey() {
    let stage = Stage::new();
    let held = CredentialId::try_from(vec![9; 16]).unwrap();
    let (options, ceremony) = stage.start_registration(std::slice::from_ref(&held));
    assert_eq!(ceremony.kind(), CeremonyKind::Registration);
    assert_eq!(options["rp"], serde_json::json!({"name": "Keywarden", "id": "localhost"}));
    assert_eq!(options["user"]["id"], stage.user.to_string());
    assert_eq!(options["user"]["name"], "ada@example.com");
    assert_eq!(options["user"]["displayName"], "Ada");
    assert_eq!(
        options["authenticatorSelection"],
        serde_json::json!({
            "residentKey": "required",
            "requireResidentKey": true,
            "userVerification": "required",
        })
    );
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["extensions"]["credProps"], true);
    assert_eq!(options["excludeCredentials"][0]["id"], held.to_string());
    assert_eq!(options["timeout"], 300_000);
    let kinds: Vec<_> = options["pubKeyCredParams"].as_array().unwrap().iter().map(|k| &k["alg"]).collect();
    assert_eq!(kinds, [-7, -35, -257]);
}

#[test]
fn a_device_bound_passkey_is_registered() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.aaguid = [0xab; 16];
    let (options, ceremony) = stage.start_registration(&[]);
    let answer = soft.create(ORIGIN, &options).unwrap();
    let registered = stage.finish_registration(ceremony, &answer).unwrap();
    let passkey = &registered.passkey;
    assert_eq!(passkey.credential_id().to_string(), answer["id"]);
    assert_eq!(passkey.user(), &stage.user);
    assert_eq!(passkey.transports(), ["usb", "nfc"]);
    assert_eq!(passkey.aaguid().unwrap().to_string(), "abababab-abab-abab-abab-abababababab");
    assert!(!passkey.synced() && !registered.backed_up);
    assert_eq!(b64::encode(&registered.attestation_object), answer["response"]["attestationObject"]);
    let key = passkey.public_key().unwrap();
    assert!(registered.attestation_object.ends_with(&key), "the key as the authenticator wrote it");
}

#[test]
fn a_synced_passkey_is_known_as_such() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.backup_eligible = true;
    soft.habits.backed_up = true;
    let (options, ceremony) = stage.start_registration(&[]);
    let registered = stage.finish_registration(ceremony, &soft.create(ORIGIN, &options).unwrap()).unwrap();
    assert!(registered.passkey.synced() && registered.backed_up);
    assert_eq!(registered.passkey.aaguid(), None, "all zeroes name no model");
}

#[test]
fn a_copy_of_what_cannot_be_copied_is_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    soft.habits.backed_up = true;
    let (options, ceremony) = stage.start_registration(&[]);
    let answer = soft.create(ORIGIN, &options).unwrap();
    assert_eq!(refused(stage.finish_registration(ceremony, &answer)), PasskeyError::BackupChanged);
}

#[test]
fn presence_verification_site_and_call_are_checked() {
    type Change = fn(&mut soft::Habits);
    let cases: [(Change, PasskeyError); 6] = [
        (|h| h.user_present = false, PasskeyError::UserNotPresent),
        (|h| h.user_verified = false, PasskeyError::UserNotVerified),
        (|h| h.rp_id = Some("evillocalhost"), PasskeyError::OtherRelyingParty),
        (|h| h.call = Some("webauthn.get"), PasskeyError::WrongCeremony),
        (|h| h.cross_origin = true, PasskeyError::OtherOrigin),
        (|h| h.forgetful = true, PasskeyError::NotDiscoverable),
    ];
    for (change, error) in cases {
        let stage = Stage::new();
        let mut soft = SoftAuthenticator::new(1);
        change(&mut soft.habits);
        let (options, ceremony) = stage.start_registration(&[]);
        let answer = soft.create(ORIGIN, &options).unwrap();
        assert_eq!(refused(stage.finish_registration(ceremony, &answer)), error);
    }
}

#[test]
fn other_origins_are_refused() {
    for origin in OTHER_ORIGINS {
        let stage = Stage::new();
        let (options, ceremony) = stage.start_registration(&[]);
        let answer = SoftAuthenticator::new(1).create(origin, &options).unwrap();
        assert_eq!(
            refused(stage.finish_registration(ceremony, &answer)),
            PasskeyError::OtherOrigin,
            "{origin}"
        );
    }
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let stage = Stage::new();
    let (first, first_ceremony) = stage.start_registration(&[]);
    let (_, second_ceremony) = stage.start_registration(&[]);
    let answer = SoftAuthenticator::new(1).create(ORIGIN, &first).unwrap();
    assert_eq!(refused(stage.finish_registration(second_ceremony, &answer)), PasskeyError::AnotherChallenge);
    stage.finish_registration(first_ceremony, &answer).unwrap();
}

#[test]
fn a_passkey_is_registered_once() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let held = stage.register(&mut soft).credential_id().clone();
    let (options, _) = stage.start_registration(std::slice::from_ref(&held));
    assert_eq!(soft.create(ORIGIN, &options), Err(soft::SoftError::InvalidState), "the honest one says so");

    soft.habits.ignores_exclusions = true;
    soft.habits.credential_id = Some(held.as_bytes().to_vec());
    let (options, ceremony) = stage.start_registration(std::slice::from_ref(&held));
    let answer = soft.create(ORIGIN, &options).unwrap();
    assert_eq!(refused(stage.finish_registration(ceremony, &answer)), PasskeyError::AlreadyRegistered);
}

#[test]
fn time_runs_out() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    for (seconds, fits) in [(299, true), (300, false), (86_400, false)] {
        let (options, ceremony) = stage.start_registration(&[]);
        let answer = bytes(&soft.create(ORIGIN, &options).unwrap());
        let result = stage.passkeys.finish_registration(ceremony, &answer, stage.later(seconds));
        assert_eq!(result.map(drop).err(), (!fits).then_some(PasskeyError::Expired), "{seconds}");
    }
}

#[test]
fn nobody_without_a_name_is_asked() {
    let stage = Stage::new();
    let registrant = Registrant { handle: &stage.user, name: "", display_name: "" };
    assert!(stage.passkeys.start_registration(registrant, &[], stage.now).is_err());
}
