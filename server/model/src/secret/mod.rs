//! Secrets: where they live, what their values are, which version is meant, what others call them.

mod alias;
mod content;
mod label;
mod path;
mod reference;
mod state;

pub use alias::{Alias, AliasError, Dialect, DialectError};
pub use content::{ContentType, ContentTypeError, SecretKind, SecretKindError};
pub use label::{SecretLabel, SecretLabelError};
pub use path::{SecretPath, SecretPathError};
pub use reference::{FieldPath, Reference, ReferenceError};
pub use state::{VersionState, VersionStateError};
