//! Issuers' keys as lately fetched.
//!
//! **Invariants:** an entry is found by all that says where its keys come from, so that one rule's keys never prove
//! another's token. However many tokens name keys that are not there, an issuer is asked at most once in
//! [`PAUSE`]. Keys that could not be fetched again count for at most [`LONGEST`].

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use keywarden_model::{HttpsUrl, Strict};
use moka::sync::Cache;
use serde_json::Value;

use super::key_set::KeySet;
use super::presented::Presented;
use super::{Fetch, FetchError};

/// After this time keys are fetched again.
const FRESH: Duration = Duration::from_mins(10);
/// After this time keys count no more: an issuer that withdrew one is believed at last.
const LONGEST: Duration = Duration::from_hours(1);
/// Between two questions to one issuer.
const PAUSE: Duration = Duration::from_secs(20);
/// Issuers remembered.
const MOST: u64 = 1_000;

/// Where an issuer's keys are.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Place {
    /// Where the issuer's discovery document says.
    Discovered(HttpsUrl),
    /// At this address.
    Known(HttpsUrl),
}

/// All of them.
pub(crate) struct KeySets(Cache<Place, Arc<Slot>>);

#[derive(Default)]
struct Slot {
    state: Mutex<State>,
    asking: tokio::sync::Mutex<()>,
}

#[derive(Clone, Default)]
struct State {
    keys: Option<(Arc<KeySet>, Instant)>,
    asked: Option<Instant>,
    trouble: Option<String>,
}

impl KeySets {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(MOST).time_to_idle(LONGEST).build())
    }

    /// The keys at this place, new enough to know the token's if the issuer does. `Err` says why there are none.
    pub(super) async fn keys(
        &self,
        place: &Place,
        token: &Presented<'_>,
        fetch: &dyn Fetch,
        now: impl Fn() -> Instant,
    ) -> Result<Arc<KeySet>, FetchError> {
        let slot = self.0.get_with(place.clone(), Arc::default);
        if let Some(keys) = slot.fresh(token, now()) {
            return Ok(keys);
        }
        let _asking = slot.asking.lock().await;
        // Somebody else may have asked meanwhile.
        if let Some(keys) = slot.fresh(token, now()) {
            return Ok(keys);
        }
        if slot.may_ask(now()) {
            let fetched = place.fetch(fetch).await;
            slot.note(fetched, now());
        }
        slot.last(now())
    }
}

impl Slot {
    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn fresh(&self, token: &Presented<'_>, now: Instant) -> Option<Arc<KeySet>> {
        let (keys, at) = self.state().keys?;
        (now.saturating_duration_since(at) < FRESH && keys.knows(token)).then_some(keys)
    }

    /// Notes that it is asked: a question that is cut off counts, too.
    fn may_ask(&self, now: Instant) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let may = state.asked.is_none_or(|asked| now.saturating_duration_since(asked) >= PAUSE);
        if may {
            state.asked = Some(now);
        }
        may
    }

    fn note(&self, fetched: Result<KeySet, FetchError>, now: Instant) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match fetched {
            Ok(keys) => {
                state.keys = Some((Arc::new(keys), now));
                state.trouble = None;
            }
            Err(why) => state.trouble = Some(why.0),
        }
    }

    fn last(&self, now: Instant) -> Result<Arc<KeySet>, FetchError> {
        let state = self.state();
        match state.keys {
            Some((keys, at)) if now.saturating_duration_since(at) < LONGEST => Ok(keys),
            _ => Err(FetchError(state.trouble.unwrap_or_else(|| "the issuer was not asked yet".into()))),
        }
    }
}

impl Place {
    async fn fetch(&self, fetch: &dyn Fetch) -> Result<KeySet, FetchError> {
        let found;
        let at = match self {
            Self::Known(url) => url,
            Self::Discovered(issuer) => {
                found = discover(issuer, fetch).await?;
                &found
            }
        };
        let keys = KeySet::read(&fetch.fetch(at).await?).map_err(|why| FetchError(format!("{at}: {why}")));
        match &keys {
            Ok(keys) => tracing::info!(%at, ?keys, "domain.exchange: keys fetched"),
            Err(why) => tracing::warn!(%why, "domain.exchange: no keys"),
        }
        keys
    }
}

/// Where an issuer says that its keys are (OpenID Connect Discovery 1.0, 4). It must say that it is that issuer.
async fn discover(issuer: &HttpsUrl, fetch: &dyn Fetch) -> Result<HttpsUrl, FetchError> {
    let at = format!("{}/.well-known/openid-configuration", issuer.as_str().trim_end_matches('/'));
    let at: HttpsUrl = at.parse().map_err(|_| FetchError(format!("{at} is too long")))?;
    let document = fetch.fetch(&at).await?;
    let refuse = |why: &str| FetchError(format!("{at}: {why}"));
    let Ok(Strict(document)) = serde_json::from_slice(&document) else { return Err(refuse("no JSON")) };
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer.as_str()) {
        return Err(refuse("it speaks for another issuer"));
    }
    let keys = text("jwks_uri").and_then(|at| at.parse().ok());
    keys.ok_or_else(|| refuse("it names no address of keys with `https://`"))
}

impl fmt::Debug for KeySets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeySets")
    }
}
