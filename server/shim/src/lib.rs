//! A PKCS#11 library that hands every call to another one, and fails as real devices do when it is told to.
//!
//! | variable | what |
//! | --- | --- |
//! | `SHIM_LIBRARY` | the library behind it |
//! | `SHIM_FAULT` | a file that is read at each call; what it says is what goes wrong, nothing if it is empty or missing |
//! | `SHIM_LOGINS` | a file that grows by a line with each login that is tried |
//! | `SHIM_ENCRYPTS` | a file that grows by a line with each encryption that is begun |
//!
//! Faults: `removed` (`CKR_DEVICE_REMOVED` everywhere), `session` (sessions from before it are invalid), `error`
//! (`CKR_GENERAL_ERROR`), `slow` (two seconds a call), `hang` (no answer), `crash` (SIGSEGV), `locked` (`CKR_PIN_LOCKED`
//! to a login), `login-error` (`CKR_GENERAL_ERROR` to a login), `login-broken` (`CKR_DEVICE_ERROR` to a login). A second word,
//! `hang customer`, limits it to processes whose `SOFTHSM2_CONF` contains that word.
//!
//! It is in no release: the tests of the server load it.

#![expect(
    clippy::disallowed_methods,
    reason = "whoever loads a library can tell it something by variables only"
)]

use std::collections::HashSet;
use std::fs::{File, read_to_string};
use std::io::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use cryptoki_sys::{
    CK_BBOOL, CK_BYTE_PTR, CK_C_GetFunctionList, CK_FLAGS, CK_FUNCTION_LIST, CK_FUNCTION_LIST_PTR,
    CK_MECHANISM_PTR, CK_NOTIFY, CK_OBJECT_HANDLE, CK_RV, CK_SESSION_HANDLE, CK_SESSION_HANDLE_PTR,
    CK_SESSION_INFO_PTR, CK_SLOT_ID, CK_SLOT_ID_PTR, CK_TOKEN_INFO_PTR, CK_ULONG, CK_ULONG_PTR, CK_USER_TYPE,
    CK_UTF8CHAR_PTR, CK_VOID_PTR, CKR_DEVICE_ERROR, CKR_DEVICE_REMOVED, CKR_FUNCTION_NOT_SUPPORTED,
    CKR_GENERAL_ERROR, CKR_OK, CKR_PIN_LOCKED, CKR_SESSION_HANDLE_INVALID,
};

/// How slow a slow device is.
const SLOW: Duration = Duration::from_secs(2);

/// The library behind it, and its functions with ours in their places.
struct Behind {
    _library: libloading::Library,
    real: CK_FUNCTION_LIST,
    ours: CK_FUNCTION_LIST,
}

// SAFETY: a list of functions is plain addresses, which do not change.
unsafe impl Send for Behind {}
// SAFETY: as above.
unsafe impl Sync for Behind {}

static BEHIND: OnceLock<Option<Behind>> = OnceLock::new();

/// Sessions that were opened since `session` was seen; `None` while it is not said.
static SINCE: Mutex<Option<HashSet<CK_SESSION_HANDLE>>> = Mutex::new(None);

fn behind() -> Option<&'static Behind> {
    BEHIND.get_or_init(load).as_ref()
}

fn load() -> Option<Behind> {
    let path = std::env::var_os("SHIM_LIBRARY")?;
    // SAFETY: it is a PKCS#11 library, named by the test.
    let library = unsafe { libloading::Library::new(path) }.ok()?;
    let mut list: CK_FUNCTION_LIST_PTR = std::ptr::null_mut();
    // SAFETY: PKCS#11 gives this name this type.
    let get: libloading::Symbol<'_, CK_C_GetFunctionList> =
        unsafe { library.get(b"C_GetFunctionList\0") }.ok()?;
    // SAFETY: `list` is a place for one pointer.
    if unsafe { (*get)?(&raw mut list) } != CKR_OK {
        return None;
    }
    // SAFETY: a list that was given out stays until the library is unloaded, which never happens.
    let real = unsafe { *list };
    let ours = CK_FUNCTION_LIST {
        C_Decrypt: Some(decrypt),
        C_DecryptInit: Some(decrypt_init),
        C_Encrypt: Some(encrypt),
        C_EncryptInit: Some(encrypt_init),
        C_GetFunctionList: Some(C_GetFunctionList),
        C_GetSessionInfo: Some(session_info),
        C_GetSlotList: Some(slot_list),
        C_GetTokenInfo: Some(token_info),
        C_Login: Some(login),
        C_OpenSession: Some(open_session),
        ..real
    };
    Some(Behind { _library: library, real, ours })
}

/// The entry of every PKCS#11 library.
///
/// # Safety
/// `list` is a place for one pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut CK_FUNCTION_LIST_PTR) -> CK_RV {
    let Some(behind) = behind() else { return CKR_GENERAL_ERROR };
    // SAFETY: the caller's word; nobody writes through the list.
    unsafe { *list = (&raw const behind.ours).cast_mut() };
    CKR_OK
}

fn fault() -> String {
    let said = std::env::var_os("SHIM_FAULT").and_then(|path| read_to_string(path).ok()).unwrap_or_default();
    let mut words = said.split_whitespace();
    let (fault, whose) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let ours = std::env::var_os("SOFTHSM2_CONF").unwrap_or_default();
    if ours.to_string_lossy().contains(whose) { fault.to_owned() } else { String::new() }
}

/// What goes wrong now; `None`: nothing.
fn goes_wrong(session: Option<CK_SESSION_HANDLE>, is_login: bool) -> Option<CK_RV> {
    let fault = fault();
    let mut since = SINCE.lock().unwrap_or_else(PoisonError::into_inner);
    if fault != "session" {
        *since = None;
    }
    match fault.as_str() {
        "crash" => {
            // SAFETY: none; it is meant to end the process as a broken library does.
            unsafe { std::ptr::null_mut::<u8>().write_volatile(1) };
            None
        }
        "error" => Some(CKR_GENERAL_ERROR),
        "hang" => loop {
            sleep(SLOW);
        },
        "locked" if is_login => Some(CKR_PIN_LOCKED),
        "login-broken" if is_login => Some(CKR_DEVICE_ERROR),
        "login-error" if is_login => Some(CKR_GENERAL_ERROR),
        "removed" => Some(CKR_DEVICE_REMOVED),
        "session" => {
            let since = since.get_or_insert_with(HashSet::new);
            session.filter(|it| !since.contains(it)).map(|_| CKR_SESSION_HANDLE_INVALID)
        }
        "slow" => {
            drop(since);
            sleep(SLOW);
            None
        }
        _ => None,
    }
}

/// Functions that fail when they are told to, and else do what the ones behind them do.
macro_rules! failing {
    ($($(#[$note:meta])* $ours:ident = $real:ident($($argument:ident: $type:ty),*), $session:expr;)*) => {$(
        $(#[$note])*
        unsafe extern "C" fn $ours($($argument: $type),*) -> CK_RV {
            if let Some(wrong) = goes_wrong($session, false) {
                return wrong;
            }
            match behind().and_then(|it| it.real.$real) {
                // SAFETY: the same arguments, to the function that they are for.
                Some(real) => unsafe { real($($argument),*) },
                None => CKR_FUNCTION_NOT_SUPPORTED,
            }
        }
    )*};
}

failing! {
    decrypt = C_Decrypt(session: CK_SESSION_HANDLE, from: CK_BYTE_PTR, length: CK_ULONG, to: CK_BYTE_PTR, room: CK_ULONG_PTR), Some(session);
    decrypt_init = C_DecryptInit(session: CK_SESSION_HANDLE, mechanism: CK_MECHANISM_PTR, key: CK_OBJECT_HANDLE), Some(session);
    encrypt = C_Encrypt(session: CK_SESSION_HANDLE, from: CK_BYTE_PTR, length: CK_ULONG, to: CK_BYTE_PTR, room: CK_ULONG_PTR), Some(session);
    session_info = C_GetSessionInfo(session: CK_SESSION_HANDLE, info: CK_SESSION_INFO_PTR), Some(session);
    slot_list = C_GetSlotList(present: CK_BBOOL, slots: CK_SLOT_ID_PTR, count: CK_ULONG_PTR), None;
    token_info = C_GetTokenInfo(slot: CK_SLOT_ID, info: CK_TOKEN_INFO_PTR), None;
}

/// Adds a line to a file that is named by a variable; whether it could, or there is none.
fn counts(variable: &str) -> bool {
    let Some(path) = std::env::var_os(variable) else { return true };
    File::options().create(true).append(true).open(path).and_then(|mut it| writeln!(it, "one more")).is_ok()
}

unsafe extern "C" fn encrypt_init(
    session: CK_SESSION_HANDLE,
    mechanism: CK_MECHANISM_PTR,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    if !counts("SHIM_ENCRYPTS") {
        return CKR_GENERAL_ERROR;
    }
    if let Some(wrong) = goes_wrong(Some(session), false) {
        return wrong;
    }
    match behind().and_then(|it| it.real.C_EncryptInit) {
        // SAFETY: the same arguments, to the function that they are for.
        Some(real) => unsafe { real(session, mechanism, key) },
        None => CKR_FUNCTION_NOT_SUPPORTED,
    }
}

unsafe extern "C" fn login(
    session: CK_SESSION_HANDLE,
    user: CK_USER_TYPE,
    pin: CK_UTF8CHAR_PTR,
    length: CK_ULONG,
) -> CK_RV {
    if !counts("SHIM_LOGINS") {
        return CKR_GENERAL_ERROR;
    }
    if let Some(wrong) = goes_wrong(Some(session), true) {
        return wrong;
    }
    match behind().and_then(|it| it.real.C_Login) {
        // SAFETY: the same arguments, to the function that they are for.
        Some(real) => unsafe { real(session, user, pin, length) },
        None => CKR_FUNCTION_NOT_SUPPORTED,
    }
}

unsafe extern "C" fn open_session(
    slot: CK_SLOT_ID,
    flags: CK_FLAGS,
    application: CK_VOID_PTR,
    notify: CK_NOTIFY,
    session: CK_SESSION_HANDLE_PTR,
) -> CK_RV {
    if let Some(wrong) = goes_wrong(None, false) {
        return wrong;
    }
    let Some(real) = behind().and_then(|it| it.real.C_OpenSession) else { return CKR_FUNCTION_NOT_SUPPORTED };
    // SAFETY: the same arguments, to the function that they are for.
    let opened = unsafe { real(slot, flags, application, notify, session) };
    if opened == CKR_OK
        && let Some(since) = SINCE.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
    {
        // SAFETY: it was filled just now.
        since.insert(unsafe { *session });
    }
    opened
}
