//! Whose request it is. `X-Forwarded-For` is believed only from the proxies the operator named, and only as far as
//! they vouch for it: from the right, the first address that is not such a proxy. Nothing else is ever read.

use std::net::IpAddr;

use axum::extract::Request;
use http::HeaderMap;
use ipnet::IpNet;
use keywarden_model::ClientAddress;

use crate::listen::Peer;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Puts [`ClientAddress`] into the request. A request without a [`Peer`] (only in tests) gets none.
pub(super) fn note(request: &mut Request, proxies: &[IpNet]) {
    if let Some(Peer(peer)) = request.extensions().get().copied() {
        let address = client_address(peer.ip(), request.headers(), proxies);
        request.extensions_mut().insert(ClientAddress(address));
    }
}

/// The client of a request that `peer` sent.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let trusted = |address: &IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !trusted(&client) {
        return client;
    }
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().filter_map(|line| line.to_str().ok()).collect();
    for entry in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        // What a trusted proxy wrote but nobody can read ends the chain of trust: the proxy itself is the client.
        let Some(address) = parse(entry.trim()) else { return client };
        client = address;
        if !trusted(&client) {
            return client;
        }
    }
    client
}

/// An address, with or without a port and brackets.
fn parse(entry: &str) -> Option<IpAddr> {
    let socket = || entry.parse::<std::net::SocketAddr>().ok().map(|socket| socket.ip());
    let bracketed = || entry.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    entry.parse().ok().or_else(socket).or_else(bracketed).map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(peer: &str, forwarded: &[&str], proxies: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, HeaderValue::from_str(line).unwrap());
        }
        headers.insert("forwarded", HeaderValue::from_static("for=203.0.113.9"));
        headers.insert("x-real-ip", HeaderValue::from_static("203.0.113.9"));
        let proxies: Vec<IpNet> = proxies.iter().map(|network| network.parse().unwrap()).collect();
        client_address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn a_strangers_headers_are_not_believed() {
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &[]), "192.0.2.1");
        assert_eq!(client("192.0.2.1", &["198.51.100.7"], &["10.0.0.0/8"]), "192.0.2.1");
    }

    #[test]
    fn a_trusted_proxy_vouches_for_the_rightmost_stranger() {
        let proxies = &["10.0.0.0/8", "::1/128"];
        let table: &[(&str, &[&str], &str)] = &[
            ("10.0.0.1", &["198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &["1.1.1.1", "198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", &["1.1.1.1, _hidden, 10.0.0.2"], "10.0.0.2"),
            ("10.0.0.1", &["198.51.100.7:1234"], "198.51.100.7"),
            ("::1", &["[2001:db8::7]:1234"], "2001:db8::7"),
            ("::1", &["[2001:db8::7]"], "2001:db8::7"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.7"], "198.51.100.7"),
        ];
        for (peer, forwarded, expected) in table {
            assert_eq!(client(peer, forwarded, proxies), *expected, "{peer} {forwarded:?}");
        }
    }
}
