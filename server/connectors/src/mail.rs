//! Mail, by SMTP, through one server that the operator set. Where that is, is the operator's word alone: it may be in a private
//! network.

use std::fmt;
use std::time::{Duration, SystemTime};

use keywarden_domain::SecretString;
use keywarden_domain::messages::{CarryError, Letter};
use lettre::message::{Mailbox, MultiPart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

/// How long the server may take for each of its answers.
const ANSWER: Duration = Duration::from_secs(10);

/// How the connection is kept from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all: for a server on this machine.
    None,
    /// STARTTLS before anything else; a server without it is left.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// Where mail is handed over, and from whom it is.
#[derive(Debug)]
pub struct MailServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is kept from others.
    pub security: MailSecurity,
    /// Who we are to it, where it asks.
    pub credentials: Option<(String, SecretString)>,
    /// From whom mail is: `Keywarden <keywarden@example.com>`.
    pub from: String,
}

/// Why no mail can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum MailerError {
    /// What should be certificates is none.
    #[error("no certificates: {0}; give them in PEM")]
    Certificates(String),
    /// The sender is none.
    #[error(
        "`{0}` is no sender: write KEYWARDEN_MAIL_FROM as `keywarden@example.com` or `Keywarden <keywarden@example.com>`"
    )]
    From(String),
    /// TLS cannot be spoken.
    #[error("cannot speak TLS with the mail server: {0}")]
    Tls(String),
}

/// Sends mail.
#[derive(Clone)]
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    described: String,
}

impl Mailer {
    /// By this server; it is proven by the system's certificates and those in `certificates`, PEM.
    pub fn new(server: MailServer, certificates: Option<&[u8]>) -> Result<Self, MailerError> {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let from: Mailbox = server.from.parse().map_err(|_| MailerError::From(server.from.clone()))?;
        let tls = match server.security {
            MailSecurity::None => Tls::None,
            MailSecurity::StartTls => Tls::Required(parameters(&server.host, certificates)?),
            MailSecurity::Tls => Tls::Wrapper(parameters(&server.host, certificates)?),
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(ANSWER));
        if let Some((user, password)) = server.credentials {
            builder = builder.credentials(Credentials::new(user, password.expose().to_owned()));
        }
        let described = format!("{}:{}, from {from}", server.host, server.port);
        Ok(Self { transport: builder.build(), from, described })
    }

    /// By which server and from whom, in words.
    pub(crate) fn described(&self) -> String {
        self.described.clone()
    }

    pub(crate) async fn send(&self, letter: &Letter) -> Result<(), CarryError> {
        let message = self.written(letter)?;
        let sent = self.transport.send(message).await;
        sent.map(drop).map_err(|cause| {
            let CarryError { says, for_good } = said(&cause);
            // Servers repeat it, and it tells of a person.
            CarryError { says: says.replace(letter.to.as_str(), "…"), for_good }
        })
    }

    pub(crate) async fn greet(&self) -> Result<(), CarryError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(CarryError::passing("it closed the connection")),
            Err(cause) => Err(said(&cause)),
        }
    }

    /// A subject that is more than one line makes no mail at all.
    fn written(&self, letter: &Letter) -> Result<Message, CarryError> {
        let unfit = |what: &str| CarryError::for_good(format!("{what} cannot be put into a mail"));
        if letter.subject.chars().any(char::is_control) {
            return Err(unfit("a subject of several lines"));
        }
        let to = letter.to.as_str().parse().map_err(|_| unfit("the address"))?;
        let id = format!("<{}@{}>", letter.id, self.from.email.domain());
        Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(&letter.subject)
            .date(SystemTime::from(letter.at))
            .message_id(Some(id))
            // Nobody's holiday answers a machine (RFC 3834).
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone()))
            .map_err(|cause| CarryError::for_good(format!("it cannot be put into a mail: {cause}")))
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").field("described", &self.described).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

fn parameters(host: &str, certificates: Option<&[u8]>) -> Result<TlsParameters, MailerError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = certificates {
        builder = builder.add_root_certificate(
            Certificate::from_pem(pem).map_err(|cause| MailerError::Certificates(cause.to_string()))?,
        );
    }
    builder.build().map_err(|cause| MailerError::Tls(cause.to_string()))
}

/// What went wrong, in words. A server that refuses for good (5yz) is not asked again.
fn said(error: &lettre::transport::smtp::Error) -> CarryError {
    let mut says = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let next_says = next.to_string();
        if !says.contains(&next_says) {
            says.push_str(": ");
            says.push_str(&next_says);
        }
        cause = next.source();
    }
    CarryError { says, for_good: error.is_permanent() }
}

#[cfg(test)]
mod tests;
