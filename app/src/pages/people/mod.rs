//! People: who is here, letting in and out, and what they leave behind.

mod deactivate;
mod end_sessions;
mod hand_over;
mod invitations;
mod invite;
mod list;
mod reactivate;
mod roles;
mod rotate_seen;
mod show;

use axum::{Router, routing::get};
use keywarden_domain::{Op, Refused, people::ShownUser};
use keywarden_model::UserId;

use roles::OfPerson;

use crate::{
    context::House,
    pages::{elsewhere, permissions::WHO_CAN, roles as held},
    text::Text,
    ui::{Crumb, Tab, crumb, tab},
};

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/people", get(list::show))
        .route("/people/invite", get(invite::new).post(invite::create))
        .route("/people/invitations", get(invitations::list))
        .route("/people/invitations/{id}/withdraw", get(invitations::before).post(invitations::withdraw))
        .route("/people/{id}", get(show::show))
        .route("/people/{id}/deactivate", get(deactivate::before).post(deactivate::deactivate))
        .route("/people/{id}/reactivate", get(reactivate::before).post(reactivate::reactivate))
        .route("/people/{id}/hand-over", get(hand_over::show).post(hand_over::give))
        .route("/people/{id}/hand-over/rotate", get(rotate_seen::ask).post(rotate_seen::rotate))
        .route("/people/{id}/end-sessions", elsewhere::up().post(end_sessions::end))
        .route("/people/{id}/roles/new", get(held::new::<OfPerson>).post(held::grant::<OfPerson>))
        .route(
            "/people/{id}/roles/{binding}/revoke",
            get(held::before::<OfPerson>).post(held::revoke::<OfPerson>),
        )
}

const LIST: &str = "/people";

/// Somebody by the id in the address.
async fn find(house: &House, op: &Op, id: &str) -> Result<ShownUser, Refused> {
    let id: UserId = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.show_user(op, id).await
}

fn home(id: UserId) -> String {
    format!("{LIST}/{id}")
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.people(), LIST)]
}

fn way_to(t: Text, user: &ShownUser) -> Vec<Crumb> {
    vec![crumb(t.people(), LIST), crumb(user.name.clone(), home(user.id))]
}

/// The lists of this section.
pub(super) fn tabs(t: Text, current: &str, invites: bool, explains: bool) -> Vec<Tab> {
    let mut places = vec![(t.people(), LIST), (t.teams(), "/teams")];
    if invites {
        places.push((t.invitations(), invitations::HERE));
    }
    if explains {
        places.push((t.permissions(), WHO_CAN));
    }
    places.into_iter().map(|(label, href)| tab(label, href).current(href == current)).collect()
}
