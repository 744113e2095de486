//! A panic fails the one who panicked and nobody else (S-28).

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::future::join_all;
use keywarden_store::count::number;
use keywarden_store::{StoreError, WriteError, sql};

use crate::cast::both_engines;

#[tokio::test]
async fn a_write_that_panics_is_rolled_back_and_those_beside_it_stand() {
    both_engines(async |house| {
        let writes = join_all((0..50).map(async |n: i64| {
            let wrote = house.store.write_silently("one in two panics", move |tx| {
                Box::pin(async move {
                    let row =
                        sql("INSERT INTO rate_windows (key_id, window_start, reserved) VALUES ('k', $1, 1)");
                    row.bind(n).execute(tx).await?;
                    assert!(n % 2 == 0, "a bug");
                    Ok::<_, StoreError>(())
                })
            });
            (n, wrote.await)
        }))
        .await;
        for (n, wrote) in writes {
            match wrote {
                Ok(()) => assert_eq!(n % 2, 0),
                Err(WriteError::Store(StoreError::Refused(why))) => {
                    assert!(n % 2 == 1 && why.contains("panicked"), "{n}: {why}");
                }
                Err(other) => panic!("{n}: {other}"),
            }
        }
        let count = sql("SELECT count(*) AS number FROM rate_windows");
        assert_eq!(number(count, &mut house.store.read().await.unwrap()).await.unwrap(), 25);
    })
    .await;
}

#[tokio::test]
async fn who_panics_with_the_source_of_randomness_in_hand_leaves_it_to_others() {
    both_engines(async |house| {
        let env = house.domain.env();
        let panicked = catch_unwind(AssertUnwindSafe(|| env.with_rng(|_| panic!("a bug"))));
        assert!(panicked.is_err());
        let (first, second): ([u8; 16], [u8; 16]) = (env.bytes(), env.bytes());
        assert_ne!(first, second);
    })
    .await;
}
