use super::*;

const CONTENT: &[u8] = br#"{"action":"grant","request":"acr_1"}"#;

/// Content approved by one person.
fn approve(stage: &Stage, soft: &mut SoftAuthenticator, passkey: &PasskeyRecord) -> Approved {
    let (options, ceremony) = stage.start_approval(std::slice::from_ref(passkey), CONTENT);
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let loaded = std::slice::from_ref(passkey);
    stage.passkeys.finish_approval(ceremony, &answer, CONTENT, loaded, stage.now).unwrap()
}

fn approved() -> (Stage, PasskeyRecord, ApprovalProof) {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let approved = approve(&stage, &mut soft, &passkey);
    (stage, passkey, approved.proof)
}

#[test]
fn a_person_approves_and_the_proof_convinces_without_the_store() {
    let (_, passkey, proof) = approved();
    let kept = serde_json::to_string(&proof).unwrap();
    let read: ApprovalProof = serde_json::from_str(&kept).unwrap();
    assert_eq!(read, proof);
    assert_eq!(read.verify(CONTENT, "localhost", ORIGIN), Ok(()));
    assert_eq!(read.public_key, passkey.public_key().unwrap());
}

#[test]
fn two_approvals_of_the_same_content_differ() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let first = approve(&stage, &mut soft, &passkey);
    let second = approve(&stage, &mut soft, &first.asserted.update.unwrap());
    assert_ne!(first.proof.nonce, second.proof.nonce);
    assert_ne!(first.proof.client_data_json, second.proof.client_data_json);
}

#[test]
fn content_that_changed_is_not_approved() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkeys = [stage.register(&mut soft)];
    let (options, ceremony) = stage.start_approval(&passkeys, CONTENT);
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let changed = [CONTENT, b" "].concat();
    let result = stage.passkeys.finish_approval(ceremony, &answer, &changed, &passkeys, stage.now);
    assert_eq!(refused(result), PasskeyError::ContentChanged);
}

#[test]
fn a_signature_over_other_content_or_over_the_bare_nonce_approves_nothing() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkeys = [stage.register(&mut soft)];
    for other in [stage.start_approval(&passkeys, b"other"), stage.start_step_up(&passkeys)] {
        let (_, ceremony) = stage.start_approval(&passkeys, CONTENT);
        let answer = bytes(&soft.get(ORIGIN, &other.0).unwrap());
        let result = stage.passkeys.finish_approval(ceremony, &answer, CONTENT, &passkeys, stage.now);
        assert_eq!(refused(result), PasskeyError::AnotherChallenge);
    }
    // The nonce alone, as if the page had not bound it to anything.
    let (mut options, ceremony) = stage.start_approval(&passkeys, CONTENT);
    let remembered: Value = serde_json::from_slice(&ceremony.to_bytes().unwrap()).unwrap();
    let nonce = remembered.pointer("/task/approval/content/nonce").unwrap();
    assert_ne!(nonce, &options["challenge"]);
    options["challenge"] = nonce.clone();
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let result = stage.passkeys.finish_approval(ceremony, &answer, CONTENT, &passkeys, stage.now);
    assert_eq!(refused(result), PasskeyError::AnotherChallenge);
}

#[test]
fn somebody_else_approves_nothing() {
    let (ada, bob) = (Stage::of(1), Stage::of(2));
    let (mut adas, mut bobs) = (SoftAuthenticator::new(1), SoftAuthenticator::new(2));
    let keys = [ada.register(&mut adas), bob.register(&mut bobs)];
    let (mut options, ceremony) = ada.start_approval(&keys[..1], CONTENT);
    options["allowCredentials"] = serde_json::json!([]);
    let answer = bytes(&bobs.get(ORIGIN, &options).unwrap());
    let result = ada.passkeys.finish_approval(ceremony, &answer, CONTENT, &keys, ada.now);
    assert_eq!(refused(result), PasskeyError::UnknownCredential);
}

#[test]
fn the_verifier_says_what_is_wrong() {
    let (_, _, proof) = approved();
    let verify = |change: &dyn Fn(&mut ApprovalProof)| {
        let mut changed = proof.clone();
        change(&mut changed);
        changed.verify(CONTENT, "localhost", ORIGIN)
    };
    assert_eq!(proof.verify(b"other", "localhost", ORIGIN), Err(ProofError::OtherContent));
    assert_eq!(proof.verify(CONTENT, "evillocalhost", ORIGIN), Err(ProofError::OtherRelyingParty));
    for origin in OTHER_ORIGINS {
        assert_eq!(proof.verify(CONTENT, "localhost", origin), Err(ProofError::OtherOrigin), "{origin}");
    }
    assert_eq!(verify(&|p| p.nonce[0] ^= 1), Err(ProofError::OtherContent));
    assert_eq!(verify(&|p| p.authenticator_data[32] &= !1), Err(ProofError::NotVerified));
    assert_eq!(verify(&|p| p.authenticator_data[32] &= !4), Err(ProofError::NotVerified));
    assert_eq!(verify(&|p| p.authenticator_data[36] ^= 1), Err(ProofError::BadSignature));
    assert_eq!(verify(&|p| p.authenticator_data.truncate(36)), Err(ProofError::Malformed));
    assert_eq!(verify(&|p| p.signature.clear()), Err(ProofError::BadSignature));
    assert_eq!(verify(&|p| p.public_key.clear()), Err(ProofError::Malformed));
    let elsewhere = Stage::new().register(&mut SoftAuthenticator::new(2)).public_key().unwrap();
    assert_eq!(verify(&|p| p.public_key.clone_from(&elsewhere)), Err(ProofError::BadSignature));
    let created = String::from_utf8(proof.client_data_json.clone()).unwrap();
    let created = created.replace("webauthn.get", "webauthn.create").into_bytes();
    assert_eq!(verify(&|p| p.client_data_json.clone_from(&created)), Err(ProofError::NotAnAssertion));
}

#[test]
fn a_proof_without_presence_or_verification_is_none_however_well_signed() {
    for (present, verified) in [(false, true), (true, false), (false, false)] {
        let stage = Stage::new();
        let mut soft = SoftAuthenticator::new(1);
        let passkey = stage.register(&mut soft);
        soft.habits.user_present = present;
        soft.habits.user_verified = verified;
        let (options, ceremony) = stage.start_approval(std::slice::from_ref(&passkey), CONTENT);
        let answer = soft.get(ORIGIN, &options).unwrap();
        let part = |name: &str| b64::decode(answer["response"][name].as_str().unwrap()).unwrap();
        let remembered: Value = serde_json::from_slice(&ceremony.to_bytes().unwrap()).unwrap();
        let nonce = remembered.pointer("/task/approval/content/nonce").unwrap().as_str().unwrap();
        let proof = ApprovalProof {
            nonce: b64::decode(nonce).unwrap().try_into().unwrap(),
            client_data_json: part("clientDataJSON"),
            authenticator_data: part("authenticatorData"),
            signature: part("signature"),
            public_key: passkey.public_key().unwrap(),
        };
        assert_eq!(proof.verify(CONTENT, "localhost", ORIGIN), Err(ProofError::NotVerified));
    }
}
