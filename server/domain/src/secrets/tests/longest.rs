//! How long a value may be is the operator's to say: for what is put from then on, by every door.

use std::sync::Arc;

use keywarden_model::SecretKind;
use keywarden_vault::SecretBytes;

use super::{As, PutError, ReadSecretError, Scene, Which, of, template};
use crate::cast::both_engines;
use crate::keys::Place;
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{
    EntryOutcome, EntryRefusal, ImportFile, LONGEST_VALUE, MAX_VALUE, NewValue, Promotion, PutSecret,
    Unresolved, ValueError,
};
use crate::{Domain, Settings};

impl Scene {
    /// The same house, whose operator lets values have so many bytes.
    fn with_longest(&self, max_value: usize) -> Domain {
        let domain = &self.house.domain;
        let settings = Settings { max_value, ..domain.settings().clone() };
        let (store, keyring) = (self.house.store.clone(), Arc::clone(&self.house.keyring));
        Domain::new(store, keyring, domain.env().clone(), settings).unwrap()
    }
}

#[tokio::test]
async fn a_value_has_as_many_bytes_as_the_operator_lets_it_have_and_what_is_there_stays() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let (alice, place) = (&scene.alice, scene.live());
        let id = scene.put("long", &"x".repeat(200)).await.id;
        let short = scene.with_longest(100);
        let put = async |domain: &Domain, path: &str, put| {
            domain.put_secret(&alice.op(), &place, &path.parse().unwrap(), put).await
        };
        assert!(put(&short, "new", of(&"y".repeat(100))).await.is_ok());
        for path in ["new", "newer"] {
            let refused = put(&short, path, of(&"y".repeat(101))).await;
            assert!(
                matches!(refused, Err(PutError::TooLong(ValueError::TooLong(100)))),
                "{path}: {refused:?}"
            );
        }

        // What is there is read, carried on and given a new key.
        let address = scene.address("long");
        let read = short.read_secret(&alice.op(), &address, &Which::default()).await.unwrap();
        assert_eq!(read.value.expose().len(), 200);
        let promotion = Promotion { to: Place::Environment(scene.pay.test), version: 1, expected: None };
        short.promote_secret(&alice.op(), id, promotion).await.unwrap();
        short.rotate_data_key(&alice.op(), id).await.unwrap();
        // With it a template is longer than anything may be that is put here.
        put(&short, "template", template("${pay/live/long}")).await.unwrap();
        let address = scene.address("template");
        let resolved = short.read_secret_as(&alice.op(), &address, &Which::default(), As::Resolved).await;
        assert!(
            matches!(&resolved, Err(ReadSecretError::Unresolved { why: Unresolved::TooLong(100), .. })),
            "{resolved:?}"
        );

        let text = format!("FITS={}\nOVER={}\n", "z".repeat(100), "z".repeat(101));
        let (format, nested) = (FileFormat::Dotenv, Nested::Folders);
        let file = ImportFile { folder: None, format, nested, file: SecretBytes::copy_of(text.as_bytes()) };
        let planned = short.preview_import(&alice.op(), &place, &file).await.unwrap().entries;
        let long = EntryOutcome::Refused(EntryRefusal::Value(ValueError::TooLong(100)));
        assert_eq!(planned.iter().map(|it| &it.outcome).collect::<Vec<_>>(), [&EntryOutcome::Create, &long]);

        let long = scene.with_longest(LONGEST_VALUE);
        let value = SecretBytes::new(vec![0xff; LONGEST_VALUE]);
        let value = NewValue::new(SecretKind::Binary, None, value).unwrap();
        put(&long, "longest", PutSecret { value, ..of("x") }).await.unwrap();
        let address = scene.address("longest");
        let read = scene.house.domain.read_secret(&alice.op(), &address, &Which::default()).await.unwrap();
        assert_eq!(read.value.expose().len(), LONGEST_VALUE, "also where fewer than {MAX_VALUE} may be put");
    })
    .await;
}
