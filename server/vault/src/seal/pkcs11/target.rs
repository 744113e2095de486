//! The token that a call is about, and who is asked for its PIN.

use super::protocol::{Left, Tried};
use crate::seal::SealError;
use crate::secret::SecretString;

/// A token, by its label and serial number, as it is asked for.
pub(super) type Name = (String, Option<String>);

/// The token that is meant, and whom to ask for its PIN.
pub(super) struct Target<'a> {
    pub(super) label: &'a str,
    pub(super) serial: Option<&'a str>,
    pub(super) desk: &'a dyn Desk,
}

impl Target<'_> {
    pub(super) fn name(&self) -> Name {
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
