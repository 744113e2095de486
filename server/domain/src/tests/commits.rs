//! A commit that breaks is told as what it is: nobody knows whether it took effect.

use keywarden_store::{StoreError, WriteError, sql};

use crate::cast::{Engine, both_engines};

#[tokio::test]
async fn a_commit_that_breaks_leaves_doubt_and_the_next_one_works() {
    both_engines(async |house| {
        let engine = house.store.engine();
        let broken = house.store.write_silently("its commit breaks", move |tx| {
            Box::pin(async move {
                // What both engines look at in the commit alone.
                let statements: &[&'static str] = match engine {
                    Engine::Sqlite => &[
                        "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
                        "CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
                        "INSERT INTO children VALUES (1)",
                    ],
                    Engine::Postgres => &[
                        "CREATE TABLE doomed (id INTEGER)",
                        "CREATE FUNCTION dies() RETURNS trigger LANGUAGE plpgsql AS
                         'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
                        "CREATE CONSTRAINT TRIGGER doomed_dies AFTER INSERT ON doomed DEFERRABLE INITIALLY DEFERRED
                         FOR EACH ROW EXECUTE FUNCTION dies()",
                        "INSERT INTO doomed VALUES (1)",
                    ],
                };
                for statement in statements {
                    sql(statement).execute(tx).await?;
                }
                Ok::<_, StoreError>(())
            })
        });
        match broken.await {
            Err(WriteError::Store(error @ StoreError::Unknown(_))) => {
                assert!(error.leaves_doubt() && error.is_passing());
            }
            other => panic!("{other:?}"),
        }
        let next = house.store.write_silently("the next one", |tx| {
            Box::pin(async move {
                sql("INSERT INTO rate_windows (key_id, window_start, reserved) VALUES ('k', 1, 1)")
                    .execute(tx)
                    .await?;
                Ok::<_, StoreError>(())
            })
        });
        next.await.map_err(|error: WriteError<StoreError>| error.to_string()).unwrap();
    })
    .await;
}
