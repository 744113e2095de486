//! How mail is sent.

use keywarden_connectors::{MailSecurity, MailServer};
use keywarden_domain::SecretString;
use percent_encoding::percent_decode_str;
use url::{Host, Url};

use super::{error::ConfigError, source::Values, value::Secret};

/// The server that mail is handed to, and from whom it is.
#[derive(Debug)]
pub struct Mail {
    url: Secret,
    /// From whom mail is.
    pub from: String,
}

impl Mail {
    /// Both, or neither.
    pub(super) fn read(values: &Values) -> Result<Option<Self>, ConfigError> {
        let url: Option<String> = values.optional("mail.url")?;
        let from: Option<String> = values.optional("mail.from")?;
        let (url, from) = match (url, from) {
            (None, None) => return Ok(None),
            (Some(_), None) => {
                return Err(values.refuse("mail.from", "it is not set, and mail.url is: set both or neither"));
            }
            (None, Some(_)) => {
                return Err(values.refuse("mail.url", "it is not set, and mail.from is: set both or neither"));
            }
            (Some(url), Some(from)) => (url, from),
        };
        parse(&url, &from).map_err(|why| values.refuse("mail.url", why))?;
        Ok(Some(Self { url: Secret::new(url), from }))
    }

    /// As a connection is made.
    pub fn server(&self) -> Result<MailServer, String> {
        parse(self.url.expose(), &self.from)
    }

    /// The URL without its password.
    pub fn shown(&self) -> String {
        let Ok(mut url) = Url::parse(self.url.expose()) else { return "(not shown)".into() };
        if url.password().is_some() && url.set_password(Some("***")).is_err() {
            return "(not shown)".into();
        }
        url.into()
    }
}

/// `smtps://user:password@host:465`, or `smtp://…` with STARTTLS; plain only to this machine. The error never repeats the text.
fn parse(text: &str, from: &str) -> Result<MailServer, String> {
    let url = Url::parse(text).map_err(|cause| format!("not a URL: {cause}"))?;
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        // smtp is no scheme whose hosts are read as addresses.
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => return Err("it names no host; write `smtps://user:password@mail.example.com`".into()),
    };
    let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
    let (security, port) = match url.scheme() {
        "smtps" => (MailSecurity::Tls, 465),
        "smtp" if local => (MailSecurity::None, 25),
        "smtp" => (MailSecurity::StartTls, 587),
        other => {
            return Err(format!("unknown scheme `{other}`; write `smtps://…`, or `smtp://…` for STARTTLS"));
        }
    };
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return Err("write nothing behind the host and its port".into());
    }
    let decoded = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8();
        decoded
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| "user and password are UTF-8, percent-encoded".to_owned())
    };
    let credentials = match (url.username(), url.password()) {
        ("", None) => None,
        (user, password) => Some((decoded(user)?, SecretString::new(decoded(password.unwrap_or_default())?))),
    };
    let port = url.port().unwrap_or(port);
    Ok(MailServer { host, port, security, credentials, from: from.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_spoken_to_in_the_open() {
        let read = |text| {
            let MailServer { host, port, security, credentials, .. } = parse(text, "kw@example.com").unwrap();
            (host, port, security, credentials.map(|(user, password)| (user, password.expose().to_owned())))
        };
        let with = Some(("kw".to_owned(), "p@ss:word".to_owned()));
        assert_eq!(
            read("smtps://kw:p%40ss%3Aword@mail.example.com"),
            ("mail.example.com".into(), 465, MailSecurity::Tls, with)
        );
        assert_eq!(
            read("smtp://mail.example.com"),
            ("mail.example.com".into(), 587, MailSecurity::StartTls, None)
        );
        assert_eq!(read("smtp://10.0.0.1:2525").2, MailSecurity::StartTls);
        assert_eq!(read("smtp://127.0.0.1:1025"), ("127.0.0.1".into(), 1025, MailSecurity::None, None));
        for bad in [
            "",
            "mail.example.com",
            "http://mail.example.com",
            "smtps://mail.example.com/x?tls=none",
            "smtps://",
        ] {
            let why = parse(bad, "kw@example.com").unwrap_err();
            assert!(!why.contains("tls=none"), "{why}");
        }
    }

    #[test]
    fn a_password_is_not_shown() {
        let mail = Mail {
            url: Secret::new("smtps://kw:hunter2@mail.example.com:465".into()),
            from: "kw@example.com".into(),
        };
        assert_eq!(mail.shown(), "smtps://kw:***@mail.example.com:465");
        assert!(!format!("{mail:?} {:?}", mail.server()).contains("hunter2"));
    }
}
