//! A client that speaks HTTP/2 frame by frame (RFC 9113, HPACK of RFC 7541), so that it can do what no library would.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt, WriteHalf},
    net::TcpStream,
    sync::mpsc,
    task::JoinSet,
};
use tokio_rustls::client::TlsStream;

use super::within;

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

pub(super) const REFUSED_STREAM: u32 = 7;
pub(super) const CANCEL: u32 = 8;
pub(super) const ENHANCE_YOUR_CALM: u32 = 11;

/// `SETTINGS_INITIAL_WINDOW_SIZE` of nothing.
pub(super) const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];
/// `:status` 200, the first that a response says.
const OK: u8 = 0x88;

#[derive(Debug)]
pub(super) struct Frame {
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
    pub(super) payload: Vec<u8>,
}

impl Frame {
    pub(super) fn is(&self, kind: u8, stream: u32) -> bool {
        self.kind == kind && self.stream == stream
    }

    pub(super) fn ends(&self, stream: u32) -> bool {
        self.stream == stream && matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// Why a stream was reset.
    pub(super) fn code(&self) -> u32 {
        u32::from_be_bytes(self.payload[..4].try_into().unwrap())
    }

    async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let mut head = [0; 9];
        stream.read_exact(&mut head).await?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        stream.read_exact(&mut payload).await?;
        Ok(Self { kind, flags, stream: u32::from_be_bytes(id), payload })
    }
}

/// A frame's bytes.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The fields with which every request's head begins.
pub(super) fn fields(method: &str, path: &str) -> Vec<u8> {
    // Each a literal that is not remembered, its name taken from the static table.
    let mut fields = vec![0x87];
    for (name, value) in [(1, "localhost"), (2, method), (4, path)] {
        fields.extend([&[name][..], &length(value.len()), value.as_bytes()].concat());
    }
    fields
}

/// A whole request without a body.
pub(super) fn asks(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &fields("GET", path))
}

pub(super) fn resets(stream: u32) -> Vec<u8> {
    frame(RST_STREAM, 0, stream, &CANCEL.to_be_bytes())
}

/// A string's length (RFC 7541, 5.1 with a prefix of seven bits).
pub(super) fn length(of: usize) -> Vec<u8> {
    let Some(mut rest) = of.checked_sub(127) else { return vec![u8::try_from(of).unwrap()] };
    let mut bytes = vec![127];
    while rest > 127 {
        bytes.push(u8::try_from(128 + rest % 128).unwrap());
        rest /= 128;
    }
    bytes.push(u8::try_from(rest).unwrap());
    bytes
}

pub(super) struct Raw {
    sending: WriteHalf<TlsStream<TcpStream>>,
    frames: mpsc::UnboundedReceiver<Frame>,
    /// What is sent while an awaited frame does not come, so that the connection itself is never silent.
    pub(super) beat: Vec<u8>,
    _reading: JoinSet<()>,
}

impl Raw {
    pub(super) async fn open(stream: TlsStream<TcpStream>, settings: &[u8]) -> Self {
        let (mut reading, sending) = tokio::io::split(stream);
        let (frames_in, frames) = mpsc::unbounded_channel();
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            while let Ok(frame) = Frame::read(&mut reading).await {
                frames_in.send(frame).ok();
            }
        });
        let mut raw = Self { sending, frames, beat: frame(PING, 0, 0, &[0; 8]), _reading: reader };
        let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
        raw.send(&[&preface[..], &frame(SETTINGS, 0, 0, settings)].concat()).await;
        raw
    }

    /// What the server no longer takes is lost: it is told by what comes back.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        self.sending.write_all(bytes).await.ok();
        self.sending.flush().await.ok();
    }

    /// The first frame that is looked for.
    pub(super) async fn sees(&mut self, is: impl Fn(&Frame) -> bool) -> Frame {
        within(async {
            loop {
                match tokio::time::timeout(Duration::from_millis(50), self.frames.recv()).await {
                    Ok(Some(frame)) if is(&frame) => return frame,
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the connection ended"),
                    Err(_) => {
                        let beat = self.beat.clone();
                        self.send(&beat).await;
                    }
                }
            }
        })
        .await
    }

    /// Asks at `/` and is answered.
    pub(super) async fn is_answered(&mut self, stream: u32) {
        self.send(&asks(stream, "/")).await;
        let head = self.sees(|frame| frame.is(HEADERS, stream)).await;
        assert_eq!(head.payload[0], OK);
        self.sees(|frame| frame.ends(stream)).await;
    }

    /// Waits until the connection ends, and says with which word.
    pub(super) async fn ends(mut self) -> Option<u32> {
        within(async {
            let mut word = None;
            while let Some(frame) = self.frames.recv().await {
                if frame.kind == GOAWAY {
                    word = Some(u32::from_be_bytes(frame.payload[4..8].try_into().unwrap()));
                }
            }
            word
        })
        .await
    }
}
