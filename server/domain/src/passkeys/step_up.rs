//! Stepping up: a person who is signed in proves that they are still there.

use chrono::{DateTime, Utc};

use super::assertion::Answer;
use super::ceremony::{Asked, Task};
use super::{Asserted, Ceremony, PasskeyError, PasskeyRecord, Passkeys, RequestOptions};

impl Passkeys {
    /// Asks one person for one of these passkeys, and for none that is not among them.
    pub fn start_step_up(
        &self,
        passkeys: &[PasskeyRecord],
        now: DateTime<Utc>,
    ) -> Result<(RequestOptions, Ceremony), PasskeyError> {
        let asked = Asked::of(passkeys)?;
        let (options, state) = self.ask(passkeys.iter().map(PasskeyRecord::descriptor).collect())?;
        Ok((options, Ceremony::new(Task::StepUp { state, asked }, now)))
    }

    /// Checks the answer by the person's passkeys as they are kept now: one removed in between is unknown.
    pub fn finish_step_up(
        &self,
        ceremony: Ceremony,
        response: &[u8],
        passkeys: &[PasskeyRecord],
        now: DateTime<Utc>,
    ) -> Result<Asserted, PasskeyError> {
        let Task::StepUp { state, asked } = ceremony.open(now)? else {
            return Err(PasskeyError::WrongCeremony);
        };
        let answer = Answer::parse(response)?;
        self.judge(state, &answer, asked.pick(&answer, passkeys)?)
    }
}
