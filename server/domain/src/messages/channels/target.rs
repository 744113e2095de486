//! Where a channel leads.

use std::fmt;

use keywarden_model::{ChannelKind, HttpsUrl, MailAddress};
use keywarden_vault::SecretString;

/// The longest query of an address, in characters.
const QUERY: usize = 500;

/// Where a channel leads. Addresses of webhooks may be all that it takes to post there: they are not printed.
pub struct Target {
    pub(super) kind: ChannelKind,
    pub(super) to: SecretString,
}

/// Why a text leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// No address of mail.
    #[error("write an address such as `ops@example.com`, without a name beside it")]
    Mail,
    /// No address of a webhook.
    #[error(
        "write an address that begins with `https://` and has at most 500 characters, without a user or `#`"
    )]
    Url,
}

impl Target {
    /// Reads it for a kind of channel.
    pub fn parse(kind: ChannelKind, text: &str) -> Result<Self, TargetError> {
        let text = text.trim();
        match kind {
            ChannelKind::Mail => {
                text.parse::<MailAddress>().map_err(|_| TargetError::Mail)?;
            }
            ChannelKind::Slack | ChannelKind::Webhook => {
                let (address, query) = text.split_once('?').unwrap_or((text, ""));
                address.parse::<HttpsUrl>().map_err(|_| TargetError::Url)?;
                let legal = |c: char| c.is_ascii_graphic() && !r#"#\"<>^`{|}"#.contains(c);
                if query.len() > QUERY || !query.chars().all(legal) {
                    return Err(TargetError::Url);
                }
            }
        }
        Ok(Self { kind, to: SecretString::new(text.to_owned()) })
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Target")
    }
}

/// What of it is shown: the whole of a mail's address, and of another one the host.
pub(super) fn shown(kind: ChannelKind, to: &str) -> String {
    match kind {
        ChannelKind::Mail => to.to_owned(),
        ChannelKind::Slack | ChannelKind::Webhook => {
            let address = to.split('?').next().unwrap_or_default().parse::<HttpsUrl>();
            address.map(|url| url.authority().to_owned()).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_is_https_and_shows_its_host_alone() {
        for good in [
            "https://hooks.slack.com/services/T0/B0/s3cr3t",
            " https://hooks.example:8443/in?token=s3cr3t&a=b ",
        ] {
            let target = Target::parse(ChannelKind::Webhook, good).unwrap();
            assert_eq!(format!("{target:?}"), "Target");
            let shown = shown(ChannelKind::Webhook, target.to.expose());
            assert!(shown.starts_with("hooks.") && !shown.contains("s3cr3t"), "{shown}");
        }
        for bad in [
            "http://hooks.example/",
            "https://user@hooks.example/",
            "https://hooks.example/#x",
            "hooks.example",
            "",
            "https://hooks.example/?a b",
            "https://hooks.example/\r\nx: y",
            "ftp://x",
        ] {
            assert_eq!(Target::parse(ChannelKind::Slack, bad).unwrap_err(), TargetError::Url, "{bad:?}");
        }
        assert_eq!(Target::parse(ChannelKind::Mail, "a@b\nBcc: c@d").unwrap_err(), TargetError::Mail);
    }
}
