use super::{Scene, events_of};
use crate::cast::both_engines;
use crate::keys::Leak;

#[tokio::test]
async fn a_leak_is_told_to_who_may_act_on_it_and_to_nobody_else() {
    both_engines(async |house| {
        let scene = Scene::set(house).await;
        let domain = &scene.house.domain;
        let key = scene.issue("Orders").await;
        let mallory = scene.house.person("Mallory", &[]).await;
        let line = format!("2026-01-01 GET /?key={} 200", key.value.expose());
        let Leak::Found { key: found, value, may, .. } =
            domain.look_up_leak(&scene.bob.without_step_up().op(), &line).await.unwrap()
        else {
            panic!("not found")
        };
        assert_eq!((found.id, value.public_id), (key.id, key.public_id.clone()));
        assert!(may.revoke && may.rotate);
        for (who, text) in [
            (&mallory, key.value.expose()),
            (&mallory, "kwk_live_000000000000_000000000000000000000000000000000000000000037HFaf"),
            (&scene.bob, &key.value.expose()[..60]),
        ] {
            let answer = domain.look_up_leak(&who.op(), text).await.unwrap();
            assert!(matches!(answer, Leak::Unknown), "{answer:?}");
        }
        assert_eq!(events_of(&scene.house, key.id).await, ["key.issue", "leak.look-up", "leak.look-up"]);
        assert_eq!(events_of(&scene.house, "organization").await.len(), 2);
    })
    .await;
}
