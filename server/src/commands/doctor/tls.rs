use chrono::{DateTime, TimeDelta, Utc};
use rustls::{client::verify_server_name, pki_types::ServerName, server::ParsedCertificate};
use x509_parser::parse_x509_certificate;

use super::Check;
use crate::{
    config::{Config, Public, Tls},
    listen,
};

const NAME: &str = "tls";
const SOON: TimeDelta = TimeDelta::days(21);

/// The certificate is readable, fits its key, is in force and covers the public URL.
pub(super) fn check(config: &Config, now: DateTime<Utc>) -> Check {
    match &config.tls {
        Some(files) => judge(files, &config.public, now).unwrap_or_else(|finding| finding),
        None if config.listen.address.ip().to_canonical().is_loopback() => {
            Check::fine(NAME, "not needed on loopback")
        }
        None if !config.listen.trusted_proxies.is_empty() => Check::fine(NAME, "left to the trusted proxy"),
        None => Check::failed(
            NAME,
            "there is no certificate, and no proxy is named that would have one",
            "set KEYWARDEN_TLS_CERT and KEYWARDEN_TLS_KEY, or name your TLS proxy in KEYWARDEN_TRUSTED_PROXIES",
        ),
    }
}

fn judge(files: &Tls, public: &Public, now: DateTime<Utc>) -> Result<Check, Check> {
    let broken = |error: listen::TlsError| {
        Check::failed(
            NAME,
            error.to_string(),
            "set KEYWARDEN_TLS_CERT and KEYWARDEN_TLS_KEY to a pair of PEM files",
        )
    };
    let unreadable = |cause: String| {
        Check::failed(NAME, format!("the certificate is unreadable: {cause}"), "get a new one")
    };
    listen::check_pair(files).map_err(broken)?;
    let chain = listen::chain(&files.cert).map_err(broken)?;
    let first = chain.first().ok_or_else(|| unreadable("there is none".into()))?;
    let (_, certificate) = parse_x509_certificate(first).map_err(|cause| unreadable(cause.to_string()))?;
    let moment = |time: x509_parser::time::ASN1Time| {
        DateTime::from_timestamp(time.timestamp(), 0).unwrap_or(DateTime::UNIX_EPOCH)
    };
    let (begins, ends) =
        (moment(certificate.validity().not_before), moment(certificate.validity().not_after));
    let host = public.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(host.clone()).map_err(|cause| unreadable(cause.to_string()))?;
    let parsed = ParsedCertificate::try_from(first).map_err(|cause| unreadable(cause.to_string()))?;
    if verify_server_name(&parsed, &name).is_err() {
        let advice = format!("get a certificate for `{host}`, or change KEYWARDEN_PUBLIC_URL");
        return Err(Check::failed(NAME, format!("the certificate does not cover `{host}`"), advice));
    }
    if now < begins {
        return Err(Check::failed(
            NAME,
            format!("the certificate begins on {begins}"),
            "set this machine's clock, or wait",
        ));
    }
    if now >= ends {
        return Err(Check::failed(
            NAME,
            format!("the certificate ended on {ends}"),
            "renew it; the files are read again by themselves",
        ));
    }
    if ends - now < SOON {
        let advice = "renew it; the files are read again by themselves";
        return Ok(Check::warning(NAME, format!("the certificate ends on {ends}"), advice));
    }
    Ok(Check::fine(NAME, format!("the certificate covers `{host}` until {ends}")))
}

#[cfg(test)]
mod tests {
    use super::super::Outcome;
    use super::*;
    use crate::config::{Given, Values};

    #[test]
    fn an_address_that_others_reach_needs_a_certificate_or_a_proxy() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let checked = |variables: &[(&str, &str)]| {
            let environment = variables.iter().map(|(name, value)| (name.into(), value.into())).collect();
            let given = Given { file: Some(file.path().into()), environment, flags: Vec::new() };
            check(&Config::read(&Values::gather(&given).unwrap()).unwrap(), DateTime::UNIX_EPOCH).outcome
        };
        assert_eq!(checked(&[]), Outcome::Fine);
        let open = ("KEYWARDEN_LISTEN", "192.0.2.1:3000");
        assert_eq!(checked(&[open]), Outcome::Failed);
        assert_eq!(checked(&[open, ("KEYWARDEN_TRUSTED_PROXIES", "192.0.2.0/24")]), Outcome::Fine);
    }

    fn public(url: &str) -> Public {
        Public { url: url.parse().unwrap(), rp_id: String::new() }
    }

    #[test]
    fn a_certificate_is_judged_by_key_name_and_time() {
        let folder = tempfile::tempdir().unwrap();
        let files = Tls { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let at = |days: i64| {
            time::OffsetDateTime::from_unix_timestamp((now + TimeDelta::days(days)).timestamp()).unwrap()
        };
        let make = |from: i64, to: i64| {
            let mut params = rcgen::CertificateParams::new(vec!["keys.example.com".into()]).unwrap();
            (params.not_before, params.not_after) = (at(from), at(to));
            let key = rcgen::KeyPair::generate().unwrap();
            std::fs::write(&files.cert, params.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(&files.key, key.serialize_pem()).unwrap();
        };
        let judged = |url| judge(&files, &public(url), now).unwrap_or_else(|finding| finding);
        let ours = "https://keys.example.com";
        assert_eq!(judged(ours).outcome, Outcome::Failed);
        for (from, to, outcome) in [
            (-1, 90, Outcome::Fine),
            (-1, 5, Outcome::Warning),
            (-9, -1, Outcome::Failed),
            (1, 90, Outcome::Failed),
        ] {
            make(from, to);
            assert_eq!(judged(ours).outcome, outcome, "{from} {to}");
        }
        make(-1, 90);
        let other = judged("https://other.example.com");
        assert!(other.outcome == Outcome::Failed && other.finding.contains("other.example.com"), "{other}");
        std::fs::write(&files.key, rcgen::KeyPair::generate().unwrap().serialize_pem()).unwrap();
        assert!(judged(ours).finding.contains("do not fit"));
    }
}
