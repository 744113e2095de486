//! What a token must claim.

use std::collections::BTreeMap;
use std::fmt;

use super::{HttpsUrl, SharedIssuer};

/// Claims of the token's own, judged elsewhere and never a rule's.
const RESERVED: [&str; 6] = ["aud", "exp", "iat", "iss", "jti", "nbf"];

/// Claims that a token must have: each one exactly as written, or `…/*` for whatever stands in that one place. All of
/// them must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimRules(BTreeMap<String, String>);

/// What a claim's value is, as far as rules look at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimShape {
    /// A list or an object: no rule matches it.
    Other,
    /// A text, a whole number or a truth value, as written.
    Text(String),
}

/// Why these are no rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimRulesError {
    /// The issuer makes tokens for everybody, and no claim says whose.
    #[error("anybody can get a token from {issuer}: name one of {}", owners.join(", "))]
    Anybody {
        /// What people call the issuer.
        issuer: &'static str,
        /// What would say whose it is.
        owners: &'static [&'static str],
    },
    /// None at all.
    #[error("name at least one claim, as `sub=…`")]
    Empty,
    /// Only patterns.
    #[error("write at least one claim without `*`")]
    OnlyPatterns,
    /// A claim is judged by its own field, or by itself.
    #[error("`{0}` is checked for every token: name another claim")]
    Reserved(String),
    /// A line without `=`, or a name that is none.
    #[error("`{0}` is no claim: write `name=value`, one a line")]
    Malformed(String),
    /// Twice.
    #[error("`{0}` stands twice")]
    Repeated(String),
    /// Too long or too many.
    #[error("use at most 16 claims, with names of at most 100 and values of at most 300 characters")]
    TooLarge,
    /// A star elsewhere than after the last slash.
    #[error(
        "`{0}` could admit more than it says: `*` stands only at the end after a `/`, and means one name"
    )]
    Wide(String),
}

impl ClaimRules {
    /// The most claims.
    pub const MAX: usize = 16;
    const NAME: usize = 100;
    const VALUE: usize = 300;

    /// Reads names and values.
    pub fn new<N, V>(pairs: impl IntoIterator<Item = (N, V)>) -> Result<Self, ClaimRulesError>
    where
        N: Into<String>,
        V: Into<String>,
    {
        let mut rules = BTreeMap::new();
        for (name, value) in pairs {
            let (name, value): (String, String) = (name.into(), value.into());
            check(&name, &value)?;
            if rules.len() == Self::MAX {
                return Err(ClaimRulesError::TooLarge);
            }
            if rules.insert(name.clone(), value).is_some() {
                return Err(ClaimRulesError::Repeated(name));
            }
        }
        if rules.is_empty() {
            return Err(ClaimRulesError::Empty);
        }
        if rules.values().all(|value| value.ends_with('*')) {
            return Err(ClaimRulesError::OnlyPatterns);
        }
        Ok(Self(rules))
    }

    /// Reads lines of `name=value`.
    pub fn from_lines(text: &str) -> Result<Self, ClaimRulesError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let pairs = lines.map(|line| {
            let malformed = || ClaimRulesError::Malformed(line.chars().take(80).collect());
            let (name, value) = line.split_once('=').ok_or_else(malformed)?;
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        });
        Self::new(pairs.collect::<Result<Vec<_>, _>>()?)
    }

    /// Whether they say whose tokens these are, where the issuer makes them for everybody.
    pub fn suit(&self, issuer: &HttpsUrl) -> Result<(), ClaimRulesError> {
        let Some(shared) = SharedIssuer::at(issuer.authority()) else { return Ok(()) };
        let says = |name: &&str| self.0.contains_key(*name);
        if shared.owners.iter().any(says) {
            return Ok(());
        }
        Err(ClaimRulesError::Anybody { issuer: shared.name, owners: shared.owners })
    }

    /// Names and values, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// One a line, as [`ClaimRules::from_lines`] reads them.
    pub fn to_lines(&self) -> String {
        let lines: Vec<_> = self.iter().map(|(name, value)| format!("{name}={value}")).collect();
        lines.join("\n")
    }

    /// The names whose claims are not as they must be.
    pub fn misses<'a>(
        &'a self,
        claim: impl Fn(&str) -> Option<ClaimShape> + 'a,
    ) -> impl Iterator<Item = &'a str> {
        self.iter().filter(move |(name, wanted)| !matches(wanted, claim(name))).map(|(name, _)| name)
    }
}

impl fmt::Display for ClaimRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_lines())
    }
}

fn check(name: &str, value: &str) -> Result<(), ClaimRulesError> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_graphic() && c != '=') {
        return Err(ClaimRulesError::Malformed(name.chars().take(80).collect()));
    }
    if name.len() > ClaimRules::NAME || value.chars().count() > ClaimRules::VALUE {
        return Err(ClaimRulesError::TooLarge);
    }
    if RESERVED.contains(&name) {
        return Err(ClaimRulesError::Reserved(name.to_owned()));
    }
    if value.trim().is_empty() || value.trim() != value || value.chars().any(char::is_control) {
        return Err(ClaimRulesError::Malformed(name.to_owned()));
    }
    if let Some(before) = value.find('*').and_then(|at| value.get(..at)) {
        let last = value.strip_prefix(before) == Some("*");
        let whole = before
            .strip_suffix('/')
            .is_some_and(|parent| !parent.is_empty() && !parent.ends_with(['/', ':']));
        if !last || !whole {
            return Err(ClaimRulesError::Wide(value.to_owned()));
        }
    }
    Ok(())
}

/// A `*` stands for one name: neither `/` nor `:` may be in it, so that a pattern for one place of a path never reaches
/// into the next one.
fn matches(wanted: &str, claimed: Option<ClaimShape>) -> bool {
    let Some(ClaimShape::Text(claimed)) = claimed else { return false };
    match wanted.strip_suffix('*') {
        None => wanted == claimed,
        Some(before) => {
            claimed.strip_prefix(before).is_some_and(|name| !name.is_empty() && !name.contains(['/', ':']))
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rules(lines: &str) -> Result<ClaimRules, ClaimRulesError> {
        ClaimRules::from_lines(lines)
    }

    fn admits(rule: &str, claimed: &str) -> bool {
        let rules = rules(&format!("who=me\nref={rule}")).unwrap();
        let misses = rules.misses(|name| {
            Some(ClaimShape::Text(if name == "who" { "me".into() } else { claimed.to_owned() }))
        });
        misses.count() == 0
    }

    #[test]
    fn claims_are_compared_letter_by_letter() {
        assert!(admits("refs/heads/main", "refs/heads/main"));
        for other in ["refs/heads/Main", "refs/heads/main2", "refs/heads/mai", " refs/heads/main", ""] {
            assert!(!admits("refs/heads/main", other), "{other}");
        }
        let rules = rules("a=1").unwrap();
        assert_eq!(rules.misses(|_| None).collect::<Vec<_>>(), ["a"]);
        assert_eq!(rules.misses(|_| Some(ClaimShape::Other)).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn a_star_is_one_name_and_reaches_no_further() {
        assert!(admits("refs/heads/*", "refs/heads/main"));
        assert!(admits("octo-org/*", "octo-org/shop"));
        for wider in [
            "octo-org-evil/shop",
            "octo-org/",
            "octo-org",
            "octo-org/shop/x",
            "octo-org/shop:pull_request",
            "octo-org/shop:ref:refs/heads/main",
            "evil/octo-org/shop",
        ] {
            assert!(!admits("octo-org/*", wider), "{wider}");
        }
        assert!(!admits("repo:octo-org/*", "repo:octo-org/shop:pull_request"));
    }

    #[test]
    fn a_star_that_could_widen_by_accident_is_refused() {
        for wide in [
            "*",
            "repo:octo-org*",
            "repo:*",
            "repo:octo-org/shop:*",
            "/*",
            "a/*/b",
            "*/a",
            "a/**",
            "a:/*",
            "a//*",
            "a/b*",
        ] {
            assert_eq!(rules(&format!("x=1\nsub={wide}")), Err(ClaimRulesError::Wide(wide.into())), "{wide}");
        }
        assert_eq!(rules("repository=octo-org/*"), Err(ClaimRulesError::OnlyPatterns));
    }

    #[test]
    fn lines_are_read_strictly_and_written_back() {
        let text = "ref=refs/heads/main\nrepository=octo-org/shop";
        assert_eq!(rules(&format!("  {text}\n\n")).unwrap().to_lines(), text);
        assert_eq!(rules("sub=a=b").unwrap().iter().next(), Some(("sub", "a=b")));
        assert_eq!(rules(""), Err(ClaimRulesError::Empty));
        assert_eq!(rules("a=1\na=2"), Err(ClaimRulesError::Repeated("a".into())));
        for name in RESERVED {
            assert_eq!(rules(&format!("{name}=x")), Err(ClaimRulesError::Reserved(name.into())));
        }
        for wrong in ["sub", "=x", "a b=c", "sub=", "ä=x"] {
            assert!(matches!(rules(wrong), Err(ClaimRulesError::Malformed(_))), "{wrong}");
        }
        let many = (0..17).map(|n| format!("c{n}=x")).collect::<Vec<_>>().join("\n");
        for large in [many, format!("a={}", "x".repeat(301)), format!("{}=x", "a".repeat(101))] {
            assert_eq!(rules(&large), Err(ClaimRulesError::TooLarge));
        }
    }

    #[test]
    fn an_issuer_that_everybody_uses_needs_a_claim_that_says_whose() {
        let github: HttpsUrl = "https://token.actions.githubusercontent.com".parse().unwrap();
        let own: HttpsUrl = "https://git.example.com".parse().unwrap();
        let branch = rules("ref=refs/heads/main").unwrap();
        assert!(matches!(branch.suit(&github), Err(ClaimRulesError::Anybody { .. })));
        assert_eq!(branch.suit(&own), Ok(()));
        let repository = rules("repository=octo-org/shop").unwrap();
        assert_eq!(repository.suit(&github), Ok(()));
        for spelled in [
            "https://token.actions.githubusercontent.com:443",
            "https://gitlab.com/",
            "https://app.terraform.io",
        ] {
            assert!(branch.suit(&spelled.parse().unwrap()).is_err(), "{spelled}");
        }
    }

    proptest! {
        #[test]
        fn what_a_star_admits_begins_with_what_stands_before_it(claimed in "(org/|org|orga/|x/org/)[a-z/:]{0,6}") {
            if admits("org/*", &claimed) {
                let rest = claimed.strip_prefix("org/").unwrap();
                prop_assert!(!rest.is_empty() && !rest.contains(['/', ':']));
            }
        }
    }
}
