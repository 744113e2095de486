//! The streams of one server: how many there may be, and what they read together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use keywarden_domain::{Domain, Refused, keys::Place, secrets::Recent};
use keywarden_model::ProjectId;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Streams that one token may hold open on one server.
pub(super) const PER_TOKEN: usize = 10;
/// Those of one person or workload, however many tokens it has.
pub(super) const PER_CALLER: usize = 250;
/// Those that watch one project, whoever opens them: the others find places, however many workloads one project has.
pub(super) const PER_PROJECT: usize = 500;
/// Streams that one server holds open.
pub(super) const IN_ALL: usize = 1_000;
/// For how long what was read for one stream is told to the others of its environment: however many there are, the records are
/// asked no more often.
const FRESH: Duration = Duration::from_millis(250);

/// A caller, and its token where it has more than one.
type Holder = (String, String);

/// How many are open.
#[derive(Debug, Default)]
struct Open {
    held: BTreeMap<Holder, usize>,
    watching: BTreeMap<ProjectId, usize>,
}

/// The streams of this server. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Streams {
    open: Arc<Mutex<Open>>,
    shared: Arc<Mutex<BTreeMap<String, Weak<Shared>>>>,
    stop: CancellationToken,
}

impl Streams {
    /// They end soon after `stop`.
    pub fn until(stop: CancellationToken) -> Self {
        Self { stop, ..Self::default() }
    }

    /// All places that a project has.
    #[cfg(test)]
    pub(crate) fn all_of(&self, project: ProjectId) -> Vec<Seat> {
        let seat = |n: usize| {
            let mut seat = self.enter(format!("c{}", n / PER_CALLER), (n / PER_TOKEN).to_string()).unwrap();
            assert!(seat.watches(project));
            seat
        };
        (0..PER_PROJECT).map(seat).collect()
    }

    /// A place for one more, if there is one.
    pub(super) fn enter(&self, caller: String, token: String) -> Option<Seat> {
        let holder = (caller, token);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let of_caller = open.held.iter().filter(|((caller, _), _)| *caller == holder.0).map(|(_, held)| held);
        if open.held.values().sum::<usize>() >= IN_ALL || of_caller.sum::<usize>() >= PER_CALLER {
            return None;
        }
        if !one_more(&mut open.held, &holder, PER_TOKEN) {
            return None;
        }
        drop(open);
        Some(Seat { streams: self.clone(), holder, project: None })
    }
}

/// A stream's place among those of its token and its project; given back when it ends, however that is.
#[derive(Debug)]
pub(crate) struct Seat {
    streams: Streams,
    holder: Holder,
    /// Once it is known that its holder may watch it.
    project: Option<ProjectId>,
}

impl Seat {
    /// When all streams end.
    pub(super) fn stop(&self) -> CancellationToken {
        self.streams.stop.clone()
    }

    /// Takes a place among those that watch this project, if there is one. Once for each seat.
    pub(super) fn watches(&mut self, project: ProjectId) -> bool {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = one_more(&mut open.watching, &project, PER_PROJECT);
        drop(open);
        if is_free {
            self.project = Some(project);
        }
        is_free
    }

    /// What the streams of an environment read together; `name`: what it was called when it was asked for.
    pub(super) fn shares(&self, name: String) -> Arc<Shared> {
        let mut shared = self.streams.shared.lock().unwrap_or_else(PoisonError::into_inner);
        shared.retain(|_, it| it.strong_count() > 0);
        if let Some(known) = shared.get(&name).and_then(Weak::upgrade) {
            return known;
        }
        let new = Arc::new(Shared::default());
        shared.insert(name, Arc::downgrade(&new));
        new
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().unwrap_or_else(PoisonError::into_inner);
        one_less(&mut open.held, &self.holder);
        if let Some(project) = &self.project {
            one_less(&mut open.watching, project);
        }
    }
}

/// Counts one more, unless there are as many as there may be.
fn one_more<K: Clone + Ord>(counted: &mut BTreeMap<K, usize>, of: &K, most: usize) -> bool {
    let held = counted.get(of).copied().unwrap_or_default();
    if held >= most {
        return false;
    }
    counted.insert(of.clone(), held.saturating_add(1));
    true
}

fn one_less<K: Ord>(counted: &mut BTreeMap<K, usize>, of: &K) {
    if let Some(held) = counted.get_mut(of) {
        *held = held.saturating_sub(1);
        if *held == 0 {
            counted.remove(of);
        }
    }
}

/// What was read for all streams of an environment.
#[derive(Debug, Default)]
pub(super) struct Shared(tokio::sync::Mutex<Option<Read>>);

#[derive(Debug)]
struct Read {
    at: Instant,
    /// None where the records did not answer.
    recent: Option<Arc<Recent>>,
}

impl Shared {
    /// What is new there. Whoever comes while another one reads waits for that; none where the records do not answer.
    pub(super) async fn recent(
        &self,
        domain: &Domain,
        place: &Place,
    ) -> Result<Option<Arc<Recent>>, Refused> {
        let mut read = self.0.lock().await;
        if let Some(Read { recent, .. }) = read.as_ref().filter(|read| read.at.elapsed() < FRESH) {
            return Ok(recent.clone());
        }
        let recent = match domain.recent_of_secrets(place).await {
            Ok(recent) => Some(Arc::new(recent)),
            Err(Refused::Fault(fault)) if fault.is_passing() => None,
            Err(refused) => return Err(refused),
        };
        *read = Some(Read { at: Instant::now(), recent: recent.clone() });
        Ok(recent)
    }
}

#[cfg(test)]
mod tests {
    use keywarden_model::TypedId as _;

    use super::*;

    fn enter(streams: &Streams, caller: &str, token: usize) -> Option<Seat> {
        streams.enter(caller.to_owned(), token.to_string())
    }

    #[test]
    fn a_token_a_caller_and_a_server_have_so_many_streams_and_what_ends_makes_room() {
        let streams = Streams::default();
        let mut one: Vec<_> = (0..PER_TOKEN).map(|_| enter(&streams, "a", 0).unwrap()).collect();
        assert!(enter(&streams, "a", 0).is_none(), "of its token there are enough");
        one.extend((PER_TOKEN..PER_CALLER).map(|n| enter(&streams, "a", n / PER_TOKEN).unwrap()));
        assert!(enter(&streams, "a", PER_CALLER).is_none(), "another token is no other caller");
        let others: Vec<_> = (0..IN_ALL - PER_CALLER)
            .map(|n| enter(&streams, &format!("b{}", n / PER_CALLER), n / PER_TOKEN).unwrap())
            .collect();
        assert!(enter(&streams, "c", 0).is_none(), "the server has enough");
        drop(one.pop());
        let last = enter(&streams, "c", 0).unwrap();
        assert!(enter(&streams, "a", PER_CALLER).is_none());
        drop((one, others, last));
        assert!(streams.open.lock().unwrap().held.is_empty(), "what is over is forgotten");
    }

    #[test]
    fn those_of_one_project_leave_places_for_the_others() {
        let streams = Streams::default();
        let project = |n: u128| ProjectId::from_parts(chrono::DateTime::UNIX_EPOCH, n);
        let all = streams.all_of(project(1));
        assert_eq!(all.len(), PER_PROJECT);
        let mut late = enter(&streams, "late", 0).unwrap();
        assert!(!late.watches(project(1)), "the project has enough");
        assert!(late.watches(project(2)), "and another one has places");
        drop(all);
        assert!(enter(&streams, "late", 1).unwrap().watches(project(1)));
        drop(late);
        assert!(streams.open.lock().unwrap().watching.is_empty(), "what is over is forgotten");
    }

    #[test]
    fn who_watches_the_same_environment_shares_what_is_read_and_who_is_the_last_takes_it_along() {
        let streams = Streams::default();
        let (one, other) = (enter(&streams, "a", 0).unwrap(), enter(&streams, "b", 0).unwrap());
        let shared = one.shares("pay/live".into());
        assert!(Arc::ptr_eq(&shared, &other.shares("pay/live".into())));
        assert!(!Arc::ptr_eq(&shared, &other.shares("pay/test".into())));
        drop(shared);
        let _left = other.shares("pay/test".into());
        assert_eq!(streams.shared.lock().unwrap().keys().collect::<Vec<_>>(), ["pay/test"]);
    }
}
