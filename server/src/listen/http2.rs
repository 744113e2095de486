//! HTTP/2 on one connection. Its client may open many streams at once and end none of them, so what a connection of
//! HTTP/1.1 may take is asked here of the connection, of each stream, and of all streams together.
//!
//! What `h2` 0.4 bounds by itself, and is left to it:
//! * a head that has not ended after five frames of CONTINUATION ends the connection, and so does one that decodes to more than
//!   four times what a head may be;
//! * PING and SETTINGS are answered before the next frame is read, so that their answers cannot pile up;
//! * 100 empty frames of DATA end a connection, and very small ones do once they cost more than half its window;
//! * of streams that it reset itself it remembers 50, for a second each.
//!
//! A request's head and body must have come when its time is up (`http/bounds.rs`), which is less than the silence here.

use std::{
    convert::Infallible,
    error::Error,
    future::poll_fn,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::body::Body;
use hyper::{
    body::{Bytes, Frame, SizeHint},
    rt::Executor,
    server::conn::http2,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    sync::watch,
    time::Instant,
};
use tokio_util::task::TaskTracker;

use super::{
    accept::{LARGEST_HEAD, Listening, answer},
    idle::PIECE,
};

/// Open at once on one connection; more are refused. RFC 9113, 6.5.2 asks for at least 100.
const STREAMS: u8 = 128;
/// Streams refused, or reset for what was wrong with them, before the connection ends. Who keeps to our settings has none.
const REFUSED: usize = 256;
/// Streams that were opened and reset by the client before we so much as saw them: no more than this between two looks.
const RESET_UNSEEN: usize = 20;
/// The smallest that a frame's limit may be (RFC 9113, 6.5.2).
const FRAME: u16 = 16 << 10;
/// Bytes of a body that a stream may send before its handler reads them.
const STREAM_WINDOW: u32 = 64 << 10;
/// Bytes of all bodies together that wait to be read.
const CONNECTION_WINDOW: u32 = 256 << 10;
/// Bytes of a response that wait for the client to take them, beside one piece.
const SEND_BUFFER: usize = 32 << 10;
/// Bytes that a client may have us remember of its earlier heads: what HPACK starts with.
const HEADER_TABLE: u16 = 4 << 10;

/// Serves one connection until it ends; once the listener stops, until what was asked before is answered.
pub(super) async fn serve<S>(
    stream: S,
    peer: SocketAddr,
    listening: &Listening,
) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (streams, mut seen) = Streams::new(listening.tasks.clone(), listening.silence);
    let (router, asked) = (listening.router.clone(), streams.clone());
    let service = service_fn(move |request| {
        let asked = asked.asked();
        let answer = answer(router.clone(), peer, request);
        async move {
            let response = answer.await?;
            asked.answered();
            Ok::<_, Infallible>(response.map(Pieces::of))
        }
    });
    let connection = http2::Builder::new(streams)
        .timer(TokioTimer::new())
        .max_concurrent_streams(u32::from(STREAMS))
        .max_header_list_size(u32::from(LARGEST_HEAD))
        .header_table_size(u32::from(HEADER_TABLE))
        .max_frame_size(u32::from(FRAME))
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .max_pending_accept_reset_streams(RESET_UNSEEN)
        .max_local_error_reset_streams(REFUSED)
        // While a head is coming no pong can: one that never ends is cut by the ping after it, whatever other streams do.
        .keep_alive_interval(listening.head)
        // The answer comes behind what a slow link has still to take.
        .keep_alive_timeout(listening.head.saturating_mul(3))
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut leaving = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended?),
            () = listening.stop.cancelled(), if !leaving => {}
            over = over(&mut seen, listening.head) => match over {
                Over::Abused => return Err("too many requests were given up by who asked".into()),
                // What it was told did not move it, or it will not take the rest.
                Over::Quiet if leaving => return Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                Over::Quiet => {}
            },
        }
        leaving = true;
        connection.as_mut().graceful_shutdown();
    }
}

/// What happened on a connection's streams.
#[derive(Debug, Default)]
struct Tally {
    open: usize,
    /// Requests whose client did not wait for the answer; each answer makes up for one.
    given_up: usize,
}

/// Why no more is asked on a connection.
enum Over {
    /// Opening a stream and resetting it costs a client next to nothing, and is not held by how many may be open.
    Abused,
    /// No stream was open for as long as a kept-alive connection may wait.
    Quiet,
}

async fn over(seen: &mut watch::Receiver<Tally>, patience: Duration) -> Over {
    loop {
        let quiet = {
            let tally = seen.borrow_and_update();
            if tally.given_up > usize::from(STREAMS) {
                return Over::Abused;
            }
            tally.open == 0
        };
        let changed = seen.changed();
        if !quiet {
            changed.await.ok();
        } else if tokio::time::timeout(patience, changed).await.is_err() {
            return Over::Quiet;
        }
    }
}

/// Runs each stream of a connection as a task of its own.
#[derive(Debug, Clone)]
struct Streams {
    tasks: TaskTracker,
    patience: Duration,
    tally: watch::Sender<Tally>,
}

impl Streams {
    fn new(tasks: TaskTracker, patience: Duration) -> (Self, watch::Receiver<Tally>) {
        let (tally, seen) = watch::channel(Tally::default());
        (Self { tasks, patience, tally }, seen)
    }

    fn asked(&self) -> Asked {
        Asked(Some(self.tally.clone()))
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Streams {
    fn execute(&self, stream: F) {
        let (open, patience) = (Open::new(&self.tally), self.patience);
        self.tasks.spawn(async move {
            patiently(stream, patience).await;
            drop(open);
        });
    }
}

/// To the stream's end, or until nothing moved on it for so long: no body came, no response was taken, no handler woke. What is
/// dropped is reset.
async fn patiently(stream: impl Future<Output = ()>, patience: Duration) {
    let (mut stream, mut timer) = (pin!(stream), pin!(tokio::time::sleep(patience)));
    poll_fn(|context| {
        if timer.as_mut().poll(context).is_ready() {
            tracing::debug!("stream reset: nothing moved on it");
            return Poll::Ready(());
        }
        if stream.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        if let Some(later) = Instant::now().checked_add(patience) {
            timer.as_mut().reset(later);
        }
        timer.as_mut().poll(context)
    })
    .await;
}

/// A stream while it is open.
struct Open(watch::Sender<Tally>);

impl Open {
    fn new(tally: &watch::Sender<Tally>) -> Self {
        tally.send_modify(|it| it.open = it.open.saturating_add(1));
        Self(tally.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|it| it.open = it.open.saturating_sub(1));
    }
}

/// A request until it is answered. Dropped before that, it was given up.
struct Asked(Option<watch::Sender<Tally>>);

impl Asked {
    fn answered(mut self) {
        if let Some(tally) = self.0.take() {
            tally.send_if_modified(|it| {
                let before = it.given_up;
                it.given_up = before.saturating_sub(1);
                it.given_up != before
            });
        }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        if let Some(tally) = &self.0 {
            tally.send_modify(|it| it.given_up = it.given_up.saturating_add(1));
        }
    }
}

/// A response's body, given away in pieces: `h2` would take a whole page for itself once there is room for its first byte, and
/// nobody would see whether the client takes the rest.
struct Pieces {
    body: Body,
    rest: Bytes,
}

impl Pieces {
    fn of(body: Body) -> Self {
        Self { body, rest: Bytes::new() }
    }
}

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        if this.rest.is_empty() {
            match ready!(Pin::new(&mut this.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => this.rest = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                },
                ended => return Poll::Ready(ended),
            }
        }
        let piece = this.rest.split_to(this.rest.len().min(PIECE));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper() {
            hint.set_upper(upper.saturating_add(rest));
        }
        hint
    }
}

#[cfg(test)]
mod tests;
