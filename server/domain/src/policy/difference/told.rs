//! What was found, as it is told: sums, a line for each action and place, and one row for each person and thing.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use keywarden_model::{EnvironmentId, ProjectId};

use super::bits::Bits;
use super::compare::{Cell, Found, OfAction, Pair, Verdict};
use super::world::World;
use super::{Change, RowKey, Sum, When};
use crate::authz::Who;
use crate::{Action, Resource};

/// Lines that are told.
const LINES: usize = 500;

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) now: BTreeMap<Change, Sum>,
    pub(super) sums: BTreeMap<Verdict, Sum>,
    pub(super) lines: Vec<Line>,
    pub(super) more_lines: usize,
    pub(super) rows: Vec<Row>,
    pub(super) more_rows: bool,
}

/// What changes about one action in one place.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) verdict: Verdict,
    pub(super) action: Action,
    pub(super) kind: &'static str,
    pub(super) place: Place,
    pub(super) sum: Sum,
}

/// Where something lies.
pub(super) type Place = (Option<ProjectId>, Option<EnvironmentId>);

/// What changes for one person about one thing.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) verdict: Verdict,
    pub(super) action: Action,
    pub(super) who: String,
    pub(super) thing: Resource,
}

impl Row {
    /// Its place in the list.
    pub(super) fn key(&self) -> RowKey {
        RowKey { action: self.action, thing: self.thing.name().1, who: self.who.clone() }
    }
}

/// Who and what, counted once each. Sets of people are shared for as long as there is only one.
#[derive(Default)]
struct Counted {
    people: Option<Rc<Bits>>,
    things: Vec<u32>,
    /// So many of the things were counted once already.
    once: usize,
    pairs: u64,
}

impl Counted {
    fn add(&mut self, people: &Rc<Bits>, things: &[u32], pairs: u64) {
        match &mut self.people {
            None => self.people = Some(Rc::clone(people)),
            Some(known) if Rc::ptr_eq(known, people) => {}
            Some(known) => Rc::make_mut(known).add(people),
        }
        self.things.extend_from_slice(things);
        // Now and then, so that it stays as small as it can be.
        if self.things.len() > self.once.saturating_mul(2).max(1_024) {
            self.count_once();
        }
        self.pairs = self.pairs.saturating_add(pairs);
    }

    fn count_once(&mut self) {
        self.things.sort_unstable();
        self.things.dedup();
        self.once = self.things.len();
    }

    fn sum(mut self, world: &World) -> Sum {
        self.count_once();
        let people = self.people.unwrap_or_default();
        let workloads = people.iter().filter(|it| is_workload(world, *it)).count() as u64;
        Sum {
            people: people.count().saturating_sub(workloads),
            workloads,
            things: self.things.len() as u64,
            pairs: self.pairs,
        }
    }
}

/// Tells what was found, with the rows after one of them.
pub(super) fn tell(found: &Found, world: &World, after: Option<&RowKey>, limit: usize) -> Told {
    let mut now: BTreeMap<Change, Counted> = BTreeMap::new();
    let mut sums: BTreeMap<Verdict, Counted> = BTreeMap::new();
    let mut told = Told::default();
    for of in &found.actions {
        let mut lines: BTreeMap<(Verdict, Place, &'static str), Counted> = BTreeMap::new();
        let mut note = |verdict: Verdict, people: &Rc<Bits>, things: &[u32], pairs: u64| {
            let Some((place, kind)) = things.first().and_then(|it| place(world, *it)) else { return };
            lines.entry((verdict, place, kind)).or_default().add(people, things, pairs);
            sums.entry(verdict).or_default().add(people, things, pairs);
            if verdict.1 != When::Otherwise {
                now.entry(verdict.0).or_default().add(people, things, pairs);
            }
        };
        for cell in &of.cells {
            for things in by_place(cell, world).values() {
                let (people, things, pairs) = without(cell, things);
                note(cell.verdict, &people, &things, pairs);
            }
        }
        for pair in &of.pairs {
            note(pair.verdict, &Rc::new([pair.person].into_iter().collect()), &[pair.thing], 1);
        }
        told.lines.extend(lines.into_iter().map(|((verdict, place, kind), it)| {
            let sum = it.sum(world);
            Line { verdict, action: of.action, kind, place, sum }
        }));
        // What weighs most first; no more is kept than is told.
        told.lines.sort_by_key(|it| (it.verdict.1, it.verdict.0, Reverse(it.sum.pairs)));
        told.more_lines = told.more_lines.saturating_add(told.lines.len().saturating_sub(LINES));
        told.lines.truncate(LINES);
    }
    told.now = now.into_iter().map(|(change, it)| (change, it.sum(world))).collect();
    told.sums = sums.into_iter().map(|(verdict, it)| (verdict, it.sum(world))).collect();
    if limit > 0 {
        told.rows = rows(found, world, after, limit.saturating_add(1));
        told.more_rows = told.rows.len() > limit;
        told.rows.truncate(limit);
    }
    told
}

fn by_place(cell: &Cell, world: &World) -> HashMap<Place, Vec<u32>> {
    let mut places: HashMap<Place, Vec<u32>> = HashMap::new();
    for thing in cell.things.iter().copied() {
        if let Some((place, _)) = place(world, thing) {
            places.entry(place).or_default().push(thing);
        }
    }
    places
}

/// The people and things of a cell without those who stand otherwise to each other.
fn without(cell: &Cell, things: &[u32]) -> (Rc<Bits>, Vec<u32>, u64) {
    let mut apart: HashMap<u32, usize> = HashMap::new();
    let everybody = cell.people.count();
    let (mut left, mut pairs) = (Vec::with_capacity(things.len()), 0_u64);
    for thing in things {
        let named = cell.but.get(thing).map_or(&[][..], Vec::as_slice);
        let named = named.iter().copied().filter(|it| cell.people.has(*it));
        let mut but = 0_u64;
        for person in named {
            let count = apart.entry(person).or_default();
            *count = count.saturating_add(1);
            but = but.saturating_add(1);
        }
        if but < everybody {
            left.push(*thing);
        }
        pairs = pairs.saturating_add(everybody.saturating_sub(but));
    }
    let stays = |person: &u32| apart.get(person).is_none_or(|count| *count < things.len());
    let gone: Bits = apart.keys().copied().filter(|person| !stays(person)).collect();
    let people = if gone.is_empty() { Rc::clone(&cell.people) } else { Rc::new(cell.people.without(&gone)) };
    (people, left, pairs)
}

/// Rows in the order of actions, things and people, after one of them.
fn rows(found: &Found, world: &World, after: Option<&RowKey>, limit: usize) -> Vec<Row> {
    let order = |action: Action| Action::ALL.iter().position(|it| *it == action);
    let mut rows = Vec::new();
    for of in &found.actions {
        let same = match after.map(|it| order(it.action).cmp(&order(of.action))) {
            Some(std::cmp::Ordering::Greater) => continue,
            Some(std::cmp::Ordering::Equal) => after,
            Some(std::cmp::Ordering::Less) | None => None,
        };
        for (thing, about) in things(of) {
            let Some(resource) = world.things.get(thing as usize).map(|it| it.after().resource) else {
                continue;
            };
            let id = resource.name().1;
            let same = match same {
                Some(key) => match stands(&id, &key.thing) {
                    std::cmp::Ordering::Less => continue,
                    std::cmp::Ordering::Equal => Some(key),
                    std::cmp::Ordering::Greater => None,
                },
                None => None,
            };
            for (person, verdict) in people(&about, thing) {
                let Some(who) = name(world, person) else { continue };
                if same.is_some_and(|key| *who <= *key.who) {
                    continue;
                }
                rows.push(Row { verdict, action: of.action, who, thing: resource });
                if rows.len() >= limit {
                    return rows;
                }
            }
        }
    }
    rows
}

/// Where a thing stands to the one of a key. An action is done to things of one kind, which were read along their ids, but for
/// the organization, which comes first.
fn stands(id: &str, key: &str) -> std::cmp::Ordering {
    const FIRST: &str = "organization";
    (id != FIRST, id).cmp(&(key != FIRST, key))
}

/// What was found about one thing.
#[derive(Default)]
struct About<'a> {
    cells: Vec<&'a Cell>,
    pairs: Vec<&'a Pair>,
}

/// The things about which something changes.
fn things(of: &OfAction) -> BTreeMap<u32, About<'_>> {
    let mut things: BTreeMap<u32, About<'_>> = BTreeMap::new();
    for cell in &of.cells {
        for thing in cell.things.iter() {
            things.entry(*thing).or_default().cells.push(cell);
        }
    }
    for pair in &of.pairs {
        things.entry(pair.thing).or_default().pairs.push(pair);
    }
    things
}

/// For whom something changes about a thing.
fn people(about: &About<'_>, thing: u32) -> BTreeMap<u32, Verdict> {
    let mut people = BTreeMap::new();
    for cell in &about.cells {
        let named = cell.but.get(&thing).map_or(&[][..], Vec::as_slice);
        let others = cell.people.iter().filter(|it| named.binary_search(it).is_err());
        people.extend(others.map(|it| (it, cell.verdict)));
    }
    people.extend(about.pairs.iter().map(|it| (it.person, it.verdict)));
    people
}

fn place(world: &World, thing: u32) -> Option<(Place, &'static str)> {
    let resource = world.things.get(thing as usize)?.after().resource;
    let environment = match resource {
        Resource::ApiKey { environment, .. }
        | Resource::Environment { id: environment, .. }
        | Resource::Secret { environment, .. } => Some(environment),
        Resource::Organization
        | Resource::Person(_)
        | Resource::Project(_)
        | Resource::Team(_)
        | Resource::Workload { .. } => None,
    };
    Some(((resource.project(), environment), resource.name().0))
}

fn is_workload(world: &World, person: u32) -> bool {
    world.people.get(person as usize).is_some_and(|it| matches!(it.before.who, Who::Workload(_)))
}

fn name(world: &World, person: u32) -> Option<String> {
    match &world.people.get(person as usize)?.before.who {
        Who::Nobody => None,
        Who::Operator(id) => Some(id.clone()),
        Who::Person(id) => Some(id.to_string()),
        Who::Workload(id) => Some(id.to_string()),
    }
}
