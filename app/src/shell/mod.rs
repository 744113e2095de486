//! What a page's frame shows: who is signed in, where in the console they are, what needs saying on every
//! page. Handlers fill a [`Shell`]; `layout` draws it.

mod cookies;
mod decision;
mod flash;
mod theme;
mod visit;

use chrono::{DateTime, Utc};

pub use cookies::{Lifetime, cookie, set_cookie};
pub use decision::Decision;
pub use flash::Flash;
pub use theme::Theme;
pub(crate) use visit::encoded;
pub use visit::{Visit, back_path};

use crate::{console::Console, text::Text};

/// Everything around a page's own view.
#[derive(Clone, Debug)]
pub struct Shell {
    /// Assets and cookie flags.
    pub console: Console,
    /// The words, in the visitor's locale.
    pub text: Text,
    /// Light, dark, or as the system.
    pub theme: Theme,
    /// The one instant of this operation; relative times count from it.
    pub now: DateTime<Utc>,
    /// Random text of this rendering, from which forms take their idempotency keys.
    pub seed: String,
    /// Path and query of this page.
    pub path: String,
    /// The request's id, for pages that report a fault.
    pub request_id: String,
    /// Who is signed in; `None` draws the bare frame without navigation.
    pub who: Option<Who>,
    /// Where in the navigation this page is.
    pub section: Option<Section>,
    /// The projects this person may enter, for the switcher.
    pub projects: Vec<ProjectLink>,
    /// Whether they may see policies anywhere.
    pub policies: bool,
    /// How many requests for access wait for this person's answer.
    pub access_waiting: usize,
    /// How many notices they have not read.
    pub unread: u64,
    /// The project this page is in.
    pub project: Option<ProjectLink>,
    /// What wraps the keys.
    pub protection: Protection,
    /// Whether the node can do its work.
    pub condition: Condition,
    /// Until when changes need no passkey again; `None` where the next one asks for it.
    pub proven_until: Option<DateTime<Utc>>,
    /// Rights this person has for a limited time.
    pub elevations: Vec<Elevation>,
    /// What the request before this one did.
    pub flash: Option<Flash>,
    /// Whether the page is the answer to a post.
    pub posted: bool,
    /// What a refusal is found by.
    pub decision: Decision,
}

/// The person whose session this is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// What the person is called.
    pub name: String,
    /// What tells people of one name apart: an address or a role.
    pub detail: String,
}

/// A project in the switcher.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectLink {
    /// Its slug, part of its address.
    pub slug: String,
    /// Its name.
    pub name: String,
}

/// The places of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Access that is asked for.
    Access,
    /// Your own account; in the account menu, not in the navigation.
    Account,
    /// The audit timeline.
    Audit,
    /// What needs this person.
    Home,
    /// API keys.
    Keys,
    /// "Found a key?".
    Leaks,
    /// People, teams, invitations.
    People,
    /// Who may do what, beside roles.
    Policies,
    /// Projects and environments.
    Projects,
    /// Secrets.
    Secrets,
    /// Seals, nodes, settings.
    System,
    /// Machine identities.
    Workloads,
}

impl Section {
    /// Its address.
    pub fn href(self) -> &'static str {
        match self {
            Self::Access => "/access",
            Self::Account => "/account",
            Self::Audit => "/audit",
            Self::Home => "/",
            Self::Keys => "/keys",
            Self::Leaks => "/leaks",
            Self::People => "/people",
            Self::Policies => "/policies",
            Self::Projects => "/projects",
            Self::Secrets => "/secrets",
            Self::System => "/system",
            Self::Workloads => "/workloads",
        }
    }

    /// Its name.
    pub fn name(self, t: Text) -> &'static str {
        match self {
            Self::Access => t.access(),
            Self::Account => t.account(),
            Self::Audit => t.audit(),
            Self::Home => t.home(),
            Self::Keys => t.keys(),
            Self::Leaks => t.leaks(),
            Self::People => t.people(),
            Self::Policies => t.policies(),
            Self::Projects => t.projects(),
            Self::Secrets => t.secrets(),
            Self::System => t.system(),
            Self::Workloads => t.workloads(),
        }
    }
}

/// What wraps the key-encryption keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protection {
    /// Hardware; nothing needs saying.
    #[default]
    Hardware,
    /// Software on this machine; the header says so on every page.
    Software,
}

/// Whether this node can do its work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// The HSM was lost while running; keys in memory serve until `until`.
    Degraded {
        /// When it was last reached.
        since: DateTime<Utc>,
        /// When the node zeroizes its keys.
        until: DateTime<Utc>,
    },
    /// All is well.
    #[default]
    Ready,
    /// No keys.
    Sealed {
        /// Since when.
        since: DateTime<Utc>,
    },
}

/// A right that ends by itself: an orange banner on every page until then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Elevation {
    /// What the person may do now.
    pub role: String,
    /// When it ends.
    pub until: DateTime<Utc>,
    /// Where it can be given back.
    pub give_back: String,
}

impl Shell {
    /// The frame of a page before anybody is known: no navigation, nothing to say.
    ///
    /// `seed` is fresh randomness (128 bits as text).
    pub fn new(console: Console, visit: Visit, now: DateTime<Utc>, seed: String) -> Self {
        let Visit { text, theme, path, request_id, flash, posted } = visit;
        Self {
            console,
            text,
            theme,
            now,
            seed,
            path,
            request_id,
            who: None,
            section: None,
            projects: Vec::new(),
            policies: false,
            access_waiting: 0,
            unread: 0,
            project: None,
            protection: Protection::default(),
            condition: Condition::default(),
            proven_until: None,
            elevations: Vec::new(),
            flash,
            posted,
            decision: Decision::default(),
        }
    }

    /// A bare frame for pages without forms and times, where no operation has begun.
    pub(crate) fn unmoved(console: Console, visit: Visit) -> Self {
        Self::new(console, visit, DateTime::UNIX_EPOCH, String::new())
    }
}
