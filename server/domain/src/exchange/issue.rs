//! From a token of another issuer to a service token.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::join_all;
use keywarden_model::{RequestId, WorkloadId, time::later};
use keywarden_store::{StoreError, Written, tokens, trust_rules as rows};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::judge::{self, Why};
use super::key_set::KeySet;
use super::key_sets::Place;
use super::presented::Presented;
use crate::refused::carries_refused;
use crate::trust::{Keys, TrustRule};
use crate::workloads::{FreshToken, IssuedToken};
use crate::{Actor, Domain, Fault, LastRefusal, Op, Refused, SecretString, Source};

/// How long a service token is good that was got by exchange.
pub const EXCHANGED_LASTS: TimeDelta = TimeDelta::minutes(15);
/// Rules of one issuer that are looked at.
const RULES: u32 = 500;
/// Service tokens of one workload that are good at a time, got by exchange.
const AT_MOST: i64 = 2_000;
/// How long after its expiry a token is remembered as exchanged.
const SPENT: TimeDelta = TimeDelta::minutes(5);
/// The address that refusals are counted under.
const ROUTE: &str = "/oauth2/token";

/// What is asked.
#[derive(Clone, Copy)]
pub struct Exchange<'a> {
    /// The token of the other issuer.
    pub token: &'a str,
    /// For which workload, where rules of several let the token in.
    pub workload: Option<WorkloadId>,
}

impl std::fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exchange({:?})", self.workload)
    }
}

/// A service token as its asker gets it, this once.
#[derive(Debug)]
pub struct Exchanged {
    /// The value; it is nowhere kept.
    pub value: SecretString,
    /// For whom it speaks.
    pub workload: WorkloadId,
    /// From when on it counts for nothing.
    pub expires_at: DateTime<Utc>,
}

/// Why there is no service token.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Rules of several workloads let it in, or too many would have to be looked at.
    #[error("this token fits several workloads: name one by `client_id`")]
    Ambiguous,
    /// Whatever else: who asks learns no more.
    #[error("this token is not accepted")]
    Invalid,
    /// As everywhere.
    #[error(transparent)]
    Refused(#[from] Refused),
}
carries_refused!(ExchangeError);

/// A refusal and what it is counted as.
enum No {
    Ambiguous,
    Because(&'static str),
    Refused(Refused),
}

impl From<StoreError> for No {
    fn from(error: StoreError) -> Self {
        Self::Refused(error.into())
    }
}

impl Domain {
    /// Exchanges a token of another issuer for a service token (RFC 8693).
    pub async fn exchange(
        &self,
        source: &Source,
        request: RequestId,
        asked: Exchange<'_>,
    ) -> Result<Exchanged, ExchangeError> {
        let nobody = self.op(Actor::Nobody, source.clone(), request);
        let no = match self.try_exchange(&nobody, asked).await {
            Ok(exchanged) => return Ok(exchanged),
            Err(no) => no,
        };
        let (verdict, error) = match no {
            No::Ambiguous => ("ambiguous", ExchangeError::Ambiguous),
            No::Because(verdict) => (verdict, ExchangeError::Invalid),
            No::Refused(refused) => return Err(refused.into()),
        };
        self.note_refusal(source, ROUTE, verdict);
        Err(error)
    }

    async fn try_exchange(&self, op: &Op, asked: Exchange<'_>) -> Result<Exchanged, No> {
        let token = Presented::read(asked.token).ok_or(No::Because("malformed"))?;
        let issuer = token.text("iss").ok_or(No::Because("malformed"))?;
        let mut conn = self.store().read().await?;
        let found = rows::trusting(&mut conn, issuer, asked.workload, RULES).await?;
        drop(conn);
        if u32::try_from(found.len()).is_ok_and(|many| many >= RULES) {
            return Err(No::Ambiguous);
        }
        let rules: Vec<_> = found.into_iter().map(TrustRule::try_from).collect::<Result<_, _>>()?;
        if rules.is_empty() {
            return Err(No::Because("unknown-issuer"));
        }
        let proven = self.proven(&token, rules).await;
        let Some(first) = proven.first() else { return Err(No::Because("unproven")) };
        let judged =
            judge::times(&token.claims, op.now).and_then(|until| Ok((until, pick(&proven, &token.claims)?)));
        let (until, admitted) = match judged {
            Ok(judged) => judged,
            Err(why) => {
                let near = |rule: &&TrustRule| judge::nearness(rule, &token.claims);
                // Of those that are equally near the oldest: `max_by_key` would take the last.
                let nearest = proven.iter().rev().max_by_key(near).unwrap_or(first);
                self.keep_refused(op, nearest, why, &token.claims).await?;
                return Err(No::Because(why.word()));
            }
        };
        let rule = admitted.ok_or(No::Ambiguous)?;
        match self.let_in(op, rule, &token, until).await {
            Err(LetInError::Spent) => {
                self.keep_refused(op, rule, Why::Spent, &token.claims).await?;
                Err(No::Because(Why::Spent.word()))
            }
            Err(LetInError::Gone) => Err(No::Because("rule-changed")),
            Err(LetInError::TooMany) => Err(No::Because("too-many")),
            Err(LetInError::Refused(refused)) => Err(No::Refused(refused)),
            Ok(exchanged) => Ok(exchanged),
        }
    }

    /// The rules whose keys made the token's signature. Places are asked side by side, each once.
    async fn proven(&self, token: &Presented<'_>, rules: Vec<TrustRule>) -> Vec<TrustRule> {
        let mut places: Vec<Place> = Vec::new();
        for place in rules.iter().filter_map(place) {
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let sets = &self.exchanging().key_sets;
        let fetch = &*self.settings().fetch;
        let asked = places.iter().map(async |place| {
            let keys = sets.keys(place, token, fetch, || self.env().monotonic()).await;
            match keys {
                Ok(keys) => keys.proves(token),
                Err(why) => {
                    tracing::warn!(?place, %why, "domain.exchange: no keys to prove a token by");
                    false
                }
            }
        });
        let answers = join_all(asked).await;
        let proves = |rule: &TrustRule| match (&rule.terms.keys, place(rule)) {
            (Keys::Given(given), _) => {
                KeySet::read(given.as_str().as_bytes()).is_ok_and(|keys| keys.proves(token))
            }
            (_, Some(place)) => places
                .iter()
                .position(|it| *it == place)
                .and_then(|at| answers.get(at))
                .copied()
                .unwrap_or(false),
            (_, None) => false,
        };
        rules.into_iter().filter(|rule| proves(rule)).collect()
    }

    async fn let_in(
        &self,
        op: &Op,
        rule: &TrustRule,
        token: &Presented<'_>,
        until: DateTime<Utc>,
    ) -> Result<Exchanged, LetInError> {
        let fresh = self.fresh_token(op, "workload").await?;
        let expires_at = later(op.now, EXCHANGED_LASTS);
        let workload = rule.workload;
        let project = self.workload_home(workload).await?;
        let actor = Actor::Workload { id: workload, token: fresh.id };
        let op = Op {
            actor,
            source: op.source.clone(),
            request: op.request,
            now: op.now,
            once: None,
            reason: None,
            seen: None,
            refusal: LastRefusal::default(),
        };
        let spent = rule.terms.single_use.then(|| digest(rule, token));
        let (id, row_version) = (rule.id, rule.row_version);
        let claimed = (
            token.text("iss").unwrap_or_default().to_owned(),
            token.text("sub").unwrap_or_default().to_owned(),
        );
        let issued: IssuedToken = self
            .change_unasked(&op, "a workload signs in by a rule", &[], move |tx, record| {
                let (fresh, claimed): (Arc<FreshToken>, _) = (Arc::clone(&fresh), claimed.clone());
                Box::pin(async move {
                    let now = record.now();
                    rows::used(tx, id, row_version, now).await.map_err(|error| match error {
                        StoreError::Stale(_) => LetInError::Gone,
                        other => other.into(),
                    })?;
                    if let Some(digest) = spent
                        && !rows::spend(tx, digest, later(until, SPENT)).await?
                    {
                        return Err(LetInError::Spent);
                    }
                    if tokens::live_exchanged(tx, workload, now).await? >= AT_MOST {
                        return Err(LetInError::TooMany);
                    }
                    let by = workload.to_string();
                    let row = fresh.row(tokens::Bearer::Exchanged(workload, id), &by, now, expires_at);
                    tokens::insert(tx, row).await?;
                    let event = record
                        .event("service-token.exchange", "service-token", fresh.id)
                        .project(project)
                        .fact("workload", workload)
                        .fact("rule", id)
                        .fact("expires_at", expires_at)
                        .text("issuer", &claimed.0)
                        .text("subject", &claimed.1)
                        .finish()?;
                    Ok(Written::new(fresh.issued(), event))
                })
            })
            .await?;
        Ok(Exchanged { value: issued.value, workload, expires_at })
    }
}

#[derive(Debug, thiserror::Error)]
enum LetInError {
    #[error("the rule was changed or deleted meanwhile")]
    Gone,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the token was exchanged before")]
    Spent,
    #[error("too many tokens of this workload are good")]
    TooMany,
}
carries_refused!(LetInError);

fn place(rule: &TrustRule) -> Option<Place> {
    match &rule.terms.keys {
        Keys::At(url) => Some(Place::Known(url.clone())),
        Keys::Discovered => Some(Place::Discovered(rule.terms.issuer.clone())),
        Keys::Given(_) => None,
    }
}

/// The oldest rule that admits the token; `Ok(None)` where rules of several workloads do. Of several reasons against it
/// the one of the rule that it came nearest to.
fn pick<'a>(proven: &'a [TrustRule], claims: &Map<String, Value>) -> Result<Option<&'a TrustRule>, Why> {
    let mut admitted = proven.iter().filter(|rule| judge::admits(rule, claims).is_ok());
    let Some(first) = admitted.next() else {
        let nearest = proven.iter().rev().max_by_key(|rule| judge::nearness(rule, claims));
        return Err(nearest.and_then(|rule| judge::admits(rule, claims).err()).unwrap_or(Why::Claims));
    };
    Ok(admitted.all(|rule| rule.workload == first.workload).then_some(first))
}

/// What a token is remembered by: whose keys proved it, its issuer and its `jti`; without one, what was signed. Every
/// part has its length before it, so that no two tokens can be spelled alike.
fn digest(rule: &TrustRule, token: &Presented<'_>) -> [u8; 32] {
    let (kind, place) = match &rule.terms.keys {
        Keys::At(url) => ("at", url.as_str()),
        Keys::Discovered => ("discovered", ""),
        Keys::Given(given) => ("given", given.as_str()),
    };
    let own = token.text("jti").filter(|jti| !jti.is_empty());
    let (sort, name) = own.map_or(("signed", token.signed), |jti| ("jti", jti));
    let mut hash = Sha256::new();
    for part in [kind, place, rule.terms.issuer.as_str(), sort, name] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

impl From<Fault> for No {
    fn from(fault: Fault) -> Self {
        Self::Refused(fault.into())
    }
}
