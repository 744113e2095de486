//! Prometheus metrics on a listener of their own. Labels are route templates, methods and statuses: bounded sets, never an
//! id, an address or a path as it was sent.

use std::{sync::Arc, time::Instant};

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::{Method, StatusCode, header};
use keywarden_jobs::Reports;
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::job_metrics::JobMetrics;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const SECONDS: [f64; 11] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// What the server counts about itself.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram>,
    open: Gauge,
}

impl Metrics {
    pub(crate) fn new(jobs: Reports) -> Self {
        let mut registry = Registry::with_prefix("keywarden");
        let requests = Family::<Answered, Counter>::default();
        let seconds = Family::<Route, Histogram>::new_with_constructor(|| Histogram::new(SECONDS));
        let open = Gauge::default();
        registry.register("http_requests", "Requests answered, by route template", requests.clone());
        registry.register_with_unit("http_request", "Time to answer", Unit::Seconds, seconds.clone());
        registry.register("http_requests_open", "Requests being answered", open.clone());
        registry.register_collector(Box::new(JobMetrics(jobs)));
        Self { registry, requests, seconds, open }
    }
}

impl Metrics {
    /// Counts a request as open, and times it.
    pub(super) fn watch(self: &Arc<Self>, request: &Request) -> Watch {
        self.open.inc();
        let route = request.extensions().get::<MatchedPath>().cloned();
        Watch { metrics: Arc::clone(self), began: Instant::now(), method: known(request.method()), route }
    }
}

/// A request that is open until it is answered or its client is gone.
#[derive(Debug)]
pub(super) struct Watch {
    metrics: Arc<Metrics>,
    began: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Watch {
    /// Counts the answer.
    pub(super) fn answered(self, response: &Response) {
        let took = self.began.elapsed();
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str).to_owned();
        let status = response.status();
        let answered = Answered { method: self.method, route, status: status.as_u16() };
        self.metrics.requests.get_or_create(&answered).inc();
        let route = Route { route: answered.route };
        self.metrics.seconds.get_or_create(&route).observe(took.as_secs_f64());
        if status.is_server_error() {
            tracing::warn!(status = status.as_u16(), took_ms = took.as_millis(), "request failed");
        } else {
            tracing::debug!(status = status.as_u16(), took_ms = took.as_millis(), "request answered");
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.metrics.open.dec();
    }
}

/// `/metrics`, for the listener of its own.
pub(crate) fn routes(metrics: Arc<Metrics>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(metrics)
}

async fn show(State(metrics): State<Arc<Metrics>>) -> Response {
    let mut text = String::new();
    match encode(&mut text, &metrics.registry) {
        Ok(()) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A caller can send any method; a label takes only the known ones.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::DELETE => "DELETE",
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::POST => "POST",
        Method::PUT => "PUT",
        _ => "other",
    }
}
