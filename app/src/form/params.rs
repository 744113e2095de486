//! The query of a list's address: its filters and its place, as links and forms of the page carry them on.

use std::{collections::BTreeMap, convert::Infallible};

use axum::extract::FromRequestParts;
use http::request::Parts;

const MOST: usize = 40;
const LONGEST: usize = 500;

/// Parameters by name; the first of a name counts. What is too long or too much is not there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Reads a query.
    pub fn parse(query: &str) -> Self {
        let mut params = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()).take(MOST) {
            if name.len() <= LONGEST && value.len() <= LONGEST && !value.trim().is_empty() {
                params.entry(name.into_owned()).or_insert_with(|| value.trim().to_owned());
            }
        }
        Self(params)
    }

    /// A parameter; empty if it is not there.
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A parameter as what it stands for; `None` if it is not there or makes no sense.
    pub fn read<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.0.get(name)?.parse().ok()
    }

    /// A parameter, if it is there.
    pub fn some(&self, name: &str) -> Option<String> {
        self.0.get(name).cloned()
    }

    /// Whether any of these narrows the list.
    pub fn any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.0.contains_key(*name))
    }

    /// The address of another page with the same parameters, but these.
    pub fn carried(&self, path: &str, but: &[&str]) -> String {
        self.address(path, |it| !but.contains(&it), None)
    }

    /// The list without a filter, from its first page on.
    pub fn without(&self, path: &str, name: &str) -> String {
        self.address(path, |it| it != name && it != "after", None)
    }

    /// The list from another place on.
    pub fn after(&self, path: &str, place: &str) -> String {
        self.address(path, |it| it != "after", Some(("after", place)))
    }

    /// The list's first page.
    pub fn first(&self, path: &str) -> String {
        self.address(path, |it| it != "after", None)
    }

    fn address(&self, path: &str, keep: impl Fn(&str) -> bool, more: Option<(&str, &str)>) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.0 {
            if keep(name) {
                query.append_pair(name, value);
            }
        }
        if let Some((name, value)) = more {
            query.append_pair(name, value);
        }
        let query = query.finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_the_filters_on() {
        let params = Params::parse("q=a%26b&state=active&after=key_1&empty=&q=other");
        assert_eq!(params.text("q"), "a&b");
        assert_eq!(params.without("/keys", "state"), "/keys?q=a%26b");
        assert_eq!(params.after("/keys", "key_2"), "/keys?q=a%26b&state=active&after=key_2");
        assert!(!params.any(&["empty"]) && params.any(&["empty", "state"]));
        assert_eq!(Params::parse("").first("/keys"), "/keys");
    }
}
