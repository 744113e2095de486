//! Carries messages out. Each channel has one delivery under way, and no channel waits for another one: what becomes due
//! meanwhile begins beside what is slow.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use keywarden_domain::{Domain, Fault};
use tokio::time::{Instant, sleep};

use crate::Job;

const NAME: &str = "deliver-messages";
/// How often one looks for what is due.
const EVERY: Duration = Duration::from_secs(1);
/// From then on a run begins nothing more: what is under way ends, and the next run goes on.
const BEGINS_UNTIL: Duration = Duration::from_mins(1);
/// Deliveries that one node has under way.
const AT_ONCE: usize = 64;

pub(crate) const JOB: Job = Job::new(NAME, EVERY, |domain| Box::pin(async move { deliver(&domain).await }));

async fn deliver(domain: &Domain) -> Result<(), Fault> {
    let began = Instant::now();
    let (mut busy, mut under_way) = (BTreeSet::new(), FuturesUnordered::new());
    let mut failed = Ok(());
    loop {
        if began.elapsed() < BEGINS_UNTIL && failed.is_ok() {
            let room = AT_ONCE.saturating_sub(under_way.len());
            match domain.claim_deliveries(&domain.system_op(NAME), &busy, room).await {
                Ok(claimed) => {
                    for one in claimed {
                        busy.insert(one.channel);
                        under_way.push(async move {
                            (one.channel, domain.deliver(&domain.system_op(NAME), &one).await)
                        });
                    }
                }
                Err(fault) => failed = Err(fault),
            }
        }
        tokio::select! {
            ended = under_way.next() => {
                let Some((channel, ended)) = ended else { return failed };
                busy.remove(&channel);
                if let Err(fault) = ended {
                    failed = Err(fault);
                }
            }
            () = sleep(EVERY) => {}
        }
    }
}
