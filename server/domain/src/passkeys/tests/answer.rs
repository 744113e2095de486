//! Answers that no browser sends.

use super::super::cbor::Writer;
use super::*;

/// An answer to a registration with another attestation object in it.
fn register_with(attestation_object: &[u8]) -> PasskeyError {
    let stage = Stage::new();
    let (options, ceremony) = stage.start_registration(&[]);
    let mut answer = SoftAuthenticator::new(1).create(ORIGIN, &options).unwrap();
    answer["response"]["attestationObject"] = b64::encode(attestation_object).into();
    refused(stage.finish_registration(ceremony, &answer))
}

#[test]
fn answers_over_the_limit_are_not_even_parsed() {
    let stage = Stage::new();
    for (len, error) in [(ANSWER_LIMIT, PasskeyError::Malformed), (ANSWER_LIMIT + 1, PasskeyError::TooLarge)]
    {
        let answer = vec![b' '; len];
        assert_eq!(refused(identify(&answer)), error);
        let (_, ceremony) = stage.start_registration(&[]);
        assert_eq!(refused(stage.passkeys.finish_registration(ceremony, &answer, stage.now)), error);
        let (_, ceremony) = stage.start_sign_in();
        assert_eq!(refused(stage.passkeys.finish_sign_in(ceremony, &answer, &[], stage.now)), error);
    }
}

#[test]
fn nonsense_is_malformed() {
    let stage = Stage::new();
    for answer in
        ["", "null", "[]", "{}", "\u{0}", "{\"id\":", &"[".repeat(60_000), &"{\"id\":".repeat(9_000)]
    {
        let answer = answer.as_bytes();
        assert_eq!(refused(identify(answer)), PasskeyError::Malformed);
        let (_, ceremony) = stage.start_registration(&[]);
        let result = stage.passkeys.finish_registration(ceremony, answer, stage.now);
        assert_eq!(refused(result), PasskeyError::Malformed);
    }
}

#[test]
fn huge_deep_and_boastful_cbor_is_malformed() {
    let object = |auth_data: &[u8], statement: &[u8]| {
        let object = Writer::default().map(3).text("fmt").text("none").text("attStmt").finish();
        let data = Writer::default().text("authData").bytes(auth_data).finish();
        [object, statement.to_vec(), data].concat()
    };
    let boastful = [&[0xbb][..], &[0xff; 8]].concat();
    for attestation in [
        vec![0; 40_000],
        vec![0x81; 40_000],
        vec![0xbf; 40_000],
        boastful.clone(),
        object(&[0; 37], &vec![0x81; 40_000]),
        object(&[0; 37], &boastful),
        object(&[], &[0xa0]),
        object(&vec![0xff; 40_000], &[0xa0]),
    ] {
        assert_eq!(register_with(&attestation), PasskeyError::Malformed);
    }
}

#[test]
fn a_credential_key_that_is_no_point_or_no_known_kind_is_refused() {
    let stage = Stage::new();
    let (options, _) = stage.start_registration(&[]);
    let answer = SoftAuthenticator::new(1).create(ORIGIN, &options).unwrap();
    let good = b64::decode(answer["response"]["attestationObject"].as_str().unwrap()).unwrap();
    let key_at = good.len() - 77;
    let with_key = |key: &[u8]| {
        // Lengths stay as they were, so the head of the object does, too.
        let (stage, mut object) = (Stage::new(), good.clone());
        object[key_at..].copy_from_slice(key);
        let (options, ceremony) = stage.start_registration(&[]);
        let mut answer = SoftAuthenticator::new(1).create(ORIGIN, &options).unwrap();
        answer["response"]["attestationObject"] = b64::encode(object).into();
        stage.finish_registration(ceremony, &answer).map(drop)
    };
    assert_eq!(with_key(&good[key_at..]), Ok(()));
    let mut no_point = good[key_at..].to_vec();
    no_point[76] ^= 1;
    assert_eq!(with_key(&no_point), Err(PasskeyError::Malformed));
    let mut eddsa = good[key_at..].to_vec();
    eddsa[4] = 0x27;
    assert_eq!(with_key(&eddsa), Err(PasskeyError::Unsupported));
}

#[test]
fn an_answer_names_one_credential() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let other = b64::encode([7; 32]);
    for (member, value) in [("id", other.as_str()), ("rawId", &other), ("type", "password")] {
        let (options, ceremony) = stage.start_sign_in();
        let mut answer = soft.get(ORIGIN, &options).unwrap();
        answer[member] = value.into();
        assert_eq!(refused(identify(&bytes(&answer))), PasskeyError::Malformed, "{member}");
        assert_eq!(refused(stage.finish_sign_in(ceremony, &answer, &passkey)), PasskeyError::Malformed);

        let (options, ceremony) = stage.start_registration(&[]);
        let mut answer = SoftAuthenticator::new(2).create(ORIGIN, &options).unwrap();
        answer[member] = value.into();
        assert_eq!(refused(stage.finish_registration(ceremony, &answer)), PasskeyError::Malformed);
    }
    // Both names agree, but the authenticator made another credential.
    let (options, ceremony) = stage.start_registration(&[]);
    let mut answer = SoftAuthenticator::new(2).create(ORIGIN, &options).unwrap();
    answer["id"] = other.as_str().into();
    answer["rawId"] = other.into();
    assert_eq!(refused(stage.finish_registration(ceremony, &answer)), PasskeyError::Malformed);
}

#[test]
fn kept_state_that_cannot_be_read_is_said_to_be_so() {
    let stage = Stage::new();
    let (_, ceremony) = stage.start_sign_in();
    let kept = ceremony.to_bytes().unwrap();
    for bytes in [&b""[..], b"{}", &kept[1..], &[&kept[..], b"x"].concat()] {
        assert_eq!(refused(Ceremony::from_bytes(bytes)), PasskeyError::StoredState);
    }
    let passkey = stage.register(&mut SoftAuthenticator::new(1)).to_json().unwrap();
    let mut moved: Value = serde_json::from_str(&passkey).unwrap();
    moved["credential_id"] = b64::encode([7; 32]).into();
    for text in ["", "{}", &moved.to_string()] {
        assert_eq!(refused(PasskeyRecord::from_json(text)), PasskeyError::StoredState);
    }
}

/// Rows outlive versions of the library: pins what it writes into them.
#[test]
fn a_kept_passkey_is_laid_out_as_it_was() {
    let passkey = Stage::new().register(&mut SoftAuthenticator::new(1));
    let kept: Value = serde_json::from_str(&passkey.to_json().unwrap()).unwrap();
    // Sorted here: whether `serde_json` keeps the order depends on what else is built.
    let keys = |value: &Value| {
        let keys: std::collections::BTreeSet<_> = value.as_object().unwrap().keys().cloned().collect();
        keys.into_iter().collect::<Vec<_>>()
    };
    assert_eq!(keys(&kept), ["aaguid", "credential_id", "passkey", "synced", "transports", "user"],);
    assert_eq!(
        keys(&kept["passkey"]["cred"]),
        [
            "attestation",
            "attestation_format",
            "backup_eligible",
            "backup_state",
            "counter",
            "cred",
            "cred_id",
            "extensions",
            "registration_policy",
            "transports",
            "user_verified",
        ]
    );
    assert_eq!(kept["passkey"]["cred"]["registration_policy"], "required");
}

#[test]
fn errors_and_debug_output_carry_nothing_of_the_answer() {
    let stage = Stage::new();
    let (options, ceremony) = stage.start_sign_in();
    let challenge = options["challenge"].as_str().unwrap();
    let shown = format!("{ceremony:?} {:?}", stage.passkeys);
    assert!(!shown.contains(challenge) && shown.contains("SignIn"), "{shown}");
}
