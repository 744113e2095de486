//! Real tokens for drills, by the SoftHSM2 of this machine.

#![expect(
    clippy::disallowed_methods,
    reason = "the process of a library is told by its environment what it is"
)]

use std::path::PathBuf;

use keywarden_vault::seal::pkcs11::{Launch, serve_library};
use keywarden_vault::seal::softhsm::{ScratchTokens, find_module};

const LIBRARY: &str = "KEYWARDEN_TOKEN_LIBRARY";

pub(super) fn tokens() -> ScratchTokens {
    tokens_by(find_module().unwrap())
}

/// A library's process is the test's binary once more, for the test below.
pub(super) fn tokens_by(library: PathBuf) -> ScratchTokens {
    let (_, this) = module_path!().split_once("::").unwrap();
    let launch = Launch::again([&format!("{this}::the_process_of_a_library"), "--exact", "--nocapture"]);
    ScratchTokens::of(library, launch.with(LIBRARY, "1"))
}

#[test]
fn the_process_of_a_library() {
    if std::env::var_os(LIBRARY).is_some() {
        serve_library().unwrap();
    }
}
