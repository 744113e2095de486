//! What an authenticator and a browser may send, changed by chance (S-28).

use keywarden_garble::{bytes, texts};

use super::super::authenticator_data::AuthenticatorData;
use super::super::{assertion::Answer, cbor, client_data, client_data::ClientData, cose};
use super::*;

/// The bytes of a part of an answer.
fn part(answer: &Value, name: &str) -> Vec<u8> {
    b64::decode(answer["response"][name].as_str().unwrap()).unwrap()
}

#[test]
fn answers_are_taken_apart_or_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let (options, creation) = stage.start_registration(&[]);
    let created = soft.create(ORIGIN, &options).unwrap();
    let passkey = stage.finish_registration(through_the_store(&creation), &created).unwrap().passkey;
    let (options, ceremony) = stage.start_sign_in();
    let got = soft.get(ORIGIN, &options).unwrap();
    let kept = [creation.to_bytes().unwrap(), ceremony.to_bytes().unwrap()];
    let specimens = [super::bytes(&created), super::bytes(&got)];
    bytes(&specimens, |input| {
        let _read = Answer::parse(input);
        let [creation, ceremony] = kept.each_ref().map(|it| Ceremony::from_bytes(it).unwrap());
        let finished = stage.passkeys.finish_registration(creation, input, stage.now);
        // What is taken may be written otherwise; it is the same credential.
        if let Ok(registered) = finished {
            assert_eq!(registered.passkey.credential_id(), passkey.credential_id());
        }
        let known = std::slice::from_ref(&passkey);
        if let Ok(asserted) = stage.passkeys.finish_sign_in(ceremony, input, known, stage.now) {
            assert_eq!(asserted.credential_id, *passkey.credential_id());
        }
    });
    bytes(&kept, |input| {
        if let Ok(ceremony) = Ceremony::from_bytes(input) {
            let again = Ceremony::from_bytes(&ceremony.to_bytes().unwrap()).unwrap();
            assert_eq!(again.expires_at(), ceremony.expires_at());
        }
    });
    let record = passkey.to_json().unwrap();
    texts(&[&record], |text| drop(PasskeyRecord::from_json(text)));
}

#[test]
fn their_parts_are_taken_apart_or_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let (options, _) = stage.start_registration(&[]);
    let created = soft.create(ORIGIN, &options).unwrap();
    let object = part(&created, "attestationObject");
    let data = cbor::auth_data(&object).unwrap().to_vec();
    bytes(&[object, data, vec![0x9b; 9]], |input| {
        let mut reader = cbor::Reader::new(input);
        let _read = (reader.skip(), reader.int(), reader.text(), reader.bytes(), reader.map());
        for data in [cbor::auth_data(input), Some(input)].into_iter().flatten() {
            let Some(data) = AuthenticatorData::parse(data) else { continue };
            // An authenticator that says nothing of a credential has none.
            let _read = (data.attested(), data.user_present(), data.user_verified());
        }
    });
    let client = part(&created, "clientDataJSON");
    bytes(&[client], |input| {
        if let Ok(data) = ClientData::check(input, client_data::Call::Create, ORIGIN) {
            assert!(!data.answers(b"another challenge"));
        }
    });
    let key = stage.register(&mut soft).public_key().unwrap();
    bytes(&[key], |input| {
        // There is one form of a key.
        if let Some(key) = cose::decode(input) {
            assert_eq!(cose::encode(&key).unwrap(), input);
        }
    });
}

#[test]
fn proofs_are_good_or_refused() {
    let stage = Stage::new();
    let mut soft = SoftAuthenticator::new(1);
    let passkeys = [stage.register(&mut soft)];
    let (options, ceremony) = stage.start_approval(&passkeys, b"content");
    let answer = super::bytes(&soft.get(ORIGIN, &options).unwrap());
    let proof =
        stage.passkeys.finish_approval(ceremony, &answer, b"content", &passkeys, stage.now).unwrap().proof;
    let parts = [&proof.client_data_json, &proof.authenticator_data, &proof.signature, &proof.public_key];
    bytes(&parts, |input| {
        let input = || input.to_vec();
        for changed in [
            ApprovalProof { client_data_json: input(), ..proof.clone() },
            ApprovalProof { authenticator_data: input(), ..proof.clone() },
            ApprovalProof { signature: input(), ..proof.clone() },
            ApprovalProof { public_key: input(), ..proof.clone() },
        ] {
            let same = changed == proof;
            assert_eq!(changed.verify(b"content", "localhost", ORIGIN).is_ok(), same, "{changed:?}");
        }
    });
}
