//! Random histories of one request: whatever is tried, in whatever order.

use proptest::prelude::*;

use super::*;

/// Everybody there is: whoever asked, whoever it is for, who made the token, and those who may approve.
const PEOPLE: [&str; 8] = ["asker", "holder", "behind", "a", "b", "c", "d", "e"];

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 123_456_000).unwrap()
}

fn fresh() -> Life {
    Life {
        state: AccessState::Pending,
        revision: 1,
        asker: "asker".into(),
        holder: "holder".into(),
        behind: Some("behind".into()),
        lasts: TimeDelta::hours(1),
        expires_at: at(3_600),
        ends_at: None,
    }
}

fn rule(approvers: u32) -> Rule {
    Rule { approvers, ..Rule::built_in() }
}

fn numbered(version: i64) -> RuleAt {
    RuleAt { scope: "organization".into(), version }
}

#[derive(Debug, Clone)]
enum Step {
    Approve { who: usize, new: bool, synced: bool },
    Deny,
    Withdraw(usize),
    Edit(usize),
    Expire,
    End(GrantEnd),
    LosesRole(usize),
    AnotherRule(u32),
    Waits(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEOPLE.len();
    prop_oneof![
        8 => (who.clone(), proptest::bool::weighted(0.1), any::<bool>())
            .prop_map(|(who, new, synced)| Step::Approve { who, new, synced }),
        1 => Just(Step::Deny),
        1 => who.clone().prop_map(Step::Withdraw),
        1 => who.clone().prop_map(Step::Edit),
        1 => Just(Step::Expire),
        1 => prop_oneof![Just(GrantEnd::Expired), Just(GrantEnd::GivenBack), Just(GrantEnd::Revoked)].prop_map(Step::End),
        1 => who.prop_map(Step::LosesRole),
        1 => (1_u32..=5).prop_map(Step::AnotherRule),
        // Clocks jump, back too.
        2 => (-100_i64..2_000).prop_map(Step::Waits),
    ]
}

struct World {
    life: Life,
    rule: Rule,
    rule_at: RuleAt,
    signed: Vec<Signed>,
    may: [bool; PEOPLE.len()],
    now: i64,
    outcomes: u32,
    grants: u32,
}

impl World {
    fn take(&mut self, step: &Step) {
        let now = at(self.now);
        let before = self.life.clone();
        let done = match step {
            Step::Approve { who, new, synced } => self.approve(*who, *new, *synced),
            Step::Deny => before.clone().deny(now),
            Step::Withdraw(who) => before.clone().withdraw(PEOPLE[*who], now),
            Step::Edit(who) => before.clone().edit(PEOPLE[*who], TimeDelta::minutes(30), now),
            Step::Expire => before.clone().expire(now),
            Step::End(how) => before.clone().end(*how, now),
            Step::LosesRole(who) => {
                self.may[*who] = false;
                self.signed.iter_mut().filter(|it| it.who == PEOPLE[*who]).for_each(|it| it.still = false);
                return;
            }
            Step::AnotherRule(approvers) => {
                self.rule = rule(*approvers);
                self.rule_at = numbered(self.rule_at.version + 1);
                return;
            }
            Step::Waits(seconds) => {
                self.now += seconds;
                return;
            }
        };
        let Ok(after) = done else { return };
        if before.state == AccessState::Pending && after.state != AccessState::Pending {
            self.outcomes += 1;
            assert_eq!(
                now >= before.expires_at,
                after.state == AccessState::Expired,
                "an answer in time, or none"
            );
        }
        if before.state != AccessState::Pending {
            assert_eq!((before.state, after.state), (AccessState::Active, AccessState::Ended));
        }
        self.life = after;
    }

    fn approve(&mut self, who: usize, new: bool, synced: bool) -> Result<Life, LifeError> {
        if !self.may[who] {
            return Err(LifeError::NotNamed);
        }
        let now = at(self.now);
        let facts = Facts {
            approver: PEOPLE[who],
            teams: &[],
            passkey_from: if new { at(self.now + 1) } else { at(self.now) },
            synced,
            rule: &self.rule,
            rule_at: &self.rule_at,
            signed: &self.signed,
        };
        let (life, approved) = self.life.clone().approve(&facts, now)?;
        assert!(who > 2 && !new, "{} approved what is theirs, or with a passkey of today", PEOPLE[who]);
        // As the store has it: what counts no more gives way.
        self.signed.retain(|it| it.who != PEOPLE[who] || it.revision != life.revision);
        self.signed.push(Signed {
            who: PEOPLE[who].into(),
            revision: life.revision,
            rule: self.rule_at.clone(),
            still: true,
        });
        let distinct: BTreeSet<_> = self
            .signed
            .iter()
            .filter(|it| it.still && it.revision == life.revision && it.rule == self.rule_at)
            .map(|it| it.who.clone())
            .collect();
        let enough = distinct.len() >= self.rule.approvers as usize;
        match approved {
            Approved::Granted { starts_at, ends_at } => {
                self.grants += 1;
                assert!(enough, "{distinct:?} of {}", self.rule.approvers);
                assert_eq!((starts_at, ends_at.timestamp_subsec_nanos()), (now, 0));
                assert!(
                    ends_at - starts_at <= life.lasts
                        && ends_at - starts_at > life.lasts - TimeDelta::seconds(1)
                );
                assert!(holds(&life, ends_at - TimeDelta::nanoseconds(1)) && !holds(&life, ends_at));
            }
            Approved::Waits { have, need } => {
                assert!(!enough && have < need);
                assert_eq!(have as usize, distinct.len());
            }
        }
        Ok(life)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn whatever_is_tried_there_is_one_outcome_and_distinct_persons_made_it(
        approvers in 1_u32..=5,
        steps in proptest::collection::vec(step(), 1..40),
    ) {
        let mut world = World {
            life: fresh(),
            rule: rule(approvers),
            rule_at: numbered(1),
            signed: Vec::new(),
            may: [true; PEOPLE.len()],
            now: 0,
            outcomes: 0,
            grants: 0,
        };
        for step in &steps {
            world.take(step);
        }
        prop_assert!(world.outcomes <= 1 && world.grants <= world.outcomes);
        let active = matches!(world.life.state, AccessState::Active | AccessState::Ended);
        prop_assert_eq!(world.grants == 1, active);
        prop_assert_eq!(world.life.ends_at.is_some(), active);
    }
}

fn holds(life: &Life, now: DateTime<Utc>) -> bool {
    life.state == AccessState::Active && life.ends_at.is_some_and(|ends_at| now < ends_at)
}

fn facts<'a>(approver: &'a str, rule: &'a Rule, rule_at: &'a RuleAt, signed: &'a [Signed]) -> Facts<'a> {
    Facts { approver, teams: &[], passkey_from: at(0), synced: false, rule, rule_at, signed }
}

#[test]
fn a_rule_can_name_people_and_teams_and_ask_for_security_keys() {
    let (at1, named) = (numbered(1), Rule { only: vec!["b".into(), "team".into()], ..rule(1) });
    let refused = fresh().approve(&facts("a", &named, &at1, &[]), at(1));
    assert_eq!(refused.map(|it| it.1), Err(LifeError::NotNamed));
    assert!(fresh().approve(&facts("b", &named, &at1, &[]), at(1)).is_ok());
    let teams = ["team".to_owned()];
    let of_team = Facts { teams: &teams, ..facts("a", &named, &at1, &[]) };
    assert!(fresh().approve(&of_team, at(1)).is_ok());

    let strong = Rule { strength: PasskeyStrength::DeviceBound, ..rule(1) };
    let synced = Facts { synced: true, ..facts("a", &strong, &at1, &[]) };
    assert_eq!(fresh().approve(&synced, at(1)).map(|it| it.1), Err(LifeError::PasskeySynced));
    assert!(fresh().approve(&facts("a", &strong, &at1, &[]), at(1)).is_ok());
}

#[test]
fn whoever_signed_what_counts_no_more_signs_again() {
    let (two, first, second) = (rule(2), numbered(1), numbered(2));
    let signed =
        |rule: &RuleAt, still: bool| [Signed { who: "a".into(), revision: 1, rule: rule.clone(), still }];
    let waits = Ok(Approved::Waits { have: 1, need: 2 });
    for (signed, expected) in [
        (signed(&first, true), waits.clone()),
        (signed(&second, false), waits),
        (signed(&second, true), Err(LifeError::AlreadySigned)),
    ] {
        let done = fresh().approve(&facts("a", &two, &second, &signed), at(1));
        assert_eq!(done.map(|it| it.1), expected, "{signed:?}");
    }
}

#[test]
fn what_a_rule_lets_be_held_for_less_is_not_granted() {
    let short = Rule { longest_seconds: 1_800, ..rule(1) };
    let refused = fresh().approve(&facts("a", &short, &numbered(1), &[]), at(1));
    assert_eq!(refused.map(|it| it.1), Err(LifeError::TooLong(TimeDelta::minutes(30))));
}

#[test]
fn nothing_ends_by_itself_before_its_time() {
    let (life, _) = fresh().approve(&facts("a", &rule(1), &numbered(1), &[]), at(0)).unwrap();
    let ends_at = life.ends_at.unwrap();
    assert!(life.clone().end(GrantEnd::Expired, ends_at - TimeDelta::microseconds(1)).is_err());
    assert!(life.clone().end(GrantEnd::GivenBack, at(1)).is_ok());
    let ended = life.end(GrantEnd::Expired, ends_at).unwrap();
    assert_eq!(ended.end(GrantEnd::Revoked, ends_at), Err(LifeError::NotActive));
}
