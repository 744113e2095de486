//! Signing in without a user name: the authenticator says who it is.

use chrono::{DateTime, Utc};

use super::assertion::{Answer, find};
use super::ceremony::Task;
use super::{
    Asserted, Ceremony, CredentialId, PasskeyError, PasskeyRecord, Passkeys, RequestOptions, UserHandle,
};

/// Who an answer says it comes from: good for loading that person's passkeys, and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Whose passkey it says it is.
    pub user: UserHandle,
    /// Which passkey it says it is.
    pub credential_id: CredentialId,
}

/// Reads the claim in an answer to a sign-in. Proves nothing.
pub fn identify(response: &[u8]) -> Result<Claim, PasskeyError> {
    let answer = Answer::parse(response)?;
    let user = answer.user.ok_or(PasskeyError::NotDiscoverable)?;
    Ok(Claim { user, credential_id: answer.credential_id })
}

impl Passkeys {
    /// Asks whoever is there.
    pub fn start_sign_in(&self, now: DateTime<Utc>) -> Result<(RequestOptions, Ceremony), PasskeyError> {
        let (options, state) = self.ask(Vec::new())?;
        Ok((options, Ceremony::new(Task::SignIn { state }, now)))
    }

    /// Checks the answer by the passkeys of the person it claims.
    pub fn finish_sign_in(
        &self,
        ceremony: Ceremony,
        response: &[u8],
        passkeys: &[PasskeyRecord],
        now: DateTime<Utc>,
    ) -> Result<Asserted, PasskeyError> {
        let Task::SignIn { state } = ceremony.open(now)? else {
            return Err(PasskeyError::WrongCeremony);
        };
        let answer = Answer::parse(response)?;
        if answer.user.is_none() {
            return Err(PasskeyError::NotDiscoverable);
        }
        self.judge(state, &answer, find(passkeys, &answer.credential_id)?)
    }
}
