//! Who made what: by name for those who may read the record, by id for everybody.

use std::collections::BTreeMap;

use keywarden_domain::{
    Op, Refused,
    audit::Query,
    secrets::{Secret, SecretView},
};
use leptos::prelude::*;

use crate::{context::House, ui::Id};

/// Events that are looked through for names: as many as there are versions on a page.
const EVENTS: u32 = 100;

/// Names by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Of those who made the secret and its versions, as the record knows them.
    pub(super) async fn of(house: &House, op: &Op, view: &SecretView) -> Result<Self, Refused> {
        let mut names = BTreeMap::new();
        for action in ["secret.create", "secret.put"] {
            let query = Query {
                action: Some(action.to_owned()),
                resource: Some(view.secret.id.to_string()),
                limit: EVENTS,
                ..Query::default()
            };
            for event in house.domain.events(op, &query).await?.events {
                names.extend(
                    event.names.get(&event.actor.1).map(|name| (event.actor.1.clone(), name.clone())),
                );
            }
        }
        Ok(Self(names))
    }

    /// The name, which leads to its bearer; the id of whom the reader knows nothing else.
    pub(super) fn show(&self, id: &str) -> AnyView {
        match self.0.get(id) {
            Some(name) => view! { <a href=format!("/o/{id}") translate="no">{name.clone()}</a> }.into_any(),
            None => view! { <Id value=id plain=true/> }.into_any(),
        }
    }
}

/// Whether the person may read what was done to the secret.
pub(super) async fn may_audit(house: &House, op: &Op, secret: &Secret) -> Result<bool, Refused> {
    use keywarden_domain::{Action, Resource};
    house.domain.would(op, Action::ReadAudit, &Resource::Project(secret.project)).await
}
