//! Our keys on a token: found by their labels, made so that they cannot leave it.

use std::collections::BTreeMap;
use std::ffi::c_ulong;

use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;

use super::KEY_LABEL;
use super::target::Target;
use super::trouble::{Trouble, trouble};
use crate::seal::{KeyNumber, SealError};

/// The length of our keys: AES-256.
const BYTES: c_ulong = 32;

/// The length of a key's CKA_ID.
const ID_LEN: usize = 16;

/// Our keys on a token, by number. Never empty once a token is open.
pub(super) type Keys = BTreeMap<KeyNumber, ObjectHandle>;

/// Our keys, found by their labels: a token may hold other people's too.
pub(super) fn keys_of(session: &Session, token: &Target<'_>) -> Result<Keys, Trouble> {
    let told = |error| trouble(token, &error);
    let secret = [Attribute::Class(ObjectClass::SECRET_KEY), Attribute::KeyType(KeyType::AES)];
    let mut keys = Keys::new();
    for handle in session.find_objects(&secret).map_err(told)? {
        let answer = session.get_attributes(handle, &[AttributeType::Label]).map_err(told)?;
        let label = answer.iter().find_map(|it| match it {
            Attribute::Label(label) => Some(label.as_slice()),
            _ => None,
        });
        let Some(number) = label.and_then(numbered) else { continue };
        if keys.insert(number, handle).is_some() {
            let (token, label) = (token.label.to_owned(), label_of(number));
            return Err(SealError::AmbiguousKey { token, label, count: 2 }.into());
        }
    }
    Ok(keys)
}

pub(super) fn newest(keys: &Keys, token: &Target<'_>) -> Result<(KeyNumber, ObjectHandle), Trouble> {
    let missing = || SealError::KeyMissing { token: token.label.to_owned(), label: KEY_LABEL.to_owned() };
    keys.last_key_value().map(|(number, key)| (*number, *key)).ok_or_else(|| missing().into())
}

fn label_of(number: KeyNumber) -> String {
    if number == 1 { KEY_LABEL.to_owned() } else { format!("{KEY_LABEL}-{number}") }
}

/// The number that a label says, in the one way of saying it.
fn numbered(label: &[u8]) -> Option<KeyNumber> {
    let label = std::str::from_utf8(label).ok()?.trim_end_matches(['\0', ' ']);
    let number = match label.strip_prefix(KEY_LABEL)? {
        "" => 1,
        rest => rest.strip_prefix('-')?.parse().ok()?,
    };
    (label_of(number) == label).then_some(number)
}

pub(super) fn make_key(session: &Session, token: &Target<'_>, number: KeyNumber) -> Result<(), Trouble> {
    let told = |error| trouble(token, &error);
    // Two keys of one label can still be told apart, with the token's own tools.
    let mut id = [0; ID_LEN];
    session.generate_random_slice(&mut id).map_err(told)?;
    let template = key_template(&label_of(number), id.to_vec());
    let made = session.generate_key(&Mechanism::AesKeyGen, &template).map_err(told)?;
    require_strong(session, made, token, number)
}

fn key_template(label: &str, id: Vec<u8>) -> [Attribute; 13] {
    [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(label.into()),
        Attribute::Id(id),
        Attribute::ValueLen(BYTES.into()),
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
    ]
}

pub(super) fn require_strong(
    session: &Session,
    key: ObjectHandle,
    token: &Target<'_>,
    number: KeyNumber,
) -> Result<(), Trouble> {
    let wanted =
        [Attribute::Sensitive(true), Attribute::Extractable(false), Attribute::ValueLen(BYTES.into())];
    let asked = [AttributeType::Sensitive, AttributeType::Extractable, AttributeType::ValueLen];
    let answer = session.get_attributes(key, &asked).map_err(|error| trouble(token, &error))?;
    if wanted.iter().all(|it| answer.contains(it)) {
        Ok(())
    } else {
        Err(SealError::WeakKey { token: token.label.to_owned(), label: label_of(number) }.into())
    }
}
