//! No bit of an assertion can be changed. Exhaustive: every bit of every signed or checked part, one at a time.

use super::*;

/// All variants of `bytes` with one bit flipped.
fn flips(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    (0..bytes.len() * 8).map(|bit| {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        flipped
    })
}

#[test]
fn a_sign_in_with_any_bit_flipped_is_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkey = stage.register(&mut soft);
    let (options, ceremony) = stage.start_sign_in();
    let answer = soft.get(ORIGIN, &options).unwrap();
    let ceremony = ceremony.to_bytes().unwrap();
    let finish = |answer: &Value| {
        stage.finish_sign_in(Ceremony::from_bytes(&ceremony).unwrap(), answer, &passkey).map(drop)
    };
    for part in ["authenticatorData", "clientDataJSON", "signature"] {
        let bytes = b64::decode(answer["response"][part].as_str().unwrap()).unwrap();
        for flipped in flips(&bytes) {
            let mut changed = answer.clone();
            changed["response"][part] = b64::encode(&flipped).into();
            assert!(finish(&changed).is_err(), "{part}: {}", hex::encode(flipped));
        }
    }
    finish(&answer).expect("the answer itself is good");
}

#[test]
fn a_proof_with_any_bit_flipped_is_refused() {
    let content = b"content";
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkeys = [stage.register(&mut soft)];
    let (options, ceremony) = stage.start_approval(&passkeys, content);
    let answer = bytes(&soft.get(ORIGIN, &options).unwrap());
    let proof =
        stage.passkeys.finish_approval(ceremony, &answer, content, &passkeys, stage.now).unwrap().proof;
    let judge = |proof: ApprovalProof, part: &str| {
        assert!(proof.verify(content, "localhost", ORIGIN).is_err(), "{part}: {proof:?}");
    };
    for nonce in flips(&proof.nonce) {
        judge(ApprovalProof { nonce: nonce.try_into().unwrap(), ..proof.clone() }, "nonce");
    }
    for client_data_json in flips(&proof.client_data_json) {
        judge(ApprovalProof { client_data_json, ..proof.clone() }, "clientDataJSON");
    }
    for authenticator_data in flips(&proof.authenticator_data) {
        judge(ApprovalProof { authenticator_data, ..proof.clone() }, "authenticatorData");
    }
    for signature in flips(&proof.signature) {
        judge(ApprovalProof { signature, ..proof.clone() }, "signature");
    }
    for public_key in flips(&proof.public_key) {
        judge(ApprovalProof { public_key, ..proof.clone() }, "public key");
    }
    for changed in flips(content) {
        assert_eq!(proof.verify(&changed, "localhost", ORIGIN), Err(ProofError::OtherContent));
    }
    assert_eq!(proof.verify(content, "localhost", ORIGIN), Ok(()));
}
