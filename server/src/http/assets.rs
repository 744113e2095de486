//! The console's browser files, served from the binary: script, wasm, style sheet, icons.
//!
//! Their names carry the hash of their bytes, so a browser may keep them for ever. `build.rs` compiles the
//! table from what `app/bundle` made; without a bundle it is empty and every asset is not found.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, IF_NONE_MATCH, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What `app/bundle` made; see `build.rs`.
static BUNDLE: &[Asset] = include!(concat!(env!("OUT_DIR"), "/bundle.rs"));

/// One file of the bundle.
#[derive(Debug)]
struct Asset {
    /// The plain name: `keywarden.js`.
    name: &'static str,
    /// Where it is served: `/assets/keywarden.<hash>.js`.
    path: &'static str,
    content_type: &'static str,
    identity: &'static [u8],
    brotli: Option<&'static [u8]>,
    gzip: Option<&'static [u8]>,
}

/// The content codings (RFC 9110, 8.4.1) in which an asset may be sent, the smallest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
    Identity,
}

/// `GET /assets/{file}`: for everybody, with or without a session.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/assets/{file}", get(show))
}

/// Where the asset with this plain name (`keywarden.js`, `passkey.js`) is served; `None` if this binary was
/// built without it.
pub(crate) fn path(name: &str) -> Option<&'static str> {
    BUNDLE.iter().find(|asset| asset.name == name).map(|asset| asset.path)
}

async fn show(Path(file): Path<String>, headers: HeaderMap) -> Response {
    match find(BUNDLE, &file) {
        Some(asset) => answer(asset, &headers),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

fn find<'a>(bundle: &'a [Asset], file: &str) -> Option<&'a Asset> {
    bundle.iter().find(|asset| asset.path.strip_prefix("/assets/") == Some(file))
}

fn answer(asset: &Asset, headers: &HeaderMap) -> Response {
    let accepted = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let coding = choose(&accepted.collect::<Vec<_>>().join(","), asset);
    let etag = asset.etag(coding);

    let mut response = if headers.get_all(IF_NONE_MATCH).iter().any(|known| matches(known, &etag)) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = Response::new(Body::from(Bytes::from_static(asset.bytes(coding))));
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(asset.content_type));
        if let Some(name) = coding.name() {
            response.headers_mut().insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(ETAG, etag);
    }
    response
}

/// The coding that the client likes best among those there are (RFC 9110, 12.5.3); the smallest where it does
/// not care. A client that accepts nothing we have gets the plain bytes.
fn choose(accepted: &str, asset: &Asset) -> Coding {
    let there = [
        (Coding::Brotli, asset.brotli.is_some()),
        (Coding::Gzip, asset.gzip.is_some()),
        (Coding::Identity, true),
    ];
    let mut best = (Coding::Identity, 0);
    for (coding, _) in there.into_iter().filter(|(_, there)| *there) {
        let weight = weight(accepted, coding);
        if weight > best.1 {
            best = (coding, weight);
        }
    }
    best.0
}

/// How much the client wants a coding, in thousandths; 0 is a refusal.
fn weight(accepted: &str, coding: Coding) -> u16 {
    let mut any = None;
    for item in accepted.split(',') {
        let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
        let weight = parameters.trim().strip_prefix("q=").map_or(Some(1000), thousandths).unwrap_or(0);
        match name.trim() {
            "*" => any = Some(weight),
            name if name.eq_ignore_ascii_case(coding.name().unwrap_or("identity")) => return weight,
            _ => {}
        }
    }
    // Not named: identity is the last resort, anything else is not understood.
    any.unwrap_or(u16::from(coding == Coding::Identity))
}

/// A `qvalue` (RFC 9110, 12.4.2): 0 to 1 with at most three decimals.
fn thousandths(quality: &str) -> Option<u16> {
    let (whole, decimals) = quality.trim().split_once('.').unwrap_or((quality.trim(), ""));
    if decimals.len() > 3 {
        return None;
    }
    let value: u16 = format!("{whole}{decimals:0<3}").parse().ok()?;
    (value <= 1000).then_some(value)
}

/// Whether an `If-None-Match` names this entity tag (weak comparison, RFC 9110, 13.1.2).
fn matches(known: &HeaderValue, etag: &str) -> bool {
    known.to_str().is_ok_and(|known| {
        known.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

impl Asset {
    fn bytes(&self, coding: Coding) -> &'static [u8] {
        match coding {
            Coding::Brotli => self.brotli.unwrap_or(self.identity),
            Coding::Gzip => self.gzip.unwrap_or(self.identity),
            Coding::Identity => self.identity,
        }
    }

    /// A strong tag; each coding is a representation of its own.
    fn etag(&self, coding: Coding) -> String {
        let file = self.path.strip_prefix("/assets/").unwrap_or(self.path);
        format!("\"{file}{}\"", coding.name().map(|name| format!("-{name}")).unwrap_or_default())
    }
}

impl Coding {
    fn name(self) -> Option<&'static str> {
        match self {
            Self::Brotli => Some("br"),
            Self::Gzip => Some("gzip"),
            Self::Identity => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Request;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    const SCRIPT: Asset = Asset {
        name: "keywarden.js",
        path: "/assets/keywarden.0a.js",
        content_type: "text/javascript; charset=utf-8",
        identity: b"plain",
        brotli: Some(b"br"),
        gzip: Some(b"gz"),
    };
    const PICTURE: Asset = Asset {
        name: "dot.gif",
        path: "/assets/dot.0b.gif",
        content_type: "image/gif",
        identity: b"GIF",
        brotli: None,
        gzip: None,
    };

    fn asked(asset: &Asset, headers: &[(HeaderName, &'static str)]) -> Response {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        answer(asset, &headers)
    }

    async fn body(response: Response) -> Bytes {
        response.into_body().collect().await.unwrap().to_bytes()
    }

    #[test]
    fn the_client_gets_the_coding_it_likes_best() {
        for (accepted, coding) in [
            ("", Coding::Identity),
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip, deflate", Coding::Gzip),
            ("GZIP", Coding::Gzip),
            ("br;q=0.5, gzip;q=0.8", Coding::Gzip),
            ("br;q=0, *", Coding::Gzip),
            ("*", Coding::Brotli),
            ("*;q=0", Coding::Identity),
            ("br; q=0", Coding::Identity),
            ("br;q=0.2, identity", Coding::Identity),
            ("br;q=nonsense, gzip;q=0.001", Coding::Gzip),
            ("zstd", Coding::Identity),
        ] {
            assert_eq!(choose(accepted, &SCRIPT), coding, "{accepted:?}");
            assert_eq!(choose(accepted, &PICTURE), Coding::Identity, "{accepted:?}");
        }
    }

    #[tokio::test]
    async fn an_asset_is_kept_for_ever_and_never_guessed_at() {
        let response = asked(&SCRIPT, &[(ACCEPT_ENCODING, "br")]);
        assert_eq!(response.status(), StatusCode::OK);
        let headers = response.headers();
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(headers[CONTENT_ENCODING], "br");
        assert_eq!(headers[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(headers[CROSS_ORIGIN_RESOURCE_POLICY], "same-origin");
        assert_eq!(headers[ETAG], "\"keywarden.0a.js-br\"");
        assert_eq!(headers[VARY], "accept-encoding");
        assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(body(response).await, "br");
    }

    #[tokio::test]
    async fn a_client_without_codings_gets_the_plain_bytes() {
        let response = asked(&SCRIPT, &[]);
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
        assert_eq!(body(response).await, "plain");
    }

    #[tokio::test]
    async fn a_copy_that_the_client_has_is_not_sent_again() {
        let response = asked(&SCRIPT, &[(IF_NONE_MATCH, "\"other\", W/\"keywarden.0a.js\"")]);
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(response.headers()[ETAG], "\"keywarden.0a.js\"");
        assert_eq!(body(response).await, "");

        let other_coding = asked(&SCRIPT, &[(IF_NONE_MATCH, "\"keywarden.0a.js-br\"")]);
        assert_eq!(other_coding.status(), StatusCode::OK);
    }

    #[tokio::test]
    async fn every_bundled_asset_is_served_under_its_path() {
        assert_eq!(path("ghost.js"), None);
        for asset in BUNDLE {
            assert_eq!(path(asset.name), Some(asset.path));
            let request = Request::get(asset.path).body(Body::empty()).unwrap();
            let response = router().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{}", asset.path);
            assert_eq!(body(response).await, asset.identity, "{}", asset.path);
        }
    }

    #[tokio::test]
    async fn names_that_are_not_in_the_bundle_are_not_found() {
        for target in ["/assets/missing", "/assets/keywarden.js", "/assets/..%2Fmanifest.json", "/assets/"] {
            let request = Request::get(target).body(Body::empty()).unwrap();
            let response = router().oneshot(request).await.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{target}");
        }
    }

    #[test]
    fn hashed_names_lead_to_their_asset_alone() {
        let bundle = [SCRIPT, PICTURE];
        assert_eq!(find(&bundle, "dot.0b.gif").map(|asset| asset.name), Some("dot.gif"));
        assert!(find(&bundle, "dot.gif").is_none());
    }
}
