//! A real conversation with a small server, in the open and by TLS, and what no mail is made of.

use std::sync::{Arc, Mutex};

use chrono::DateTime;
use keywarden_domain::messages::CarryError;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::ServerConfig;
use rustls_pki_types::PrivateKeyDer;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

/// What the server heard: each line.
type Heard = Arc<Mutex<Vec<String>>>;

/// How the server is.
#[derive(Clone, Copy, Default)]
struct Habits {
    /// What it answers to `RCPT TO`, if not yes.
    refuses: Option<&'static str>,
    /// It offers AUTH PLAIN.
    asks: bool,
    /// It says nothing at all.
    hangs: bool,
}

/// Speaks SMTP (RFC 5321) with one client.
async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, habits: Habits, heard: &Heard) {
    if habits.hangs {
        return std::future::pending().await;
    }
    let mut stream = BufReader::new(stream);
    let mut answer = "220 mail.example ESMTP\r\n";
    let mut in_data = false;
    loop {
        if stream.write_all(answer.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
        answer = "";
        while answer.is_empty() {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let said = line.trim_end().to_owned();
            heard.lock().unwrap().push(said.clone());
            if in_data {
                if said == "." {
                    in_data = false;
                    answer = "250 taken\r\n";
                }
                continue;
            }
            answer = match said.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" if habits.asks => "250-mail.example\r\n250-AUTH PLAIN\r\n250 8BITMIME\r\n",
                "EHLO" => "250-mail.example\r\n250 8BITMIME\r\n",
                "AUTH" => "235 welcome\r\n",
                "MAIL" | "NOOP" => "250 well\r\n",
                "RCPT" => habits.refuses.unwrap_or("250 well\r\n"),
                "DATA" => {
                    in_data = true;
                    "354 go on\r\n"
                }
                "QUIT" => "221 bye\r\n",
                _ => "500 what?\r\n",
            };
        }
    }
}

/// A server on this machine; with TLS, the certificate that proves it.
async fn server(habits: Habits, tls: bool) -> (u16, Option<String>, Heard) {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert.der().clone()], key);
    let acceptor = tls.then(|| TlsAcceptor::from(Arc::new(config.unwrap())));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let ears = Arc::clone(&heard);
    #[expect(clippy::disallowed_methods, reason = "a test's own server")]
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            match &acceptor {
                None => speak(socket, habits, &ears).await,
                Some(acceptor) => {
                    if let Ok(stream) = acceptor.accept(socket).await {
                        speak(stream, habits, &ears).await;
                    }
                }
            }
        }
    });
    (port, tls.then(|| cert.pem()), heard)
}

fn at(port: u16, security: MailSecurity, credentials: Option<(&str, &str)>) -> MailServer {
    MailServer {
        host: "localhost".into(),
        port,
        security,
        credentials: credentials.map(|(user, password)| (user.into(), SecretString::new(password.into()))),
        from: "Keywarden <keywarden@example.com>".into(),
    }
}

fn letter() -> Letter {
    Letter {
        to: "ops@example.com".parse().unwrap(),
        id: "msg_01JDB2W1N9F6Q3R8T5V7X9Z0AB".into(),
        at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        subject: "The API key größer expires within 7 days".into(),
        text: "It stops.\n.\nReally.\n".into(),
        html: "<p>It stops.</p>\n".into(),
    }
}

#[tokio::test]
async fn a_mail_is_handed_over_with_text_and_html_and_the_messages_id() {
    for tls in [false, true] {
        let (port, pem, heard) = server(Habits::default(), tls).await;
        let security = if tls { MailSecurity::Tls } else { MailSecurity::None };
        let mailer = Mailer::new(at(port, security, None), pem.as_deref().map(str::as_bytes)).unwrap();
        mailer.greet().await.unwrap();
        mailer.send(&letter()).await.unwrap();
        let heard = heard.lock().unwrap().clone();
        for line in [
            "MAIL FROM:<keywarden@example.com>",
            "RCPT TO:<ops@example.com>",
            "From: Keywarden <keywarden@example.com>",
            "To: ops@example.com",
            "Message-ID: <msg_01JDB2W1N9F6Q3R8T5V7X9Z0AB@example.com>",
            "Auto-Submitted: auto-generated",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "..", // a line that is one dot is no end
            "<p>It stops.</p>",
        ] {
            assert!(heard.iter().any(|it| it.starts_with(line)), "{line}: {heard:#?}");
        }
        assert!(heard.iter().any(|it| it.starts_with("Subject: ") && it.is_ascii()), "{heard:#?}");
        assert!(heard.iter().any(|it| it.contains("multipart/alternative")), "{heard:#?}");
    }
}

#[tokio::test]
async fn a_password_goes_to_whoever_is_proven_and_is_printed_nowhere() {
    let (port, pem, heard) = server(Habits { asks: true, ..Habits::default() }, true).await;
    let with = || at(port, MailSecurity::Tls, Some(("kw", "hunter2")));
    let unproven = Mailer::new(with(), None).unwrap();
    let error = unproven.send(&letter()).await.unwrap_err();
    assert!(!error.for_good && !error.says.contains("hunter2"), "{error}");
    assert!(heard.lock().unwrap().is_empty(), "nothing is said to whoever is not proven");
    let mailer = Mailer::new(with(), pem.as_deref().map(str::as_bytes)).unwrap();
    mailer.send(&letter()).await.unwrap();
    assert!(heard.lock().unwrap().iter().any(|it| it.starts_with("AUTH PLAIN ")));
    assert!(!format!("{mailer:?} {:?} {}", with(), mailer.described()).contains("hunter2"));
}

#[tokio::test]
async fn a_server_without_tls_gets_nothing_where_tls_is_asked_for() {
    let (port, _, heard) = server(Habits { asks: true, ..Habits::default() }, false).await;
    let mailer = Mailer::new(at(port, MailSecurity::StartTls, Some(("kw", "hunter2"))), None).unwrap();
    mailer.send(&letter()).await.unwrap_err();
    let heard = heard.lock().unwrap().clone();
    assert!(heard.iter().all(|it| !it.starts_with("AUTH") && !it.starts_with("MAIL")), "{heard:#?}");
}

#[tokio::test]
async fn what_a_server_refuses_for_good_is_told_from_what_passes() {
    let send = async |refuses| {
        let (port, _, _) = server(Habits { refuses: Some(refuses), ..Habits::default() }, false).await;
        let mailer = Mailer::new(at(port, MailSecurity::None, None), None).unwrap();
        mailer.send(&letter()).await.unwrap_err()
    };
    let CarryError { says, for_good } = send("550 <ops@example.com>: nobody of that name\r\n").await;
    assert!(for_good && says.contains("nobody of that name"), "{says}");
    assert!(!says.contains("ops@"), "who it is stays out of it: {says}");
    let CarryError { says, for_good } = send("451 come back later\r\n").await;
    assert!(!for_good && says.contains("come back later"), "{says}");
    let nobody = Mailer::new(at(1, MailSecurity::None, None), None).unwrap();
    assert!(!nobody.send(&letter()).await.unwrap_err().for_good);
    assert!(!nobody.greet().await.unwrap_err().for_good);
}

#[tokio::test]
async fn no_header_is_smuggled_in_by_a_subject_and_no_sender_is_made_up() {
    let (port, _, heard) = server(Habits::default(), false).await;
    let mailer = Mailer::new(at(port, MailSecurity::None, None), None).unwrap();
    for subject in ["x\r\nBcc: mallory@example.com", "x\nBcc: mallory@example.com", "x\rBcc: y", "x\0y"] {
        let error = mailer.send(&Letter { subject: subject.into(), ..letter() }).await.unwrap_err();
        assert!(error.for_good, "{subject:?}");
    }
    assert!(heard.lock().unwrap().is_empty());
    for from in ["", "Keywarden", "a@b, c@d", "a@b\r\nBcc: c@d"] {
        let server = MailServer { from: from.into(), ..at(port, MailSecurity::None, None) };
        assert!(matches!(Mailer::new(server, None), Err(MailerError::From(_))), "{from:?}");
    }
}
