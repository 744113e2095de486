//! The console's small cookies: preferences and the flash. Sessions are not made here.

use http::{HeaderMap, HeaderValue, header};

use crate::console::Console;

/// How long a browser keeps a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// Until the next page took it: at most a minute.
    Minute,
    /// Gone at once.
    None,
    /// A preference: a year.
    Year,
}

/// The value of one of our cookies; `name` without its prefix.
pub fn cookie<'a>(headers: &'a HeaderMap, console: Console, name: &str) -> Option<&'a str> {
    let wanted = full_name(console, name);
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == wanted).then_some(value))
}

/// A `Set-Cookie` line; `None` if the value holds what a cookie cannot. Script never reads our cookies.
pub fn set_cookie(console: Console, name: &str, value: &str, lifetime: Lifetime) -> Option<HeaderValue> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"-_.".contains(&b);
    if !value.bytes().all(fits) {
        return None;
    }
    let age = match lifetime {
        Lifetime::Minute => 60,
        Lifetime::None => 0,
        Lifetime::Year => 31_536_000,
    };
    let name = full_name(console, name);
    let secure = if console.https { "; Secure" } else { "" };
    let line = format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&line).ok()
}

/// Under TLS a sibling host can neither set nor shadow them (RFC 6265bis, 4.1.3.2).
fn full_name(console: Console, name: &str) -> String {
    format!("{}kw-{name}", if console.https { "__Host-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn console(https: bool) -> Console {
        Console::new(https, |_| None)
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_alone() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("kw-theme=dark; __Host-kw-theme=light"));
        headers.append(header::COOKIE, HeaderValue::from_static("kw-locale=en"));
        assert_eq!(cookie(&headers, console(false), "theme"), Some("dark"));
        assert_eq!(cookie(&headers, console(true), "theme"), Some("light"));
        assert_eq!(cookie(&headers, console(false), "locale"), Some("en"));
        assert_eq!(cookie(&headers, console(true), "locale"), None);
    }

    #[test]
    fn under_tls_cookies_belong_to_this_host() {
        let line = set_cookie(console(true), "theme", "dark", Lifetime::Year).unwrap();
        assert_eq!(line, "__Host-kw-theme=dark; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure");
        let line = set_cookie(console(false), "theme", "dark", Lifetime::None).unwrap();
        assert_eq!(line, "kw-theme=dark; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }

    #[test]
    fn a_value_that_would_end_the_cookie_is_not_set() {
        assert!(set_cookie(console(false), "theme", "dark; Domain=evil.example", Lifetime::Year).is_none());
    }
}
