//! What lists have in common: their addresses.

use crate::shell::encoded;

/// A path with those parameters that have a value.
pub(crate) fn href(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut href = path.to_owned();
    for (name, value) in parameters.iter().filter(|(_, value)| !value.is_empty()) {
        href.push(if href.len() == path.len() { '?' } else { '&' });
        href.push_str(name);
        href.push('=');
        href.push_str(&encoded(value));
    }
    href
}

#[cfg(test)]
mod tests {
    use super::href;

    #[test]
    fn empty_parameters_are_left_out_and_others_cannot_add_any() {
        assert_eq!(href("/people", &[("q", ""), ("state", "")]), "/people");
        assert_eq!(
            href("/people", &[("q", "a&b=c"), ("state", "active")]),
            "/people?q=a%26b%3Dc&state=active"
        );
    }
}
