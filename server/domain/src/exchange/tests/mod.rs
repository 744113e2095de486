//! Who is let in by exchange, and who is not (S-16, S-17).

mod attacks;
mod key_sets;
mod kinds;
mod known;
mod parsers;
mod rules;

use keywarden_model::{ClaimRules, RequestId, Role, WorkloadId};
use serde_json::{Value, json};

use super::shelf::Issuer;
use super::{Exchange, ExchangeError, Exchanged};
use crate::cast::{House, Player, Stage};
use crate::trust::{Keys, Terms, TrustRule};
use crate::workloads::NewWorkload;
use crate::{Actor, Source};

pub(super) const URL: &str = "https://issuer.example";
pub(super) const AUDIENCE: &str = "https://keys.example.com";

/// A project with a manager, a workload of it, and an issuer whose keys can be fetched.
pub(super) struct Scene {
    pub(super) house: House,
    pub(super) pay: Stage,
    pub(super) mia: Player,
    pub(super) workload: WorkloadId,
    pub(super) issuer: Issuer,
}

impl Scene {
    pub(super) async fn new(house: House) -> Self {
        let pay = house.project("pay").await;
        let mia = house.person("Mia", &[(Role::Manager, Some(pay.id))]).await;
        let new =
            NewWorkload { name: "shop".parse().unwrap(), project: Some(pay.id), role: Some(Role::Reader) };
        let workload = house.domain.create_workload(&mia.op(), new).await.unwrap();
        let issuer = Issuer::new(URL, "k1", 7);
        issuer.publish(&house.shelf);
        Self { house, pay, mia, workload, issuer }
    }

    /// With a rule that admits `sub=shop`.
    pub(super) async fn with_rule(house: House) -> Self {
        let scene = Self::new(house).await;
        scene.rule(terms("sub=shop")).await;
        scene
    }

    pub(super) async fn rule(&self, terms: Terms) -> TrustRule {
        let id = self
            .house
            .domain
            .create_trust_rule(&self.mia.steps_up().op(), self.workload, terms)
            .await
            .unwrap();
        self.house.domain.trust_rule(&self.mia.op(), self.workload, id).await.unwrap().rule
    }

    /// Claims of a token that is good now.
    pub(super) fn claims(&self) -> Value {
        let now = self.house.now().timestamp();
        let n: u64 = u64::from_be_bytes(self.house.domain.env().bytes());
        json!({ "iss": URL, "aud": AUDIENCE, "sub": "shop", "iat": now, "exp": now + 300, "jti": n.to_string() })
    }

    /// The same with some of them otherwise; `null` takes one away.
    pub(super) fn but(&self, others: Value) -> Value {
        let mut claims = self.claims();
        for (name, value) in others.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims
    }

    pub(super) async fn exchange(&self, token: &str) -> Result<Exchanged, ExchangeError> {
        self.exchange_as(token, None).await
    }

    pub(super) async fn exchange_as(
        &self,
        token: &str,
        workload: Option<WorkloadId>,
    ) -> Result<Exchanged, ExchangeError> {
        let request: RequestId = self.house.domain.env().id(self.house.now());
        let source = Source { address: Some([198, 51, 100, 9].into()), agent: None };
        self.house.domain.exchange(&source, request, Exchange { token, workload }).await
    }

    /// Whom the service token speaks for.
    pub(super) async fn speaks(&self, exchanged: &Exchanged) -> Option<WorkloadId> {
        match self.house.domain.authenticate_token(exchanged.value.expose()).await {
            Ok(Actor::Workload { id, .. }) => Some(id),
            _ => None,
        }
    }

    pub(super) async fn refuses(&self, token: &str) -> bool {
        matches!(self.exchange(token).await, Err(ExchangeError::Invalid))
    }
}

pub(super) fn terms(claims: &str) -> Terms {
    Terms {
        issuer: URL.parse().unwrap(),
        audience: AUDIENCE.parse().unwrap(),
        claims: ClaimRules::from_lines(claims).unwrap(),
        keys: Keys::Discovered,
        single_use: true,
    }
}
