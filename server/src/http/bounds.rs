//! What one request may take: bytes and time. And what happens when a handler panics: one 500, nobody else notices.

use std::{any::Any, time::Duration};

use axum::{body::Body, extract::Request, middleware::Next, response::Response};
use http::{HeaderMap, header};
use http_body_util::Limited;
use keywarden_model::ProblemKind as Kind;

use super::problem::{Problem, retry_after};

#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of a body.
    pub body: usize,
    pub time: Duration,
}

impl Bounds {
    /// Refuses a body that says it is too long, cuts one that doesn't say, and ends a request that takes too long.
    pub(super) async fn hold(self, request: Request, next: Next) -> Response {
        let length = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
        let length: Option<u64> = length.and_then(|length| length.parse().ok());
        if length.is_some_and(|length| length > self.body as u64) {
            let detail = format!("send at most {} bytes", self.body);
            return Problem::new(Kind::TooLarge, detail).about(self.body).answer(request.headers());
        }
        let asked = [header::ACCEPT, header::ACCEPT_LANGUAGE, header::COOKIE]
            .map(|name| request.headers().get(&name).cloned().map(|value| (name, value)));
        // Where a length is told, no more than that is read from the connection.
        let request = match length {
            Some(_) => request,
            None => request.map(|body| Body::new(Limited::new(body, self.body))),
        };
        if let Ok(response) = tokio::time::timeout(self.time, next.run(request)).await {
            return response;
        }
        tracing::warn!("request ended: it took too long");
        let asked = asked.into_iter().flatten().collect();
        let detail = "it took too long and was stopped; try again";
        retry_after(Problem::new(Kind::Timeout, detail).answer(&asked), 1)
    }
}

/// The answer to a request whose handler panicked. What was said in the panic goes to the log only.
#[expect(clippy::needless_pass_by_value, reason = "the panic's payload comes boxed")]
pub(super) fn after_panic(panic: Box<dyn Any + Send + 'static>, asked: &HeaderMap) -> Response {
    let said =
        panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = said.unwrap_or("(no text)"), "a handler panicked");
    let detail = "something went wrong on our side; `instance` finds it in the log";
    Problem::new(Kind::Internal, detail).answer(asked)
}
