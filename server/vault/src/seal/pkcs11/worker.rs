//! What the process of a PKCS#11 library does with it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::Error;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};

use super::keys::{keys_of, make_key, newest};
use super::login::{auth_pin, login};
use super::met::KeysMet;
use super::opened::Opened;
use super::protocol::Met;
use super::target::{Name, Target};
use super::trouble::{Trouble, device, trouble};
use crate::envelope::NONCE_LEN;
use crate::seal::{KeyNumber, SealError, associated_data};
use crate::secret::{SecretBytes, SecretString};

/// The library and the tokens that are open in it.
#[derive(Debug)]
pub(super) struct Worker {
    path: PathBuf,
    library: Option<Pkcs11>,
    open: HashMap<Name, Opened>,
    met: KeysMet,
}

impl Worker {
    /// In the place of one that has met these keys.
    pub(super) fn new(path: &Path, met: Vec<Met>) -> Self {
        Self { path: path.to_owned(), library: None, open: HashMap::new(), met: KeysMet::new(met) }
    }

    /// All keys that it knows, if these are not the ones that were told last.
    pub(super) fn met_since(&mut self) -> Option<Vec<Met>> {
        self.met.untold()
    }

    /// Forgets all sessions and finalises the library; the next call starts afresh.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        if let Some(library) = self.library.take() {
            // A library that cannot be finalised says so again when it is initialised.
            let _told_later = library.finalize();
        }
    }

    pub(super) fn probe(&mut self, token: &Target<'_>) -> Result<(), SealError> {
        self.with_whole(token, Opened::check)
    }

    /// Encrypts under the token's newest key. The nonce in the answer counts: some tokens insist on their own.
    pub(super) fn encrypt(
        &mut self,
        token: &Target<'_>,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<(KeyNumber, [u8; NONCE_LEN], Vec<u8>), SealError> {
        self.with_whole(token, |open| {
            let (number, key) = open.newest_now(token)?;
            let mut nonce = nonce;
            let ciphertext = open
                .encrypt(key, &mut nonce, &associated_data(number, context), plaintext)
                .map_err(|error| open.trouble(&error))?;
            Ok((number, nonce, ciphertext))
        })
    }

    pub(super) fn decrypt(
        &mut self,
        token: &Target<'_>,
        number: KeyNumber,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, SealError> {
        let is_proven = self.met.is_proven(token, number);
        let mut lacks_newest = false;
        let opened = self.with_open(token, |open| {
            lacks_newest = open.lacks_newest();
            // Its file may be put back, and a library that looked before does not always look again.
            let gone = || Trouble::Afresh(open.gone(number));
            let key = match open.keys.get(&number) {
                Some(key) => Some(*key),
                None => keys_of(&open.session, token)?.get(&number).copied(),
            };
            let key = key.ok_or_else(gone)?;
            if let Ok(plaintext) = open.decrypt(key, nonce, &associated_data(number, context), ciphertext) {
                return Ok(plaintext);
            }
            // Modules say "wrong tag" in many ways, SoftHSM2 by CKR_GENERAL_ERROR. What is known to be good
            // tells whether the bytes or the token are to blame.
            open.check()?;
            if !keys_of(&open.session, token)?.contains_key(&number) {
                return Err(gone());
            }
            let failed = SealError::AuthenticationFailed;
            Err(if is_proven { Trouble::Final(failed) } else { Trouble::Afresh(failed) })
        });
        match &opened {
            Ok(_) => self.met.proves(token, number),
            // Of a key that is lost, another one that fails tells nothing.
            Err(SealError::AuthenticationFailed) if !lacks_newest => self.met.doubts(token),
            Err(_) => {}
        }
        opened
    }

    /// The numbers of our keys, the newest last.
    pub(super) fn keys(&mut self, token: &Target<'_>) -> Result<Vec<KeyNumber>, SealError> {
        self.with_open(token, |open| Ok(keys_of(&open.session, token)?.into_keys().collect()))
    }

    pub(super) fn create_key(&mut self, token: &Target<'_>) -> Result<(), SealError> {
        self.writing(token, |session| {
            if !keys_of(session, token)?.is_empty() {
                return Ok(());
            }
            make_key(session, token, 1)
        })
    }

    pub(super) fn add_key(&mut self, token: &Target<'_>) -> Result<KeyNumber, SealError> {
        let met = self.met.newest(token);
        let number = self.writing(token, |session| {
            let (newest, _) = newest(&keys_of(session, token)?, token)?;
            if let Some(number) = met.filter(|met| *met > newest) {
                return Err(Trouble::Afresh(SealError::KeyGone { seal: token.label.to_owned(), number }));
            }
            let number = newest.saturating_add(1);
            make_key(session, token, number).map(|()| number)
        })?;
        self.forget(token);
        Ok(number)
    }

    pub(super) fn destroy_key(&mut self, token: &Target<'_>, number: KeyNumber) -> Result<(), SealError> {
        self.writing(token, |session| {
            let keys = keys_of(session, token)?;
            if newest(&keys, token)?.0 == number {
                return Err(SealError::KeyInUse { seal: token.label.to_owned(), number }.into());
            }
            keys.get(&number)
                .map_or(Ok(()), |key| session.destroy_object(*key).map_err(|error| trouble(token, &error)))
        })?;
        self.forget(token);
        Ok(())
    }

    /// Runs `task` in a session that may change the token.
    fn writing<T>(
        &mut self,
        token: &Target<'_>,
        mut task: impl FnMut(&Session) -> Result<T, Trouble>,
    ) -> Result<T, SealError> {
        self.heal(|worker| {
            let (slot, info) = worker.find(token)?;
            let session = worker.session(slot, token, true)?;
            login(&session, &info, token)?;
            task(&session)
        })
    }

    /// The next call opens the token anew.
    fn forget(&mut self, token: &Target<'_>) {
        self.open.remove(&token.name());
    }

    /// Makes a token with this label and PIN in an empty slot, unless there is one that has its PIN.
    pub(super) fn create_token(
        &mut self,
        token: &Target<'_>,
        so_pin: &SecretString,
    ) -> Result<(), SealError> {
        let so_pin = auth_pin(so_pin);
        self.heal(|worker| {
            let slot = match worker.find(token) {
                Ok((_, info)) if info.user_pin_initialized() => return Ok(()),
                // Half made: the process died between the two steps below.
                Ok((slot, _)) => slot,
                Err(Trouble::Lost(SealError::TokenMissing(_))) => worker.empty_slot(token)?,
                Err(trouble) => return Err(trouble),
            };
            let pin = auth_pin(&token.desk.new_pin()?);
            let told = |error| trouble(token, &error);
            worker.library()?.init_token(slot, &so_pin, token.label).map_err(told)?;
            // Its slot has another number now.
            let (slot, _) = worker.find(token)?;
            let session = worker.session(slot, token, true)?;
            session.login(UserType::So, Some(&so_pin)).map_err(told)?;
            session.init_pin(&pin).map_err(told)?;
            session.logout().map_err(told)
        })
    }

    fn library(&mut self) -> Result<&Pkcs11, SealError> {
        if self.library.is_none() {
            let told = |error: Error| SealError::Module { path: self.path.clone(), cause: error.to_string() };
            let library = Pkcs11::new(&self.path).map_err(told)?;
            library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).map_err(told)?;
            self.library = Some(library);
        }
        self.library
            .as_ref()
            .ok_or_else(|| SealError::Module { path: self.path.clone(), cause: "not loaded".to_owned() })
    }

    /// Runs `task`, which takes the newest key, on the open token. One that lacked it is opened anew first, in a library that
    /// begins anew: it may be back.
    fn with_whole<T>(
        &mut self,
        token: &Target<'_>,
        mut task: impl FnMut(&Opened) -> Result<T, Trouble>,
    ) -> Result<T, SealError> {
        if self.open.get(&token.name()).is_some_and(Opened::lacks_newest) {
            self.reset();
        }
        self.with_open(token, |open| {
            open.has_newest()?;
            task(open)
        })
    }

    /// Runs `task` on the open token, opening it first if need be.
    fn with_open<T>(
        &mut self,
        token: &Target<'_>,
        mut task: impl FnMut(&Opened) -> Result<T, Trouble>,
    ) -> Result<T, SealError> {
        let name = token.name();
        self.heal(|worker| {
            if !worker.open.contains_key(&name) {
                let open = worker.open(token)?;
                worker.open.insert(name.clone(), open);
            }
            let outcome = match worker.open.get(&name) {
                Some(open) => task(open),
                None => Err(SealError::TokenMissing(token.label.to_owned()).into()),
            };
            if matches!(outcome, Err(Trouble::Lost(_))) {
                worker.open.remove(&name);
            }
            outcome
        })
    }

    /// Tries as things are, then with a new session, then with the library initialised anew: many libraries
    /// find a token that came back only then.
    fn heal<T>(&mut self, mut task: impl FnMut(&mut Self) -> Result<T, Trouble>) -> Result<T, SealError> {
        let mut lost = 0_u8;
        loop {
            match task(self) {
                Ok(done) => return Ok(done),
                Err(Trouble::Lost(_)) if lost < 2 => lost = lost.saturating_add(1),
                Err(Trouble::Final(error) | Trouble::Lost(error)) => return Err(error),
                Err(Trouble::Afresh(error)) => {
                    self.reset();
                    return Err(error);
                }
            }
            if lost == 2 {
                self.reset();
            }
        }
    }

    fn open(&mut self, token: &Target<'_>) -> Result<Opened, Trouble> {
        let (slot, info) = self.find(token)?;
        let session = self.session(slot, token, false)?;
        login(&session, &info, token)?;
        // Whatever is wrong with its keys may be mended by others, which some libraries see only when they begin.
        self.met.meet(session, token).map_err(|trouble| match trouble {
            Trouble::Final(error) => Trouble::Afresh(error),
            other => other,
        })
    }

    fn session(&mut self, slot: Slot, token: &Target<'_>, writes: bool) -> Result<Session, Trouble> {
        let library = self.library()?;
        let session = if writes { library.open_rw_session(slot) } else { library.open_ro_session(slot) };
        session.map_err(|error| Trouble::Lost(device(token, &error)))
    }

    fn find(&mut self, token: &Target<'_>) -> Result<(Slot, TokenInfo), Trouble> {
        let mut found = self.tokens(token)?;
        found.retain(|(_, info)| {
            info.token_initialized()
                && info.label().trim_end() == token.label
                && token.serial.is_none_or(|serial| info.serial_number().trim_end() == serial)
        });
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(SealError::AmbiguousToken(token.label.to_owned()).into()),
            (None, _) => Err(Trouble::Lost(SealError::TokenMissing(token.label.to_owned()))),
        }
    }

    fn empty_slot(&mut self, token: &Target<'_>) -> Result<Slot, Trouble> {
        let empty = self.tokens(token)?.into_iter().find(|(_, info)| !info.token_initialized());
        let missing = || SealError::Device {
            token: token.label.to_owned(),
            cause: "the module offers no empty slot".to_owned(),
        };
        empty.map(|(slot, _)| slot).ok_or_else(|| missing().into())
    }

    fn tokens(&mut self, token: &Target<'_>) -> Result<Vec<(Slot, TokenInfo)>, Trouble> {
        let library = self.library()?;
        let slots = library.get_slots_with_token().map_err(|error| Trouble::Lost(device(token, &error)))?;
        // A slot whose token is just being pulled does not hide the others.
        Ok(slots.into_iter().filter_map(|slot| Some((slot, library.get_token_info(slot).ok()?))).collect())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.reset();
    }
}
