//! Whose request it is, as far as the network can tell.

use std::fmt;
use std::net::IpAddr;

/// The client's address, trusted proxies considered; an IPv4-mapped IPv6 address is its IPv4 self. The server puts it
/// into every request before a door sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

/// Among an answer's extensions: a stranger had something kept for them, or showed a code or a link that is none. It
/// counts against their address as a refusal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptForStranger;

/// Among an answer's extensions: its caller is who it says, and what it judges is a key that somebody else showed to that
/// caller. It counts against nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfSomebodyElse;

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
