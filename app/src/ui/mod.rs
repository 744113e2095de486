//! The design system: pure components, one Rust file and one sheet (`style/ui/<name>.css`) each.
//!
//! Components take their words and the instant from the owner that `render` made ([`words`]); pages give them
//! names, values and addresses. To add one: a file here, a sheet there, a line in `style/main.css`, a place in
//! `gallery`.
//!
//! **Invariant:** no IO, no `style=`, no inline handlers, no `inner_html`.

#![expect(clippy::needless_pass_by_value, reason = "a component owns its props")]

pub mod act;
pub mod badge;
pub mod banner;
pub mod button;
pub mod chart;
pub mod code;
pub mod confirm;
pub mod drain;
pub mod empty;
pub mod facts;
pub mod field;
pub mod filter;
pub mod form;
pub mod header;
pub mod id;
pub mod key_tree;
pub mod panel;
pub mod progress;
pub mod revealed;
pub mod revealed_lines;
pub mod secret;
pub mod table;
pub mod tabs;
pub mod time;

use chrono::{DateTime, Utc};
use leptos::prelude::*;

pub use act::Act;
pub use badge::{Badge, KeyStateBadge, VersionStateBadge, state_name, version_state_name};
pub use banner::Banner;
pub use button::{Actions, Button, ButtonKind, LinkButton};
pub use chart::{BarChart, Sparkline};
pub use code::CodeBlock;
pub use confirm::Confirm;
pub use drain::Drain;
pub use empty::{Action, EmptyState};
pub use facts::{Fact, Facts, fact};
pub use field::{
    CheckboxField, CheckboxGroup, Choice, FieldGroup, FileField, RadioGroup, SelectField, Suggestions,
    TextArea, TextField, TextKind, Writes, choice,
};
pub use filter::{FilterBar, FilterChip, FilterInput, FilterSelect};
pub use form::{Form, Hidden};
pub use header::{Crumb, PageHeader, crumb};
pub use id::Id;
pub use key_tree::{KeyLevel, KeyTree};
pub use panel::Panel;
pub use progress::Progress;
pub use revealed::RevealedValue;
pub use revealed_lines::RevealedLines;
pub use secret::SecretValue;
pub use table::{Column, Pager, Row, Table, cells, row};
pub use tabs::{Tab, Tabs, tab};
pub use time::{Time, absolute, clock, relative};

use crate::text::Text;

/// What a thing means to whoever looks at it. Never by colour alone: words say it too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Broken, refused, irreversible.
    Bad,
    /// As it should be.
    Good,
    /// Worth knowing.
    Info,
    /// A fact.
    #[default]
    Neutral,
    /// Needs somebody soon.
    Warn,
}

impl Tone {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Bad => "bad",
            Self::Good => "good",
            Self::Info => "info",
            Self::Neutral => "neutral",
            Self::Warn => "warn",
        }
    }
}

/// What components find in the owner of a page.
#[derive(Clone, Debug, Default)]
pub struct Words {
    pub(crate) text: Text,
    pub(crate) now: DateTime<Utc>,
    pub(crate) seed: String,
}

/// The page's words and instant; plain English at the epoch where no page is being drawn.
pub(crate) fn words() -> Words {
    use_context().unwrap_or_default()
}
