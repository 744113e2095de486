//! Requests that carry a cookie must come from our own pages. `SameSite=Lax` is not enough (a sibling host is the same
//! site), and Leptos has no defence of its own, so the door asks the two headers that a page cannot forge:
//! `Sec-Fetch-Site` and `Origin`. The machine API needs none of this only because it never reads a cookie.

use std::sync::Arc;

use axum::{extract::Request, response::Response};
use http::{HeaderMap, HeaderValue, Method, header};
use keywarden_model::ProblemKind as Kind;

use super::problem::Problem;
use crate::config::Public;

const SITE: &str = "sec-fetch-site";
const MODE: &str = "sec-fetch-mode";
const DEST: &str = "sec-fetch-dest";

/// The public URL's origin, as browsers write it.
#[derive(Debug, Clone)]
pub(super) struct OwnOrigin(Arc<str>);

impl OwnOrigin {
    pub(super) fn new(public: &Public) -> Self {
        Self(public.origin().into())
    }
}

/// Why a request was turned away.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum CsrfError {
    #[error("this method is not served here")]
    Method,
    #[error("only forms and JSON are taken here")]
    Format,
    #[error(
        "this request does not say which page it came from; use a current browser and open the console at {own}"
    )]
    Unnamed { own: Arc<str> },
    #[error("this request came from another site's page; open the console at {own} and try again there")]
    OtherSite { own: Arc<str> },
}

impl OwnOrigin {
    /// The answer to what another site's page sent.
    pub(super) fn refuses(&self, request: &Request) -> Option<Response> {
        let error = judge(request.method(), request.headers(), &self.0).err()?;
        tracing::info!(%error, "request refused as cross-site");
        let kind = match error {
            CsrfError::Format => Kind::UnsupportedType,
            CsrfError::Method => Kind::Method,
            CsrfError::OtherSite { .. } | CsrfError::Unnamed { .. } => Kind::CrossSite,
        };
        let mut refusal = Problem::new(kind, error.to_string()).about(&self.0).answer(request.headers());
        if error == CsrfError::Method {
            refusal.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        Some(refusal)
    }
}

/// Decides on method and headers alone, before anything is read or looked up.
pub(super) fn judge(method: &Method, headers: &HeaderMap, own: &Arc<str>) -> Result<(), CsrfError> {
    match *method {
        Method::GET | Method::HEAD => judge_reading(headers, own),
        Method::POST | Method::PUT | Method::PATCH | Method::DELETE => {
            judge_sender(headers, own)?;
            judge_format(headers)
        }
        _ => Err(CsrfError::Method),
    }
}

/// Reading across sites is what following a link does, and nothing else: no script, image or frame of another site.
fn judge_reading(headers: &HeaderMap, own: &Arc<str>) -> Result<(), CsrfError> {
    match text(headers, SITE) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) if text(headers, MODE) == Some("navigate") && text(headers, DEST) == Some("document") => {
            Ok(())
        }
        Some(_) => Err(CsrfError::OtherSite { own: Arc::clone(own) }),
    }
}

fn judge_sender(headers: &HeaderMap, own: &Arc<str>) -> Result<(), CsrfError> {
    let one = |name: &str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => Ok(Some(value.as_bytes())),
            (Some(_), Some(_)) => Err(CsrfError::OtherSite { own: Arc::clone(own) }),
        }
    };
    match (one(SITE)?, one(header::ORIGIN.as_str())?) {
        (None, None) => Err(CsrfError::Unnamed { own: Arc::clone(own) }),
        (site, origin)
            if site.is_none_or(|site| site == b"same-origin")
                && origin.is_none_or(|origin| origin == own.as_bytes()) =>
        {
            Ok(())
        }
        _ => Err(CsrfError::OtherSite { own: Arc::clone(own) }),
    }
}

/// Forms and JSON; nothing at all only when there is no body.
fn judge_format(headers: &HeaderMap) -> Result<(), CsrfError> {
    let Some(kind) = headers.get(header::CONTENT_TYPE) else {
        let empty = text(headers, header::CONTENT_LENGTH.as_str()).is_none_or(|length| length == "0");
        let chunked = headers.contains_key(header::TRANSFER_ENCODING);
        return if empty && !chunked { Ok(()) } else { Err(CsrfError::Format) };
    };
    let kind =
        kind.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "application/x-www-form-urlencoded" | "application/json" | "multipart/form-data" => Ok(()),
        _ => Err(CsrfError::Format),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::HeaderName;

    use super::*;

    const OWN: &str = "https://keys.example.com";
    const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

    fn judged(method: &Method, pairs: &[(&str, &str)]) -> Result<(), CsrfError> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap());
        }
        judge(method, &headers, &OWN.into())
    }

    fn unsafe_methods() -> [Method; 4] {
        [Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
    }

    #[test]
    fn a_post_needs_our_own_origin_in_every_header_that_is_there() {
        let senders: &[(&[(&str, &str)], bool)] = &[
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("origin", OWN)], true),
            (&[("sec-fetch-site", "same-origin"), ("origin", OWN)], true),
            (&[], false),
            (&[("sec-fetch-site", "none")], false),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "")], false),
            (&[("sec-fetch-site", "SAME-ORIGIN")], false),
            (&[("origin", "null")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "http://keys.example.com")], false),
            (&[("origin", "https://keys.example.com:444")], false),
            (&[("origin", "https://keys.example.com.evil.example")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", OWN)], false),
            (&[("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")], false),
            (&[("origin", OWN), ("origin", "https://evil.example")], false),
            (&[("referer", "https://keys.example.com/")], false),
        ];
        for method in unsafe_methods() {
            for (sender, allowed) in senders {
                let pairs = [sender, &[FORM][..]].concat();
                assert_eq!(judged(&method, &pairs).is_ok(), *allowed, "{method} {sender:?}");
            }
        }
    }

    #[test]
    fn only_forms_and_json_are_taken() {
        let ours = ("sec-fetch-site", "same-origin");
        for method in unsafe_methods() {
            for kind in [
                "application/x-www-form-urlencoded",
                "application/json; charset=utf-8",
                "Application/JSON",
                "multipart/form-data; boundary=x",
            ] {
                assert_eq!(judged(&method, &[ours, ("content-type", kind)]), Ok(()), "{method} {kind}");
            }
            for kind in [
                "text/plain",
                "multipart/mixed; boundary=x",
                "application/xml",
                "",
                "text/plain; application/json",
            ] {
                assert_eq!(
                    judged(&method, &[ours, ("content-type", kind)]),
                    Err(CsrfError::Format),
                    "{method} {kind}"
                );
            }
            assert_eq!(judged(&method, &[ours]), Ok(()));
            assert_eq!(judged(&method, &[ours, ("content-length", "0")]), Ok(()));
            assert_eq!(judged(&method, &[ours, ("content-length", "5")]), Err(CsrfError::Format));
            assert_eq!(judged(&method, &[ours, ("transfer-encoding", "chunked")]), Err(CsrfError::Format));
        }
    }

    #[test]
    fn reading_across_sites_is_following_a_link_and_nothing_else() {
        let across = ("sec-fetch-site", "cross-site");
        for method in [Method::GET, Method::HEAD] {
            assert!(judged(&method, &[]).is_ok());
            assert!(judged(&method, &[("sec-fetch-site", "none")]).is_ok());
            assert!(
                judged(&method, &[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")]).is_ok()
            );
            let link = [across, ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
            assert!(judged(&method, &link).is_ok());
            for (mode, dest) in
                [("no-cors", "image"), ("no-cors", "script"), ("cors", "empty"), ("navigate", "iframe")]
            {
                let pairs = [across, ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)];
                assert!(judged(&method, &pairs).is_err(), "{mode} {dest}");
            }
        }
    }

    #[test]
    fn other_methods_are_not_served() {
        let ours = [("sec-fetch-site", "same-origin"), ("origin", OWN)];
        for method in [Method::TRACE, Method::CONNECT, Method::OPTIONS, Method::from_bytes(b"PURGE").unwrap()]
        {
            assert_eq!(judged(&method, &ours), Err(CsrfError::Method));
            let mut request = Request::new(Body::empty());
            *request.method_mut() = method;
            let refusal = OwnOrigin(OWN.into()).refuses(&request).unwrap();
            assert_eq!(refusal.status().as_u16(), 405);
            assert_eq!(refusal.headers()["allow"], "GET, HEAD");
        }
    }
}
