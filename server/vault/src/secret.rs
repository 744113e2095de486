//! Values that must not be seen: wiped when dropped, shown only where the code says `expose`.

use std::fmt;

use rand::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Secret bytes. No `Display`, `Serialize`, `Clone` or `PartialEq`; `Debug` prints the type's name.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    /// Takes the bytes over; the whole capacity is wiped on drop.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// A second copy, on purpose.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// `len` fresh random bytes.
    pub fn random(len: usize, rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes themselves.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

/// A secret text. No `Display`, `Serialize`, `Clone` or `PartialEq`; `Debug` prints the type's name.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct SecretString(String);

impl SecretString {
    /// Takes the text over; the whole capacity is wiped on drop.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes")
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString")
    }
}

/// Fails to compile when `$type` implements `$trait`: the two candidates for `proof` then collide. For types that hold a
/// secret, beside them.
#[macro_export]
macro_rules! never_implements {
    ($type:ty: $($trait:path),+) => {$(
        const _: fn() = || {
            trait Proof<Marker> { fn proof() {} }
            impl<T: ?Sized> Proof<()> for T {}
            struct Collision;
            impl<T: ?Sized + $trait> Proof<Collision> for T {}
            <$type as Proof<_>>::proof();
        };
    )+};
}
never_implements!(SecretBytes: Clone, PartialEq, fmt::Display, AsRef<[u8]>, std::ops::Deref);
never_implements!(SecretString: Clone, PartialEq, fmt::Display, AsRef<str>, std::ops::Deref);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_only_the_name_of_the_type() {
        assert_eq!(format!("{:?}", SecretBytes::copy_of(b"hunter2")), "SecretBytes");
        assert_eq!(format!("{:?}", Some(SecretString::new("hunter2".into()))), "Some(SecretString)");
    }

    #[test]
    fn wiping_leaves_nothing() {
        let mut secret = SecretBytes::copy_of(b"hunter2");
        secret.zeroize();
        assert!(secret.expose().is_empty());
    }
}
