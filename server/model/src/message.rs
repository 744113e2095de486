//! Messages: what the house tells of itself, by which ways, and how each went.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// No such word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("use one of: {0}")]
pub struct MessageWordError(&'static str);

macro_rules! words {
    ($(#[$doc:meta])* $type:ident, $all:literal: $($(#[$of:meta])* $name:ident = $word:literal;)*) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum $type { $($(#[$of])* $name,)* }

        impl $type {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $type {
            type Err = MessageWordError;
            fn from_str(text: &str) -> Result<Self, MessageWordError> {
                Self::ALL.iter().copied().find(|it| it.as_str() == text).ok_or(MessageWordError($all))
            }
        }
    };
}

words! {
    /// What a message is about: people choose by it, and channels listen to it.
    MessageKind, "access, account, backup, key-expiry, refusals, rotation, seal, test":
    /// A request for access moved on.
    Access = "access";
    /// A passkey, recovery codes or a recovery: somebody may have come into an account.
    Account = "account";
    /// A backup was not made, or its drill failed.
    Backup = "backup";
    /// A key stops working soon.
    KeyExpiry = "key-expiry";
    /// Somebody was refused again and again.
    Refusals = "refusals";
    /// A rotation needs somebody to look at it.
    Rotation = "rotation";
    /// The HSM or another seal does not answer, or answers again.
    Seal = "seal";
    /// Somebody wanted to see whether a channel works.
    Test = "test";
}

impl MessageKind {
    /// Those that one can choose: a test is sent to whoever asks for it.
    pub fn chosen() -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(|it| *it != Self::Test)
    }

    /// Whether it tells that the house or an account may be in danger: owners cannot be silent about it.
    pub const fn is_security(self) -> bool {
        matches!(self, Self::Account | Self::Backup | Self::Refusals | Self::Seal)
    }
}

words! {
    /// By which way messages leave the house.
    ChannelKind, "mail, slack, webhook":
    /// As mail.
    Mail = "mail";
    /// As JSON that Slack's incoming webhooks take, and others that understand the same.
    Slack = "slack";
    /// As a signed CloudEvent.
    Webhook = "webhook";
}

words! {
    /// Where a message is on its way through a channel.
    DeliveryState, "dead, delivered, waiting":
    /// It was tried as often as it is: nobody tries again by themselves.
    Dead = "dead";
    /// Its receiver took it.
    Delivered = "delivered";
    /// It waits for its first or next attempt.
    Waiting = "waiting";
}

/// An address that mail can be sent to: one line of ASCII without anything that a header could take for something else.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct MailAddress(String);

/// Why a text is no such address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write an address as `name@example.com`: letters, digits and `.!#$%&'*+/=?^_{{|}}~-` before the `@`, at most 254 in all"
)]
pub struct MailAddressError;

impl MailAddress {
    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for MailAddress {
    type Err = MailAddressError;
    fn from_str(text: &str) -> Result<Self, MailAddressError> {
        let (local, domain) = text.rsplit_once('@').ok_or(MailAddressError)?;
        let atom = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+/=?^_{|}~-".contains(c);
        let dotted = |part: &str, fits: &dyn Fn(&str) -> bool| part.split('.').all(fits);
        let label = |it: &str| {
            (1..=63).contains(&it.len())
                && it.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !it.starts_with('-')
                && !it.ends_with('-')
        };
        let fits = text.len() <= 254
            && local.len() <= 64
            && dotted(local, &|it| !it.is_empty() && it.chars().all(atom))
            && dotted(domain, &label);
        if fits { Ok(Self(text.to_owned())) } else { Err(MailAddressError) }
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses tell of people: they are not written into logs.
impl fmt::Debug for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAddress")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_line_and_nothing_that_a_header_takes_for_more() {
        for good in ["ops@example.com", "a.b+c@mail.example", "o'hara@x", "A_1@EXAMPLE.COM"] {
            assert_eq!(good.parse::<MailAddress>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "ops",
            "@example.com",
            "ops@",
            "a..b@example.com",
            ".a@example.com",
            "a@b@example.com",
            "a b@example.com",
            "ops@example.com\r\nBcc: mallory@example.com",
            "ops@example.com\nBcc:x",
            "ops@example.com,mallory@example.com",
            "Ops <ops@example.com>",
            "\"ops\"@example.com",
            "ops@-example.com",
            "ops@exämple.com",
            "ops@[127.0.0.1]",
            "ops@example.com ",
            "ops\0@example.com",
        ] {
            assert_eq!(bad.parse::<MailAddress>(), Err(MailAddressError), "{bad:?}");
        }
        assert_eq!(format!("{:?}", "ops@example.com".parse::<MailAddress>()), "Ok(MailAddress)");
    }

    #[test]
    fn every_word_comes_back() {
        for kind in MessageKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(*kind));
        }
        assert!("Account".parse::<MessageKind>().is_err());
        assert!(MessageKind::chosen().all(|kind| kind != MessageKind::Test));
    }
}
