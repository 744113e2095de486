use keywarden_model::{Role, SecretKind};

use super::{Scene, Which, of, value};
use crate::Refused;
use crate::cast::both_engines;
use crate::secrets::files::{FileFormat, Nested};
use crate::secrets::{Export, ExportError, Exported, ImportFile, PutSecret};

fn export(folder: &str, format: FileFormat) -> Export {
    let folder = (!folder.is_empty()).then(|| folder.parse().unwrap());
    Export { folder, format, reason: "the shop moves".into() }
}

impl Scene {
    async fn export(&self, folder: &str, format: FileFormat) -> Result<Exported, ExportError> {
        let export = export(folder, format);
        self.house.domain.export_secrets(&self.alice.op(), &self.live(), &export).await
    }
}

#[tokio::test]
async fn a_folder_is_given_out_as_a_file_with_an_event_for_each_reading() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let id = scene.put("shop/database/url", "it's \"x\"\n").await.id;
        scene.put("shop/token", "t").await;
        scene.put("elsewhere", "no").await;
        let done = scene.export("shop", FileFormat::Dotenv).await.unwrap();
        assert_eq!(done.file.expose(), "DATABASE_URL=\"it's \\\"x\\\"\n\"\nTOKEN='t'\n");
        assert_eq!((done.name.as_str(), done.secrets), ("pay-live-shop.env", 2));
        let done = scene.export("shop", FileFormat::Json).await.unwrap();
        assert_eq!(
            done.file.expose(),
            "{\n  \"database/url\": \"it's \\\"x\\\"\\n\",\n  \"token\": \"t\"\n}\n"
        );
        assert_eq!(done.name, "pay-live-shop.json");
        assert_eq!(scene.export("", FileFormat::Yaml).await.unwrap().secrets, 3);
        assert_eq!(scene.events(id).await, ["secret.create", "secret.read", "secret.read", "secret.read"]);
        let told = scene.events(scene.pay.live).await;
        assert_eq!(told.iter().filter(|it| *it == "secret.export").count(), 3);
        assert!(!format!("{done:?}").contains("it's"));
    })
    .await;
}

#[tokio::test]
async fn what_was_exported_imports_as_it_was() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("shop/database/url", " =it's, \"x\"\r\n$y\u{2028}").await;
        let json = PutSecret { value: value(SecretKind::Json, b"{ \"a\": 1 }"), ..of("x") };
        scene.put_as(&scene.alice.op(), "shop/json", json).await.unwrap();
        let every: Vec<u8> = (0..=u8::MAX).collect();
        let binary = PutSecret { value: value(SecretKind::Binary, &every), ..of("x") };
        scene.put_as(&scene.alice.op(), "shop/keystore", binary).await.unwrap();
        for format in [FileFormat::Csv, FileFormat::Json, FileFormat::Yaml] {
            let done = scene.export("shop", format).await.unwrap();
            let file = keywarden_vault::SecretBytes::copy_of(done.file.expose().as_bytes());
            let import = async |folder: &str| {
                let file = keywarden_vault::SecretBytes::copy_of(file.expose());
                let folder = Some(folder.parse().unwrap());
                let file = ImportFile { folder, format, nested: Nested::Folders, file };
                let (op, place) = (scene.alice.op(), scene.live());
                let done = scene.house.domain.import_secrets(&op, &place, &file, None).await.unwrap();
                (done.created, done.changed, done.unchanged)
            };
            assert_eq!(import("shop").await, (0, 0, 3), "{format}");
            assert_eq!(import(format.as_str()).await, (3, 0, 0), "{format}");
            let read = scene.read(&format!("{format}/keystore"), Which::default()).await.unwrap();
            assert_eq!(
                (read.value.expose(), read.version.kind),
                (&every[..], SecretKind::Binary),
                "{format}"
            );
        }
    })
    .await;
}

#[tokio::test]
async fn what_a_file_cannot_hold_is_left_out_and_said() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let op = || scene.alice.op();
        let binary = PutSecret { value: value(SecretKind::Binary, b"\xff"), ..of("x") };
        scene.put_as(&op(), "keystore", binary).await.unwrap();
        let off = scene.put("off", "x").await.id;
        scene.house.domain.disable_secret_version(&op(), off, 1).await.unwrap();
        scene.put_as(&op(), "later", super::labelled("x", "pending")).await.unwrap();
        let none = scene.export("", FileFormat::Dotenv).await;
        assert!(matches!(none, Err(ExportError::Nothing)), "{none:?}");
        let found = scene.house.domain.exportable(&op(), &scene.live(), None).await.unwrap();
        assert_eq!(found.binary.iter().map(ToString::to_string).collect::<Vec<_>>(), ["keystore"]);
        let done = scene.export("", FileFormat::Json).await.unwrap();
        assert_eq!(done.file.expose(), "{\n  \"keystore\": { \"$binary\": \"/w==\" }\n}\n");
        scene.put("a/b", "1").await;
        let done = scene.export("", FileFormat::Dotenv).await.unwrap();
        let left: Vec<_> = done.left_out.iter().map(ToString::to_string).collect();
        assert_eq!((done.secrets, left), (1, vec!["keystore".into(), "later".into(), "off".into()]));
        scene.put("a-b", "2").await;
        let both = scene.export("", FileFormat::Dotenv).await;
        assert!(matches!(&both, Err(ExportError::Names { name, .. }) if name == "A_B"), "{both:?}");
        assert_eq!(scene.export("", FileFormat::Json).await.unwrap().secrets, 3);
        scene.put("nul", "a\0b").await;
        let nul = scene.export("", FileFormat::Json).await;
        assert!(matches!(&nul, Err(ExportError::NotText(path)) if path.as_str() == "nul"), "{nul:?}");
    })
    .await;
}

#[tokio::test]
async fn an_export_asks_for_what_its_readings_would() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        scene.put("a", "1").await;
        let domain = &scene.house.domain;
        let all = export("", FileFormat::Json);
        let other = scene.house.project("other").await;
        let mallory = scene.house.person("Mallory", &[(Role::Manager, Some(other.id))]).await;
        let victor = scene.house.person("Victor", &[(Role::Viewer, Some(scene.pay.id))]).await;
        let before = scene.house.rows().await;
        let refused = domain.export_secrets(&mallory.op(), &scene.live(), &all).await;
        assert!(matches!(refused, Err(ExportError::Refused(Refused::NotFound))), "{refused:?}");
        let refused = domain.export_secrets(&victor.op(), &scene.live(), &all).await;
        assert!(matches!(refused, Err(ExportError::Refused(Refused::Forbidden(_)))), "{refused:?}");
        let asleep = scene.alice.without_step_up();
        let refused = domain.export_secrets(&asleep.op(), &scene.live(), &all).await;
        assert!(matches!(refused, Err(ExportError::Refused(Refused::StepUp))), "{refused:?}");
        assert!(domain.exportable(&asleep.op(), &scene.live(), None).await.is_ok(), "to look takes none");
        assert_eq!(scene.house.rows().await, before);
        let reader = scene.house.workload("reader", Role::Reader, Some(scene.pay.id)).await;
        assert_eq!(domain.export_secrets(&reader.op(), &scene.live(), &all).await.unwrap().secrets, 1);
        let op = || scene.alice.op_once("export-0123456789", &[b"the same"]);
        domain.export_secrets(&op(), &scene.live(), &all).await.unwrap();
        let again = domain.export_secrets(&op(), &scene.live(), &all).await;
        assert!(matches!(again, Err(ExportError::Refused(Refused::Replayed(_)))), "{again:?}");
    })
    .await;
}
