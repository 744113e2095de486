//! What a library's owner and its process say to each other, over one socket.
//!
//! ```text
//! owner    Open { library, … }        once
//! process  Done(…)                    it is the user that it shall be, or why it cannot
//! owner    Ask { token, does }        a call
//! process  Login { serial, … }        it is about to log in: with which PIN?
//! owner    Pin(…)                     after the try is written down
//! process  Tried(…)                   what became of it
//! process  Met(…)                     keys that it met: the next process is told
//! process  Done(…)                    the answer of the call
//! ```
//! A frame is its length (four bytes, big-endian) and a message in postcard's format. Frames hold keys and PINs: they lie
//! in buffers of a fixed size that are wiped, and messages borrow from them.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::User;
use crate::envelope::NONCE_LEN;
use crate::seal::{KeyNumber, SealError};

/// Longer than any message: the largest holds one key and what it is bound to.
const LONGEST: usize = 16 * 1024;

/// One message, encoded.
pub(super) type Frame = Zeroizing<Vec<u8>>;

/// What is asked of the process first of all.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Open {
    /// The library.
    pub(super) library: PathBuf,
    /// Whom the process becomes.
    pub(super) user: Option<User>,
    /// Whether it is in all groups of that user, and not in one alone.
    pub(super) all_groups: bool,
    /// Where it goes before that.
    pub(super) folder: Option<PathBuf>,
    /// The keys that processes before it met.
    pub(super) met: Vec<Met>,
}

/// The newest key of a token as it was met: what it made of a text that is no secret. By that it is known again, and a key that
/// has its name and is another one is not taken for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Met {
    /// The token's label, and its serial number, as it was asked for.
    pub(super) token: (String, Option<String>),
    pub(super) number: KeyNumber,
    pub(super) nonce: [u8; NONCE_LEN],
    pub(super) ciphertext: Vec<u8>,
    /// Whether it has opened what came from elsewhere: what does not open under it is to blame for that, then.
    pub(super) proven: bool,
}

/// A call.
#[derive(Serialize, Deserialize)]
pub(super) struct Ask<'a> {
    /// The token's label.
    pub(super) label: &'a str,
    /// Its serial number, where the label is not enough.
    pub(super) serial: Option<&'a str>,
    #[serde(borrow)]
    pub(super) does: Does<'a>,
}

/// What a call does.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(super) enum Does<'a> {
    AddKey,
    CreateKey,
    CreateToken { so_pin: &'a str },
    Decrypt { number: KeyNumber, nonce: [u8; NONCE_LEN], context: &'a [u8], ciphertext: &'a [u8] },
    DestroyKey { number: KeyNumber },
    Encrypt { nonce: [u8; NONCE_LEN], context: &'a [u8], plaintext: &'a [u8] },
    Keys,
    Probe,
}

impl Does<'_> {
    /// Whether it may be asked again of another process when one broke in the midst of it.
    pub(super) fn may_repeat(&self) -> bool {
        matches!(self, Self::Decrypt { .. } | Self::Encrypt { .. } | Self::Keys | Self::Probe)
    }
}

/// The answer to a [`Said::Login`] or [`Said::NewPin`].
#[derive(Serialize, Deserialize)]
pub(super) enum Pin<'a> {
    Is(&'a str),
    Withheld(SealError),
}

/// What the process says.
#[derive(Serialize, Deserialize)]
pub(super) enum Said<'a> {
    /// The call is over.
    Done(#[serde(borrow)] Result<Answer<'a>, SealError>),
    /// All keys that it knows by now.
    Met(Vec<Met>),
    /// It is about to log in to the token of this serial number, which tells this of wrong PINs.
    Login { serial: &'a str, left: Left },
    /// It makes a token: which PIN shall that have?
    NewPin,
    /// What became of the login.
    Tried(Tried),
}

/// How many wrong PINs a token still bears, as far as its flags tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Left {
    /// No wrong one was shown to it since the last right one.
    All,
    /// A wrong one was shown to it.
    Fewer,
    /// It locks itself on the next wrong one.
    One,
}

/// What became of a PIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Tried {
    /// The token took it.
    Accepted,
    /// The token did not look at it.
    NotMade,
    /// The token refused it.
    Refused,
    /// The token may have refused it.
    Unclear,
}

/// What a call came to.
#[derive(Serialize, Deserialize)]
pub(super) enum Answer<'a> {
    Keys(Vec<KeyNumber>),
    Nothing,
    Number(KeyNumber),
    Opened(&'a [u8]),
    Sealed { number: KeyNumber, nonce: [u8; NONCE_LEN], ciphertext: &'a [u8] },
}

/// A message as a frame.
pub(super) fn encode<T: Serialize>(message: &T) -> io::Result<Frame> {
    let mut frame = Zeroizing::new(vec![0; LONGEST]);
    let used = postcard::to_slice(message, frame.as_mut_slice()).map_err(io::Error::other)?.len();
    frame.truncate(used);
    Ok(frame)
}

/// The message of a frame.
pub(super) fn decode<'a, T: Deserialize<'a>>(frame: &'a Frame) -> io::Result<T> {
    postcard::from_bytes(frame).map_err(|cause| io::Error::new(io::ErrorKind::InvalidData, cause))
}

/// Sends a frame.
pub(super) fn send(mut to: impl Write, frame: &Frame) -> io::Result<()> {
    let length = u32::try_from(frame.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_be_bytes())?;
    to.write_all(frame)
}

/// Receives a frame; `None` where the other one has gone between two of them.
pub(super) fn receive(mut from: impl Read) -> io::Result<Option<Frame>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(io::Error::other)?;
    if length > LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a frame is too long"));
    }
    let mut frame = Zeroizing::new(vec![0; length]);
    from.read_exact(&mut frame)?;
    Ok(Some(frame))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_received() {
        let does = Does::Encrypt { nonce: [3; NONCE_LEN], context: b"row", plaintext: &[7; 32] };
        let mut wire = Vec::new();
        for _ in 0..2 {
            send(&mut wire, &encode(&Ask { label: "main", serial: Some("1"), does }).unwrap()).unwrap();
        }
        let mut wire = wire.as_slice();
        for _ in 0..2 {
            let frame = receive(&mut wire).unwrap().unwrap();
            let Ask { label, serial, does } = decode(&frame).unwrap();
            assert_eq!((label, serial), ("main", Some("1")));
            assert!(matches!(does, Does::Encrypt { context: b"row", plaintext, .. } if plaintext == [7; 32]));
        }
        assert!(receive(&mut wire).unwrap().is_none());
    }

    #[test]
    fn every_error_crosses() {
        let error = SealError::NoAnswer { path: "/m.so".into(), limit: std::time::Duration::from_millis(5) };
        let frame = encode(&Said::Done(Err(error.clone()))).unwrap();
        let Said::Done(Err(crossed)) = decode(&frame).unwrap() else { panic!("another message") };
        assert_eq!(crossed, error);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert!(receive(&u32::MAX.to_be_bytes()[..]).is_err());
        assert!(receive(&[0, 0, 0, 9, 1][..]).is_err());
        assert!(receive(&[0, 0][..]).unwrap().is_none());
        let cut = Zeroizing::new(vec![9, 9, 9]);
        assert!(decode::<Said<'_>>(&cut).is_err());
        assert!(encode(&Does::CreateToken { so_pin: &"9".repeat(LONGEST) }).is_err());
    }

    #[test]
    fn parsers_of_frames_take_what_comes() {
        let does = Does::Decrypt { number: 1, nonce: [3; NONCE_LEN], context: b"row", ciphertext: &[7; 48] };
        let asks = encode(&Ask { label: "main", serial: Some("1"), does }).unwrap();
        let (user, folder) = (Some(User { user: 993, group: 991 }), Some("/data/softhsm".into()));
        let met = Met {
            token: ("main".to_owned(), Some("1".to_owned())),
            number: 1,
            nonce: [3; NONCE_LEN],
            ciphertext: vec![7; 31],
            proven: true,
        };
        let met = vec![met.clone(), Met { number: 2, proven: false, ..met }];
        let open =
            Open { library: "/usr/lib/m.so".into(), user, all_groups: false, folder, met: met.clone() };
        let sealed = Answer::Sealed { number: 2, nonce: [3; NONCE_LEN], ciphertext: &[7; 48] };
        let said = [
            Said::Done(Ok(sealed)),
            Said::Done(Ok(Answer::Keys(vec![1, 2, 3]))),
            Said::Done(Err(SealError::NoAnswer {
                path: "/m.so".into(),
                limit: std::time::Duration::from_millis(5),
            })),
            Said::Login { serial: "1", left: Left::One },
            Said::Met(met),
            Said::Tried(Tried::Unclear),
        ];
        let open = encode(&open).unwrap();
        let pin = encode(&Pin::Is("1234")).unwrap();
        let said = said.map(|it| encode(&it).unwrap());
        let frames: Vec<_> = [&asks, &open, &pin].into_iter().chain(&said).map(|it| it.to_vec()).collect();
        keywarden_garble::bytes(&frames, |input| {
            let frame = Zeroizing::new(input.to_vec());
            decode::<Open>(&frame).ok();
            decode::<Pin<'_>>(&frame).ok();
            // What is understood is said again in as many words, or fewer.
            if let Ok(ask) = decode::<Ask<'_>>(&frame) {
                assert!(encode(&ask).is_ok_and(|it| it.len() <= frame.len()) || frame.len() > LONGEST);
            }
            if let Ok(said) = decode::<Said<'_>>(&frame) {
                assert!(encode(&said).is_ok_and(|it| it.len() <= frame.len()) || frame.len() > LONGEST);
            }
        });
        let mut wire = Vec::new();
        for frame in &frames {
            send(&mut wire, &Zeroizing::new(frame.clone())).unwrap();
        }
        keywarden_garble::bytes(&[wire], |input| {
            let (mut wire, mut frames) = (input, 0);
            while let Ok(Some(frame)) = receive(&mut wire) {
                assert!(frame.len() <= LONGEST);
                frames += 1;
            }
            assert!(frames <= input.len() / 4, "a frame without a length");
        });
    }
}
