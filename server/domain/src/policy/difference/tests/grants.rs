//! What is given and taken.

use keywarden_model::Tags;

use super::*;
use crate::roles::Holder;

#[tokio::test]
async fn a_member_of_a_team_gains_what_its_roles_and_policies_give() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let ann = house.person("Ann", &[]).await;
        let team = house.team("on-call", &[], &[(Role::Reader, Some(pay.id))]).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b"]).await;
        let text = format!(
            r#"permit (principal in Team::"{team}", action == Action::"secret.put", resource in Environment::"{}");"#,
            pay.live
        );
        let id = drafted(&house, &olga, PolicyScope::Organization, &text).await;
        activated(&house, &olga, id, 1).await;
        let page = RowPage { after: None, limit: 200 };
        let asked = async |grant| house.domain.grant_difference(&olga.op(), grant, &page).await.unwrap();
        let joins = asked(Grant::Join(team, ann.id)).await;
        assert!(joins.left.nothing(), "{:?}", joins.left);
        assert!(joins.rows.iter().all(|it| it.who.id == ann.id.to_string() && it.change == Change::Gained));
        let may = |found: &Difference, action| {
            let rows = found.rows.iter().filter(|it| it.action == action);
            let mut things: Vec<_> = rows.map(|it| it.thing.id.clone()).collect();
            things.sort();
            things
        };
        let mut both: Vec<_> = live.iter().map(ToString::to_string).collect();
        both.sort();
        assert_eq!(may(&joins, Action::ReadSecret), both, "by the team's role");
        assert_eq!(may(&joins, Action::PutSecret), both, "by the policy");
        assert_eq!(may(&joins, Action::ViewProject), [pay.id.to_string()]);
        assert!(may(&joins, Action::DeleteSecret).is_empty());

        house.domain.add_member(&olga.op(), team, ann.id).await.unwrap();
        assert!(asked(Grant::Join(team, ann.id)).await.is_none(), "she is in already");
        let leaves = asked(Grant::Leave(team, ann.id)).await;
        assert_eq!(leaves.now[&Change::Lost], joins.now[&Change::Gained]);
        let role = asked(Grant::Take(Holder::Team(team), Role::Reader, Some(pay.id))).await;
        assert_eq!(may(&role, Action::ReadSecret), both);
        assert!(may(&role, Action::PutSecret).is_empty(), "the policy gives that still");
        let refused = house.domain.grant_difference(&ann.op(), Grant::Leave(team, ann.id), &page).await;
        assert!(matches!(refused, Err(Refused::Forbidden(Action::EditTeam))), "{refused:?}");
    })
    .await;
}

#[tokio::test]
async fn another_owner_of_a_key_gains_what_the_one_before_loses() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let (ann, ben) = (house.person("Ann", &[]).await, house.person("Ben", &[]).await);
        let mut key = NewKey::named(Place::Environment(pay.live), "one".parse().unwrap());
        key.owner = Some(crate::authz::Owner::Person(ann.id));
        let key = house.domain.issue_key(&olga.op(), key).await.unwrap().id;
        let tags = Tags::default();
        let grant = Grant::Describe(Described::Key(key), Some(crate::authz::Owner::Person(ben.id)), tags);
        let page = RowPage { after: None, limit: 200 };
        let found = house.domain.grant_difference(&olga.op(), grant, &page).await.unwrap();
        let of = |who: &Player, change| {
            let rows = found.rows.iter().filter(|it| it.who.id == who.id.to_string() && it.change == change);
            rows.map(|it| it.action).collect::<Vec<_>>()
        };
        assert!(of(&ben, Change::Gained).contains(&Action::RotateKey), "{found:?}");
        assert_eq!(of(&ben, Change::Gained), of(&ann, Change::Lost));
        let told = of(&ben, Change::Gained).len() + of(&ann, Change::Lost).len();
        assert_eq!(found.rows.len(), told, "nobody else");
    })
    .await;
}

#[tokio::test]
async fn who_becomes_an_owner_is_out_of_admins_reach() {
    both_engines(async |house| {
        let olga = owner(&house).await;
        let adam = house.person("Adam", &[(Role::Admin, None)]).await;
        let ann = house.person("Ann", &[]).await;
        let page = RowPage { after: None, limit: 200 };
        let grant = Grant::Give(Holder::Person(ann.id), Role::Owner, None);
        let found = house.domain.grant_difference(&olga.op(), grant, &page).await.unwrap();
        let lost: Vec<_> = found.rows.iter().filter(|it| it.change == Change::Lost).collect();
        assert!(lost.iter().any(|it| it.action == Action::DeactivateUser), "{lost:?}");
        assert!(lost.iter().all(|it| it.who.id == adam.id.to_string() && it.thing.id == ann.id.to_string()));
    })
    .await;
}

#[tokio::test]
async fn another_tag_gives_what_a_policy_says_of_it() {
    both_engines(async |house| {
        let pay = house.project("pay").await;
        let olga = owner(&house).await;
        let ann = house.person("Ann", &[]).await;
        let live = secrets(&house, pay.id, pay.live, &["a", "b"]).await;
        let text = format!(
            r#"permit (principal == Person::"{}", action == Action::"secret.read", resource)
               when {{ resource.hasTag("team") && resource.getTag("team") == "payments" }};"#,
            ann.id
        );
        let id = drafted(&house, &olga, PolicyScope::Organization, &text).await;
        activated(&house, &olga, id, 1).await;
        let page = RowPage { after: None, limit: 200 };
        let tagged = |words: &[&str]| {
            Grant::Describe(Described::Secret(live[0]), None, Tags::parse(words.iter().copied()).unwrap())
        };
        let found = house.domain.grant_difference(&olga.op(), tagged(&["team=payments"]), &page).await;
        let found = found.unwrap();
        let rows: Vec<_> = found
            .rows
            .iter()
            .map(|it| (it.change, it.action, it.who.id.clone(), it.thing.id.clone()))
            .collect();
        let gained = (Change::Gained, Action::ReadSecret, ann.id.to_string(), live[0].to_string());
        assert_eq!(rows, [gained]);
        let found = house.domain.grant_difference(&olga.op(), tagged(&["team=search"]), &page).await;
        assert!(found.unwrap().is_none());
        let refused = house.domain.grant_difference(&ann.op(), tagged(&[]), &page).await;
        assert!(matches!(refused, Err(Refused::NotFound | Refused::Forbidden(_))), "{refused:?}");
    })
    .await;
}
