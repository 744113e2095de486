//! One environment after the other: what is shown of all of them together.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cedar_policy::Schema;
use chrono::{DateTime, Utc};

use super::example::Confirming;
use super::{Claim, CounterExample, Prover, Question, Shown, Verdict};
use crate::authz::{Change, Comparison, Rules, Shape, Touched};

/// What asks, and with what.
pub(super) struct Comparing<'a> {
    pub(super) rules: &'a Rules,
    pub(super) schema: Arc<Schema>,
    pub(super) shape: Shape,
    /// The attributes and tags that either version looks at.
    pub(super) looks_at: BTreeSet<String>,
    pub(super) change: Change<'a>,
    pub(super) prover: &'a dyn Prover,
    /// When it is asked.
    pub(super) today: DateTime<Utc>,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Sofar {
    grants: Option<Box<CounterExample>>,
    /// Why it is not known of an environment whether something is granted there.
    unclear: Option<Unclear>,
    takes: Option<Box<CounterExample>>,
    /// The same of what is taken.
    taking_unclear: Option<Unclear>,
}

/// Why something is not known.
#[derive(Debug, Clone)]
pub(super) enum Unclear {
    /// The solver did not do its part.
    NotRun(String),
    /// It cannot be told.
    Unknown(String),
}

/// What one direction shows.
enum Direction {
    Found(Box<CounterExample>),
    Never,
    Unclear(Unclear),
}

impl Comparing<'_> {
    /// Compares what decides in one environment, and adds what that shows.
    pub(super) async fn compare(&self, touched: &Touched, limit: Duration, sofar: &mut Sofar) {
        let compared = match self.rules.compare(&self.shape, &self.change, touched) {
            Ok(compared) => compared,
            Err(why) => return sofar.unclear(Unclear::Unknown(why)),
        };
        if let Some(why) = self.may_fail(&compared, limit).await {
            return sofar.unclear(why);
        }
        match self.implies(&compared, touched, limit, true).await {
            Direction::Found(example) => sofar.grants = Some(example),
            Direction::Never => {}
            Direction::Unclear(why) => {
                sofar.unclear.get_or_insert(why);
            }
        }
        if sofar.is_decided() || sofar.takes.is_some() {
            return;
        }
        match self.implies(&compared, touched, limit, false).await {
            Direction::Found(example) => sofar.takes = Some(example),
            Direction::Never => {}
            Direction::Unclear(why) => {
                sofar.taking_unclear.get_or_insert(why);
            }
        }
    }

    /// Why a policy may fail when it is asked; `None`: none does.
    async fn may_fail(&self, compared: &Comparison, limit: Duration) -> Option<Unclear> {
        for policy in &compared.fallible {
            let name = policy.id();
            match self.show(compared, Claim::NeverFails(Box::new(policy.clone())), limit).await {
                Shown::Holds => {}
                Shown::Fails(_) => {
                    return Some(Unclear::Unknown(format!(
                        "`{name}` may fail when it is asked, by a sum or product that is too large"
                    )));
                }
                Shown::NotRun(why) => return Some(Unclear::NotRun(why)),
                Shown::Unknown(why) => {
                    return Some(Unclear::Unknown(format!("`{name}` may fail when it is asked: {why}")));
                }
            }
        }
        None
    }

    /// Whether something is allowed by the one set and not by the other: by the set after the change where it `widens`.
    async fn implies(
        &self,
        compared: &Comparison,
        touched: &Touched,
        limit: Duration,
        widens: bool,
    ) -> Direction {
        let (narrow, wide) =
            if widens { (&compared.after, &compared.before) } else { (&compared.before, &compared.after) };
        let claim = Claim::Implies { narrow: Box::new(narrow.clone()), wide: Box::new(wide.clone()) };
        match self.show(compared, claim, limit).await {
            Shown::Fails(witness) => {
                let Self { looks_at, rules, schema, today, .. } = self;
                match (Confirming { rules, schema, compared, touched, looks_at, today: *today })
                    .confirm(&witness, widens)
                {
                    Some(example) => Direction::Found(Box::new(example)),
                    None => Direction::Unclear(Unclear::Unknown(format!(
                        "the solver named a request for `{}` that cannot happen, or is answered as now",
                        touched.action.name()
                    ))),
                }
            }
            Shown::Holds => Direction::Never,
            Shown::NotRun(why) => Direction::Unclear(Unclear::NotRun(why)),
            Shown::Unknown(why) => {
                Direction::Unclear(Unclear::Unknown(format!("`{}`: {why}", touched.action.name())))
            }
        }
    }

    async fn show(&self, compared: &Comparison, claim: Claim, limit: Duration) -> Shown {
        let (schema, environment) = (Arc::clone(&self.schema), compared.environment.clone());
        self.prover.show(Question { schema, environment, claim }, limit).await
    }
}

impl Sofar {
    /// Nothing is known of an environment.
    pub(super) fn unclear(&mut self, why: Unclear) {
        self.taking_unclear.get_or_insert_with(|| why.clone());
        self.unclear.get_or_insert(why);
    }

    /// Whether nothing that is shown later could change the verdict.
    pub(super) fn is_decided(&self) -> bool {
        self.grants.is_some()
    }

    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self { grants: Some(example), .. } => Verdict::Grants(example),
            Self { unclear: Some(Unclear::NotRun(why)), .. } => Verdict::NotRun(why),
            Self { unclear: Some(Unclear::Unknown(why)), .. } => Verdict::Unproven(why),
            Self { takes: Some(example), .. } => Verdict::Narrows(example),
            Self { taking_unclear: Some(Unclear::NotRun(why) | Unclear::Unknown(why)), .. } => {
                Verdict::GrantsNothing(why)
            }
            Self { .. } => Verdict::Equivalent,
        }
    }
}
