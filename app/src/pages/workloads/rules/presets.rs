//! Where people's tokens usually come from.

use crate::text::Text;

/// What a form begins with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Preset {
    /// Its name in addresses.
    pub(super) slug: &'static str,
    pub(super) issuer: &'static str,
    pub(super) claims: &'static str,
    pub(super) single_use: bool,
}

const PRESETS: [Preset; 3] = [
    Preset {
        slug: "github",
        issuer: "https://token.actions.githubusercontent.com",
        claims: "repository=OWNER/REPOSITORY\nref=refs/heads/main",
        single_use: true,
    },
    Preset {
        slug: "gitlab",
        issuer: "https://gitlab.com",
        claims: "project_path=GROUP/PROJECT\nref=main\nref_protected=true",
        single_use: false,
    },
    Preset {
        slug: "kubernetes",
        issuer: "https://kubernetes.default.svc.cluster.local",
        claims: "sub=system:serviceaccount:NAMESPACE:NAME",
        single_use: false,
    },
];

impl Preset {
    pub(super) fn all() -> impl Iterator<Item = Self> {
        PRESETS.into_iter()
    }

    pub(super) fn named(slug: &str) -> Option<Self> {
        Self::all().find(|it| it.slug == slug)
    }

    pub(super) fn label(self, t: Text) -> &'static str {
        match self.slug {
            "github" => t.rules_github(),
            "gitlab" => t.rules_gitlab(),
            _ => t.rules_kubernetes(),
        }
    }

    /// Whom it admits.
    pub(super) fn admits(self, t: Text) -> &'static str {
        match self.slug {
            "github" => t.rules_github_admits(),
            "gitlab" => t.rules_gitlab_admits(),
            _ => t.rules_kubernetes_admits(),
        }
    }
}
