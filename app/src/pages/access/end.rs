//! `/access/grants/<id>/give-back` and `/revoke`: the end of a role that is held for a while.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Domain, Op, Refused,
    access::{AccessError, Grant},
};
use keywarden_model::AccessGrantId;
use leptos::prelude::*;

use super::{LIST, path, way, what_of};
use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    text::Text,
    ui::{Confirm, Facts, Form, PageHeader, Time, fact},
};

/// By whose hand.
#[derive(Clone, Copy, Debug)]
enum Hand {
    Holders,
    Others,
}

impl Hand {
    fn label(self, t: Text) -> &'static str {
        match self {
            Self::Holders => t.access_give_back(),
            Self::Others => t.access_revoke(),
        }
    }
}

async fn load(domain: &Domain, op: &Op, id: &str) -> Result<Grant, Refused> {
    let id: AccessGrantId = id.parse().map_err(|_| Refused::NotFound)?;
    domain.access_grant(op, id).await
}

pub(super) async fn before_giving_back(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    before(&house, asking, &id, Hand::Holders).await
}

pub(super) async fn before_revoking(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
) -> Response {
    before(&house, asking, &id, Hand::Others).await
}

pub(super) async fn give_back(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    end(&house, asking, &id, posted, Hand::Holders).await
}

pub(super) async fn revoke(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    end(&house, asking, &id, posted, Hand::Others).await
}

async fn before(house: &House, asking: Asking, id: &str, hand: Hand) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    match load(&house.domain, &op, id).await {
        Ok(grant) => draw(&shell, &grant, hand, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn end(house: &House, asking: Asking, id: &str, posted: Posted, hand: Hand) -> Response {
    let Asking { shell, op } = asking.at(Section::Access).once(&posted);
    let t = shell.text;
    let grant = match load(&house.domain, &op, id).await {
        Ok(grant) => grant,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    let ended = match hand {
        Hand::Holders => house.domain.give_back_access(&op, grant.id).await,
        Hand::Others => house.domain.revoke_access(&op, grant.id).await,
    };
    let mut errors = Errors::new();
    match (ended, hand) {
        (Ok(_), Hand::Holders) => return render::done(&shell, LIST, t.access_given_back()),
        (Ok(_), Hand::Others) => return render::done(&shell, &path(grant.request), t.access_revoked()),
        (Err(AccessError::Refused(refused)), _) => {
            return house.refused(&shell, &op, &posted, refused).await;
        }
        (Err(error), _) => errors.whole(t.access_error(&error).unwrap_or_default()),
    }
    draw(&shell, &grant, hand, Draft::refused(posted.fields, errors))
}

fn draw(shell: &Shell, grant: &Grant, hand: Hand, draft: Draft) -> Response {
    let t = shell.text;
    let (title, what) = match hand {
        Hand::Holders => (t.access_give_back_title().to_owned(), t.access_give_back_what()),
        Hand::Others => {
            (t.access_revoke_title(&what_of(t, grant), &grant.holder_name), t.access_revoke_what())
        }
    };
    let (back, ends_at, named) = (path(grant.request), grant.ends_at, what_of(t, grant));
    let calm = matches!(hand, Hand::Holders);
    page(shell, hand.label(t)).of(&draft).show(move || {
        let facts = vec![fact(t.access_what(), named), fact(t.access_ends(), view! { <Time at=ends_at/> })];
        view! {
            <PageHeader title=hand.label(t) crumbs=way(t)/>
            <Facts facts=facts/>
            <Confirm title=title consequences=vec![what.to_owned()] calm=calm>
                <Form draft=draft submit=hand.label(t) danger=!calm cancel=back/>
            </Confirm>
        }
    })
}
