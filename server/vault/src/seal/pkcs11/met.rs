//! The keys that were met on tokens, by which another one of the same name, or one that is lost, is noticed.

use std::collections::HashMap;

use cryptoki::session::Session;

use super::keys::{keys_of, newest, require_strong};
use super::opened::{Known, Opened};
use super::protocol::Met;
use super::target::{Name, Target};
use super::trouble::Trouble;
use crate::seal::{KeyNumber, SealError};

impl Met {
    fn known(&self) -> Known {
        (self.nonce, self.ciphertext.clone())
    }
}

/// What is remembered of keys, for as long as the library's owner lives.
#[derive(Debug)]
pub(super) struct KeysMet {
    /// Of each token, the newest key since the owner began.
    newest: HashMap<Name, Met>,
    /// Whether the owner was not told yet.
    is_untold: bool,
    /// Of each token whose newest key is lost, what the newest that is left is known by: this process's alone.
    left: HashMap<Name, Known>,
}

impl KeysMet {
    /// As the owner tells it.
    pub(super) fn new(met: Vec<Met>) -> Self {
        let newest = met.into_iter().map(|it| (it.token.clone(), it)).collect();
        Self { newest, is_untold: false, left: HashMap::new() }
    }

    /// All keys that the owner is told, if these are not the ones that were told last.
    pub(super) fn untold(&mut self) -> Option<Vec<Met>> {
        std::mem::take(&mut self.is_untold).then(|| self.newest.values().cloned().collect())
    }

    /// The newest key that was met on a token, whether it is still there or not.
    pub(super) fn newest(&self, token: &Target<'_>) -> Option<KeyNumber> {
        self.newest.get(&token.name()).map(|met| met.number)
    }

    /// Whether this is that one, and opened what it had wrapped.
    pub(super) fn is_proven(&self, token: &Target<'_>, number: KeyNumber) -> bool {
        self.newest.get(&token.name()).is_some_and(|met| met.number == number && met.proven)
    }

    /// The token's key opened what it had wrapped.
    pub(super) fn proves(&mut self, token: &Target<'_>, number: KeyNumber) {
        let met = self.newest.get_mut(&token.name()).filter(|met| met.number == number && !met.proven);
        if let Some(met) = met {
            met.proven = true;
            self.is_untold = true;
        }
    }

    /// A key that never opened anything may be the wrong one: the right one, once it is there, is not measured by it.
    pub(super) fn doubts(&mut self, token: &Target<'_>) {
        let name = token.name();
        if self.newest.get(&name).is_some_and(|met| !met.proven) {
            self.newest.remove(&name);
            self.is_untold = true;
        }
    }

    /// Opens a token that is logged in, if its newest key is the one that was met last, a newer one, or lost. One that is lost
    /// keeps nobody from what older ones wrapped.
    pub(super) fn meet(&mut self, session: Session, token: &Target<'_>) -> Result<Opened, Trouble> {
        let keys = keys_of(&session, token)?;
        let (number, key) = newest(&keys, token)?;
        for (number, key) in &keys {
            require_strong(&session, *key, token, *number)?;
        }
        let name = token.name();
        let before = self.newest.get(&name).filter(|met| met.number >= number);
        let lost = before.map(|met| met.number).filter(|met| *met > number);
        let before = before.map(Met::known);
        let mut open = Opened::new(token, session, keys, lost);
        if lost.is_some() {
            // Nothing is measured by it but whether the token works.
            if let Some(known) = self.left.get(&name).filter(|known| open.knows(key, known)) {
                open.known.clone_from(known);
            } else {
                open.learn(key, token)?;
                self.left.insert(name, open.known.clone());
            }
            return Ok(open);
        }
        if let Some(known) = before.as_ref().filter(|known| open.knows(key, known)) {
            open.known.clone_from(known);
            return Ok(open);
        }
        open.learn(key, token)?;
        if let Some(known) = before {
            // Does the token err, or does it well what another key does?
            open.check()?;
            if !open.knows(key, &known) {
                return Err(SealError::KeyReplaced(token.label.to_owned()).into());
            }
            open.known = known;
            return Ok(open);
        }
        let (nonce, ciphertext) = open.known.clone();
        self.newest.insert(name.clone(), Met { token: name, number, nonce, ciphertext, proven: false });
        self.is_untold = true;
        Ok(open)
    }
}
