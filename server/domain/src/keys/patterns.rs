//! What secret scanners need to know: served at `/.well-known/keywarden/secret-patterns.json`.

use keywarden_vault::token::Kind;
use serde_json::{Value, json};

/// The patterns of every kind of value, and how to tell a value from a false alarm without asking.
pub fn secret_patterns() -> Value {
    let patterns: Vec<_> = Kind::ALL
        .into_iter()
        .map(|kind| {
            json!({
                "name": name(kind),
                "prefix": kind.prefix(),
                "regex": regex(kind),
                "example": example(kind),
                "checksum": {
                    "algorithm": "CRC-32/ISO-HDLC",
                    "over": "all characters before the last 6",
                    "encoding": "base62, alphabet 0-9A-Za-z, big-endian, left-padded with 0",
                    "length": 6,
                },
                // What serves once and ends by itself is not looked up: its links are withdrawn where they were made.
                "report_to": (kind != Kind::OneTime).then_some("/leaks"),
                "public_part": { "group": 2, "meaning": "the id under which it can be reported without its secret" },
            })
        })
        .collect();
    json!({ "version": 1, "issuer": "Keywarden", "patterns": patterns, "report_to": "/leaks" })
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::ApiKey => "Keywarden API key",
        Kind::OneTime => "Keywarden one-time link or code",
        Kind::ServiceToken => "Keywarden service token",
    }
}

/// Groups: label, public id, secret, checksum.
fn regex(kind: Kind) -> String {
    let prefix = kind.prefix();
    format!("\\b{prefix}_([a-z0-9]{{1,16}})_([0-9A-Za-z]{{12}})_([0-9A-Za-z]{{43}})([0-9A-Za-z]{{6}})\\b")
}

/// Of the right shape, with a checksum that does not fit: scanners are not to take it for a value.
fn example(kind: Kind) -> String {
    format!("{}_live_{}_{}{}", kind.prefix(), "0".repeat(12), "0".repeat(43), "000000")
}

#[cfg(test)]
mod tests {
    use keywarden_vault::token;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    #[test]
    fn the_patterns_say_what_is_published() {
        insta::assert_json_snapshot!(secret_patterns());
    }

    #[test]
    fn an_example_has_the_length_of_a_value_and_is_none() {
        for kind in Kind::ALL {
            let label = "live".parse().unwrap();
            let value = token::generate(kind, &label, &mut ChaCha20Rng::seed_from_u64(1)).value;
            assert_eq!(example(kind).len(), value.expose().len());
            assert_eq!(token::parse(&example(kind)).unwrap_err(), token::ParseError::Checksum);
        }
    }
}
