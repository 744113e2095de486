//! Listening: where plain HTTP may be spoken, TLS, and connections that cannot be held open for nothing.

mod accept;
mod address_count;
mod http2;
mod idle;
mod open_files;
mod operator;
mod rules;
mod tls;

pub(crate) use accept::{Guard, HEAD, Peer, SILENCE, serve};
pub(crate) use address_count::network;
pub(crate) use open_files::allow_open_files;
pub(crate) use operator::OperatorDoor;
pub(crate) use rules::{ListenError, check, open_metrics};
pub(crate) use tls::{Certificates, TlsError, chain, check as check_pair, server_config};
