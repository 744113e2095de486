//! What the process of a PKCS#11 library does with it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::ObjectHandle;
use cryptoki::session::{Session, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::keys::{Keys, keys_of, make_key, newest, require_strong};
use super::login::login;
use super::protocol::{Left, Met, Tried};
use crate::envelope::{NONCE_LEN, TAG_LEN};
use crate::seal::{KeyNumber, SealError, associated_data};
use crate::secret::{SecretBytes, SecretString};

/// Encrypted when a key is first met and decrypted by each probe: knowing it again proves that the key works, and is the
/// same, and costs no nonce.
const KNOWN: &[u8] = b"keywarden probe";

/// A token, by its label and serial number, as it is asked for.
type Name = (String, Option<String>);

/// [`KNOWN`] under a key.
type Known = ([u8; NONCE_LEN], Vec<u8>);

impl Met {
    fn known(&self) -> Known {
        (self.nonce, self.ciphertext.clone())
    }
}

/// The token that is meant, and whom to ask for its PIN.
pub(super) struct Target<'a> {
    pub(super) label: &'a str,
    pub(super) serial: Option<&'a str>,
    pub(super) desk: &'a dyn Desk,
}

impl Target<'_> {
    fn name(&self) -> Name {
        (self.label.to_owned(), self.serial.map(str::to_owned))
    }
}

/// Keeps PINs, and remembers those that a token refused.
pub(super) trait Desk {
    /// The PIN for the token of this serial number, which tells this of wrong ones. The try is written down on return.
    fn begin(&self, serial: &str, left: Left) -> Result<SecretString, SealError>;

    /// What became of the try.
    fn tried(&self, tried: Tried) -> Result<(), SealError>;

    /// The PIN for a token that is being made.
    fn new_pin(&self) -> Result<SecretString, SealError>;
}

/// The library and the tokens that are open in it.
#[derive(Debug)]
pub(super) struct Worker {
    path: PathBuf,
    library: Option<Pkcs11>,
    open: HashMap<Name, Open>,
    /// Of each token, the newest key since its owner began.
    met: HashMap<Name, Met>,
    /// Whether its owner was not told yet.
    met_more: bool,
}

/// A token that is logged in, with its keys.
#[derive(Debug)]
struct Open {
    label: String,
    session: Session,
    keys: Keys,
    known: Known,
}

/// What went wrong, and whether a fresh session could mend it.
pub(super) enum Trouble {
    /// It could, but another login may do harm: the next call begins with the library initialised anew.
    Afresh(SealError),
    Final(SealError),
    Lost(SealError),
}

impl From<SealError> for Trouble {
    fn from(error: SealError) -> Self {
        Self::Final(error)
    }
}

impl Worker {
    /// In the place of one that has met these keys.
    pub(super) fn new(path: &Path, met: Vec<Met>) -> Self {
        let met = met.into_iter().map(|it| (it.token.clone(), it)).collect();
        Self { path: path.to_owned(), library: None, open: HashMap::new(), met, met_more: false }
    }

    /// All keys that it knows, if these are not the ones that were told last.
    pub(super) fn met_since(&mut self) -> Option<Vec<Met>> {
        std::mem::take(&mut self.met_more).then(|| self.met.values().cloned().collect())
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
        self.with_open(token, Open::check)
    }

    /// Encrypts under the token's newest key. The nonce in the answer counts: some tokens insist on their own.
    pub(super) fn encrypt(
        &mut self,
        token: &Target<'_>,
        nonce: [u8; NONCE_LEN],
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<(KeyNumber, [u8; NONCE_LEN], Vec<u8>), SealError> {
        self.with_open(token, |open| {
            // Another process may have made a newer one.
            let keys = keys_of(&open.session, token)?;
            let (number, key) = newest(&keys, token)?;
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
        let met = self.met.get(&token.name()).filter(|met| met.number == number);
        let is_proven = met.is_some_and(|met| met.proven);
        let opened = self.with_open(token, |open| {
            // Its file may be put back, and a library that looked before does not always look again.
            let gone = || Trouble::Afresh(SealError::KeyGone { seal: token.label.to_owned(), number });
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
            Ok(_) => self.proves(token, number),
            Err(SealError::AuthenticationFailed) => self.doubts(token),
            Err(_) => {}
        }
        opened
    }

    /// The token's key opened what it had wrapped.
    fn proves(&mut self, token: &Target<'_>, number: KeyNumber) {
        let met = self.met.get_mut(&token.name()).filter(|met| met.number == number && !met.proven);
        if let Some(met) = met {
            met.proven = true;
            self.met_more = true;
        }
    }

    /// A key that never opened anything may be the wrong one: the right one, once it is there, is not measured by it.
    fn doubts(&mut self, token: &Target<'_>) {
        let name = token.name();
        if self.met.get(&name).is_some_and(|met| !met.proven) {
            self.met.remove(&name);
            self.met_more = true;
        }
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
        let met = self.met.get(&token.name()).map(|met| met.number);
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

    /// Runs `task` on the open token, opening it first if need be.
    fn with_open<T>(
        &mut self,
        token: &Target<'_>,
        mut task: impl FnMut(&Open) -> Result<T, Trouble>,
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

    fn open(&mut self, token: &Target<'_>) -> Result<Open, Trouble> {
        let (slot, info) = self.find(token)?;
        let session = self.session(slot, token, false)?;
        login(&session, &info, token)?;
        // Whatever is wrong with its keys may be mended by others, which some libraries see only when they begin.
        self.meet(session, token).map_err(|trouble| match trouble {
            Trouble::Final(error) => Trouble::Afresh(error),
            other => other,
        })
    }

    fn meet(&mut self, session: Session, token: &Target<'_>) -> Result<Open, Trouble> {
        let keys = keys_of(&session, token)?;
        let (number, key) = newest(&keys, token)?;
        for (number, key) in &keys {
            require_strong(&session, *key, token, *number)?;
        }
        let mut open =
            Open { label: token.label.to_owned(), session, keys, known: ([0; NONCE_LEN], Vec::new()) };
        let told = |error| trouble(token, &error);
        let before = self.met.get(&token.name()).filter(|met| met.number >= number);
        if let Some(lost) = before.filter(|met| met.number > number) {
            return Err(SealError::KeyGone { seal: token.label.to_owned(), number: lost.number }.into());
        }
        let before = before.map(Met::known);
        if let Some(known) = before.as_ref().filter(|known| open.knows(key, known)) {
            open.known.clone_from(known);
            return Ok(open);
        }
        let mut nonce = [0; NONCE_LEN];
        open.session.generate_random_slice(&mut nonce).map_err(told)?;
        let ciphertext = open.encrypt(key, &mut nonce, KNOWN, KNOWN).map_err(told)?;
        open.known = (nonce, ciphertext);
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
        let met = Met { token: token.name(), number, nonce, ciphertext, proven: false };
        self.met.insert(met.token.clone(), met);
        self.met_more = true;
        Ok(open)
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

impl Open {
    fn encrypt(
        &self,
        key: ObjectHandle,
        nonce: &mut [u8; NONCE_LEN],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.session.encrypt(&Mechanism::AesGcm(gcm(nonce, aad)?), key, plaintext)
    }

    fn decrypt(
        &self,
        key: ObjectHandle,
        mut nonce: [u8; NONCE_LEN],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, Error> {
        let mechanism = Mechanism::AesGcm(gcm(&mut nonce, aad)?);
        self.session.decrypt(&mechanism, key, ciphertext).map(SecretBytes::new)
    }

    /// Whether a key encrypted this.
    fn knows(&self, key: ObjectHandle, (nonce, ciphertext): &Known) -> bool {
        self.decrypt(key, *nonce, KNOWN, ciphertext).is_ok_and(|it| it.expose() == KNOWN)
    }

    /// Whether the newest key still does what it did when the token was opened.
    fn check(&self) -> Result<(), Trouble> {
        let (nonce, ciphertext) = &self.known;
        let Some((_, key)) = self.keys.last_key_value() else {
            return Err(Trouble::Lost(self.device("it holds no key of ours".to_owned())));
        };
        match self.decrypt(*key, *nonce, KNOWN, ciphertext) {
            Ok(plaintext) if plaintext.expose() == KNOWN => Ok(()),
            Ok(_) => Err(Trouble::Lost(self.device("it decrypts to other bytes".to_owned()))),
            Err(error) => Err(Trouble::Lost(self.device(error.to_string()))),
        }
    }

    fn trouble(&self, error: &Error) -> Trouble {
        classify(error, self.device(error.to_string()))
    }

    fn device(&self, cause: String) -> SealError {
        SealError::Device { token: self.label.clone(), cause }
    }
}

fn gcm<'a>(nonce: &'a mut [u8; NONCE_LEN], aad: &'a [u8]) -> Result<GcmParams<'a>, Error> {
    GcmParams::new(nonce, aad, u64::try_from(TAG_LEN * 8)?.into())
}

/// `AuthPin` wipes itself; the exact capacity of `to_owned` keeps it from leaving a copy behind.
pub(super) fn auth_pin(pin: &SecretString) -> AuthPin {
    AuthPin::from(pin.expose().to_owned())
}

pub(super) fn device(token: &Target<'_>, error: &Error) -> SealError {
    SealError::Device { token: token.label.to_owned(), cause: error.to_string() }
}

pub(super) fn trouble(token: &Target<'_>, error: &Error) -> Trouble {
    classify(error, device(token, error))
}

/// What a fresh session may mend.
fn classify(error: &Error, said: SealError) -> Trouble {
    let lost = matches!(
        error,
        Error::Pkcs11(
            RvError::CryptokiNotInitialized
                | RvError::DeviceError
                | RvError::DeviceMemory
                | RvError::DeviceRemoved
                | RvError::FunctionFailed
                | RvError::GeneralError
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::OperationActive
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn
                | RvError::VendorDefined(_),
            _
        )
    );
    if lost { Trouble::Lost(said) } else { Trouble::Final(said) }
}
