//! Secrets: put, read, labelled, promoted, deleted, restored, destroyed.
//!
//! A secret lives at a path in an environment and keeps its identity (`sec_…`) through its versions. A version's value
//! never changes; labels say which version is meant, and `current` is the one truth: it is what is read when nobody says
//! which, and a version that is only `pending` is latest for nobody. Clients of other systems name it by aliases, one in each
//! dialect: a name that could not hold the path stands beside it and is never made of it.
//!
//! To see a secret and to read its value are two actions. Each reading is a change to the record: its event commits
//! before the value leaves.
//!
//! **Invariants:** a path is turned into an id once, before the question is put, so that what policies decide on and what
//! statements touch is the same (S-03). A value is at rest only under a data key of its own; no event, log or error holds
//! a value, a fingerprint or a key, and no answer holds a fingerprint. Versions are numbered from one without a gap. Under purge protection nothing is
//! destroyed before the recovery window is over, and nobody can end the protection or shorten the window.

mod about;
mod aliases;
mod as_of;
mod beside;
mod compare;
mod delete;
mod delete_version;
mod deliveries;
mod destroy;
mod edit;
mod export;
mod fields;
pub mod files;
mod held;
mod import;
mod labels;
mod list;
mod making;
mod promote;
mod purge;
mod put;
mod read;
mod readers;
mod references;
mod restore;
mod reuse;
mod rotate;
pub(crate) mod seal;
mod secret;
mod shares;
mod show;
mod switch;
pub(crate) mod template;
mod validity;
mod value;
mod watch;

pub use about::About;
pub use aliases::AliasSecretError;
pub use as_of::{
    AsOf, AsOfError, Later, Lost, MOST_AS_OF, Return, ReturnError, Returned, Stand, WasLine, Way,
};
pub use beside::{BesideQuery, BesideRow, Cell, CellState, Only, SideBySide};
pub use compare::Compared;
pub use delete::DeleteSecretError;
pub(crate) use delete::over;
pub use delete_version::{DeleteVersionError, RestoreVersionError};
pub use deliveries::{Deliveries, Delivery, DeliveryWay};
pub use destroy::DestroyVersionError;
pub use edit::{EditSecretError, SecretPatch};
pub use export::{Export, ExportError, Exportable, Exported, MOST_EXPORTED};
pub use fields::{
    EditFields, EditFieldsError, Field, FieldChange, FieldSort, FieldWrong, MergePatch, PatchFields,
    ReadFieldError, ReadFields, RevealedField,
};
pub use held::{CheckError, Held, HeldVersion, MOST_CHECKS};
pub use import::{
    EntryOutcome, EntryRefusal, ImportError, ImportFile, ImportPreview, Imported, PlannedEntry, Seen,
};
pub use labels::{LabelError, MOST_LABELS};
pub use list::{SOON, SecretLine, SecretListError, SecretPage, SecretQuery, Standing};
pub use making::{Making, MakingRecord, Origin};
pub use promote::{PromoteError, Promotion};
pub use purge::PurgeSecretError;
pub use put::{Expected, Put, PutError, PutSecret};
pub use read::{As, ReadSecretError, Revealed, ValueTag, Which};
pub use readers::{Ground, Reader, Readers};
pub use references::{MOST_REFERRERS, References, Referred, Referrer};
pub use restore::RestoreSecretError;
pub use rotate::RotateDataKeyError;
pub use secret::{Address, Deletion, Secret, Version};
pub use shares::{
    MOST_PASSPHRASES, MOST_SHARES, MadeShare, NewShare, OpenShareError, Opener, Share, ShareError, ShareLife,
    ShareLifeError, SharedLink,
};
pub use show::{MOST_VERSIONS, SecretView};
pub use switch::SwitchVersionError;
pub use template::{DEEPEST, MOST_REFERENCES, TemplateError, Unresolved};
pub use validity::{Outside, Validity, ValidityError};
pub use value::{LONGEST_VALUE, MAX_VALUE, NewValue, ValueError};
pub use watch::{Look, Mark, MarkError, Recent, SecretChange, SecretWatch};

#[cfg(test)]
mod tests;
