//! One key, with what the caller may do to it.

use chrono::{DateTime, Utc};
use keywarden_model::{ApiKeyId, KeyState};

use super::key::{self, Key, KeyValue};
use super::rotate::MOST_VALUES;
use crate::{Action, Domain, Op, Refused};

/// A key as its page shows it.
#[derive(Debug, Clone)]
pub struct KeyView {
    /// The key.
    pub key: Key,
    /// Its state now.
    pub state: KeyState,
    /// Its values, newest first.
    pub values: Vec<KeyValue>,
    /// What the caller may do to it, as it stands.
    pub may: WhatMay,
}

/// Verbs that would be let through, aside from a fresh passkey, and make sense in the key's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WhatMay {
    /// Change its attributes.
    pub edit: bool,
    /// Let an old value, or an imported one, work longer.
    pub extend: bool,
    /// Let it go on.
    pub resume: bool,
    /// Stop it for good.
    pub revoke: bool,
    /// Give it a new value.
    pub rotate: bool,
    /// Stop an old value now.
    pub stop_old: bool,
    /// Stop it for a while.
    pub suspend: bool,
}

impl WhatMay {
    /// What of it ends the use of this value by whoever has it. A rotation would end the current value in an old one's
    /// place; of one that has stopped there is nothing left to end.
    pub(super) fn against(self, value: &KeyValue) -> Self {
        let (works, is_old) = (value.is_living(), value.superseded_at.is_some());
        Self {
            revoke: self.revoke && works,
            rotate: self.rotate && works && !is_old,
            stop_old: self.stop_old && works && is_old,
            ..self
        }
    }
}

impl Domain {
    /// A key that the caller may see.
    pub async fn key(&self, op: &Op, id: ApiKeyId) -> Result<KeyView, Refused> {
        let (resource, owner) = self.key_as_resource(id).await?;
        let _permit = self.authorize(op, Action::ViewKey, &resource).await?;
        let mut conn = self.store().read().await?;
        let found = key::load(&mut conn, id, op.now).await?;
        drop(conn);
        let (key, values) = found.filter(|(key, _)| key.owner == owner).ok_or(Refused::NotFound)?;
        let may = self.what_may(op, &key, &values).await?;
        Ok(KeyView { state: key.state(op.now), may, key, values })
    }

    /// The verbs that fit the key's state and that the caller may use.
    pub(super) async fn what_may(&self, op: &Op, key: &Key, values: &[KeyValue]) -> Result<WhatMay, Refused> {
        let mut may = fitting(key, values, op.now);
        let resource = key.resource();
        for (verb, action) in [
            (&mut may.edit, Action::EditKey),
            (&mut may.extend, Action::ExtendKeyOverlap),
            (&mut may.resume, Action::ResumeKey),
            (&mut may.revoke, Action::RevokeKey),
            (&mut may.rotate, Action::RotateKey),
            (&mut may.stop_old, Action::StopOldKeyValue),
            (&mut may.suspend, Action::SuspendKey),
        ] {
            *verb = *verb && self.would(op, action, &resource).await?;
        }
        Ok(may)
    }
}

/// What makes sense, whoever asks.
fn fitting(key: &Key, values: &[KeyValue], now: DateTime<Utc>) -> WhatMay {
    let stands = key.revoked.is_none();
    let open = stands && !key.archived;
    let over = key.expires_at.is_some_and(|end| now >= end);
    let draining = values.iter().any(|value| value.superseded_at.is_some() && value.is_living());
    let ending = values.iter().any(|value| value.stops_at.is_some() && value.is_living());
    let living = values.iter().filter(|value| value.is_living()).count();
    WhatMay {
        edit: open,
        extend: open && ending,
        resume: open && key.suspended_at.is_some(),
        revoke: stands,
        rotate: open && !over && living < MOST_VALUES,
        stop_old: stands && draining,
        suspend: stands && key.suspended_at.is_none(),
    }
}
