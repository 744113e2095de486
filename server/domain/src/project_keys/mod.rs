//! Projects' own keys, which wrap the data keys of their secrets. The first one is made with a project's first secret.

mod rotate;
mod show;

pub use rotate::{RotateProjectKeyError, RotatedProjectKey};
pub use show::{ProjectKeyLine, ProjectKeyView, ProjectKeys};

/// How many data keys a project's key may wrap.
pub use keywarden_vault::MAX_SEALS;
