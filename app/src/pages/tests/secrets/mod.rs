//! What pages of secrets promise: a value leaves by a post and in no other page, a stranger sees nothing, what is
//! deleted can be had back.

use keywarden_domain::{
    SecretBytes,
    cast::{Player, Stage as Project},
    keys::Place,
    secrets::{About, NewValue, Put, PutSecret, Validity},
};
use keywarden_model::{Role, SecretKind};

mod fields;
mod folders;
mod longest;
mod values;
mod versions;

use super::Stage;

const VALUE: &str = "hunter2-correct-horse";

/// A project, its manager, one who only looks, and somebody who holds nothing.
pub(super) async fn cast() -> (Stage, Project, [Player; 3]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    (stage, pay, [bob, vera, mallory])
}

pub(super) async fn put(stage: &Stage, pay: &Project, by: &Player, path: &str, value: &[u8]) -> Put {
    let kind = if std::str::from_utf8(value).is_ok() { SecretKind::Text } else { SecretKind::Binary };
    put_as(stage, pay, by, path, (kind, value)).await
}

async fn put_as(
    stage: &Stage,
    pay: &Project,
    by: &Player,
    path: &str,
    (kind, value): (SecretKind, &[u8]),
) -> Put {
    let value = NewValue::new(kind, None, SecretBytes::copy_of(value)).unwrap();
    let put = PutSecret {
        value,
        label: None,
        expected: None,
        validity: Validity::default(),
        about: About::default(),
    };
    let place = Place::Environment(pay.live);
    stage.cast.domain.put_secret(&by.op(), &place, &path.parse().unwrap(), put).await.unwrap()
}

fn form(pay: &Project, more: &str) -> String {
    format!("idempotency_key=0123456789abcdef&environment={}&how=write&kind=text&{more}", pay.live)
}
