//! No secret is kept where it could be read, and none is logged (S-20): every secret that a use-case gives out or takes in
//! is looked for afterwards in all that is stored and in every line that was traced. `server/tests/serve/canary` does so
//! with the binary, from outside, through every door.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use keywarden_model::{EnvironmentId, Role, Scopes, SecretKind};
use keywarden_store::{Engine, sql};
use keywarden_vault::{SecretBytes, SecretString};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};

use crate::cast::{House, both_engines};
use crate::keys::{ImportKey, ImportedValue, NewKey, Overlap, Place, Question, Route};
use crate::people::tests as people;
use crate::secrets::{About, Address, NewValue, PutSecret, Validity, Which};
use crate::workloads::{NewWorkload, TokenLifetime};
use crate::written::Search;
use crate::{Once, Op};

/// Every line that is traced, at every level.
#[derive(Default)]
struct Lines(Mutex<String>);

impl Visit for &Lines {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0.lock().unwrap(), "{field}={value:?} ").unwrap();
    }
}

impl tracing::Subscriber for Lines {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut &*self);
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut &*self);
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut &*self);
        self.0.lock().unwrap().push('\n');
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// What must be found nowhere, by what it is.
type Secrets = Vec<(&'static str, String)>;

/// The last 40 characters: of a value, the secret and not the id.
fn tail(text: &str) -> String {
    text[text.len() - 40..].to_owned()
}

/// Uses everything that has to do with a secret.
async fn use_everything(house: &House) -> Secrets {
    let mut secrets = Secrets::new();
    let domain = &house.domain;
    let pay = house.project("pay").await;

    let mut ada = people::set_up(house).await;
    let link = domain.invite(&ada.op(house), &people::named("Bob"), Role::Auditor, None).await.unwrap();
    secrets.push(("an invitation", tail(&people::value(&link))));
    let link = domain.operator_recover(&house.operator(Role::Owner), ada.person.id).await.unwrap();
    secrets.push(("a recovery link", tail(&people::value(&link))));
    for code in people::codes(house, &ada).await {
        secrets.push(("a recovery code", code.replace('-', "")[6..].to_owned()));
        secrets.push(("a recovery code as shown", code[7..].to_owned()));
    }
    let again = ada.signs_in(house).await.unwrap();
    for somebody in [&ada, &again] {
        secrets.push(("a session's cookie", hex::encode(somebody.key.expose())));
        secrets.push(("a session's cookie", URL_SAFE_NO_PAD.encode(somebody.key.expose())));
    }
    let marker = "value=canary-of-a-post-that-waits-0123456789";
    domain
        .keep_post(&again.op(house), "/keys/import", &SecretBytes::copy_of(marker.as_bytes()))
        .await
        .unwrap();
    secrets.push(("a kept post", marker.to_owned()));

    let named = |name: &str| NewKey::named(Place::Environment(pay.live), name.parse().unwrap());
    let key_of_once = "canary-idempotency-key-0123456789-abcdefgh";
    let once = Op { once: Some(Once::new(key_of_once, &[b"issue"]).unwrap()), ..again.op(house) };
    secrets.push(("an idempotency key", key_of_once.to_owned()));
    let issued = domain.issue_key(&once, named("One")).await.unwrap();
    secrets.push(("a key", tail(issued.value.expose())));
    let rotated =
        domain.rotate_key(&again.op(house), issued.id, Overlap::For(TimeDelta::hours(1))).await.unwrap();
    secrets.push(("a rotated key", tail(rotated.value.expose())));
    let held = "sk-Legacy-canary-4f9a1c77e2-0123456789-abcdef";
    let import = ImportKey {
        key: named("Held"),
        value: ImportedValue::Value(SecretString::new(held.to_owned())),
        last_day: house.now() + TimeDelta::days(30),
    };
    domain.import_key(&again.op(house), import).await.unwrap();
    secrets.push(("an imported value", held.to_owned()));

    let new =
        NewWorkload { name: "gateway".parse().unwrap(), project: Some(pay.id), role: Some(Role::Verifier) };
    let workload = domain.create_workload(&again.op(house), new).await.unwrap();
    let token =
        domain.issue_service_token(&again.op(house), workload, TokenLifetime::default()).await.unwrap();
    secrets.push(("a service token", tail(token.value.expose())));
    let shell = house.operator(Role::Admin);
    let operators = domain.operator_token(&shell, Role::Admin, TimeDelta::minutes(15)).await.unwrap();
    secrets.push(("an operator's token", tail(operators.expose())));

    secrets.extend(keep_secrets(house, &again, pay.live).await);

    // Shown where they are wanted, and where they have no business.
    let gateway = house.op(domain.authenticate_token(token.value.expose()).await.unwrap());
    for presented in [issued.value.expose(), rotated.value.expose(), held, token.value.expose(), "x"] {
        for caller in [Some("shop/1"), Some(presented)] {
            let question =
                Question { presented, scopes: &Scopes::default(), ip: None, caller, route: Route::Verify };
            domain.verify_key(&gateway, &question).await.unwrap();
        }
        assert!(domain.authenticate_token(presented).await.is_ok() == (presented == token.value.expose()));
        domain.look_up_leak(&again.op(house), &format!("found in a log: key={presented}")).await.unwrap();
        let wrong = people::typed(presented);
        assert!(domain.use_recovery_code(&people::nobody(house), &wrong).await.is_err());
    }
    domain.flush_usage().await.unwrap();
    domain.flush_verify_counts().await.unwrap();
    domain.flush_decisions().await.unwrap();
    domain.flush_refusals().await.unwrap();
    secrets
}

/// Secrets of others: put, put anew, read, labelled, deleted, restored, destroyed. A destroyed one is not there either.
async fn keep_secrets(house: &House, ada: &people::Somebody, live: EnvironmentId) -> Secrets {
    let domain = &house.domain;
    let address = Address::Path { place: Place::Environment(live), path: "shop/held".parse().unwrap() };
    let Address::Path { place, path } = &address else { unreachable!() };
    let kept = [
        ("a text", SecretKind::Text, "canary-text-of-a-secret-0123456789-abcdefghijkl"),
        ("a JSON", SecretKind::Json, r#"{"canary-json-of-a-secret":"0123456789-abcdefghijkl"}"#),
        ("a binary", SecretKind::Binary, "canary-bytes-of-a-secret-0123456789-abcdefghijkl"),
        ("a current text", SecretKind::Text, "canary-current-of-a-secret-0123456789-abcdefghijk"),
    ];
    let mut id = None;
    for (_, kind, value) in kept {
        let value = NewValue::new(kind, None, SecretBytes::copy_of(value.as_bytes())).unwrap();
        let put = PutSecret {
            value,
            label: None,
            expected: None,
            validity: Validity::default(),
            about: About::default(),
        };
        let done = domain.put_secret(&ada.op(house), place, path, put).await.unwrap();
        let which = Which::Number(done.number);
        domain.read_secret(&ada.op(house), &address, &which).await.unwrap();
        id = Some(done.id);
    }
    let id = id.unwrap();
    domain.label_secret(&ada.op(house), id, None, &"blue".parse().unwrap(), 2).await.unwrap();
    domain.disable_secret_version(&ada.op(house), id, 3).await.unwrap();
    assert!(domain.read_secret(&ada.op(house), &address, &Which::Number(3)).await.is_err());
    domain.destroy_secret_version(&ada.op(house), id, 1).await.unwrap();
    domain.delete_secret(&ada.op(house), &address, None).await.unwrap();
    assert!(domain.read_secret(&ada.op(house), &address, &Which::default()).await.is_err());
    domain.restore_secret(&ada.op(house), id).await.unwrap();
    let refused = NewValue::new(SecretKind::Json, None, SecretBytes::copy_of(kept[0].2.as_bytes()));
    tracing::info!(refused = ?refused, "a value that is none");
    kept.into_iter().map(|(what, _, value)| (what, value.to_owned())).collect()
}

/// All that is stored, as somebody who steals it would read it.
async fn stolen(house: &House) -> Vec<u8> {
    let mut conn = house.store.read().await.unwrap();
    if house.store.engine() == Engine::Sqlite {
        let mut bytes = Vec::new();
        for file in std::fs::read_dir(house.folder()).unwrap() {
            let path = file.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("keywarden.db") {
                bytes.extend(std::fs::read(path).unwrap());
            }
        }
        return bytes;
    }
    sql("SET xmlbinary = 'hex'").optional::<(String,)>(&mut conn).await.unwrap();
    let all = "SELECT string_agg(CAST(query_to_xml('SELECT * FROM ' || quote_ident(table_name), true, false, '') AS TEXT), '')
                  AS text FROM information_schema.tables WHERE table_schema = 'public'";
    sql(all).one::<(String,)>(&mut conn).await.unwrap().0.into_bytes()
}

fn holds(bytes: &[u8], what: &str) -> bool {
    bytes.windows(what.len()).any(|window| window == what.as_bytes())
}

#[tokio::test]
async fn no_secret_is_in_what_is_stored_nor_in_what_is_traced() {
    both_engines(async |house| {
        let lines = Arc::new(Lines::default());
        let secrets = {
            let _tracing = tracing::subscriber::set_default(Arc::clone(&lines));
            use_everything(&house).await
        };
        assert!(secrets.len() > 30);
        let stored = stolen(&house).await;
        let traced = lines.0.lock().unwrap().clone().into_bytes();
        // What is there is found: the names of things are no secret.
        assert!(holds(&stored, "gateway") && holds(&stored, "Held"), "{} bytes", stored.len());
        assert!(traced.len() > 1_000, "{} bytes", traced.len());
        let search = Search::of(secrets.iter().map(|(_, secret)| secret.as_str()));
        let found = |bytes: &[u8]| -> Vec<_> {
            search.found(bytes).into_iter().filter_map(|at| secrets.get(at)).map(|(what, _)| *what).collect()
        };
        assert!(found(&stored).is_empty(), "stored: {:?}", found(&stored));
        assert!(found(&traced).is_empty(), "traced: {:?}", found(&traced));
    })
    .await;
}
