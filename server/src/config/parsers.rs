//! What operators write, changed by chance (S-28).

use std::{borrow::Cow, fs};

use keywarden_garble::{some, texts};
use keywarden_vault::seal::pkcs11::User;

use super::backup::Due;
use super::project_seal::ProjectSeal;
use super::seal::OldKeys;
use super::value::{List, Network};
use super::{Config, Database, Given, LogFormat, Span, Values, log, public, shown};

#[test]
fn files_of_settings() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keywarden.toml");
    let whole = "listen = '127.0.0.1:1'\npublic_url = 'https://keys.example.com'\ntrusted_proxies = ['10.0.0.0/8', '::1']\n[seal]\ngrace = 60\nkind = 'pkcs11'\n[pkcs11]\nmodule = \"/usr/lib/m.so\"\npin = \"hunter2\"\nuser = '993:991'\n[database]\nurl = 'postgres://kw:hunter3@db/keys'\n[log]\nlevel = 'info,h2=warn'\n[backup]\nevery = '1d'\n";
    some(2, &[whole, "[a]\nb.c = {d = 1}\n", "x = 1979-05-27T07:32:00Z"], |input| {
        fs::remove_file(&file).ok();
        fs::write(&file, input).unwrap();
        let given = Given { file: Some(file.clone()), ..Given::default() };
        let read = Values::gather(&given).and_then(|values| Ok((Config::read(&values)?, values)));
        match read {
            Ok((config, values)) => {
                for line in shown(&config, &values) {
                    assert!(
                        !line.value.contains("hunter2") && !line.value.contains("hunter3"),
                        "{}",
                        line.key
                    );
                }
            }
            // Its one line says where, and not what stands there.
            Err(error) => assert!(error.to_string().lines().count() == 1, "{error}"),
        }
    });
}

#[test]
fn values_of_settings() {
    texts(&["90s", "5m", "12h", "7d", "18446744073709551615"], |text| {
        if let Ok(Span(span)) = text.parse() {
            assert_eq!(format!("{}s", span.as_secs()).parse(), Ok(Span(span)), "{text:?}");
        }
    });
    texts(&["10.0.0.0/8, ::1/128, 192.0.2.1"], |text| drop(text.parse::<List<String>>()));
    texts(&["10.0.0.0/8", "::1", "::ffff:1.2.3.4/120"], |text| {
        drop(text.parse::<Network>().map(|Network(net)| net.to_string()));
    });
    texts(&["off", "asked", "7", "30d"], |text| {
        drop(text.parse::<Due>().map_err(|why| assert!(!why.is_empty())));
    });
    texts(&["kept", "30d", "24h"], |text| {
        drop(text.parse::<OldKeys>().map_err(|why| assert!(!why.is_empty())));
    });
    some(8, &["993:991", "nobody", "0"], |input| drop(String::from_utf8_lossy(input).parse::<User>()));
    texts(&["auto", "json", "text"], |text| drop(text.parse::<LogFormat>()));
    let seals = [
        "pkcs11:token=acme%20%2C;serial=7a3f?module-path=/a.so&pin-source=file:/run/pin",
        "file:/run/acme.key",
    ];
    texts(&seals, |text| match text.parse() {
        Ok(ProjectSeal::Pkcs11 { module: path, pin_file, .. }) => {
            assert!(path.is_absolute() && pin_file.is_absolute());
        }
        Ok(ProjectSeal::Software { key_file }) => assert!(key_file.is_absolute(), "{text:?}"),
        Err(why) => assert!(!why.is_empty(), "{text:?}"),
    });
    assert!(log::check("\r\nsql\u{fffd}]=trace").is_err(), "tracing-subscriber 0.3.23 panics at this");
    texts(&["info,sqlx=warn", "keywarden[span{field=\"x\"}]=trace", "off"], |text| {
        assert!(log::check(text).err().is_none_or(|why| !why.is_empty()), "{text:?}");
    });
    texts(&["https://keys.example.com", "http://localhost:3000", "https://[::1]:8443"], |text| {
        if let Ok(url) = public::parse(text) {
            assert!(url.has_host() && url.password().is_none(), "{text:?}");
        }
    });
}

#[test]
fn addresses_of_databases_show_no_password() {
    let specimens = [
        "postgres://kw:hunter2hunter2@db:5432/keys?sslmode=verify-full",
        "postgresql://db/keys?password=hunter2hunter2&user=kw",
        "sqlite:///var/lib/keywarden/keys.db",
        "postgres://kw:hunter2hunter2@[::1]/keys",
    ];
    texts(&specimens, |text| match Database::parse(text) {
        Ok(Database::Postgres(url)) => {
            let shown = Database::Postgres(url).shown();
            let again = url::Url::parse(&shown).unwrap();
            assert!(again.password().is_none_or(|it| it == "***"), "{text:?}: {shown}");
            let asked =
                |(name, value): (Cow<'_, str>, Cow<'_, str>)| !name.contains("password") || value == "***";
            assert!(again.query_pairs().all(asked), "{text:?}: {shown}");
        }
        Ok(_) => {}
        Err(why) => assert!(!why.is_empty()),
    });
}
