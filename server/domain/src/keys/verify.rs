//! "Is this key good?": the question that everybody's services ask, all the time.
//!
//! Who asks is decided once and remembered until the change counter moves. A value with prefix and checksum in order is
//! looked for by its public id in memory, else in the store, and its hash is compared in constant time. A wrong secret
//! and an unknown id take the same steps: memory, one MAC, the store, one MAC.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use chrono::{DateTime, Utc};
use keywarden_model::{KeyringKeyId, ProjectId, Scopes, VerifyCode};
use keywarden_store::{Conn, StoreError, keyring, keys as rows};
use keywarden_vault::token::{self, Kind, ParseError, PublicId};
use keywarden_vault::{Purpose, mask};

use super::import;
use super::judge::{Asked, Facts, judge};
use super::limiter::RateStatus;
use super::memory::{KeyFacts, Known, MacMove};
use super::meter::Use;
use crate::authz::Reach;
use crate::decisions::Who;
use crate::freshness::MAX_AGE;
use crate::patience::Ground;
use crate::{Action, Actor, Domain, Fault, Op, Refused};

/// What a caller calls itself is cut to this many bytes.
const AGENT: usize = 200;

/// By which way a question came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Route {
    /// `GET /api/v1/keys/authorize`.
    Authorize,
    /// `POST /oauth2/introspect`.
    Introspect,
    /// `POST /api/v1/keys/verify`.
    Verify,
}

impl Route {
    /// The word for events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Introspect => "introspect",
            Self::Verify => "verify",
        }
    }
}

/// What a verifying service asks.
#[derive(Debug)]
pub struct Question<'a> {
    /// What its caller showed. Secret.
    pub presented: &'a str,
    /// What it is wanted for; all of these must be held.
    pub scopes: &'a Scopes,
    /// From where the caller came.
    pub ip: Option<IpAddr>,
    /// What the caller calls itself: an agent, a service's name.
    pub caller: Option<&'a str>,
    /// By which way the question came.
    pub route: Route,
}

/// The answer. For an unknown, wrong or foreign value all but `code` is empty.
#[derive(Debug)]
pub struct Verdict {
    /// Good, or the first thing that speaks against it.
    pub code: VerifyCode,
    /// When it stops being good by itself: the key's expiry or its value's end, whichever comes first.
    pub expires_at: Option<DateTime<Utc>>,
    /// Another value has taken its place: its caller should change over.
    pub superseded: bool,
    /// Where the key stands in its window.
    pub rate_limit: Option<RateStatus>,
    /// The age of the knowledge behind the answer; only while the database does not answer.
    pub as_of: Option<DateTime<Utc>>,
    known: Option<Arc<Known>>,
}

impl Verdict {
    /// Whether the key is good.
    pub fn valid(&self) -> bool {
        self.code == VerifyCode::Valid
    }

    /// The key, where the value shown is one of its own and the caller may verify in its project.
    pub fn key(&self) -> Option<&KeyFacts> {
        self.known.as_deref().map(|known| &known.key)
    }
}

/// A text that was shown, as it can be looked for.
enum Shown<'a> {
    Imported(import::Fingerprints),
    Nothing,
    Ours(PublicId, &'a [u8]),
}

impl Domain {
    /// Answers whether a value is good for what is wanted, now. The caller must be allowed to verify somewhere; keys of
    /// other projects look to it like ones that do not exist.
    pub async fn verify_key(&self, op: &Op, question: &Question<'_>) -> Result<Verdict, Refused> {
        let ground = self.ground(op.now).await?;
        let reach = self.where_to_verify(op, &ground).await?;
        let known = match read(question.presented, self)? {
            Shown::Ours(id, material) => self.find_value(&ground, &reach, id, material, false).await?,
            Shown::Imported(prints) => Box::pin(self.find_imported(&ground, &reach, &prints)).await?,
            Shown::Nothing => None,
        };
        let (code, rate_limit) = self.decide(op, question, known.as_deref(), &ground).await?;
        let memory = self.key_memory();
        let who = Who::of(&op.actor);
        memory.counts.add((who, question.route, code), 1);
        if let Some(known) = &known {
            // A value of ours is known by its looks, an imported one by having been shown just now.
            let caller = without(question.presented, mask(question.caller.unwrap_or_default()));
            let agent = caller.get(..caller.floor_char_boundary(AGENT)).unwrap_or_default();
            memory.meter.record(&Use {
                key: known.key.id,
                value: known.value,
                address: question.ip.map(|ip| ip.to_canonical()),
                agent,
                who,
                outcome: code,
                at: op.now,
            });
        }
        Ok(Verdict {
            code,
            expires_at: known.as_ref().and_then(|known| known.expires_at()),
            superseded: known.as_ref().is_some_and(|known| known.superseded),
            rate_limit,
            as_of: ground.as_of,
            known,
        })
    }

    async fn decide(
        &self,
        op: &Op,
        question: &Question<'_>,
        known: Option<&Known>,
        ground: &Ground,
    ) -> Result<(VerifyCode, Option<RateStatus>), Refused> {
        let facts = known.map(|known| Facts {
            key: &known.key.life,
            value: &known.life,
            scopes: &known.key.scopes,
            allowed_cidrs: &known.key.allowed_cidrs,
        });
        let mut asked = Asked { scopes: question.scopes, ip: question.ip, within_rate: true };
        let code = judge(facts, &asked, op.now);
        let limited = known.and_then(|known| known.key.rate_limit.map(|limit| (known.key.id, limit)));
        // Only what is good in every other respect is counted against the limit.
        let Some((key, limit)) = limited.filter(|_| code == VerifyCode::Valid) else {
            return Ok((code, None));
        };
        let take =
            async |alone| self.key_memory().limiter.take(self.store(), key, limit, op.now, alone).await;
        let (within_rate, status) = match take(ground.as_of.is_some()).await {
            // It went away between the two questions.
            Err(fault) if fault.is_passing() && self.is_patient() => take(true).await?,
            taken => taken?,
        };
        asked.within_rate = within_rate;
        Ok((judge(facts, &asked, op.now), Some(status)))
    }

    async fn where_to_verify(&self, op: &Op, ground: &Ground) -> Result<Arc<Reach>, Refused> {
        let workload = match &op.actor {
            Actor::Workload { id, .. } => Some(*id),
            _ => None,
        };
        let memory = self.key_memory();
        if let Some(reach) = workload.and_then(|id| memory.reach(id, ground.counter.authority)) {
            return Ok(reach);
        }
        let reach = Box::pin(self.gate().reach(op, self.store(), ground.counter, Action::VerifyKeys)).await?;
        if matches!(&reach, Reach::Part { projects, .. } if projects.is_empty()) {
            op.refusal.nowhere(op, Action::VerifyKeys);
            return Err(Refused::Forbidden(Action::VerifyKeys));
        }
        let reach = Arc::new(reach);
        let lasting = !self.gate().is_moody(Action::VerifyKeys)
            && !self.gate().is_for_a_while(op, self.store(), ground.counter).await?;
        if let Some(id) = workload.filter(|_| lasting) {
            memory.remember_reach(id, ground.counter.value, &reach);
        }
        Ok(reach)
    }

    /// The value of this public id, if the hash fits and the caller may verify in its project.
    ///
    /// Memory is asked by the id, and its answer compared in constant time. The store is asked by the hash: it finds
    /// nothing for an unknown id and nothing for a wrong secret, in the same time, whatever ids there are (S-09). To
    /// steer such a search one would have to know the keyring's key.
    async fn find_value(
        &self,
        ground: &Ground,
        reach: &Reach,
        id: PublicId,
        material: &[u8],
        imported: bool,
    ) -> Result<Option<Arc<Known>>, Refused> {
        let memory = self.key_memory();
        let remembered = memory.value(id);
        if self.fits(remembered.as_deref(), material, imported)?
            && let Some(known) = remembered.filter(|known| may(reach, known.key.project))
        {
            self.freshen(&known, id, material)?;
            return Ok(Some(known));
        }
        if ground.as_of.is_some() {
            let away = "the key is not in memory, and the database does not answer";
            return Err(StoreError::Unavailable(away.into()).into());
        }
        Box::pin(self.find_stored(reach, id, material, imported)).await
    }

    async fn find_imported(
        &self,
        ground: &Ground,
        reach: &Reach,
        prints: &import::Fingerprints,
    ) -> Result<Option<Arc<Known>>, Refused> {
        for id in &prints.ids {
            let found = self.find_value(ground, reach, *id, &prints.material, true).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    async fn find_stored(
        &self,
        reach: &Reach,
        id: PublicId,
        material: &[u8],
        imported: bool,
    ) -> Result<Option<Arc<Known>>, Refused> {
        let memory = self.key_memory();
        let tags = self.keyring().macs(Purpose::ApiKeyMac, material).map_err(Fault::from)?;
        let tags: Vec<_> = tags.into_iter().map(|(_, tag)| tag).collect();
        let mut conn = self.store().read().await?;
        let stored = memory.load(&mut conn, id, &tags).await?;
        if stored.is_none() {
            self.is_not_under_another_key(&mut conn, reach, id).await?;
        }
        drop(conn);
        if self.fits(stored.as_deref(), material, imported)?
            && let Some(known) = stored.filter(|known| may(reach, known.key.project))
        {
            self.freshen(&known, id, material)?;
            return Ok(Some(known));
        }
        Ok(None)
    }

    /// Before a value is called unknown: another node may have hashed it under a key that this one has not taken in yet.
    /// Whose id it is plays a part only while there is such a key.
    async fn is_not_under_another_key(
        &self,
        conn: &mut Conn,
        reach: &Reach,
        id: PublicId,
    ) -> Result<(), Refused> {
        if self.has_all_keys(conn).await? {
            return Ok(());
        }
        let there = rows::with_public_id(conn, id.as_str()).await?;
        let there = there.filter(|value| value.destroyed_at.is_none() && may(reach, value.project_id));
        let Some(key) = there.map(|value| value.mac_key_id) else { return Ok(()) };
        let held = self.keyring().holds(Purpose::ApiKeyMac, key).map_err(Fault::from)?;
        if held { Ok(()) } else { Err(Fault::KeyAway(key).into()) }
    }

    /// Whether this node has every key under which values are hashed; a yes holds for as long as any reading does.
    async fn has_all_keys(&self, conn: &mut Conn) -> Result<bool, Fault> {
        let seen = &self.key_memory().all_keys_at;
        let now = self.env().monotonic();
        let fresh = |at| now.saturating_duration_since(at) < MAX_AGE;
        if seen.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(fresh) {
            return Ok(true);
        }
        let held: Vec<_> =
            self.keyring().ids_of(Purpose::ApiKeyMac)?.iter().map(ToString::to_string).collect();
        let stored = keyring::keys(conn).await?;
        let mut hashing = stored.iter().filter(|key| key.purpose == Purpose::ApiKeyMac.name());
        let all = hashing.all(|key| held.contains(&key.id));
        if all {
            *seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        }
        Ok(all)
    }

    /// One MAC, whatever there is.
    fn fits(&self, known: Option<&Known>, material: &[u8], imported: bool) -> Result<bool, Fault> {
        let (key, mac) = known.map_or((KeyringKeyId::NIL, &[0; 32]), |known| (known.mac_key, &known.mac));
        let fits = self.keyring().verify_mac(Purpose::ApiKeyMac, key, material, mac)?;
        Ok(fits && known.is_some_and(|known| known.imported == imported && !known.life.destroyed))
    }

    /// A tag under an old keyring key is made again under the newest: the next flush writes it.
    fn freshen(&self, known: &Known, public_id: PublicId, material: &[u8]) -> Result<(), Fault> {
        let keyring = self.keyring();
        if known.mac_key != keyring.newest(Purpose::ApiKeyMac)? {
            let (to, mac) = keyring.mac(Purpose::ApiKeyMac, material)?;
            let wanted = MacMove { value: known.value, from: known.mac_key, to, mac, public_id };
            self.key_memory().want_move(wanted);
        }
        Ok(())
    }
}

fn may(reach: &Reach, project: ProjectId) -> bool {
    reach.covers(project)
}

/// What a caller calls itself, without the value it shows.
fn without<'a>(presented: &str, caller: Cow<'a, str>) -> Cow<'a, str> {
    if caller.len() < presented.len() { caller } else { caller.replace(presented, "…").into() }
}

/// No database: prefix and checksum tell most of what is no key. What has another shape may be an imported value.
fn read<'a>(presented: &'a str, domain: &Domain) -> Result<Shown<'a>, Fault> {
    match token::parse(presented) {
        Ok(parsed) if parsed.kind() == Kind::ApiKey => Ok(Shown::Ours(parsed.id(), parsed.material())),
        Err(ParseError::Prefix | ParseError::Length) if import::may_be_imported(presented) => {
            Ok(Shown::Imported(import::fingerprints(domain.keyring(), &import::digest(presented))?))
        }
        Ok(_) | Err(_) => Ok(Shown::Nothing),
    }
}

impl Known {
    fn expires_at(&self) -> Option<DateTime<Utc>> {
        match (self.key.life.expires_at, self.life.stops_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
