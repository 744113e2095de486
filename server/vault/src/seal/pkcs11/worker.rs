//! What the owner of a PKCS#11 library does.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, SessionState, UserType};
use cryptoki::slot::{Slot, TokenInfo};
use cryptoki::types::AuthPin;

use super::{KEY_LABEL, Token};
use crate::envelope::{NONCE_LEN, TAG_LEN};
use crate::seal::SealError;
use crate::secret::{SecretBytes, SecretString};

/// Encrypted when a token is opened and decrypted by each probe: knowing it again proves that the key works,
/// and costs no nonce.
const KNOWN: &[u8] = b"keywarden probe";

/// The library and the tokens that are open in it.
#[derive(Debug)]
pub(in crate::seal) struct Worker {
    path: PathBuf,
    library: Option<Pkcs11>,
    open: HashMap<(String, Option<String>), Open>,
}

/// A token that is logged in, with its key.
#[derive(Debug)]
struct Open {
    label: String,
    session: Session,
    key: ObjectHandle,
    known: ([u8; NONCE_LEN], Vec<u8>),
}

/// What went wrong, and whether a fresh session could mend it.
enum Trouble {
    Final(SealError),
    Lost(SealError),
}

impl From<SealError> for Trouble {
    fn from(error: SealError) -> Self {
        Self::Final(error)
    }
}

impl Worker {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), library: None, open: HashMap::new() }
    }

    /// Forgets all sessions and finalises the library; the next call starts afresh.
    pub(super) fn reset(&mut self) {
        self.open.clear();
        if let Some(library) = self.library.take() {
            // A library that cannot be finalised says so again when it is initialised.
            let _told_later = library.finalize();
        }
    }

    pub(super) fn probe(&mut self, token: &Token) -> Result<(), SealError> {
        self.with_open(token, Open::check)
    }

    /// Encrypts under the token's key. The nonce in the answer counts: some tokens insist on their own.
    pub(super) fn encrypt(
        &mut self,
        token: &Token,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<([u8; NONCE_LEN], Vec<u8>), SealError> {
        self.with_open(token, |open| {
            let mut nonce = nonce;
            let ciphertext =
                open.encrypt(&mut nonce, aad, plaintext).map_err(|error| open.trouble(&error))?;
            Ok((nonce, ciphertext))
        })
    }

    pub(super) fn decrypt(
        &mut self,
        token: &Token,
        nonce: [u8; NONCE_LEN],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, SealError> {
        self.with_open(token, |open| {
            if let Ok(plaintext) = open.decrypt(nonce, aad, ciphertext) {
                return Ok(plaintext);
            }
            // Modules say "wrong tag" in many ways, SoftHSM2 by CKR_GENERAL_ERROR. What is known to be good
            // tells whether the bytes or the token are to blame.
            open.check()?;
            Err(SealError::AuthenticationFailed.into())
        })
    }

    pub(super) fn create_key(&mut self, token: &Token) -> Result<(), SealError> {
        self.heal(|worker| {
            let (slot, info) = worker.find(token)?;
            let session = worker.session(slot, token, true)?;
            login(&session, &info, token)?;
            if key_of(&session, token)?.is_some() {
                return Ok(());
            }
            let made = session
                .generate_key(&Mechanism::AesKeyGen, &key_template())
                .map_err(|error| trouble(token, &error))?;
            require_strong(&session, made, token)
        })
    }

    /// Makes a token with this label and PIN in an empty slot, unless there is one that has its PIN.
    pub(in crate::seal) fn create_token(
        &mut self,
        token: &Token,
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
            let pin = auth_pin(&token.pin.read()?);
            let told = |error| trouble(token, &error);
            worker.library()?.init_token(slot, &so_pin, &token.label).map_err(told)?;
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
        token: &Token,
        mut task: impl FnMut(&Open) -> Result<T, Trouble>,
    ) -> Result<T, SealError> {
        let name = (token.label.clone(), token.serial.clone());
        self.heal(|worker| {
            if !worker.open.contains_key(&name) {
                let open = worker.open(token)?;
                worker.open.insert(name.clone(), open);
            }
            let outcome = match worker.open.get(&name) {
                Some(open) => task(open),
                None => Err(SealError::TokenMissing(token.label.clone()).into()),
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
        let mut lost = 0;
        loop {
            match task(self) {
                Ok(done) => return Ok(done),
                Err(Trouble::Lost(_)) if lost < 2 => lost += 1,
                Err(Trouble::Final(error) | Trouble::Lost(error)) => return Err(error),
            }
            if lost == 2 {
                self.reset();
            }
        }
    }

    fn open(&mut self, token: &Token) -> Result<Open, Trouble> {
        let (slot, info) = self.find(token)?;
        let session = self.session(slot, token, false)?;
        login(&session, &info, token)?;
        let missing = || SealError::KeyMissing { token: token.label.clone(), label: KEY_LABEL };
        let key = key_of(&session, token)?.ok_or_else(missing)?;
        require_strong(&session, key, token)?;
        let mut open = Open { label: token.label.clone(), session, key, known: ([0; NONCE_LEN], Vec::new()) };
        let told = |error| trouble(token, &error);
        let mut nonce = [0; NONCE_LEN];
        open.session.generate_random_slice(&mut nonce).map_err(told)?;
        let ciphertext = open.encrypt(&mut nonce, KNOWN, KNOWN).map_err(told)?;
        open.known = (nonce, ciphertext);
        Ok(open)
    }

    fn session(&mut self, slot: Slot, token: &Token, writes: bool) -> Result<Session, Trouble> {
        let library = self.library()?;
        let session = if writes { library.open_rw_session(slot) } else { library.open_ro_session(slot) };
        session.map_err(|error| Trouble::Lost(device(token, &error)))
    }

    fn find(&mut self, token: &Token) -> Result<(Slot, TokenInfo), Trouble> {
        let mut found = self.tokens(token)?;
        found.retain(|(_, info)| {
            info.token_initialized()
                && info.label().trim_end() == token.label
                && token.serial.as_ref().is_none_or(|serial| info.serial_number().trim_end() == serial)
        });
        match (found.pop(), found.is_empty()) {
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(SealError::AmbiguousToken(token.label.clone()).into()),
            (None, _) => Err(Trouble::Lost(SealError::TokenMissing(token.label.clone()))),
        }
    }

    fn empty_slot(&mut self, token: &Token) -> Result<Slot, Trouble> {
        let empty = self.tokens(token)?.into_iter().find(|(_, info)| !info.token_initialized());
        let missing = || SealError::Device {
            token: token.label.clone(),
            cause: "the module offers no empty slot".to_owned(),
        };
        empty.map(|(slot, _)| slot).ok_or_else(|| missing().into())
    }

    fn tokens(&mut self, token: &Token) -> Result<Vec<(Slot, TokenInfo)>, Trouble> {
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
    fn encrypt(&self, nonce: &mut [u8; NONCE_LEN], aad: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, Error> {
        self.session.encrypt(&Mechanism::AesGcm(gcm(nonce, aad)?), self.key, plaintext)
    }

    fn decrypt(
        &self,
        mut nonce: [u8; NONCE_LEN],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Result<SecretBytes, Error> {
        let mechanism = Mechanism::AesGcm(gcm(&mut nonce, aad)?);
        self.session.decrypt(&mechanism, self.key, ciphertext).map(SecretBytes::new)
    }

    /// Whether the key still does what it did when the token was opened.
    fn check(&self) -> Result<(), Trouble> {
        let (nonce, ciphertext) = &self.known;
        match self.decrypt(*nonce, KNOWN, ciphertext) {
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

fn login(session: &Session, info: &TokenInfo, token: &Token) -> Result<(), Trouble> {
    let told = |error| trouble(token, &error);
    let state = session.get_session_info().map_err(told)?.session_state();
    if !info.login_required() || matches!(state, SessionState::RoUser | SessionState::RwUser) {
        return Ok(()); // login holds for all sessions of the process
    }
    if info.user_pin_locked() {
        return Err(SealError::PinLocked(token.label.clone()).into());
    }
    let pin = token.pin.read()?;
    let serial = info.serial_number().trim_end();
    let attempt = token.attempts.begin(serial, &token.label, &pin, info.user_pin_final_try())?;
    match session.login(UserType::User, Some(&auth_pin(&pin))) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(attempt.accepted()?),
        Err(Error::Pkcs11(
            RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange | RvError::PinExpired,
            _,
        )) => Err(SealError::PinRefused(token.label.clone()).into()),
        Err(Error::Pkcs11(RvError::PinLocked, _)) => Err(SealError::PinLocked(token.label.clone()).into()),
        Err(error) => {
            // An answer that could hide a refused PIN leaves the try counted.
            if !matches!(
                error,
                Error::Pkcs11(
                    RvError::GeneralError
                        | RvError::FunctionFailed
                        | RvError::FunctionRejected
                        | RvError::VendorDefined(_)
                        | RvError::UnknownErrorCode(_),
                    _
                )
            ) {
                attempt.not_made()?;
            }
            Err(told(error))
        }
    }
}

/// `AuthPin` wipes itself; the exact capacity of `to_owned` keeps it from leaving a copy behind.
fn auth_pin(pin: &SecretString) -> AuthPin {
    AuthPin::from(pin.expose().to_owned())
}

fn key_of(session: &Session, token: &Token) -> Result<Option<ObjectHandle>, Trouble> {
    let ours = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(KEY_LABEL.into()),
    ];
    let mut found = session.find_objects(&ours).map_err(|error| trouble(token, &error))?;
    match (found.len(), found.pop()) {
        (0 | 1, one) => Ok(one),
        (count, _) => {
            Err(SealError::AmbiguousKey { token: token.label.clone(), label: KEY_LABEL, count }.into())
        }
    }
}

fn key_template() -> [Attribute; 13] {
    [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Label(KEY_LABEL.into()),
        Attribute::Id(KEY_LABEL.into()),
        Attribute::ValueLen(32.into()),
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

fn require_strong(session: &Session, key: ObjectHandle, token: &Token) -> Result<(), Trouble> {
    let asked = [AttributeType::Sensitive, AttributeType::Extractable];
    let answer = session.get_attributes(key, &asked).map_err(|error| trouble(token, &error))?;
    let says = |wanted: &Attribute| answer.contains(wanted);
    if says(&Attribute::Sensitive(true)) && says(&Attribute::Extractable(false)) {
        Ok(())
    } else {
        Err(SealError::WeakKey { token: token.label.clone(), label: KEY_LABEL }.into())
    }
}

fn device(token: &Token, error: &Error) -> SealError {
    SealError::Device { token: token.label.clone(), cause: error.to_string() }
}

fn trouble(token: &Token, error: &Error) -> Trouble {
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
