//! A new key for what serves once: links and codes are good on every node, or put off, and never called wrong.

use keywarden_vault::Purpose;

use super::*;
use crate::Refused;
use crate::cast::both_engines;

fn is_put_off(refused: &Refused) -> bool {
    matches!(refused, Refused::Fault(fault) if fault.is_passing())
}

async fn invited(house: &House, ada: &Somebody, name: &str) -> String {
    value(&house.domain.invite(&ada.op(house), &named(name), Role::Auditor, None).await.unwrap())
}

async fn renewed(house: &House, ada: &Somebody) -> SecretString {
    let codes = house.domain.renew_recovery_codes(&ada.op(house)).await.unwrap();
    typed(codes.iter().next().unwrap().expose())
}

#[tokio::test]
async fn a_node_that_lacks_a_new_key_puts_off_links_and_codes_and_calls_none_of_them_wrong() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let ada = set_up(&house).await;
        let old = invited(&house, &ada, "Bob").await;
        let node = house.neighbour_apart(&seals).await;
        // The others know nothing of this node, so nobody waits for it.
        let shell = house.operator(Role::Owner);
        house.domain.rotate_keyring_key(&shell, Purpose::OneTimeMac, &seals).await.unwrap();
        let (link, code) = (invited(&house, &ada, "Carol").await, renewed(&house, &ada).await);

        let looked = node.domain.look_at_link(&nobody(&node), LinkKind::Invitation, &link).await;
        assert!(matches!(&looked, Err(LinkError::Refused(why)) if is_put_off(why)), "{looked:?}");
        let used = node.domain.use_recovery_code(&nobody(&node), &code).await;
        assert!(matches!(&used, Err(RecoverError::Refused(why)) if is_put_off(why)), "{used:?}");
        // What is there under the old key is good, and what is nowhere is still unknown.
        node.domain.look_at_link(&nobody(&node), LinkKind::Invitation, &old).await.unwrap();
        let wrong = typed("7K2QFM-9XM4TB-01C0DE-ABCDEF");
        let unknown = node.domain.use_recovery_code(&nobody(&node), &wrong).await;
        assert!(matches!(unknown, Err(RecoverError::Unknown)));

        node.domain.unseal(&seals).await.unwrap();
        for link in [&link, &old] {
            node.domain.look_at_link(&nobody(&node), LinkKind::Invitation, link).await.unwrap();
        }
        let back = node.domain.use_recovery_code(&nobody(&node), &code).await.unwrap();
        assert_eq!(back.person.id, ada.person.id);
    })
    .await;
}

#[tokio::test]
async fn what_is_made_after_a_rotation_serves_on_every_node_at_once() {
    both_engines(async |house| {
        let (house, seals) = house.with_stored_keyring().await;
        let ada = set_up(&house).await;
        let node = house.neighbour_apart(&seals).await;
        let shell = house.operator(Role::Owner);
        house.domain.rotate_keyring_key(&shell, Purpose::OneTimeMac, &seals).await.unwrap();
        house.tells_of_itself("one").await;
        node.tells_of_itself("two").await;
        let (link, code) = (invited(&house, &ada, "Bob").await, renewed(&house, &ada).await);
        node.domain.look_at_link(&nobody(&node), LinkKind::Invitation, &link).await.unwrap();
        let back = node.domain.use_recovery_code(&nobody(&node), &code).await.unwrap();
        assert_eq!(back.person.id, ada.person.id);
    })
    .await;
}
