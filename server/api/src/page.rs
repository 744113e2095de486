//! Lists: a page at a time, newest or first first, and where the next one begins (RFC 8288).

use axum::response::Response;
use http::{HeaderValue, Uri, header};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{json, query::Reading};

/// How many when the caller does not say.
const USUAL: u32 = 50;
/// How many at most.
const MOST: u32 = 200;

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The things, in the list's order.
    pub(crate) items: Vec<T>,
    /// Give it as `cursor` for the next page; absent on the last. Also in the `Link` header.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// Takes `limit` out of a query: 1 to 200 in plain digits, 50 when it is not given (S-07).
pub(crate) fn limit(query: &mut Reading) -> u32 {
    let Some(text) = query.text("limit") else { return USUAL };
    let plain = text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let limit = text.parse().ok().filter(|limit| plain && (1..=MOST).contains(limit));
    limit.unwrap_or_else(|| {
        query.refuse("limit", format_args!("use a whole number from 1 to {MOST}"));
        USUAL
    })
}

/// The answer, with a `Link` to the next page.
pub(crate) fn answer<T: Serialize>(uri: &Uri, page: &Page<T>) -> Response {
    let mut response = json::ok(page);
    if let Some(cursor) = &page.next_cursor {
        let kept = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
            .filter(|(name, _)| name != "cursor");
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(kept)
            .append_pair("cursor", cursor)
            .finish();
        if let Ok(link) = HeaderValue::from_str(&format!("<{}?{query}>; rel=\"next\"", uri.path())) {
            response.headers_mut().insert(header::LINK, link);
        }
    }
    response
}
