//! People: setting up, joining, signing in, staying signed in, and getting back in.
//!
//! # How a door uses it
//! * *Every request*: [`Domain::resolve_session`](crate::Domain::resolve_session) turns a cookie into a
//!   [`Person`](crate::Person) or nobody.
//! * *A ceremony* is two posts: `start_…` answers [`Started`] (the JSON that the browser's script wants), `finish_…`
//!   takes the ceremony's id and the browser's answer. What lets somebody in answers [`SignedIn`]; the door puts
//!   [`SessionChange`] into its response's extensions and the server makes the cookie.
//! * *A mutation that answers [`Refused::StepUp`](crate::Refused::StepUp)*: keep the post
//!   ([`Domain::keep_post`](crate::Domain::keep_post)), step up, take it.
//!
//! **Invariants:** a ceremony, link, code and kept post serves once, however many ask at once; the row is gone before
//! the answer is looked at. Whoever is refused leaves no credential and no session behind. A session keeps its person:
//! stepping up proves, and never changes, who it is. Every new proof gives a new cookie.

pub(crate) mod ceremonies;
mod codes;
mod deactivate;
mod enrol;
mod error;
mod hand_over;
mod invitations;
pub(crate) mod known;
mod links;
mod list;
mod me;
mod notices;
mod own_passkeys;
mod posts;
mod recovery;
mod session;
mod sessions;
mod setup;
mod sign_in;
mod step_up;
mod terminals;
#[cfg(test)]
pub(crate) mod tests;
mod turns;
mod unseen;

pub use ceremonies::{Browser, Started};
pub use codes::{CODES, RecoveryCodes};
pub use deactivate::DeactivateError;
pub use error::{CeremonyError, EnrolError, LinkError, LinkGone, RecoverError, RecoveryLinkError};
pub use hand_over::{
    ConcernedKey, HandOver, HandOverError, MOST_KEYS, OwnedSecret, Portion, SeenKey, SeenSecret, SeenToken,
};
pub use invitations::InviteError;
pub use links::{Link, LinkKind, NewLink};
pub use list::{Account, ListedUser, ShownUser, UserFilter, UserPage, UserState};
pub use me::Me;
pub(crate) use notices::tell_of_secret;
pub use notices::{Notice, NoticeKind, Told};
pub use own_passkeys::{APPROVES_AFTER, Added, MOST_PASSKEYS, OwnPasskey, PasskeyChangeError};
pub use posts::{KeepError, KeptPost, WAITS};
pub(crate) use session::done_by;
pub use session::{RECOVERING, SessionChange, SessionKey, SignedIn};
pub use sessions::OwnSession;
pub use setup::{RpIdError, SetupState};
pub(crate) use step_up::whole;
pub(crate) use terminals::TERMINAL;
pub use terminals::{
    AskingTerminal, DEVICE_LASTS, DeviceStarted, RedeemError, TERMINAL_LASTS, TerminalError, TerminalToken,
};
pub(crate) use turns::Turns;
