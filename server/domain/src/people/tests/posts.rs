use std::time::Duration;

use futures_util::future::join_all;
use keywarden_vault::SecretBytes;

use super::*;
use crate::cast::both_engines;
use crate::secrets::MAX_VALUE;

#[tokio::test]
async fn a_kept_post_comes_back_once_in_its_own_session_for_ten_minutes() {
    both_engines(async |house| {
        let mut ada = set_up(&house).await;
        let elsewhere = ada.signs_in(&house).await.unwrap();
        let body = SecretBytes::copy_of(b"name=a&value=\n\x00\xff");
        let keep = async || house.domain.keep_post(&ada.op(&house), "/keys/issue?p=1", &body).await.unwrap();
        let id = keep().await;
        assert!(house.domain.take_post(&elsewhere.op(&house), id).await.unwrap().is_none());
        let taken =
            join_all((0..20).map(async |_| house.domain.take_post(&ada.op(&house), id).await.unwrap())).await;
        let mut taken = taken.into_iter().flatten();
        let post = taken.next().unwrap();
        assert!(taken.next().is_none());
        assert_eq!((post.path.as_str(), post.body.expose()), ("/keys/issue?p=1", body.expose()));
        let late = keep().await;
        house.clock.advance(Duration::from_mins(10));
        assert!(house.domain.take_post(&ada.op(&house), late).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn few_posts_wait_at_once_and_none_that_is_too_long() {
    both_engines(async |house| {
        let ada = set_up(&house).await;
        let body = SecretBytes::copy_of(b"x");
        let mut ids = Vec::new();
        for _ in 0..9 {
            house.clock.advance(Duration::from_millis(2));
            ids.push(house.domain.keep_post(&ada.op(&house), "/a", &body).await.unwrap());
        }
        assert!(house.domain.take_post(&ada.op(&house), ids[0]).await.unwrap().is_none());
        assert!(house.domain.take_post(&ada.op(&house), ids[8]).await.unwrap().is_some());
        let longest = house.domain.settings().longest_post();
        assert!(longest > 6 * MAX_VALUE, "a value of line ends, as a browser sends it");
        let fits = SecretBytes::new(vec![0; longest]);
        let kept = house.domain.keep_post(&ada.op(&house), "/a", &fits).await.unwrap();
        let post = house.domain.take_post(&ada.op(&house), kept).await.unwrap().unwrap();
        assert_eq!(post.body.expose().len(), longest);
        let long = SecretBytes::new(vec![0; longest + 1]);
        let refused = house.domain.keep_post(&ada.op(&house), "/a", &long).await;
        assert!(matches!(refused, Err(KeepError::TooLong)));
        house.domain.sign_out(&ada.op(&house)).await.unwrap();
        assert!(
            house.domain.take_post(&ada.op(&house), ids[7]).await.unwrap().is_none(),
            "it goes with its session"
        );
    })
    .await;
}
