//! A key file's text on its way from the shell to the server. It passes buffers that are not ours to wipe, JSON's and HTTP's at
//! both ends of the socket. So it is sealed to a key that the server makes for this one letter, and that is wiped once the letter
//! is opened: what stays in those buffers opens for nobody.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keywarden_domain::Env;
use keywarden_vault::{
    SecretBytes, SecretString,
    recovery::{Recipient, RecoveryKey, RecoveryTextError},
};
use serde::{Deserialize, Serialize};

/// What is sealed, as distinct from all else that is sealed so.
const PURPOSE: &str = "operator-letter";

/// Whom the next letter is sealed to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LetterTo {
    pub recipient: String,
}

/// A secret text, sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Letter(String);

/// Why a letter was not sealed, or does not open.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    #[error("no key could be made for what is to be sent")]
    NoKey,
    #[error("the server's key for what is to be sent: {0}")]
    Recipient(#[from] RecoveryTextError),
    #[error("what was sent does not open: another command was sent meanwhile, or it was changed; try again")]
    Unopened,
}

impl Letter {
    /// Seals a text for the server that said whom to. `about` is not part of it, and needed to open it.
    pub(crate) fn seal(
        to: &LetterTo,
        about: &str,
        text: &SecretString,
        env: &Env,
    ) -> Result<Self, LetterError> {
        let recipient: Recipient = to.recipient.parse()?;
        let text = SecretBytes::copy_of(text.expose().as_bytes());
        let sealed = recipient.seal(PURPOSE, about.as_bytes(), &text, &mut env.fork());
        Ok(Self(STANDARD.encode(sealed.ok_or(LetterError::NoKey)?)))
    }
}

/// The key that the next letter opens with, until then.
#[derive(Debug, Clone, Default)]
pub(crate) struct Letterbox(Arc<Mutex<Option<RecoveryKey>>>);

impl Letterbox {
    /// Says whom the next letter is sealed to; one that was sealed before opens no more.
    pub(crate) fn next(&self, env: &Env) -> Result<LetterTo, LetterError> {
        let key = RecoveryKey::generate(&mut env.fork()).ok_or(LetterError::NoKey)?;
        let to = LetterTo { recipient: key.recipient().to_string() };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        Ok(to)
    }

    /// Opens the letter, once.
    pub(crate) fn open(&self, about: &str, letter: &Letter) -> Result<SecretString, LetterError> {
        let key = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let sealed = STANDARD.decode(&letter.0).map_err(|_| LetterError::Unopened)?;
        let opened = key.and_then(|key| key.open(PURPOSE, about.as_bytes(), &sealed).ok());
        let opened = opened.ok_or(LetterError::Unopened)?;
        let text = std::str::from_utf8(opened.expose()).map_err(|_| LetterError::Unopened)?;
        Ok(SecretString::new(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire;

    #[test]
    fn a_letter_opens_once_for_what_it_is_about_and_shows_nothing() {
        let (_, env) = wire::world().unwrap();
        let (letterbox, text) = (Letterbox::default(), SecretString::new("hunter2\n".into()));
        let sealed = |to: &LetterTo| Letter::seal(to, "recovery.key", &text, &env).unwrap();
        let letter = sealed(&letterbox.next(&env).unwrap());
        assert!(!serde_json::to_string(&letter).unwrap().contains("hunter2"));
        assert_eq!(letterbox.open("recovery.key", &letter).unwrap().expose(), text.expose());
        assert!(letterbox.open("recovery.key", &letter).is_err(), "a second time");

        let letter = sealed(&letterbox.next(&env).unwrap());
        assert!(letterbox.open("other.key", &letter).is_err());
        let letter = sealed(&letterbox.next(&env).unwrap());
        letterbox.next(&env).unwrap();
        assert!(letterbox.open("recovery.key", &letter).is_err(), "another was asked for");
        let Letter(mut changed) = sealed(&letterbox.next(&env).unwrap());
        let other = if changed.as_bytes()[1000] == b'A' { "B" } else { "A" };
        changed.replace_range(1000..1001, other);
        assert!(letterbox.open("recovery.key", &Letter(changed)).is_err());
        assert!(letterbox.open("recovery.key", &Letter("no base64".into())).is_err());
    }
}
