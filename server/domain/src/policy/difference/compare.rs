//! Who gains and who loses what: asked of the policies once for all who and all that no policy tells apart.
//!
//! Pure, and bounded: so many questions and no more. What was not asked any more is counted. Sets of people that are equal are
//! kept once, so that what comes out for ten thousand projects is not ten thousand times everybody.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;

use keywarden_model::{ProjectId, Role};

use super::bits::Bits;
use super::moments::{Moments, weigh};
use super::world::{Changed, World};
use super::{Change, When};
use crate::authz::{Brought, Gate, InForce, Literals, Principal, Target};
use crate::{Action, Fault, Resource};

/// Questions that are put to policies, each about one moment: some seconds' worth.
const QUESTIONS: usize = 60_000;
/// People who are looked at one by one, as owners or themselves.
const RELATED: usize = 2_000_000;
/// Times that people who are alike are looked at, about things that are alike.
const LOOKS: usize = 20_000_000;

/// What changes, and when.
pub(super) type Verdict = (Change, When);

/// What came out.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) actions: Vec<OfAction>,
    /// Things that were not asked about any more, each action of each one.
    pub(super) left: u64,
}

/// What changes about one action.
#[derive(Debug)]
pub(super) struct OfAction {
    pub(super) action: Action,
    pub(super) cells: Vec<Cell>,
    pub(super) pairs: Vec<Pair>,
}

/// All of these people about all of these things, but for some.
#[derive(Debug)]
pub(super) struct Cell {
    pub(super) verdict: Verdict,
    pub(super) things: Rc<Vec<u32>>,
    pub(super) people: Rc<Bits>,
    /// By thing: people whom it names, and who are told of in pairs if something changes for them.
    pub(super) but: Rc<HashMap<u32, Vec<u32>>>,
}

/// Somebody about something that is theirs, or is they themselves.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) verdict: Verdict,
    pub(super) thing: u32,
    pub(super) person: u32,
}

/// Places in which a thing names somebody, before and after.
type Places = (Vec<String>, Vec<String>);
/// A project before and after.
type Projects = (Option<ProjectId>, Option<ProjectId>);
/// Roles that are held there, before and after.
type Roles = (Vec<Role>, Vec<Role>);

/// A thing as decisions see it, before and after.
#[derive(Debug)]
struct Seen {
    like: u32,
    brings: (Vec<Brought>, Vec<Brought>),
}

struct Comparing<'a> {
    gate: &'a Gate,
    moments: &'a Moments,
    world: &'a World,
    literals: Literals,
    likes: HashMap<(String, String), u32>,
    /// Of each person.
    people: Vec<u32>,
    /// Everybody, by what no policy tells apart but for roles in projects.
    everybody: BTreeMap<u32, Rc<Bits>>,
    /// Sets of people for whom something changes.
    sets: HashSet<Rc<Bits>>,
    /// By what they are or hold, before and after.
    being: (HashMap<String, Vec<u32>>, HashMap<String, Vec<u32>>),
    holders: HashMap<ProjectId, Vec<u32>>,
    classes: HashMap<(u32, Roles), u32>,
    seen: HashMap<(u32, bool), Rc<Seen>>,
    questions: usize,
    related: usize,
    looks: usize,
}

/// Everybody by the class that they are in, in a project.
type Classes = BTreeMap<u32, Rc<Bits>>;

/// What one action's answers are remembered by.
type Answers = HashMap<(u32, u32, Places), Option<Verdict>>;

/// What changes about things that are alike.
type Changes = (Vec<Cell>, Vec<Pair>);

/// No more questions.
struct Spent;

/// What changes in these actions.
pub(super) fn compare(
    gate: &Gate,
    moments: &Moments,
    world: &World,
    actions: &[Action],
) -> Result<Found, Fault> {
    let mut comparing = Comparing::new(gate, moments, world)?;
    let mut found = Found::default();
    for action in actions {
        let of = comparing.action(*action, &mut found.left)?;
        if !of.cells.is_empty() || !of.pairs.is_empty() {
            found.actions.push(of);
        }
    }
    Ok(found)
}

impl<'a> Comparing<'a> {
    fn new(gate: &'a Gate, moments: &'a Moments, world: &'a World) -> Result<Self, Fault> {
        let sets = moments.sets.iter().flat_map(|(before, after)| [&**before, &**after]);
        let literals = Literals::of(gate.rules(), sets);
        let mut comparing = Self {
            gate,
            moments,
            world,
            literals,
            likes: HashMap::new(),
            people: Vec::with_capacity(world.people.len()),
            everybody: BTreeMap::new(),
            sets: HashSet::new(),
            being: Default::default(),
            holders: HashMap::new(),
            classes: HashMap::new(),
            seen: HashMap::new(),
            questions: 0,
            related: 0,
            looks: 0,
        };
        for (number, person) in (0_u32..).zip(&world.people) {
            comparing.meet(number, person)?;
        }
        let mut everybody: BTreeMap<u32, Bits> = BTreeMap::new();
        for (number, like) in (0_u32..).zip(&comparing.people) {
            everybody.entry(*like).or_default().insert(number);
        }
        comparing.everybody = everybody.into_iter().map(|(like, bits)| (like, Rc::new(bits))).collect();
        Ok(comparing)
    }

    fn meet(&mut self, number: u32, person: &Changed<Principal>) -> Result<(), Fault> {
        let rules = self.gate.rules();
        let (before, after) = (&person.before, person.after());
        let seen = rules.seen_principal(&self.literals, before)?;
        let then =
            if person.is_same() { seen.clone() } else { rules.seen_principal(&self.literals, after)? };
        let like = self.like((seen, then));
        self.people.push(like);
        for (being, side) in [(&mut self.being.0, before), (&mut self.being.1, after)] {
            for whom in rules.is_or_holds(side) {
                being.entry(whom).or_default().push(number);
            }
        }
        for (project, _) in before.projects.iter().chain(&after.projects) {
            let holders = self.holders.entry(*project).or_default();
            if holders.last() != Some(&number) {
                holders.push(number);
            }
        }
        Ok(())
    }

    fn like(&mut self, like: (String, String)) -> u32 {
        let next = small(self.likes.len());
        *self.likes.entry(like).or_insert(next)
    }

    /// The class of somebody in a project: who no policy tells apart there.
    fn class(&mut self, person: u32, projects: Projects) -> Option<u32> {
        let (like, somebody) = (*self.people.get(person as usize)?, self.world.people.get(person as usize)?);
        let roles = (roles(&somebody.before, projects.0), roles(somebody.after(), projects.1));
        Some(self.class_of(like, roles))
    }

    fn class_of(&mut self, like: u32, roles: Roles) -> u32 {
        let next = small(self.classes.len());
        *self.classes.entry((like, roles)).or_insert(next)
    }

    /// Everybody by their class in a project: most hold nothing there.
    fn split(&mut self, projects: Projects) -> Classes {
        let there = [projects.0, projects.1].into_iter().flatten();
        let holders: Bits = there.filter_map(|it| self.holders.get(&it)).flatten().copied().collect();
        self.looks = self.looks.saturating_add(self.everybody.len());
        let everybody: Vec<_> = self.everybody.iter().map(|(like, all)| (*like, Rc::clone(all))).collect();
        let mut split = Classes::new();
        for (like, all) in everybody {
            let others = if all.meets(&holders) { Rc::new(all.without(&holders)) } else { all };
            if !others.is_empty() {
                split.insert(self.class_of(like, Roles::default()), others);
            }
        }
        let mut apart: BTreeMap<u32, Bits> = BTreeMap::new();
        for person in holders.iter() {
            self.looks = self.looks.saturating_add(1);
            if let Some(class) = self.class(person, projects) {
                apart.entry(class).or_default().insert(person);
            }
        }
        split.extend(apart.into_iter().map(|(class, people)| (class, Rc::new(people))));
        split
    }

    /// The set, kept once however often it comes up.
    fn once(&mut self, people: Bits) -> Rc<Bits> {
        if let Some(known) = self.sets.get(&people) {
            return Rc::clone(known);
        }
        let people = Rc::new(people);
        self.sets.insert(Rc::clone(&people));
        people
    }

    fn see(&mut self, thing: u32, target: &Changed<Target>, action: Action) -> Result<Rc<Seen>, Fault> {
        // Only of somebody do reads know less than changes.
        let known = &target.before.resource;
        let somebody = matches!(known, Resource::Person(_) | Resource::Team(_) | Resource::Workload { .. });
        let key = (thing, somebody && action.is_read());
        if let Some(seen) = self.seen.get(&key) {
            return Ok(Rc::clone(seen));
        }
        let rules = self.gate.rules();
        let before = rules.seen_thing(&self.literals, action, &as_asked(action, &target.before))?;
        let after = if target.is_same() {
            before.clone()
        } else {
            rules.seen_thing(&self.literals, action, &as_asked(action, target.after()))?
        };
        let like = self.like((before.like, after.like));
        let seen = Rc::new(Seen { like, brings: (before.brings, after.brings) });
        self.seen.insert(key, Rc::clone(&seen));
        Ok(seen)
    }

    fn action(&mut self, action: Action, left: &mut u64) -> Result<OfAction, Fault> {
        let mut of = OfAction { action, cells: Vec::new(), pairs: Vec::new() };
        let mut alike: BTreeMap<(Projects, u32), Vec<u32>> = BTreeMap::new();
        let things = (0_u32..).zip(&self.world.things);
        for (thing, target) in things.filter(|(_, it)| action.applies_to(&it.before.resource)) {
            let seen = self.see(thing, target, action)?;
            let projects = (target.before.resource.project(), target.after().resource.project());
            alike.entry((projects, seen.like)).or_default().push(thing);
        }
        let mut answers = Answers::new();
        let mut there: Option<(Projects, Rc<Classes>)> = None;
        for ((projects, like), things) in alike {
            let count = things.len() as u64;
            if self.looks > LOOKS {
                *left = left.saturating_add(count);
                continue;
            }
            let people = match &there {
                Some((at, people)) if *at == projects => Rc::clone(people),
                _ => Rc::new(self.split(projects)),
            };
            there = Some((projects, Rc::clone(&people)));
            let class = Class { action, like, projects, things: Rc::new(things) };
            match self.of_class(&class, &people, &mut answers)? {
                Some((cells, pairs)) => {
                    of.cells.extend(cells);
                    of.pairs.extend(pairs);
                }
                None => *left = left.saturating_add(count),
            }
        }
        Ok(of)
    }

    /// What changes about things that are alike; `None` once too much was asked.
    fn of_class(
        &mut self,
        class: &Class,
        people: &Classes,
        answers: &mut Answers,
    ) -> Result<Option<Changes>, Fault> {
        self.looks = self.looks.saturating_add(people.len());
        let (mut pairs, mut but) = (Vec::new(), HashMap::new());
        for thing in class.things.iter().copied() {
            let related = self.related(class.action, thing)?;
            self.related = self.related.saturating_add(related.len());
            if self.related > RELATED {
                return Ok(None);
            }
            for (person, places) in &related {
                let Some(like) = self.class(*person, class.projects) else { continue };
                let like = (class.like, like, places.clone());
                match self.answer(answers, like, (class.action, thing, *person)) {
                    Err(Spent) => return Ok(None),
                    Ok(None) => {}
                    Ok(Some(verdict)) => pairs.push(Pair { verdict, thing, person: *person }),
                }
            }
            if !related.is_empty() {
                but.insert(thing, related.into_keys().collect::<Vec<_>>());
            }
        }
        let mut changed: BTreeMap<Verdict, Bits> = BTreeMap::new();
        for (like, members) in people {
            let Some((thing, person)) = strangers(class, members, &but) else { continue };
            let like = (class.like, *like, Places::default());
            match self.answer(answers, like, (class.action, thing, person)) {
                Err(Spent) => return Ok(None),
                Ok(None) => {}
                Ok(Some(verdict)) => changed.entry(verdict).or_default().add(members),
            }
        }
        let but = Rc::new(but);
        let cells = changed.into_iter().map(|(verdict, people)| Cell {
            verdict,
            things: Rc::clone(&class.things),
            people: self.once(people),
            but: Rc::clone(&but),
        });
        Ok(Some((cells.collect(), pairs)))
    }

    /// Whoever the thing names, and where.
    fn related(&mut self, action: Action, thing: u32) -> Result<BTreeMap<u32, Places>, Fault> {
        let Some(target) = self.world.things.get(thing as usize) else { return Ok(BTreeMap::new()) };
        let seen = self.see(thing, target, action)?;
        let mut related: BTreeMap<u32, Places> = BTreeMap::new();
        for brought in &seen.brings.0 {
            for person in self.being.0.get(&brought.whom).into_iter().flatten() {
                related.entry(*person).or_default().0.push(brought.place.clone());
            }
        }
        for brought in &seen.brings.1 {
            for person in self.being.1.get(&brought.whom).into_iter().flatten() {
                related.entry(*person).or_default().1.push(brought.place.clone());
            }
        }
        Ok(related)
    }

    /// What changes for one person about one thing, which is what changes for all like them.
    fn answer(
        &mut self,
        answers: &mut Answers,
        like: (u32, u32, Places),
        (action, thing, person): (Action, u32, u32),
    ) -> Result<Option<Verdict>, Spent> {
        if let Some(known) = answers.get(&like) {
            return Ok(*known);
        }
        let found = (self.world.people.get(person as usize), self.world.things.get(thing as usize));
        let (Some(person), Some(target)) = found else { return Ok(None) };
        if self.moments.is_of_one_set() && person.is_same() && target.is_same() {
            return Ok(None);
        }
        let asks = self.moments.sets.len().saturating_mul(2);
        self.questions = self.questions.saturating_add(asks);
        if self.questions > QUESTIONS {
            return Err(Spent);
        }
        let assumed = (self.moments.assumed(&person.before), self.moments.assumed(person.after()));
        let targets = (as_asked(action, &target.before), as_asked(action, target.after()));
        let answer = |(before, after): &(Arc<InForce>, Arc<InForce>)| {
            let before = self.gate.would_under(before, &person.before, (action, &targets.0), &assumed.0);
            let after = self.gate.would_under(after, person.after(), (action, &targets.1), &assumed.1);
            (before, after)
        };
        let verdict = weigh(&self.moments.sets.iter().map(answer).collect::<Vec<_>>());
        answers.insert(like, verdict);
        Ok(verdict)
    }
}

/// Things that no policy tells apart.
struct Class {
    action: Action,
    like: u32,
    projects: Projects,
    things: Rc<Vec<u32>>,
}

/// One of these things and one of these people whom it does not name.
fn strangers(class: &Class, people: &Bits, but: &HashMap<u32, Vec<u32>>) -> Option<(u32, u32)> {
    class.things.iter().find_map(|thing| {
        let named = but.get(thing).map_or(&[][..], Vec::as_slice);
        let person = people.iter().find(|person| named.binary_search(person).is_err())?;
        Some((*thing, person))
    })
}

/// What reads are asked about knows of no roles.
fn as_asked(action: Action, target: &Target) -> Target {
    if action.is_read() {
        return Target { facts: target.facts.clone(), ..Target::thing(target.resource) };
    }
    target.clone()
}

fn roles(principal: &Principal, project: Option<ProjectId>) -> Vec<Role> {
    let there = principal.projects.iter().filter(|(at, _)| Some(*at) == project);
    let mut roles: Vec<Role> = there.map(|(_, role)| *role).collect();
    roles.sort_unstable();
    roles.dedup();
    roles
}

fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
