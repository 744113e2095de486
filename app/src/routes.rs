//! The console's own table of contents. A noun's routes are merged here.

use axum::Router;

use crate::{
    console::Console,
    context::House,
    pages::{
        access, account, audit, channels, device, docs, elsewhere, encryption, entry, home, keys, leaks,
        notices, palette, people, permissions, policies, preferences, projects, secrets, standards, step_up,
        system, teams, workloads,
    },
};

/// The whole console. It has no fallback: what is at no address is the server's to answer.
pub fn router(house: House) -> Router {
    let console = house.console;
    Router::new()
        .merge(access::routes())
        .merge(account::routes())
        .merge(audit::routes())
        .merge(channels::routes())
        .merge(device::routes())
        .merge(docs::routes())
        .merge(encryption::routes())
        .merge(entry::routes())
        .merge(home::routes())
        .merge(keys::routes())
        .merge(leaks::routes())
        .merge(notices::routes())
        .merge(palette::routes())
        .merge(people::routes())
        .merge(policies::routes())
        .merge(permissions::routes())
        .merge(projects::routes())
        .merge(secrets::routes())
        .merge(standards::routes())
        .merge(step_up::routes())
        .merge(system::routes())
        .merge(teams::routes())
        .merge(workloads::routes())
        .method_not_allowed_fallback(elsewhere::nothing)
        .with_state(house)
        .merge(anyone(console))
}

/// Routes that need nobody to be signed in, nor a house.
pub fn anyone(console: Console) -> Router {
    Router::new().merge(preferences::routes()).with_state(console)
}
