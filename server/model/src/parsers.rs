//! Every parser of the dictionary before foreign text (S-28).

use keywarden_garble::{again, bytes, texts, words};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::secret::{FieldPath, Reference};
use crate::*;

/// What JSON gives back is what was read from it.
fn json<T: DeserializeOwned + Serialize + PartialEq + std::fmt::Debug>(specimens: &[&str]) {
    let write = |value: &T| serde_json::to_string(value).unwrap();
    texts(specimens, |text| again(text, |it| serde_json::from_str::<T>(it), write));
}

#[test]
fn ids_and_slugs() {
    words::<ApiKeyId>(&[
        "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
        "key_7ZZZZZZZZZZZZZZZZZZZZZZZZZ",
        "usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB",
    ]);
    words::<AccessRequestId>(&["acr_01JDB2W1N9F6Q3R8T5V7X9Z0AB"]);
    words::<AccessState>(&AccessState::ALL.map(AccessState::as_str));
    words::<GrantEnd>(&GrantEnd::ALL.map(GrantEnd::as_str));
    words::<PasskeyStrength>(&["any", "device-bound"]);
    words::<TeamId>(&["team_01JDB2W1N9F6Q3R8T5V7X9Z0AB"]);
    words::<SecretVersionId>(&["sev_01JDB2W1N9F6Q3R8T5V7X9Z0AB"]);
    words::<Slug>(&["pay", "label-printer-2", "a"]);
    words::<KeyLabel>(&["live", "test2"]);
    json::<UserId>(&["\"usr_01JDB2W1N9F6Q3R8T5V7X9Z0AB\""]);
}

#[test]
fn names_and_notes() {
    words::<Name>(&["Checkout", "Zoë  Müller", "ﬁ x", "名前"]);
    words::<Ticket>(&["INC-7", "", "https://tickets.example/7"]);
    words::<Reason>(&["INC-7: the shop is down", "größer"]);
    words::<Description>(&["one\r\ntwo\n\tthree", "", "Zoë"]);
    texts(&["Checkout", "ﬁ İ ẞ", "е́"], |text| {
        let once = name::folded(text);
        assert_eq!(name::folded(&once), once, "{text:?}");
    });
}

#[test]
fn scopes_tags_and_metadata() {
    words::<Scope>(&["orders:read", "orders:*", "*", "a.b_c-d:e"]);
    words::<Tag>(&["pci", "team=payments", "a=b=c"]);
    json::<Scopes>(&[r#"["orders:read","orders:*"]"#, "[]"]);
    json::<Tags>(&[r#"["pci","team=payments"]"#, "[]"]);
    json::<RateLimit>(&[r#"{"limit":600,"window_seconds":60}"#]);
    json::<Metadata>(&[r#"{"plan":"gold","deep":[{"a":[1.5,-2,true,null]}]}"#]);
    texts(&[r#"{"plan":"gold","n":1}"#, " ", "{}"], |text| again(text, Metadata::parse, Metadata::to_text));
}

#[test]
fn address_ranges() {
    let specimens =
        ["10.0.0.0/8", "2001:db8::/32", "::ffff:10.0.0.0/104", "198.51.100.7", "::/0", "0.0.0.0/0"];
    texts(&specimens, |text| {
        let one = |text: &str| AllowedCidrs::parse([text]);
        again(text, one, |nets| nets.iter().next().unwrap().to_string());
    });
    json::<AllowedCidrs>(&[r#"["10.0.0.0/8","2001:db8::/32","198.51.100.7"]"#]);
}

#[test]
fn words_that_are_one_of_few() {
    words::<KeyState>(&KeyState::ALL.map(KeyState::as_str));
    words::<RevokeReason>(&RevokeReason::ALL.map(RevokeReason::as_str));
    words::<VerifyCode>(&VerifyCode::ALL.map(VerifyCode::as_str));
    words::<Role>(&["owner", "admin", "verifier"]);
    words::<SecretKind>(&["text", "json", "binary"]);
    words::<Dialect>(&Dialect::ALL.map(Dialect::as_str));
    words::<PolicyEffect>(&PolicyEffect::ALL.map(PolicyEffect::as_str));
    words::<PolicyState>(&PolicyState::ALL.map(PolicyState::as_str));
    words::<VersionState>(&["enabled", "disabled", "destroyed"]);
    words::<MessageKind>(&["account", "key-expiry", "seal"]);
    words::<ChannelKind>(&["mail", "slack", "webhook"]);
    words::<DeliveryState>(&["waiting", "delivered", "dead"]);
}

#[test]
fn addresses_of_mail() {
    words::<MailAddress>(&["ops@example.com", "a.b+c@mail.example.org", "o'hara@x"]);
}

#[test]
fn secret_paths_and_references() {
    let paths = ["database/password", "3ds/pass'word $HOME", "a/b/c/d/e", "Zoë/ключ"];
    words::<SecretPath>(&paths);
    texts(&paths, |text| {
        if let Ok(path) = text.parse::<SecretPath>() {
            // However it is compared, it has the folders that it is written with.
            assert_eq!(path.folded().split('/').count(), text.split('/').count(), "{text:?}");
            assert_eq!(path.folder().is_empty(), !text.contains('/'), "{text:?}");
        }
    });
    words::<FieldPath>(&["user.name", "a"]);
    words::<Reference>(&["pay/live/database/password", "pay/live/database#user.name", "pay/live/a b"]);
    words::<SecretLabel>(&["blue", "current", "previous", "v2-stable"]);
    words::<ContentType>(&["text/plain", "application/json; charset=utf-8", "application/vnd.x+json"]);
}

#[test]
fn names_in_other_systems() {
    for dialect in Dialect::ALL {
        texts(&["prod/db-password", "Prod-DB", "a b/c.d", "Zoë/ключ"], |text| {
            again(text, |text| Alias::new(dialect, text), |alias| alias.name().to_owned());
            if let Ok(alias) = Alias::new(dialect, text) {
                assert_eq!(alias.folded().len(), text.len(), "{text:?}");
            }
        });
    }
}

#[test]
fn rules_about_tokens_of_others() {
    words::<HttpsUrl>(&[
        "https://token.actions.githubusercontent.com",
        "https://[::1]:8443/a/b",
        "https://x.example/",
    ]);
    words::<Audience>(&["https://keys.example.com", "keywarden"]);
    let rules = ["repository=octo-org/shop\nref=refs/heads/main", "sub=repo:o/*\nx=1", "  a = b "];
    texts(&rules, |text| again(text, ClaimRules::from_lines, ClaimRules::to_lines));
    let issuers =
        ["https://token.actions.githubusercontent.com", "https://gitlab.com/x", "https://x.example"];
    texts(&issuers, |text| {
        if let Ok(issuer) = text.parse::<HttpsUrl>() {
            assert!(!issuer.authority().contains('/'), "{text:?}");
            ClaimRules::from_lines("sub=x").unwrap().suit(&issuer).ok();
        }
    });
}

#[test]
fn strict_json() {
    let specimens = [
        r#"{"a":[null,true,-1,1.5,18446744073709551615,"\u00e9\ud83d\udd11"],"b":{"c":{}}}"#,
        "[[[[]]]]",
        "\"x\"",
        "1e300",
    ];
    bytes(&specimens, |input| {
        let Ok(Strict(value)) = serde_json::from_slice(input) else { return };
        // Whoever reads it more loosely reads the same.
        assert_eq!(serde_json::from_slice::<Value>(input).unwrap(), value);
    });
}
