//! The headers of every response. A handler that knows better (a page's CSP with its nonce, an asset's caching) has set
//! its own already; what nobody set is filled in with the strict answer. No header tells a version.

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// Only names that current browsers know: each other one is a complaint in their console.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), bluetooth=(), camera=(), \
    clipboard-read=(), clipboard-write=(self), display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), \
    gyroscope=(), hid=(), identity-credentials-get=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), \
    midi=(), otp-credentials=(), payment=(), picture-in-picture=(), publickey-credentials-create=(self), \
    publickey-credentials-get=(self), screen-wake-lock=(), serial=(), storage-access=(), usb=(), \
    xr-spatial-tracking=()";

/// For what is not a page: nothing may be loaded, run, framed or posted.
const NOTHING: &str =
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; report-uri /csp-report";

/// Two years, as the preload list asks.
const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Headers that a handler must not loosen, and headers for those that didn't say.
#[derive(Debug)]
pub(super) struct Headers {
    always: Vec<(HeaderName, HeaderValue)>,
    of_documents: Vec<(HeaderName, HeaderValue)>,
    unless_set: Vec<(HeaderName, HeaderValue)>,
}

impl Headers {
    /// `https`: whether people come over TLS, by the public URL.
    pub(super) fn new(https: bool) -> Self {
        let mut always = vec![
            (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                HeaderValue::from_static("same-origin"),
            ),
        ];
        if https {
            always.push((header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS)));
        }
        let of_documents = vec![
            (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS)),
            (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
        ];
        let unless_set = vec![
            (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(NOTHING)),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Self { always, of_documents, unless_set }
    }

    /// Puts the headers on a response, whatever its status.
    pub(super) fn apply(&self, response: &mut Response) {
        let headers = response.headers_mut();
        for (name, value) in &self.always {
            headers.insert(name, value.clone());
        }
        if !is_json(headers) {
            for (name, value) in &self.of_documents {
                headers.insert(name, value.clone());
            }
        }
        for (name, value) in &self.unless_set {
            headers.entry(name).or_insert_with(|| value.clone());
        }
        headers.remove(header::SERVER);
    }
}

/// A window with JSON in it runs no script, under [`NOTHING`] least of all; machines read the rest thousands of times a
/// second.
fn is_json(headers: &HeaderMap) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value == "application/json" || value == "application/problem+json")
}
