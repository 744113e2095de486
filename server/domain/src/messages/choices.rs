//! What a person wants to be told of.

use std::collections::BTreeSet;

use keywarden_model::MessageKind;
use keywarden_store::people::users;
use keywarden_store::{Written, messages};

use crate::audit::Fact;
use crate::{Action, Domain, Fault, Op, Refused, Resource};

/// What a person has said, and what they cannot be silent about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choices {
    /// Kinds that they do not want to be told of.
    pub silenced: BTreeSet<MessageKind>,
    /// Whether they are an owner, and are told of what endangers the house, whatever they say.
    pub owner: bool,
}

impl Choices {
    /// Whether they can be silent about this.
    pub fn may_silence(&self, kind: MessageKind) -> bool {
        !(self.owner && kind.is_security())
    }
}

impl Domain {
    /// What the person who asks has said.
    pub async fn message_choices(&self, op: &Op) -> Result<Choices, Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        let _seen = self.authorize(op, Action::ViewOwnAccount, &Resource::Person(user)).await?;
        let mut conn = self.store().read().await.map_err(Fault::from)?;
        let words = messages::silenced(&mut conn, user).await?;
        let silenced = words.iter().filter_map(|word| word.parse().ok()).collect();
        Ok(Choices { silenced, owner: users::owners(&mut conn).await?.contains(&user) })
    }

    /// Sets of which kinds the person who asks does not want to be told. What an owner cannot be silent about is left out.
    pub async fn choose_messages(&self, op: &Op, silenced: BTreeSet<MessageKind>) -> Result<(), Refused> {
        let user = op.actor.person().ok_or(Refused::NotFound)?.id;
        self.change(op, Action::ChooseMessages, &Resource::Person(user), &[], move |tx, record| {
            let silenced = silenced.clone();
            Box::pin(async move {
                let owner = users::owners(tx).await?.contains(&user);
                let kinds: Vec<&'static str> = silenced
                    .iter()
                    .filter(|kind| **kind != MessageKind::Test && !(owner && kind.is_security()))
                    .map(|kind| kind.as_str())
                    .collect();
                messages::silence(tx, user, &kinds).await?;
                let event = record
                    .event(Action::ChooseMessages.name(), "user", user)
                    .fact("silenced", Fact::list(kinds.into_iter().map(Fact::word)));
                Ok(Written::new((), event.finish()?))
            })
        })
        .await
    }
}
