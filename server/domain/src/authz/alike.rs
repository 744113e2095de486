//! Which things, and which people and workloads, no policy tells apart: for asking about ten thousand of each by asking about a
//! few.
//!
//! What a decision knows is what [`entities::gather`] tells of it. Policies compare it with entities that they name, and the
//! principal with what the thing brings: its owner, or itself. Whatever is neither named nor compared has another id and is the
//! same. So a thing is written down as it is told, every id that is not named left out, and what it brings is kept beside; a
//! new attribute is in it by itself.
//!
//! **Invariant:** of two things alike, and two principals alike who hold the same roles in the thing's project and the same of
//! what it brings, one asked about the other's place gets the same answer (`tests/alike.rs`).

use std::collections::{BTreeSet, HashSet};

use cedar_policy::{Entities, EntityUid, EvalResult, Policy};

use super::principal::Who;
use super::{Action, InForce, PolicyScope, Principal, Resource, Rules, Target, entities};
use crate::Fault;

/// The entities and the tags that policies name.
#[derive(Debug, Clone)]
pub(crate) struct Literals {
    entities: HashSet<EntityUid>,
    tags: BTreeSet<String>,
}

/// Somebody, or a team, as the thing or one of its attributes names them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Brought {
    /// Where: `Person.parent`, `ApiKey.ownerTeam`.
    pub(crate) place: String,
    /// Who, as Cedar writes it.
    pub(crate) whom: String,
}

/// A thing as decisions see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeenThing {
    /// Equal for things that are alike.
    pub(crate) like: String,
    /// Whoever is or holds one of these is told apart from others.
    pub(crate) brings: Vec<Brought>,
}

/// What is always written out: there are few of them.
const KINDS: &[&str] = &["OrganizationRole"];
/// What a principal can be, or hold.
const HOLDERS: &[&str] = &["Operator", "Person", "Team", "Workload"];

impl Literals {
    /// Those of the built-in policies and of these sets.
    pub(crate) fn of<'a>(rules: &Rules, sets: impl IntoIterator<Item = &'a InForce>) -> Self {
        let mut named: HashSet<_> = rules.policies().policies().flat_map(Policy::entity_literals).collect();
        let project = |id| rules.types().uid(&rules.types().project, id);
        let mut tags = BTreeSet::new();
        for set in sets {
            tags.extend(set.asks().tags);
            for deciding in set.deciding() {
                named.extend(deciding.checked.policy.entity_literals());
                // A project's own policy names it by where it holds.
                if let PolicyScope::Project(id) = deciding.scope {
                    named.insert(project(id));
                }
            }
            named.extend(set.blind_projects().map(project));
        }
        Self { entities: named, tags }
    }

    fn writes_out(&self, uid: &EntityUid) -> bool {
        self.entities.contains(uid) || KINDS.contains(&uid.type_name().to_string().as_str())
    }
}

impl Rules {
    /// The thing as decisions about this action see it.
    pub(crate) fn seen_thing(
        &self,
        literals: &Literals,
        action: Action,
        target: &Target,
    ) -> Result<SeenThing, Fault> {
        let told = self.told(&Principal::bare(Who::Nobody), action, target)?;
        let mut writing = Writing { literals, brings: Vec::new() };
        let mut lines: Vec<String> = (told.iter().map(cedar_policy::Entity::uid))
            .filter(|uid| *uid.type_name() != self.types().action)
            .map(|uid| writing.entity(&told, &uid))
            .collect();
        lines.sort_unstable();
        let mut brings = writing.brings;
        brings.sort_unstable();
        brings.dedup();
        lines.extend(same(&brings));
        Ok(SeenThing { like: lines.join("\n"), brings })
    }

    /// The principal as decisions see it, but for roles in projects; equal for those who are alike.
    pub(crate) fn seen_principal(&self, literals: &Literals, principal: &Principal) -> Result<String, Fault> {
        let Some(uid) = entities::principal_uid(self.types(), &principal.who) else {
            return Ok("nobody".to_owned());
        };
        let told = self.told(principal, Action::ViewUsers, &Target::thing(Resource::Organization))?;
        let mut writing = Writing { literals, brings: Vec::new() };
        Ok(writing.entity(&told, &uid))
    }

    /// Whom a thing may bring that the principal is or holds, as Cedar writes it.
    pub(crate) fn is_or_holds(&self, principal: &Principal) -> Vec<String> {
        let teams = principal.teams.iter().map(|team| self.types().uid(&self.types().team, team));
        let itself = entities::principal_uid(self.types(), &principal.who);
        itself.into_iter().chain(teams).map(|uid| uid.to_string()).collect()
    }

    fn told(&self, principal: &Principal, action: Action, target: &Target) -> Result<Entities, Fault> {
        entities::gather(self.types(), principal, action, target)
            .map_err(|cause| Fault::Unexpected(format!("entities: {cause}")))
    }
}

/// Which of the places name the same: policies may compare one with another.
fn same(brings: &[Brought]) -> impl Iterator<Item = String> {
    brings.iter().enumerate().flat_map(|(n, one)| {
        let before = brings.iter().take(n).filter(|it| it.whom == one.whom && it.place != one.place);
        before.map(|it| format!("{}=={}", it.place, one.place))
    })
}

/// Writes entities down, ids that nobody names left out.
struct Writing<'a> {
    literals: &'a Literals,
    brings: Vec<Brought>,
}

impl Writing<'_> {
    fn entity(&mut self, told: &Entities, uid: &EntityUid) -> String {
        let kind = uid.type_name().to_string();
        let itself = self.uid(&format!("{kind}.itself"), uid);
        let attributes = told.get(uid).into_iter().flat_map(cedar_policy::Entity::attrs);
        let mut attributes: Vec<String> = attributes
            .map(|(name, value)| match value {
                Ok(value) => format!("{name}={}", self.value(&format!("{kind}.{name}"), &value)),
                Err(_) => format!("{name}?"),
            })
            .collect();
        // Tags that nobody asks for tell nothing apart.
        let tags = told.get(uid).into_iter().flat_map(cedar_policy::Entity::tags);
        let tags = tags.filter(|(name, _)| self.literals.tags.contains(*name));
        attributes.extend(tags.map(|(name, value)| match value {
            Ok(value) => format!("#{name:?}={value}"),
            Err(_) => format!("#{name:?}?"),
        }));
        attributes.sort_unstable();
        let parents = told.ancestors(uid).into_iter().flatten();
        let mut parents: Vec<String> =
            parents.filter_map(|it| self.parent(&format!("{kind}.parent"), it)).collect();
        parents.sort_unstable();
        parents.dedup();
        format!("{itself}{{{}}}<{}>", attributes.join(","), parents.join(","))
    }

    /// Teams, and roles in projects, of a principal are looked at only where they are named, or brought by a thing.
    fn parent(&mut self, place: &str, uid: &EntityUid) -> Option<String> {
        let kind = uid.type_name().to_string();
        let holds = matches!(kind.as_str(), "ProjectRole" | "Team");
        if holds && !self.literals.writes_out(uid) {
            return None;
        }
        Some(self.uid(place, uid))
    }

    fn uid(&mut self, place: &str, uid: &EntityUid) -> String {
        let kind = uid.type_name().to_string();
        if HOLDERS.contains(&kind.as_str()) {
            self.brings.push(Brought { place: place.to_owned(), whom: uid.to_string() });
        }
        if self.literals.writes_out(uid) { uid.to_string() } else { kind }
    }

    fn value(&mut self, place: &str, value: &EvalResult) -> String {
        match value {
            EvalResult::EntityUid(uid) => self.uid(place, uid),
            EvalResult::Set(set) => {
                let mut items: Vec<String> = set.iter().map(|it| self.value(place, it)).collect();
                items.sort_unstable();
                format!("[{}]", items.join(","))
            }
            EvalResult::Record(record) => {
                let fields = record.iter().map(|(name, it)| {
                    let inner = self.value(&format!("{place}.{name}"), it);
                    format!("{name}:{inner}")
                });
                format!("({})", fields.collect::<Vec<_>>().join(","))
            }
            plain => plain.to_string(),
        }
    }
}
