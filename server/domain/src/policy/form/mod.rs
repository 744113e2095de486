//! A policy as a form: who can do what to which things, when, unless.
//!
//! [`Form::read`] makes a form of Cedar text, [`Form::to_text`] Cedar text of a form. **Invariants:** a form says what its
//! text says: reading writes the form down again and compares both as Cedar's JSON, so that a policy that the form
//! cannot show is refused, and the refusal says which part it was. A condition that no test of ours knows is kept in
//! the form as its own text. Nothing here decides or stores.

mod fields;
mod read;
mod takes;
mod write;

use std::collections::BTreeMap;

pub use fields::{Field, Operator, field, fields};
pub use read::{NotShown, same};
pub use takes::Takes;
pub use write::{Flaw, Wrong};

#[cfg(test)]
pub(crate) mod tests;

/// How deep groups lie in each other; what is deeper is shown as text.
pub const DEEPEST: usize = 6;

/// One policy, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// What stands above it: `@id("…")` and the like.
    pub annotations: BTreeMap<String, Option<String>>,
    /// Whether it gives or takes.
    pub effect: Effect,
    /// Who.
    pub who: Scope,
    /// What they do.
    pub what: What,
    /// To which things.
    pub things: Scope,
    /// When, and unless: all of them count.
    pub clauses: Vec<Clause>,
}

/// Whether a policy gives or takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Must never.
    Forbid,
    /// Can.
    Permit,
}

/// Something by its kind and id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// `Team`.
    pub kind: String,
    /// Its id.
    pub id: String,
}

/// Whom, or what, a policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everybody, everything.
    All,
    /// One.
    Equal(Named),
    /// One, and what belongs to it.
    In(Named),
    /// Everything of a kind.
    Is(String),
    /// Everything of a kind that belongs to something.
    IsIn(String, Named),
}

/// What a policy lets people do, or forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// Anything.
    All,
    /// One action.
    Equal(String),
    /// The actions of a group.
    In(String),
    /// Any of these actions and groups.
    Listed(Vec<String>),
}

/// A part after `when` or `unless`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// It is `unless`.
    pub unless: bool,
    /// All of, or any of.
    pub group: Group,
}

/// Conditions that count together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Group {
    /// One of them is enough.
    pub any: bool,
    /// The conditions.
    pub of: Vec<Condition>,
}

/// What must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Several, together.
    Group(Group),
    /// The contrary of several together.
    Not(Group),
    /// A comparison.
    Test(Test),
    /// Cedar text that no comparison of ours says.
    Text(String),
}

/// A comparison: a field, how it is compared, with what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Test {
    /// The field's name.
    pub field: String,
    /// The operator's name.
    pub operator: String,
    /// With what.
    pub value: String,
}

impl Default for Form {
    /// Nobody is forbidden anything yet: a form that somebody begins with.
    fn default() -> Self {
        Self {
            annotations: BTreeMap::new(),
            effect: Effect::Forbid,
            who: Scope::All,
            what: What::All,
            things: Scope::All,
            clauses: Vec::new(),
        }
    }
}
