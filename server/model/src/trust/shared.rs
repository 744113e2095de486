//! Issuers that make tokens for everybody.

/// An issuer from which anybody in the world gets a token, and the claims that say whose it is. A rule that trusts one
/// of them without such a claim would let anybody in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SharedIssuer {
    /// Its name among people.
    pub name: &'static str,
    /// The claims of which a rule must name one.
    pub owners: &'static [&'static str],
}

const GITHUB: SharedIssuer = SharedIssuer {
    name: "GitHub Actions",
    owners: &["sub", "repository", "repository_id", "repository_owner", "repository_owner_id"],
};
const GITLAB: SharedIssuer = SharedIssuer {
    name: "GitLab.com",
    owners: &["sub", "project_path", "project_id", "namespace_path", "namespace_id"],
};
const OTHER: SharedIssuer = SharedIssuer { name: "this issuer", owners: &["sub"] };

/// By host.
const SHARED: &[(&str, SharedIssuer)] = &[
    ("accounts.google.com", OTHER),
    ("agent.buildkite.com", OTHER),
    ("api.pulumi.com", OTHER),
    ("app.terraform.io", OTHER),
    ("gitlab.com", GITLAB),
    ("login.microsoftonline.com", OTHER),
    ("oidc.circleci.com", OTHER),
    ("sts.windows.net", OTHER),
    ("token.actions.githubusercontent.com", GITHUB),
];

impl SharedIssuer {
    /// What is known about the issuer at this host.
    pub(super) fn at(authority: &str) -> Option<Self> {
        let host = authority.strip_suffix(":443").unwrap_or(authority);
        SHARED.iter().find(|(known, _)| *known == host).map(|(_, shared)| *shared)
    }
}
