//! Offline recovery: a public *recipient*, which a server keeps, and its secret half, the *recovery key*, which it never
//! sees. What is sealed to a recipient opens with the recovery key alone: no HSM, no server.
//!
//! Sealing is HPKE's base mode (RFC 9180) with the hybrid KEM X-Wing (X25519 and ML-KEM-768,
//! draft-connolly-cfrg-xwing-kem; KEM 0x647a of draft-ietf-hpke-pq), HKDF-SHA-256 and AES-256-GCM. A file that is kept
//! for years may be stored today and attacked by a quantum computer later, and lattices are young: it stays closed
//! while either of the two holds. The crate `hpke` does all of it by the specification, so that nothing is combined
//! here; aws-lc-rs, which is in the tree too, offers both halves and no combiner, and would have left that to us.
//!
//! A recovery key is 32 random bytes. It may be cut into shares (Shamir over GF(2^8), the crate `vsss-rs`), any
//! `threshold` of which make it again.
//!
//! ```text
//! kwr1_…    recipient: the X-Wing public key (1216 bytes)
//! kwrs1_…   recovery key: the X-Wing seed (32 bytes)
//! kwrp1_…   share: threshold, recipient's id (16 bytes), share (33 bytes)
//! ```
//! Each is base64url of its bytes and the first four of a SHA-256 over prefix and bytes, which finds slips of the pen.

mod kept;
mod key;
mod recipient;
mod shares;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hpke::kem::XWing;
use sha2::{Digest, Sha256};

use crate::secret::SecretBytes;

pub(crate) use kept::line_of;
pub use kept::{KeptError, keep, load};
pub use key::{RecoveryKey, UnsealedError};
pub use recipient::Recipient;
pub use shares::{MAX_SHARES, Share, ShareError, Shares};

type Kem = XWing;
type Kdf = hpke::kdf::HkdfSha256;
type Aead = hpke::aead::AesGcm256;

const CHECKSUM: usize = 4;

/// The text is none of these, or was mistyped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryTextError {
    /// The checksum does not fit.
    #[error("a character is wrong or missing: compare it with the original")]
    Checksum,
    /// Begins otherwise, or is no base64url.
    #[error("not {0}")]
    Kind(&'static str),
}

fn checksum(prefix: &str, bytes: &[u8]) -> [u8; CHECKSUM] {
    let digest = Sha256::new().chain_update(prefix).chain_update(bytes).finalize();
    let mut sum = [0; CHECKSUM];
    sum.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
    sum
}

fn write(prefix: &str, bytes: &[u8]) -> String {
    let whole = SecretBytes::new([bytes, &checksum(prefix, bytes)].concat());
    let written = base64::encoded_len(whole.expose().len(), false).unwrap_or_default();
    let mut text = String::with_capacity(prefix.len().saturating_add(written));
    text.push_str(prefix);
    URL_SAFE_NO_PAD.encode_string(whole.expose(), &mut text);
    text
}

fn read(prefix: &str, what: &'static str, text: &str) -> Result<SecretBytes, RecoveryTextError> {
    let body = text.trim().strip_prefix(prefix).ok_or(RecoveryTextError::Kind(what))?;
    let whole =
        URL_SAFE_NO_PAD.decode(body).map(SecretBytes::new).map_err(|_| RecoveryTextError::Checksum)?;
    let (bytes, sum) = whole.expose().split_last_chunk::<CHECKSUM>().ok_or(RecoveryTextError::Checksum)?;
    if checksum(prefix, bytes) != *sum {
        return Err(RecoveryTextError::Checksum);
    }
    Ok(SecretBytes::copy_of(bytes))
}

#[cfg(test)]
mod tests;
