//! Following an environment: server-sent events (HTML Living Standard, 9.2.6), as far as Keywarden sends them. Nothing is
//! told of a value; whoever hears of a change reads anew.

use std::collections::VecDeque;

use http::StatusCode;
use url::Url;

use super::{Access, Client, ClientError, Place, address, error::broken};

const LAST_EVENT_ID: &str = "Last-Event-ID";
/// More than any line has.
const MOST: usize = 64 * 1024;

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) news: News,
    /// Where to go on after it.
    pub(crate) id: Option<String>,
}

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// A secret changed.
    Changed,
    /// The stream ends: the caller may no longer see the secrets, or its token ran out.
    Ended,
    /// Changes may have been missed.
    Resync,
}

/// An open stream.
#[derive(Debug)]
pub(crate) struct Stream {
    server: Url,
    response: reqwest::Response,
    lines: Lines,
    waiting: VecDeque<Event>,
}

impl Client {
    /// Follows an environment, or a folder of it; from `last` on, where that is said.
    pub(crate) async fn watch(
        &self,
        place: &Place,
        folder: Option<&str>,
        last: Option<&str>,
    ) -> Result<Stream, ClientError> {
        let mut url = address(&self.server, &["secrets", "watch"]);
        place.narrow(&mut url, folder);
        let mut request = Access::streaming()?.get(url).bearer_auth(self.token.expose());
        if let Some(last) = last {
            request = request.header(LAST_EVENT_ID, last);
        }
        let server = self.server.clone();
        let response = request.send().await.map_err(|cause| broken(&server, cause))?;
        let status = response.status();
        if status != StatusCode::OK {
            let bytes = response.bytes().await.map_err(|cause| broken(&server, cause))?;
            return Err(ClientError::told(status, &bytes));
        }
        Ok(Stream { server, response, lines: Lines::default(), waiting: VecDeque::new() })
    }
}

impl Stream {
    /// What is told next; `None` at the end. Nothing is lost when it is not waited for any longer.
    pub(crate) async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(event) = self.waiting.pop_front() {
                return Ok(Some(event));
            }
            let chunk = self.response.chunk().await.map_err(|cause| broken(&self.server, cause))?;
            let Some(chunk) = chunk else { return Ok(None) };
            self.waiting.extend(self.lines.read(&chunk)?);
        }
    }
}

/// The lines of a stream, put together to events.
#[derive(Debug, Default)]
struct Lines {
    begun: Vec<u8>,
    name: String,
    has_data: bool,
    id: Option<String>,
}

impl Lines {
    fn read(&mut self, bytes: &[u8]) -> Result<Vec<Event>, ClientError> {
        let mut events = Vec::new();
        for byte in bytes {
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.begun);
                let line = String::from_utf8_lossy(&line);
                events.extend(self.line(line.trim_end_matches('\r')));
            } else if self.begun.len() == MOST {
                return Err(ClientError::Answer("a line of the stream is too long".into()));
            } else {
                self.begun.push(*byte);
            }
        }
        Ok(events)
    }

    /// Takes a line; an empty one ends an event.
    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let name = std::mem::take(&mut self.name);
            let news = match name.as_str() {
                _ if !std::mem::take(&mut self.has_data) => return None,
                "secret" => News::Changed,
                "resync" => News::Resync,
                "end" => News::Ended,
                _ => return None,
            };
            return Some(Event { news, id: self.id.clone() });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.has_data = true,
            "event" => value.clone_into(&mut self.name),
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()).filter(|id| !id.is_empty()),
            // A remark, by which a silent stream shows that it lives, or what a later version says.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: &str = ": still here\n\nid: evt_1\nevent: secret\ndata: {}\n\nevent: resync\r\ndata: {}\r\n\r\n\
                        event: else\ndata: {}\n\nevent: secret\n\nid: evt_2\nevent: end\ndata:{\"reason\":\"permission\"}\n\n";

    fn event(news: News, id: &str) -> Event {
        Event { news, id: Some(id.to_owned()) }
    }

    #[test]
    fn events_are_read_however_the_stream_is_cut() {
        let expected =
            [event(News::Changed, "evt_1"), event(News::Resync, "evt_1"), event(News::Ended, "evt_2")];
        for size in [1, 2, 7, TOLD.len()] {
            let mut lines = Lines::default();
            let told: Vec<_> =
                TOLD.as_bytes().chunks(size).flat_map(|chunk| lines.read(chunk).unwrap()).collect();
            assert_eq!(told, expected, "in pieces of {size}");
        }
    }

    #[test]
    fn a_line_without_an_end_is_not_gathered_for_ever() {
        let mut lines = Lines::default();
        assert!(lines.read(&vec![b'x'; MOST]).unwrap().is_empty());
        assert!(lines.read(b"x").is_err());
    }

    #[test]
    fn parsers_of_streams_take_what_comes() {
        keywarden_garble::bytes(&[TOLD], |input| {
            let whole = Lines::default().read(input).ok();
            let mut lines = Lines::default();
            let cut: Result<Vec<_>, _> = input.chunks(3).map(|chunk| lines.read(chunk)).collect();
            // However it is cut, it is the same, or too long at the same place.
            assert_eq!(cut.ok().map(|it| it.concat()), whole);
        });
    }
}
