use keywarden_model::Role;

use super::{Address, ReadSecretError, Scene};
use crate::Refused;
use crate::cast::both_engines;

#[tokio::test]
async fn both_versions_are_read_and_both_readings_told() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let id = scene.put("a", "one").await.id;
        scene.put("a", "two").await;
        let compared = domain.compare_secret_versions(&scene.alice.op(), id, 1, 2).await.unwrap();
        let shown = |(version, value): &(crate::secrets::Version, keywarden_vault::SecretBytes)| {
            (version.number, value.expose().to_vec())
        };
        assert_eq!(shown(&compared.before), (1, b"one".to_vec()));
        assert_eq!(shown(&compared.after), (2, b"two".to_vec()));
        let told = ["secret.create", "secret.put", "secret.read", "secret.read"];
        assert_eq!(scene.events(id).await, told);

        let nothing = domain.compare_secret_versions(&scene.alice.op(), id, 1, 3).await;
        assert!(matches!(nothing, Err(ReadSecretError::Refused(Refused::NotFound))), "{nothing:?}");
        domain.disable_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        let shut = domain.compare_secret_versions(&scene.alice.op(), id, 2, 1).await;
        assert!(matches!(shut, Err(ReadSecretError::Shut { number: 1, .. })), "{shut:?}");
        domain.enable_secret_version(&scene.alice.op(), id, 1).await.unwrap();
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let refused = domain.compare_secret_versions(&victor.op(), id, 1, 2).await;
        assert!(matches!(refused, Err(ReadSecretError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let asleep = scene.alice.without_step_up();
        let refused = domain.compare_secret_versions(&asleep.op(), id, 1, 2).await;
        assert!(matches!(refused, Err(ReadSecretError::Refused(Refused::StepUp))), "{refused:?}");
        domain.delete_secret(&scene.alice.op(), &Address::Id(id), None).await.unwrap();
        let gone = domain.compare_secret_versions(&scene.alice.op(), id, 1, 2).await;
        assert!(matches!(gone, Err(ReadSecretError::Refused(Refused::NotFound))), "{gone:?}");
        let read = scene.events(id).await.into_iter().filter(|it| it == "secret.read").count();
        assert_eq!(read, 2, "what was refused is not told as done");
    })
    .await;
}
