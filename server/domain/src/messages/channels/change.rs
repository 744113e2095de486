//! Changing a channel: another name, other kinds, a pause, another secret, an end. And a test of it.

use std::sync::Arc;

use keywarden_model::time::later;
use keywarden_model::{ChannelId, ChannelKind, Name};
use keywarden_store::{StoreError, Written, channels as rows};
use keywarden_vault::{SecretString, WebhookSecret};

use super::make::words;
use super::{Channel, ChannelError, Kinds, MadeChannel, OLD_SECRET};
use crate::messages::seal::{Inside, subject};
use crate::{Domain, Fault, Op, Refused};

/// What an edit sets.
#[derive(Debug, Clone)]
pub struct ChannelEdit {
    /// What people call it from now on.
    pub name: Name,
    /// To which kinds it listens from now on.
    pub kinds: Kinds,
    /// The version that was edited.
    pub row_version: i64,
}

impl Domain {
    /// Gives a channel another name and other kinds. Where it leads stays: another one is made for that.
    pub async fn edit_channel(
        &self,
        op: &Op,
        id: ChannelId,
        edit: ChannelEdit,
    ) -> Result<ChannelId, ChannelError> {
        let Channel { owner, name: before, kinds, .. } = self.channel_in_sight(op, id).await?;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            let (edit, before, kinds) = (edit.clone(), before.clone(), kinds.clone());
            Box::pin(async move {
                rows::edit(tx, id, (&edit.name, &edit.kinds.text()), edit.row_version)
                    .await
                    .map_err(meanwhile)?;
                let event = record
                    .event("channel.edit", "channel", id)
                    .change("listens", words(&kinds), words(&edit.kinds))
                    .text("name", &edit.name)
                    .text("name_before", before);
                Ok(Written::new(id, event.finish()?))
            })
        })
        .await
    }

    /// Lets a channel take nothing more for now. What waits for it goes on waiting; what happens meanwhile it never carries.
    pub async fn pause_channel(&self, op: &Op, id: ChannelId) -> Result<ChannelId, ChannelError> {
        self.turn_channel(op, id, true).await
    }

    /// Lets a channel that is paused go on.
    pub async fn resume_channel(&self, op: &Op, id: ChannelId) -> Result<ChannelId, ChannelError> {
        self.turn_channel(op, id, false).await
    }

    /// It is no failure that it was so before, and nothing is told of it then.
    async fn turn_channel(&self, op: &Op, id: ChannelId, pause: bool) -> Result<ChannelId, ChannelError> {
        let channel = self.channel_in_sight(op, id).await?;
        let owner = channel.owner;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            Box::pin(async move {
                if !rows::pause(tx, id, pause.then(|| record.now())).await? {
                    return Err(ChannelError::ChangedMeanwhile);
                }
                let name = if pause { "channel.pause" } else { "channel.resume" };
                Ok(Written::new(id, record.event(name, "channel", id).finish()?))
            })
        })
        .await
    }

    /// Gives a webhook another secret, shown this once. For a day the one before signs as well.
    pub async fn rotate_channel_secret(&self, op: &Op, id: ChannelId) -> Result<MadeChannel, ChannelError> {
        let (row, channel) = self.channel_row(op, id).await?;
        if channel.kind != ChannelKind::Webhook {
            return Err(ChannelError::NoSecret);
        }
        let owner = channel.owner;
        let subject = subject(owner.user());
        let key = self.subject_key(&subject, op.now).await?;
        let (Some(key), Some(inside)) = (key, self.open_channel(&row).await?) else {
            return Err(Fault::Unexpected("its person was erased".into()).into());
        };
        let fresh = self.env().with_rng(|rng| WebhookSecret::generate(rng)).text();
        let copy = SecretString::new(fresh.expose().to_owned());
        let Inside { to, secrets } = inside;
        let secrets = std::iter::once(copy).chain(secrets.into_iter().take(1)).collect();
        let sealed = Inside { to, secrets }.seal(self.env(), &key, id, &subject)?;
        let facts = Arc::new((sealed, fresh));
        let version = channel.row_version;
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            let facts = Arc::clone(&facts);
            Box::pin(async move {
                let (sealed, fresh) = &*facts;
                let old_until = later(record.now(), OLD_SECRET);
                rows::reseal(tx, id, sealed, old_until, version).await.map_err(meanwhile)?;
                let event = record.event("channel.rotate-secret", "channel", id).fact("old_until", old_until);
                let secret = Some(SecretString::new(fresh.expose().to_owned()));
                Ok(Written::new(MadeChannel { id, secret }, event.finish()?))
            })
        })
        .await
    }

    /// Deletes a channel, with what waits for it and what is known of what it carried.
    pub async fn delete_channel(&self, op: &Op, id: ChannelId) -> Result<(), ChannelError> {
        let channel = self.channel_in_sight(op, id).await?;
        let (owner, name) = (channel.owner, channel.name);
        self.change(op, owner.manage(), &owner.resource(), &[], move |tx, record| {
            let name = name.clone();
            Box::pin(async move {
                if !rows::delete(tx, id).await? {
                    return Err(Refused::NotFound.into());
                }
                let event = record.event("channel.delete", "channel", id).text("name", name);
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }

    /// Sends a message through the channel that says nothing but that it works: delivered as all others are, in the background.
    pub async fn test_channel(&self, op: &Op, id: ChannelId) -> Result<(), ChannelError> {
        let channel = self.channel_in_sight(op, id).await?;
        if channel.paused_at.is_some() {
            return Err(ChannelError::Paused);
        }
        let owner = channel.owner;
        self.change(op, owner.manage(), &owner.resource(), &[], move |_, record| {
            Box::pin(
                async move { Ok(Written::new((), record.event("channel.test", "channel", id).finish()?)) },
            )
        })
        .await
    }
}

fn meanwhile(error: StoreError) -> ChannelError {
    match error {
        StoreError::Stale(_) => ChannelError::ChangedMeanwhile,
        other => other.into(),
    }
}
