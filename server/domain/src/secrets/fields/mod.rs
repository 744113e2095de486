//! Single fields of a value that is a JSON object: one of them read, some of them changed, the others kept.
//!
//! The names of fields are part of the value. They stand nowhere but in it, neither beside it nor sealed by themselves: to
//! list them is a reading of the version, told as one of its names alone, and a reading of one field says which. Whoever
//! changes fields may read the value; those that are kept are carried from one version to the next in one write, and leave
//! for nobody.

mod edit;
mod object;
mod patch;
mod read;

pub use edit::{EditFields, EditFieldsError, FieldChange, FieldWrong};
pub use object::{Field, FieldSort};
pub use patch::{MergePatch, PatchFields};
pub use read::{ReadFieldError, ReadFields, RevealedField};
