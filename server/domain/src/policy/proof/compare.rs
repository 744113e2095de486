//! One environment after the other: what is shown of all of them together.

use std::sync::Arc;
use std::time::Duration;

use cedar_policy::Schema;

use super::example::confirm;
use super::{Claim, CounterExample, Prover, Question, Shown, Verdict};
use crate::authz::{Change, Comparison, Rules, Touched};

/// What asks, and with what.
pub(super) struct Comparing<'a> {
    pub(super) rules: &'a Rules,
    pub(super) schema: Arc<Schema>,
    pub(super) change: Change<'a>,
    pub(super) prover: &'a dyn Prover,
}

/// What is known so far.
#[derive(Debug, Default)]
pub(super) struct Sofar {
    grants: Option<Box<CounterExample>>,
    /// Why it is not known of an environment whether something is granted there.
    unclear: Option<String>,
    takes: Option<Box<CounterExample>>,
    /// The same of what is taken.
    taking_unclear: Option<String>,
}

/// What one direction shows.
enum Direction {
    Found(Box<CounterExample>),
    Never,
    Unclear(String),
}

impl Comparing<'_> {
    /// Compares what decides in one environment, and adds what that shows.
    pub(super) async fn compare(&self, touched: Touched, limit: Duration, sofar: &mut Sofar) {
        let compared = match self.rules.compare(&self.change, touched) {
            Ok(compared) => compared,
            Err(why) => return sofar.unclear(why),
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
    async fn may_fail(&self, compared: &Comparison, limit: Duration) -> Option<String> {
        for policy in &compared.fallible {
            let name = policy.id();
            match self.show(compared, Claim::NeverFails(Box::new(policy.clone())), limit).await {
                Shown::Holds => {}
                Shown::Fails(_) => {
                    return Some(format!(
                        "`{name}` may fail when it is asked, by a sum or product that is too large"
                    ));
                }
                Shown::Unknown(why) => return Some(format!("`{name}` may fail when it is asked: {why}")),
            }
        }
        None
    }

    /// Whether something is allowed by the one set and not by the other: by the set after the change where it `widens`.
    async fn implies(
        &self,
        compared: &Comparison,
        touched: Touched,
        limit: Duration,
        widens: bool,
    ) -> Direction {
        let (narrow, wide) =
            if widens { (&compared.after, &compared.before) } else { (&compared.before, &compared.after) };
        let claim = Claim::Implies { narrow: Box::new(narrow.clone()), wide: Box::new(wide.clone()) };
        match self.show(compared, claim, limit).await {
            Shown::Fails(witness) => {
                match confirm(self.rules, &self.change, touched.action, &witness, widens) {
                    Some(example) => Direction::Found(Box::new(example)),
                    None => Direction::Unclear(format!(
                        "the request that the solver found for `{}` cannot be put, or is answered alike",
                        touched.action.name()
                    )),
                }
            }
            Shown::Holds => Direction::Never,
            Shown::Unknown(why) => Direction::Unclear(format!("`{}`: {why}", touched.action.name())),
        }
    }

    async fn show(&self, compared: &Comparison, claim: Claim, limit: Duration) -> Shown {
        let (schema, environment) = (Arc::clone(&self.schema), compared.environment.clone());
        self.prover.show(Question { schema, environment, claim }, limit).await
    }
}

impl Sofar {
    /// Nothing is known of an environment.
    pub(super) fn unclear(&mut self, why: String) {
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
            Self { unclear: Some(why), .. } => Verdict::Unproven(why),
            Self { takes: Some(example), .. } => Verdict::Narrows(example),
            Self { taking_unclear: Some(why), .. } => Verdict::GrantsNothing(why),
            Self { .. } => Verdict::Equivalent,
        }
    }
}
