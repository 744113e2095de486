use std::{ffi::OsString, fs, path::Path};

use super::*;

fn environment(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

fn given(file: &Path, toml: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Given {
    fs::write(file, toml).unwrap();
    Given {
        file: Some(file.into()),
        environment: environment(variables),
        flags: flags.iter().map(|(key, text)| (*key, (*text).to_owned())).collect(),
    }
}

fn read(toml: &str, variables: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let given = given(&folder.path().join("keywarden.toml"), toml, variables, flags);
    Values::gather(&given).and_then(|values| Config::read(&values)).map_err(|error| error.to_string())
}

#[test]
fn the_defaults_are_the_embedded_ones() {
    let config = read("", &[], &[]).unwrap();
    assert_eq!(config.data_dir, Path::new("./data"));
    assert_eq!(config.listen.address.to_string(), "127.0.0.1:3000");
    assert_eq!(config.public.origin(), "http://localhost:3000");
    assert_eq!(config.public.rp_id, "localhost");
    assert!(matches!(config.database, Database::Sqlite(path) if path == Path::new("./data/keywarden.db")));
    assert!(matches!(config.seal.kind, SealKind::SoftHsm { module: None }));
    assert_eq!(config.seal.grace.as_secs(), 300);
    assert_eq!(config.limits.body, 1 << 20);
    assert_eq!(config.secrets.max_value, keywarden_domain::secrets::MAX_VALUE);
}

#[test]
fn flags_beat_variables_beat_the_file_beats_defaults() {
    let toml = "listen = '127.0.0.1:1'\n[seal]\ngrace = 60\n[log]\nlevel = 'warn'\n";
    let variables = [("KEYWARDEN_LISTEN", "127.0.0.1:2"), ("KEYWARDEN_SEAL_GRACE", "2m")];
    let config = read(toml, &variables, &[("listen", "127.0.0.1:3")]).unwrap();
    assert_eq!(config.listen.address.port(), 3);
    assert_eq!(config.seal.grace.as_secs(), 120);
    assert_eq!(config.log.level, "warn");
}

#[test]
fn every_value_tells_where_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("keywarden.toml");
    let given =
        given(&file, "rp_id = 'localhost'", &[("KEYWARDEN_LOG_LEVEL", "warn")], &[("listen", "127.0.0.1:9")]);
    let values = Values::gather(&given).unwrap();
    let config = Config::read(&values).unwrap();
    let lines = shown(&config, &values);
    let origin = |key: &str| lines.iter().find(|line| line.key == key).unwrap().origin.clone();
    assert_eq!(origin("rp_id"), file.display().to_string());
    assert_eq!(origin("log.level"), "KEYWARDEN_LOG_LEVEL");
    assert_eq!(origin("listen"), "--listen");
    assert_eq!(origin("data_dir"), "default");
    assert_eq!(lines.len(), SETTINGS.len());
}

#[test]
fn an_unknown_key_or_variable_is_refused_by_name() {
    let refused = read("[tls]\ncertt = 'x'", &[], &[]).unwrap_err();
    assert!(refused.contains("`tls.certt`") && refused.contains("did you mean `tls.cert`?"), "{refused}");
    for empty in ["[databse]", "[log]\n[databse]\n[tls]", "databse = {}"] {
        let refused = read(empty, &[], &[]).unwrap_err();
        assert!(refused.contains("`databse`") && refused.contains("did you mean `database`?"), "{refused}");
    }
    read("[database]\n[log]\n[tls]", &[], &[]).unwrap();
    let refused = read("", &[("KEYWARDEN_LISTN", "x")], &[]).unwrap_err();
    assert!(refused.contains("`KEYWARDEN_LISTN`") && refused.contains("`KEYWARDEN_LISTEN`"), "{refused}");
    let refused = read("listen_file = 'x'", &[], &[]).unwrap_err();
    assert!(refused.contains("`listen_file`"), "{refused}");
    assert!(read("listen = ", &[], &[]).unwrap_err().contains("is not TOML"));
}

#[test]
fn link_variables_of_a_kubernetes_service_are_ignored() {
    let links = [
        ("KEYWARDEN_SERVICE_HOST", "10.0.0.1"),
        ("KEYWARDEN_SERVICE_PORT", "3000"),
        ("KEYWARDEN_SERVICE_PORT_HTTPS", "3000"),
        ("KEYWARDEN_PORT", "tcp://10.0.0.1:3000"),
        ("KEYWARDEN_PORT_3000_TCP", "tcp://10.0.0.1:3000"),
        ("KEYWARDEN_PORT_3000_TCP_ADDR", "10.0.0.1"),
        ("PATH", "/bin"),
    ];
    assert_eq!(read("", &links, &[]).unwrap().listen.address.to_string(), "127.0.0.1:3000");
}

#[test]
fn variables_of_commands_that_ask_a_server_are_not_its_settings() {
    let others =
        [("KEYWARDEN_SERVER", "https://x"), ("KEYWARDEN_TOKEN", "kws_x"), ("KEYWARDEN_TOKEN_FILE", "/x")];
    assert_eq!(read("", &others, &[]).unwrap().listen.address.to_string(), "127.0.0.1:3000");
}

#[test]
fn a_secret_may_come_from_a_file_and_shows_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    fs::write(&pin, "hunter2\n").unwrap();
    let pin = pin.to_str().unwrap();
    let common = [
        ("KEYWARDEN_SEAL", "pkcs11"),
        ("KEYWARDEN_PKCS11_MODULE", "/lib/hsm.so"),
        ("KEYWARDEN_PKCS11_TOKEN", "1234"),
        ("KEYWARDEN_DATABASE_URL", "postgres://kw:hunter2@db/keys"),
    ];
    let by_variable = [&common[..], &[("KEYWARDEN_PKCS11_PIN_FILE", pin)]].concat();
    let by_toml = format!("pkcs11.pin_file = '{pin}'");
    for (toml, variables, flags) in [
        ("", &by_variable[..], &[][..]),
        (by_toml.as_str(), &common[..], &[][..]),
        ("", &common[..], &[("pkcs11.pin", pin)][..]),
    ] {
        let given = given(&folder.path().join("keywarden.toml"), toml, variables, flags);
        let values = Values::gather(&given).unwrap();
        let config = Config::read(&values).unwrap();
        let SealKind::Pkcs11 { pin, .. } = &config.seal.kind else { panic!("not pkcs11") };
        assert_eq!(pin.expose(), "hunter2");
        let printed = format!("{config:?}{:?}", shown(&config, &values));
        assert!(!printed.contains("hunter2"), "{printed}");
    }
}

#[test]
fn a_database_that_is_given_and_empty_is_refused_and_never_means_a_new_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let path = file.to_str().unwrap();
    let by_toml = format!("database.url_file = '{path}'");
    for text in ["", "\n", " \r\n"] {
        fs::write(&file, text).unwrap();
        for (toml, variables, flags) in [
            ("", &[("KEYWARDEN_DATABASE_URL_FILE", path)][..], &[][..]),
            (by_toml.as_str(), &[][..], &[][..]),
            ("", &[][..], &[("database.url", path)][..]),
        ] {
            let refused = read(toml, variables, flags).unwrap_err();
            assert!(refused.starts_with("database.url from "), "{refused}");
            assert!(refused.contains(path) && refused.contains("is empty"), "{refused}");
        }
    }
    for refused in [read("", &[("KEYWARDEN_DATABASE_URL", "")], &[]), read("database.url = ''", &[], &[])] {
        let refused = refused.unwrap_err();
        assert!(refused.starts_with("database.url from ") && refused.contains("it is empty"), "{refused}");
    }
    // Another setting without a text is one that is not set.
    assert_eq!(
        read("", &[("KEYWARDEN_PUBLIC_URL", "")], &[]).unwrap().public.origin(),
        "http://localhost:3000"
    );
}

#[test]
fn a_secret_given_twice_is_refused() {
    let twice = [("KEYWARDEN_PKCS11_PIN", "1"), ("KEYWARDEN_PKCS11_PIN_FILE", "/x")];
    assert!(read("", &twice, &[]).unwrap_err().contains("not both"));
}

#[test]
fn values_that_do_not_fit_are_refused_with_their_origin_and_a_way_out() {
    let cases: &[(&str, &str, &str)] = &[
        ("KEYWARDEN_LISTEN", "3000", "KEYWARDEN_LISTEN"),
        ("KEYWARDEN_SEAL_GRACE", "soon", "`5m`"),
        ("KEYWARDEN_VERIFY_MAX_STALENESS", "61s", "between 0s and 60s"),
        ("KEYWARDEN_DATABASE_URL", "mysql://db", "unknown scheme `mysql`"),
        ("KEYWARDEN_PUBLIC_URL", "https://a.example/keys", "only scheme, host and port"),
        ("KEYWARDEN_PUBLIC_URL", "ftp://a.example", "https://"),
        ("KEYWARDEN_RP_ID", "example.com", "browsers would refuse"),
        ("KEYWARDEN_RP_ID", "Localhost", "browsers would refuse"),
        ("KEYWARDEN_TLS_CERT", "/cert.pem", "KEYWARDEN_TLS_KEY"),
        ("KEYWARDEN_TRUSTED_PROXIES", "10.0.0.0/8, nonsense", "`nonsense`"),
        ("KEYWARDEN_TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0", "`0.0.0.0/0` is everybody"),
        ("KEYWARDEN_TRUSTED_PROXIES", "::/0", "`::/0` is everybody"),
        ("KEYWARDEN_SEAL", "hsm", "softhsm, pkcs11 or software"),
        ("KEYWARDEN_SEAL", "pkcs11", "KEYWARDEN_PKCS11_MODULE"),
        ("KEYWARDEN_PKCS11_TOKEN", "unused", "no use for it"),
        ("KEYWARDEN_PKCS11_USER", "no-such-user-here", "no user `no-such-user-here`"),
        ("KEYWARDEN_SECRETS_MAX_VALUE", "0", "between 1 and 524288"),
        ("KEYWARDEN_SECRETS_MAX_VALUE", "524289", "between 1 and 524288"),
        ("KEYWARDEN_SESSION_IDLE", "1s", "between 1m and 30d"),
        ("KEYWARDEN_LIMITS_REQUEST", "61s", "between 1s and 60s"),
        ("KEYWARDEN_LIMITS_CONNECTIONS", "0", "between 1 and"),
        ("KEYWARDEN_LOG_FORMAT", "xml", "auto, json or text"),
        ("KEYWARDEN_PKCS11_PIN_FILE", "/nowhere/pin", "/nowhere/pin"),
    ];
    for (variable, text, says) in cases {
        let refused = read("", &[(variable, text)], &[]).unwrap_err();
        assert!(refused.contains(says), "{variable}={text}: {refused}");
    }
}

#[test]
fn what_the_chosen_seal_has_no_use_for_is_refused() {
    let hsm = [
        ("KEYWARDEN_SEAL", "pkcs11"),
        ("KEYWARDEN_PKCS11_MODULE", "/lib/hsm.so"),
        ("KEYWARDEN_PKCS11_TOKEN", "1234"),
        ("KEYWARDEN_PKCS11_SERIAL", "7a3f"),
        ("KEYWARDEN_PKCS11_PIN", "1"),
    ];
    assert!(read("", &hsm, &[]).is_ok());
    let with_file = [&hsm[..], &[("KEYWARDEN_SEAL_KEY_FILE", "/key")]].concat();
    assert!(read("", &with_file, &[]).unwrap_err().contains("KEYWARDEN_SEAL_KEY_FILE"));
    for (variable, text) in &hsm[1..] {
        let refused = read("", &[("KEYWARDEN_SEAL", "software"), (variable, text)], &[]).unwrap_err();
        assert!(refused.contains(variable) && refused.contains("no use for it"), "{refused}");
    }
}

#[test]
fn no_request_takes_longer_than_the_silence_that_ends_a_connection() {
    assert!(limits::LONGEST < crate::listen::SILENCE);
}

#[test]
fn the_readme_names_every_setting() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md")).unwrap();
    let missing: Vec<_> = SETTINGS
        .iter()
        .map(|setting| setting.variable)
        .filter(|variable| {
            let named = readme.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            !named
                .map(|word| word.trim_end_matches("_FILE"))
                .any(|word| word == variable.trim_end_matches("_FILE"))
        })
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn the_public_url_follows_port_and_tls_until_it_is_set() {
    let port = read("", &[("KEYWARDEN_LISTEN", "127.0.0.1:8080")], &[]).unwrap();
    assert_eq!(port.public.origin(), "http://localhost:8080");
    let tls = read("[tls]\ncert = 'c'\nkey = 'k'", &[], &[]).unwrap();
    assert_eq!(tls.public.origin(), "https://localhost:3000");
    let set = [("KEYWARDEN_PUBLIC_URL", "https://keys.example.com"), ("KEYWARDEN_RP_ID", "example.com")];
    let set = read("", &set, &[]).unwrap();
    assert_eq!(
        (set.public.origin().as_str(), set.public.rp_id.as_str()),
        ("https://keys.example.com", "example.com")
    );
}
