//! What surrounds every request: whose it is, its id in every log line, what it is counted as, what becomes of a panic, the
//! headers of its answer. One layer and not five: axum clones everything below a layer for each request.

use std::{panic::AssertUnwindSafe, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use futures_util::FutureExt;
use http::HeaderMap;
use ipnet::IpNet;
use keywarden_domain::Env;

use super::{bounds, client_address, headers::Headers, metrics::Metrics, problem, request_id};
use crate::{logs::About, wire::House};

/// What requests are surrounded with.
#[derive(Debug)]
pub(super) struct Frame {
    env: Env,
    headers: Headers,
    metrics: Arc<Metrics>,
    proxies: Vec<IpNet>,
}

impl Frame {
    pub(super) fn new(house: &House) -> Self {
        Self {
            env: house.env.clone(),
            headers: Headers::new(house.config.public.is_https()),
            metrics: Arc::clone(&house.metrics),
            proxies: house.config.listen.trusted_proxies.clone(),
        }
    }
}

/// Surrounds a request.
pub(super) async fn surround(State(frame): State<Arc<Frame>>, mut request: Request, next: Next) -> Response {
    client_address::note(&mut request, &frame.proxies);
    let id = request_id::assign(&mut request, &frame.env);
    let about = About::new(&request, id);
    let watch = frame.metrics.watch(&request);
    // A panic takes the request with it; machines are answered without a look at theirs.
    let wants_page = problem::wants_page(request.headers());
    let asked = if wants_page { request.headers().clone() } else { HeaderMap::new() };
    let answered = async move {
        let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let response = answer.unwrap_or_else(|panic| bounds::after_panic(panic, &asked));
        watch.answered(&response);
        response
    };
    let mut response = about.while_answering(answered).await;
    problem::name_the_request(&mut response, id);
    request_id::tell(&mut response, id);
    frame.headers.apply(&mut response);
    response
}
