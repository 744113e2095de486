use keywarden_domain::messages::Carry as _;

use super::Check;
use crate::{config::Config, wire};

const NAME: &str = "mail";

/// The mail server, where one is set, is greeted and left again.
pub(super) async fn check(config: &Config) -> Option<Check> {
    config.mail.as_ref()?;
    Some(greeted(config).await)
}

async fn greeted(config: &Config) -> Check {
    let carrier = match wire::carrier(config) {
        Ok(carrier) => carrier,
        Err(cause) => {
            return Check::failed(
                NAME,
                cause.to_string(),
                "set KEYWARDEN_MAIL_URL and KEYWARDEN_MAIL_FROM right",
            );
        }
    };
    let by = carrier.mails_by().unwrap_or_default();
    match carrier.greet().await {
        Ok(()) => Check::fine(NAME, by),
        Err(cause) => Check::failed(
            NAME,
            format!("{by}: {cause}"),
            "does the mail server run, and are its name, port, user and password right?",
        ),
    }
}
