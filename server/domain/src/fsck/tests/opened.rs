//! What only shows once it is opened: a sealed row in another's place, a value that is not what its row says.

use keywarden_store::sql;

use super::Furnished;
use super::live::live;
use crate::cast::both_engines;

#[tokio::test]
async fn a_sealed_row_in_anothers_place_is_found_whatever_holds_it() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        // Of two sealed rows under the same key each gets the other's envelope: every column is in order.
        for (table, swap) in [
            (
                "sessions",
                "UPDATE sessions SET sealed = (SELECT o.sealed FROM sessions o WHERE o.id <> sessions.id
                          ORDER BY o.id LIMIT 1)",
            ),
            (
                "subjects",
                "UPDATE subjects SET sealed_key = (SELECT o.sealed_key FROM subjects o
                          WHERE o.id <> subjects.id ORDER BY o.id LIMIT 1)",
            ),
            (
                "pending_posts",
                "UPDATE pending_posts SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "ceremonies",
                "UPDATE ceremonies SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "device_grants",
                "UPDATE device_grants SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "project_keys",
                "UPDATE project_keys SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "unseen_codes",
                "UPDATE unseen_codes SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
            (
                "idempotency",
                "UPDATE idempotency SET sealed = (SELECT sealed FROM sessions ORDER BY id LIMIT 1)",
            ),
        ] {
            it.damage(move || sql(swap)).await;
            let found = it.look().await.findings;
            let told = found.iter().any(|it| it.check == "sealed-row" && it.thing.starts_with(table));
            assert!(told, "{table}: {found:#?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_secrets_value_that_is_not_what_its_row_says_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let shorter = "UPDATE secret_versions SET size = size - 1 WHERE state = 'enabled'";
        it.finds("secret-value", move || sql(shorter)).await;
        it.damage(|| sql("UPDATE secret_versions SET size = size + 1 WHERE state = 'enabled'")).await;
        assert!(it.look().await.is_clean());
        // Two versions under the same key, each with the other's envelopes.
        let swap = "UPDATE secret_versions SET
             wrapped_key = (SELECT o.wrapped_key FROM secret_versions o
                            WHERE o.id <> secret_versions.id AND o.wrapped_key IS NOT NULL ORDER BY o.id LIMIT 1),
             ciphertext = (SELECT o.ciphertext FROM secret_versions o
                           WHERE o.id <> secret_versions.id AND o.ciphertext IS NOT NULL ORDER BY o.id LIMIT 1)
             WHERE state <> 'destroyed'";
        it.finds("secret-value", move || sql(swap)).await;
    })
    .await;
}

#[tokio::test]
async fn a_template_that_refers_to_other_things_than_its_rows_say_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let moved = "UPDATE secret_references SET position = position + 7";
        it.damage(move || sql(moved)).await;
        assert!(it.look().await.is_clean(), "their order is what counts");
        let other = "UPDATE secret_references SET path = 'db/other' WHERE position = 7";
        it.finds("secret-references", move || sql(other)).await;
    })
    .await;
}

#[tokio::test]
async fn a_fingerprint_of_another_value_is_found() {
    both_engines(async |house| {
        let it = Furnished::new(house).await;
        live(&it).await;
        let other = "UPDATE secret_versions SET fingerprint = $1 WHERE state <> 'destroyed'";
        it.finds("secret-value", move || sql(other).bind(vec![7; 32])).await;
    })
    .await;
}
