//! The table of contents: every address of the API, by noun.

use axum::{
    Extension, Router,
    middleware::from_fn_with_state,
    routing::{any, get},
};
use keywarden_domain::Domain;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    access, audit, channels, decisions, deliveries, device, environments, exchange, fingerprints, introspect,
    keys, leaks, permissions, policies, policy_tests, problem, project_keys, project_seals, projects,
    rewraps, roles, secrets, spec, standards, teams, tokens, trust_rules, users, workloads,
};
use crate::{audit::exports::Exports, secrets::watch::Streams};

/// The API. The server mounts it at the root, below its own layers: request id, client address, limits.
///
/// `streams` are those that it holds open. Requests carry [`keywarden_model::RequestId`] and [`keywarden_model::ClientAddress`] in their extensions.
pub fn router(domain: Domain, streams: Streams) -> Router {
    let (named, _) = table().split_for_parts();
    let named = named
        .route(spec::ADDRESS, get(spec::show))
        .method_not_allowed_fallback(problem::other_method)
        .layer(Extension(streams))
        .layer(Extension(Exports::default()))
        .layer(from_fn_with_state(domain.clone(), problem::name_the_request));
    let (hot, _) = hot().split_for_parts();
    let hot = keys::authorize::BELOW
        .into_iter()
        .fold(hot, |hot, below| hot.route(below, any(keys::authorize::authorize)));
    hot.method_not_allowed_fallback(problem::other_method_named).merge(named).with_state(domain)
}

/// All of it, for the document.
pub(crate) fn documented() -> OpenApiRouter<Domain> {
    hot().merge(table())
}

/// Asked thousands of times a second: no layer around them, they name the request in their problems themselves.
fn hot() -> OpenApiRouter<Domain> {
    OpenApiRouter::new()
        .routes(routes!(keys::verify::verify))
        .routes(routes!(keys::authorize::authorize))
        .routes(routes!(introspect::introspect))
}

fn table() -> OpenApiRouter<Domain> {
    OpenApiRouter::new()
        // keys
        .routes(routes!(keys::list::list, keys::create::create))
        .routes(routes!(keys::import::import))
        .routes(routes!(keys::bulk_revoke::preview))
        .routes(routes!(keys::bulk_revoke::bulk_revoke))
        .routes(routes!(keys::show::show, keys::edit::edit))
        .routes(routes!(keys::rotate::rotate))
        .routes(routes!(keys::suspend::suspend))
        .routes(routes!(keys::resume::resume))
        .routes(routes!(keys::revoke::revoke))
        .routes(routes!(keys::usage::usage))
        .routes(routes!(keys::drain::drain))
        .routes(routes!(keys::values::stop))
        .routes(routes!(keys::values::extend))
        .routes(routes!(leaks::look_up::look_up))
        .routes(routes!(fingerprints::check::check))
        // messages
        .routes(routes!(channels::list::list, channels::create::create))
        .routes(routes!(channels::show::show, channels::edit::edit, channels::delete::delete))
        .routes(routes!(channels::turn::pause))
        .routes(routes!(channels::turn::resume))
        .routes(routes!(channels::rotate::rotate))
        .routes(routes!(channels::test::test))
        .routes(routes!(channels::retry::retry))
        .routes(routes!(deliveries::list::list))
        // projects
        .routes(routes!(projects::list::list, projects::create::create))
        .routes(routes!(projects::show::show, projects::edit::edit))
        .routes(routes!(projects::archive::archive))
        .routes(routes!(environments::list::list, environments::create::create))
        .routes(routes!(environments::show::show, environments::edit::edit))
        .routes(routes!(environments::retention::keep))
        // secrets
        .routes(routes!(
            secrets::read::read,
            secrets::put::put,
            secrets::fields::edit,
            secrets::delete::delete
        ))
        .routes(routes!(secrets::list::list))
        .routes(routes!(secrets::batch::batch_get))
        .routes(routes!(secrets::watch::watch))
        .routes(routes!(secrets::import::import))
        .routes(routes!(secrets::export::export))
        .routes(routes!(secrets::as_of::show))
        .routes(routes!(secrets::as_of::back))
        .routes(routes!(secrets::show::show, secrets::edit::edit))
        .routes(routes!(secrets::readers::readers))
        .routes(routes!(secrets::references::references))
        .routes(routes!(secrets::reuse::reuse))
        .routes(routes!(secrets::promote::promote))
        .routes(routes!(secrets::restore::restore))
        .routes(routes!(secrets::purge::purge))
        .routes(routes!(secrets::data_key::rotate))
        .routes(routes!(secrets::labels::label, secrets::labels::unlabel))
        .routes(routes!(secrets::aliases::show, secrets::aliases::give, secrets::aliases::take))
        .routes(routes!(secrets::aliases::find))
        .routes(routes!(secrets::shares::list, secrets::shares::create))
        .routes(routes!(secrets::shares::withdraw))
        .routes(routes!(secrets::making::show, secrets::versions::delete))
        .routes(routes!(secrets::versions::restore))
        .routes(routes!(secrets::versions::disable))
        .routes(routes!(secrets::versions::enable))
        .routes(routes!(secrets::versions::destroy))
        // encryption keys
        .routes(routes!(project_keys::show::show))
        .routes(routes!(project_keys::rotate::rotate))
        .routes(routes!(project_seals::show::show, project_seals::name::name, project_seals::name::take))
        .routes(routes!(rewraps::list::list))
        .routes(routes!(rewraps::show::show))
        .routes(routes!(rewraps::switch::pause))
        .routes(routes!(rewraps::switch::resume))
        // machine identities
        .routes(routes!(workloads::list::list, workloads::create::create))
        .routes(routes!(workloads::show::show))
        .routes(routes!(workloads::deactivate::deactivate))
        .routes(routes!(trust_rules::list::list, trust_rules::create::create))
        .routes(routes!(trust_rules::show::show, trust_rules::edit::edit, trust_rules::delete::delete))
        .routes(routes!(exchange::exchange))
        .routes(routes!(device::authorize))
        .routes(routes!(device::revoke))
        .routes(routes!(tokens::issue::issue))
        .routes(routes!(tokens::revoke::revoke))
        // people
        .routes(routes!(users::list::list))
        .routes(routes!(users::invite::invite))
        .routes(routes!(users::show::show))
        .routes(routes!(users::deactivate::deactivate))
        .routes(routes!(users::reactivate::reactivate))
        .routes(routes!(teams::list::list, teams::create::create))
        .routes(routes!(teams::show::show, teams::edit::edit))
        .routes(routes!(teams::members::add, teams::members::remove))
        .routes(routes!(roles::list::list, roles::grant::grant))
        .routes(routes!(roles::revoke::revoke))
        // access for a while
        .routes(routes!(access::list::list, access::create::create))
        .routes(routes!(access::show::show))
        .routes(routes!(access::evidence::evidence))
        .routes(routes!(access::decide::withdraw))
        .routes(routes!(access::decide::deny))
        .routes(routes!(access::grants::list))
        .routes(routes!(access::grants::show))
        .routes(routes!(access::grants::give_back))
        .routes(routes!(access::grants::revoke))
        .routes(routes!(access::rules::show, access::rules::set))
        // what decides
        .routes(routes!(policies::list::list, policies::create::create))
        .routes(routes!(policies::check::check))
        .routes(routes!(policy_tests::list::list, policy_tests::create::create))
        .routes(routes!(policy_tests::run::run))
        .routes(routes!(policy_tests::delete::delete))
        .routes(routes!(policies::show::show, policies::rename::rename))
        .routes(routes!(policies::redraft::redraft))
        .routes(routes!(policies::difference::version))
        .routes(routes!(policies::difference::disabling))
        .routes(routes!(policies::replay::version))
        .routes(routes!(policies::replay::disabling))
        .routes(routes!(policies::disable::disable))
        .routes(routes!(policies::steps::activate))
        .routes(routes!(policies::steps::approve))
        .routes(routes!(policies::steps::prove))
        .routes(routes!(policies::steps::roll_back))
        .routes(routes!(policies::steps::submit))
        .routes(routes!(policies::steps::withdraw))
        // effective permissions
        .routes(routes!(permissions::who_can::who_can))
        .routes(routes!(permissions::simulate::simulate))
        .routes(routes!(permissions::held::of_user))
        .routes(routes!(permissions::held::of_workload))
        .routes(routes!(decisions::show::show))
        // what things have to be like
        .routes(routes!(standards::list::list, standards::create::create))
        .routes(routes!(standards::check::check))
        .routes(routes!(standards::show::show))
        .routes(routes!(standards::report::report))
        .routes(routes!(standards::report::tally))
        .routes(routes!(standards::redraft::redraft))
        .routes(routes!(standards::end::end))
        .routes(routes!(standards::steps::activate))
        .routes(routes!(standards::steps::approve))
        .routes(routes!(standards::steps::roll_back))
        .routes(routes!(standards::steps::submit))
        .routes(routes!(standards::steps::withdraw))
        // what happened
        .routes(routes!(audit::list::list))
        .routes(routes!(audit::export::export))
        .routes(routes!(audit::show::show))
}
