use keywarden_model::Role;

use super::*;
use crate::Refused;
use crate::cast::both_engines;

#[tokio::test]
async fn people_are_found_by_any_spelling_and_paged_by_name() {
    both_engines(async |house| {
        let ada = house.person("Ada", &[(Role::Owner, None)]).await;
        for name in ["Bob", "cleo", "Dan 100%", "Ćwikła"] {
            house.person(name, &[]).await;
        }
        let list = async |filter: &UserFilter, after, limit| {
            house.domain.list_users(&ada.op(), filter, after, limit).await.unwrap()
        };
        let all = UserFilter::default();
        let mut names = Vec::new();
        let mut after = None;
        loop {
            let page = list(&all, after, 2).await;
            names.extend(page.users.into_iter().map(|it| it.name));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        names.sort();
        assert_eq!(names, ["Ada", "Bob", "Dan 100%", "cleo", "Ćwikła"]);
        let found = async |text: &str| {
            let filter = UserFilter { name: Some(named(text)), state: Some(UserState::Active) };
            list(&filter, None, 10).await.users.into_iter().map(|it| it.name).collect::<Vec<_>>()
        };
        assert_eq!(found("CLE").await, ["cleo"]);
        assert_eq!(found("ćWIK").await, ["Ćwikła"]);
        assert_eq!(found("0%").await, ["Dan 100%"]);
        assert_eq!(found("%").await, ["Dan 100%"], "LIKE's own characters mean themselves");
        let nobody = house.domain.list_users(&nobody(&house), &all, None, 10).await;
        assert!(nobody.is_err());
    })
    .await;
}

#[tokio::test]
async fn how_somebody_gets_in_is_shown_to_them_and_to_admins() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let bob = join(&house, &ada, "Bob", Role::Auditor, None, 2).await;
        let counted = Some(Account { passkeys: 1, sessions: 1, keys: 0 });
        let show = async |who: &Somebody, whom: &Somebody| {
            house.domain.show_user(&who.op(&house), whom.person.id).await.unwrap()
        };
        assert_eq!(show(&bob, &bob).await.account, counted);
        assert_eq!(show(&ada, &bob).await.account, counted);
        let seen = show(&bob, &ada).await;
        assert_eq!((seen.name.as_str(), seen.account), ("Ada", None));
        let unknown = house.domain.show_user(&ada.op(&house), house.domain.env().id(house.now())).await;
        assert!(matches!(unknown, Err(Refused::NotFound)));
    })
    .await;
}
