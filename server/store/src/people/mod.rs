//! People: who they are, what they sign in with, their sessions, and the links and codes that let them in.
//!
//! **Invariant:** nothing here is a secret as it stands: links and codes are keyed hashes, what a session, ceremony or
//! kept post holds is sealed by the domain. Things that serve once are taken by the statement that removes or marks
//! them, so that of any number of takers one succeeds.

pub mod ceremonies;
pub mod codes;
pub mod devices;
pub mod links;
pub mod notices;
pub mod owned;
pub mod passkeys;
pub mod posts;
pub mod seen;
pub mod sessions;
pub mod setup;
pub mod users;
