use keywarden_store::{Counter, Location, Store, StoreError, WriteError, sql};

use super::*;
use crate::Refused;
use crate::authz::Gate;

/// Alice (1) is an admin. Bob (98) and the team (97) hold nothing; Carol (3) is in the team.
async fn house() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&Location::Sqlite(folder.path().join("house.db"))).await.unwrap();
    let wrote: Result<(), WriteError<StoreError>> = store
        .write_silently("a test's cast", |tx| {
            Box::pin(async move {
                for n in [1, 3, 98] {
                    let user = id::<keywarden_model::UserId>(n).to_string();
                    sql("INSERT INTO users (id, name, folded_name, handle, state, created_at, created_by, row_version)
                         VALUES ($1, $2, $3, $4, 'active', 0, 'test', 1)")
                    .bind(user.clone())
                    .bind(user.clone())
                    .bind(user.clone())
                    .bind(user.into_bytes())
                    .execute(tx)
                    .await?;
                }
                let team = id::<keywarden_model::TeamId>(97).to_string();
                sql("INSERT INTO teams (id, slug, name, folded_name, created_at, created_by, row_version)
                     VALUES ($1, 'team', 'Team', 'team', 0, 'test', 1)")
                .bind(team.clone())
                .execute(tx)
                .await?;
                sql("INSERT INTO team_members (team_id, user_id, added_at) VALUES ($1, $2, 0)")
                    .bind(team)
                    .bind(id::<keywarden_model::UserId>(3).to_string())
                    .execute(tx)
                    .await?;
                Ok(())
            })
        })
        .await;
    wrote.unwrap();
    bind(&store, "user", id::<keywarden_model::UserId>(1).to_string(), Role::Admin).await;
    (folder, store)
}

async fn bind(store: &Store, kind: &'static str, holder: String, role: Role) {
    let wrote: Result<(), WriteError<StoreError>> = store
        .write_silently("a test's cast", move |tx| {
            let holder = holder.clone();
            Box::pin(async move {
                sql("INSERT INTO role_bindings (id, principal_kind, principal_id, role, created_at, created_by)
                     VALUES ($1, $2, $3, $4, 0, 'test')")
                .bind(format!("{holder}-{role}"))
                .bind(kind)
                .bind(holder)
                .bind(role.as_str())
                .execute(tx)
                .await?;
                Ok(())
            })
        })
        .await;
    wrote.unwrap();
}

async fn ask(gate: &Gate, store: &Store, action: Action, resource: Resource) -> Result<Permit, Refused> {
    let counter = Counter { value: 5, authority: 5 };
    gate.authorize(&op(Some(TimeDelta::zero())), store, counter, action, &resource).await
}

#[tokio::test]
async fn what_somebody_holds_is_found_out_without_being_told() {
    let (_folder, store) = house().await;
    let gate = Gate::new().unwrap();
    let (bob, carol) = (Resource::Person(id(98)), Resource::Person(id(3)));
    let team = Resource::Team(id(97));
    assert_eq!(ask(&gate, &store, Action::DeactivateUser, bob).await.unwrap().counter(), 5);
    for (action, resource) in [(Action::DeactivateUser, carol), (Action::EditTeam, team)] {
        assert!(ask(&gate, &store, action, resource).await.is_ok());
    }

    bind(&store, "user", id::<keywarden_model::UserId>(98).to_string(), Role::Owner).await;
    bind(&store, "team", id::<keywarden_model::TeamId>(97).to_string(), Role::Owner).await;
    let owners = [(Action::DeactivateUser, bob), (Action::DeactivateUser, carol), (Action::EditTeam, team)];
    for (action, resource) in owners {
        let answer = ask(&gate, &store, action, resource).await;
        assert!(matches!(answer, Err(Refused::Forbidden(it)) if it == action), "{resource:?} {answer:?}");
    }
}

#[tokio::test]
async fn a_principal_is_read_anew_once_authority_has_moved() {
    let (_folder, store) = house().await;
    let gate = Gate::new().unwrap();
    let may = async |authority| {
        let counter = Counter { value: authority, authority };
        gate.would(&op(None), &store, counter, Action::GrantOwner, &Resource::Organization).await.unwrap()
    };
    assert!(!may(5).await);
    bind(&store, "user", id::<keywarden_model::UserId>(1).to_string(), Role::Owner).await;
    assert!(!may(5).await, "memory answers while the counter stands");
    assert!(may(6).await);
}

#[tokio::test]
async fn whoever_is_unknown_may_do_nothing() {
    let (_folder, store) = house().await;
    let gate = Gate::new().unwrap();
    let mut stranger = op(Some(TimeDelta::zero()));
    if let Actor::Person(person) = &mut stranger.actor {
        person.id = id(55);
    }
    let counter = Counter { value: 5, authority: 5 };
    for action in Action::ALL {
        let resource = thing_in(*action, here()).resource;
        let answer = gate.authorize(&stranger, &store, counter, *action, &resource).await;
        assert!(matches!(answer, Err(Refused::NotFound)), "{} {answer:?}", action.name());
    }
}
