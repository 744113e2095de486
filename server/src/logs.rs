//! Logs go to standard error: JSON lines, or text when a person looks on. What a command answers goes to standard output.
//!
//! A line that is written while a request is answered names it. That is no span: a span is made, written out and dropped
//! for every request, and hardly any has a line.

use std::fmt;
use std::io::{IsTerminal, stderr};

use axum::extract::{MatchedPath, Request};
use keywarden_model::RequestId;
use serde::Serialize;
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields, MakeWriter,
        format::Writer,
        layer,
        time::{FormatTime, SystemTime},
    },
    layer::SubscriberExt,
    registry::LookupSpan,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};

tokio::task_local! {
    static ANSWERED: About;
}

/// Starts logging. Called once; the level was parsed by the configuration already.
pub(crate) fn start(log: &Log) {
    let json = match log.format {
        LogFormat::Auto => !stderr().is_terminal(),
        LogFormat::Json => true,
        LogFormat::Text => false,
    };
    if subscriber(log, json, stderr).try_init().is_err() {
        tracing::debug!("logging was started before");
    }
}

fn subscriber<W>(log: &Log, json: bool, writer: W) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let registry = tracing_subscriber::registry().with(EnvFilter::builder().parse_lossy(&log.level));
    if json {
        let lines = layer().json().flatten_event(true).with_current_span(false).with_span_list(false);
        Box::new(registry.with(lines.with_writer(writer).map_event_format(|format| Lines { json, format })))
    } else {
        let lines = layer().with_target(false).without_time();
        Box::new(registry.with(lines.with_writer(writer).map_event_format(|format| Lines { json, format })))
    }
}

/// The request that a line is about.
#[derive(Debug, Clone)]
pub(crate) struct About {
    id: RequestId,
    method: http::Method,
    route: Option<MatchedPath>,
}

/// As it is written. The route's template, never the path itself: links carry tokens.
#[derive(Serialize)]
struct Told<'a> {
    id: RequestId,
    method: &'a str,
    route: &'a str,
}

impl About {
    /// What lines say of `request`.
    pub(crate) fn new(request: &Request, id: RequestId) -> Self {
        Self { id, method: request.method().clone(), route: request.extensions().get().cloned() }
    }

    /// Answers it; whatever is logged on the way names it.
    pub(crate) async fn while_answering<F: Future>(self, answer: F) -> F::Output {
        ANSWERED.scope(self, answer).await
    }

    fn told(&self) -> Told<'_> {
        let route = self.route.as_ref().map_or("", MatchedPath::as_str);
        Told { id: self.id, method: self.method.as_str(), route }
    }
}

/// What a line looks like: an object whose last field is the request; or when, for which request, how grave, what.
struct Lines<F> {
    json: bool,
    format: F,
}

impl<S, N, F> FormatEvent<S, N> for Lines<F>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
    F: FormatEvent<S, N>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let about = ANSWERED.try_with(Clone::clone).ok();
        if !self.json {
            SystemTime.format_time(&mut writer)?;
            writer.write_char(' ')?;
            if let Some(Told { id, method, route }) = about.as_ref().map(About::told) {
                write!(writer, "{id} {method} {route} ")?;
            }
            return self.format.format_event(context, writer, event);
        }
        let Some(about) = about else { return self.format.format_event(context, writer, event) };
        let mut line = String::new();
        self.format.format_event(context, Writer::new(&mut line), event)?;
        match (line.trim_end().strip_suffix('}'), serde_json::to_string(&about.told())) {
            (Some(fields), Ok(request)) => writeln!(writer, "{fields},\"request\":{request}}}"),
            _ => writer.write_str(&line),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{self, Write},
        sync::{Arc, Mutex},
    };

    use axum::body::Body;
    use serde_json::Value;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is logged within a request and after it.
    async fn logged(json: bool) -> Vec<String> {
        let paper = Paper::default();
        let (log, ink) = (Log { level: "info".into(), format: LogFormat::Auto }, paper.clone());
        let guard = tracing::subscriber::set_default(subscriber(&log, json, move || ink.clone()));
        let request = Request::post("/join/kwt_secret").body(Body::empty()).unwrap();
        let about = About::new(&request, RequestId::NIL);
        about.while_answering(async { tracing::warn!(status = 503, "request \"failed\"") }).await;
        tracing::info!("closing");
        drop(guard);
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn a_line_within_a_request_names_it_and_one_outside_does_not() {
        let lines = logged(true).await;
        let lines: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert_eq!(lines[0]["message"], "request \"failed\"");
        assert_eq!(lines[0]["status"], 503);
        assert_eq!(lines[0]["request"]["id"], RequestId::NIL.to_string());
        assert_eq!(lines[0]["request"]["method"], "POST");
        assert_eq!(lines[0]["request"]["route"], "", "no template, and never the path");
        assert_eq!(lines[1]["request"], Value::Null);
    }

    #[tokio::test]
    async fn text_for_people_says_the_same_on_one_line() {
        let lines = logged(false).await;
        assert_eq!(lines.len(), 2, "{lines:?}");
        let (time, rest) = lines[0].split_once(' ').unwrap();
        assert!(time.ends_with('Z'), "{time}");
        assert!(rest.starts_with(&format!("{} POST ", RequestId::NIL)), "{rest}");
        assert!(rest.contains("WARN") && rest.contains("failed") && !rest.contains("kwt_"), "{rest}");
        assert!(!lines[1].contains("POST"), "{}", lines[1]);
    }
}
