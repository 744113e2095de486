//! What a place must promise in which tries of PINs are remembered, and what it keeps.

use std::{fmt, io};

/// Bytes of a salt.
pub const SALT_LEN: usize = 16;

/// Bytes of a mark: enough to know a PIN again, too few to find it by trying all.
pub const MARK_LEN: usize = 2;

/// What is remembered of one PIN of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TriedPin {
    /// What its mark was made with.
    pub salt: [u8; SALT_LEN],
    /// By what it is known again.
    pub mark: [u8; MARK_LEN],
    /// How often the token refused it.
    pub refused: u8,
    /// Tries without a clear answer.
    pub unclear: u8,
    /// When the last of these was, in seconds since 1970 by the place's clock.
    pub at: i64,
}

/// Keeps what is remembered. Whoever asks the same tokens must be given the same place: what one of them writes there, all the
/// others see.
pub trait Place: fmt::Debug + Send + Sync {
    /// Runs `change` on what is remembered of a token, which is named by its serial number, while nobody else can change that,
    /// and keeps what it leaves. What is kept on return is there after any crash; after an error it is there or not. Blocks for
    /// a few seconds at most.
    fn change(&self, token: &str, change: Change) -> io::Result<()>;

    /// What is remembered of a token now; somebody else may be about to change it. Blocks for as long at most.
    fn pins(&self, token: &str) -> io::Result<Vec<TriedPin>>;

    /// What people call it: `the database`.
    fn name(&self) -> String;

    /// How somebody has it forget, in words that follow "if this is the right one,".
    fn remedy(&self) -> String;
}

/// A change of what is remembered of one token: pure, so that a place may run it again, on what is there by then.
pub struct Change(Box<Changes>);

type Changes = dyn FnMut(i64, &mut Vec<TriedPin>) + Send;

impl Change {
    /// It is given the place's clock, in seconds since 1970, and the token's PINs, the one that changed last at the end.
    pub fn new(change: impl FnMut(i64, &mut Vec<TriedPin>) + Send + 'static) -> Self {
        Self(Box::new(change))
    }

    /// Takes in what another place remembers of the token. The same once more counts as no further try.
    pub(super) fn taking_in(given: Vec<TriedPin>) -> Self {
        Self::new(move |_, pins| {
            for pin in &given {
                match pins.iter_mut().find(|it| it.is_of(pin)) {
                    Some(known) => {
                        known.refused = known.refused.max(pin.refused);
                        known.unclear = known.unclear.max(pin.unclear);
                        known.at = known.at.max(pin.at);
                    }
                    None => pins.push(pin.clone()),
                }
            }
        })
    }

    /// Forgets of the token what another place has taken in, if it is so still.
    pub(super) fn letting_go(given: Vec<TriedPin>) -> Self {
        Self::new(move |_, pins| pins.retain(|pin| !given.contains(pin)))
    }

    /// Runs it.
    pub fn run(&mut self, now: i64, pins: &mut Vec<TriedPin>) {
        (self.0)(now, pins);
    }
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Change")
    }
}
