//! Commands of this binary speaking to a running server over `operator.sock`.
//!
//! To add a command: a file here with its routes and what goes over the socket, a line in [`routes`], a file in
//! `commands/`.

mod backup;
mod client;
mod keyring;
mod letter;
mod link;
mod rewrap;
mod seal;
mod status;
mod token;
mod trouble;

use axum::Router;
use keywarden_domain::Domain;

pub(crate) use backup::{
    Accept, Accepted, Drilled, MadeBackup, MakeBackup, NewRecipient, RecipientMade, RecipientShown,
    RemoveRecipient, WantedEvents, opened,
};
pub(crate) use client::{OperatorError, call};
pub(crate) use keyring::{Rotate, Rotated};
pub(crate) use letter::{Letter, LetterError, LetterTo, Letterbox};
pub(crate) use link::{Link, Recover};
pub(crate) use rewrap::RewrapShown;
pub(crate) use seal::{
    Added, DestroySealKey, ForgottenPins, OfferSeal, OfferedShown, RemoveSeal, RotateSeal, RotatedSeal,
    SealShown, SealWanted,
};
pub(crate) use status::{Facts, Records, Status};
pub(crate) use token::{Token, TokenWanted};

use crate::seals::Seals;

/// What lies behind the operator's door.
#[derive(Debug, Clone)]
pub(crate) struct Desk {
    pub(crate) facts: Facts,
    pub(crate) domain: Domain,
    pub(crate) seals: Seals,
    pub(crate) letterbox: Letterbox,
}

/// Everything that the operator's shell may ask.
pub(crate) fn routes(desk: Desk) -> Router {
    Router::new()
        .merge(backup::routes())
        .merge(keyring::routes())
        .merge(link::routes())
        .merge(rewrap::routes())
        .merge(seal::routes())
        .merge(status::routes())
        .merge(token::routes())
        .with_state(desk)
}
