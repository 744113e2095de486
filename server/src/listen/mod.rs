//! Listening: where plain HTTP may be spoken, TLS, and connections that cannot be held open for nothing.

mod accept;
mod address_count;
mod idle;
mod open_files;
mod operator;
mod rules;
mod tls;

#[cfg(test)]
pub(crate) use accept::SILENCE;
pub(crate) use accept::{Guard, HEAD, Peer, serve};
pub(crate) use address_count::network;
pub(crate) use open_files::allow_open_files;
pub(crate) use operator::OperatorDoor;
pub(crate) use rules::{ListenError, check, open_metrics};
pub(crate) use tls::{Certificates, TlsError, chain, check as check_pair, server_config};
