//! What a browser calls itself, for people: `Firefox 144 on Windows` instead of the whole `User-Agent`.

use crate::text::Text;

/// Most first: browsers name those that they want to be taken for as well.
const BROWSERS: [(&str, &str); 7] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("HeadlessChrome/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 6] = [
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
];

/// Browser and system of a `User-Agent`; what is not known is shown as it came.
pub(super) fn browser(t: Text, agent: &str) -> String {
    if agent.is_empty() {
        return t.account_browser_unknown().to_owned();
    }
    let browser = BROWSERS.into_iter().find_map(|(mark, name)| {
        let (_, rest) = agent.split_once(mark)?;
        let version: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some(format!("{name} {version}").trim_end().to_owned())
    });
    let system = SYSTEMS.into_iter().find_map(|(mark, name)| agent.contains(mark).then_some(name));
    match (browser, system) {
        (Some(browser), Some(system)) => t.account_browser_on(&browser, system),
        (Some(browser), None) => browser,
        (None, _) => agent.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_called_by_its_name_and_what_is_none_by_its_own() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) \
                    Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like \
                      Gecko) Version/19.1 Mobile/15E148 Safari/604.1";
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0";
        for (agent, said) in [
            (edge, "Edge 141 on Windows"),
            (safari, "Safari 19 on iPhone"),
            (firefox, "Firefox 144 on Linux"),
            ("curl/8.5.0", "curl 8"),
            ("Borrowed laptop", "Borrowed laptop"),
            ("", "Unknown"),
        ] {
            assert_eq!(browser(Text::default(), agent), said);
        }
    }
}
