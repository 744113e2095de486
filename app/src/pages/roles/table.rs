//! The roles that somebody holds, with the way to take each away.

use keywarden_domain::roles::RoleBinding;
use leptos::prelude::*;

use super::Subject;
use crate::{
    cells,
    text::Text,
    ui::{Column, EmptyState, Row, Table, Time},
};

/// A person's list also has what they hold through teams: that is taken away at the team.
pub(crate) fn table(t: Text, subject: &Subject, roles: Vec<RoleBinding>) -> AnyView {
    let columns = vec![
        Column::text(t.roles_role()),
        Column::text(t.roles_where()),
        Column::minor(t.roles_since()),
        Column::text(t.roles_take()),
    ];
    let rows = roles
        .into_iter()
        .map(|it| {
            let place = match it.project_slug {
                Some(slug) => {
                    let href = format!("/projects/{slug}");
                    view! { <a href=href translate="no">{slug}</a> }.into_any()
                }
                None => t.roles_everywhere().into_any(),
            };
            let role = t.role(it.role);
            let take = if it.holder == subject.holder {
                let href = format!("{}/roles/{}/revoke", subject.home, it.id);
                view! { <a href=href aria-label=t.roles_take_what(role)>{t.roles_take()}</a> }.into_any()
            } else {
                t.roles_through(&it.holder_name).into_any()
            };
            Row::plain(role, cells![place, view! { <Time at=it.created_at/> }, take])
        })
        .collect();
    let give = format!("{}/roles/new", subject.home);
    let empty = view! {
        <EmptyState heading=3 title=t.people_no_roles() action=(t.roles_give(), give)>{t.people_no_roles_why()}</EmptyState>
    };
    view! { <Table caption=t.people_roles() columns=columns rows=rows empty=empty.into_any()/> }.into_any()
}
