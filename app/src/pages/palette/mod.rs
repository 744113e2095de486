//! What the ⌘K palette finds, and the short permanent addresses `/o/<id>`.

use axum::{
    Json, Router,
    extract::{Path, State},
    response::{IntoResponse as _, Response},
    routing::get,
};
use http::header;
use keywarden_domain::{
    Op, Refused,
    keys::{KeyLine, KeyPage, KeyQuery, ListError},
    people::{UserFilter, UserState},
    policy::PolicyQuery,
    projects::ProjectQuery,
    secrets::{SecretLine, SecretListError, SecretPage, SecretQuery},
    workloads::WorkloadQuery,
};

use crate::{
    context::{Asking, House},
    form::Params,
    islands::palette::Hit,
    render,
    shell::{Section, Shell},
};

/// At most this many hits.
const HITS: usize = 20;
/// Of each kind.
const EACH: u32 = 6;

pub(crate) fn routes() -> Router<House> {
    Router::new().route("/palette", get(find)).route("/o/{id}", get(open))
}

async fn find(State(house): State<House>, Asking { shell, op }: Asking, params: Params) -> Response {
    match gather(&house, &shell, &op, params.text("q")).await {
        Ok(hits) => ([(header::CACHE_CONTROL, "no-store")], Json(hits)).into_response(),
        Err(refused) => render::refused(&shell, refused),
    }
}

async fn gather(house: &House, shell: &Shell, op: &Op, text: &str) -> Result<Vec<Hit>, Refused> {
    let t = shell.text;
    let wanted = text.to_lowercase();
    let mut hits = Vec::new();
    if !text.is_empty() {
        let search = Some(text.to_owned());
        let keys = KeyQuery { search: search.clone(), limit: EACH, ..KeyQuery::default() };
        for KeyLine { key, .. } in found(house.domain.keys(op, &keys).await)? {
            let detail = format!("{} · {} / {}", t.keys_one(), key.project_slug, key.environment_slug);
            hits.push(Hit { label: key.name.to_string(), detail, href: format!("/keys/{}", key.id) });
        }
        let secrets = SecretQuery { search: search.clone(), limit: EACH, ..SecretQuery::default() };
        for SecretLine { secret, .. } in secrets_found(house.domain.secrets(op, &secrets).await)? {
            let detail =
                format!("{} · {} / {}", t.secrets_one(), secret.project_slug, secret.environment_slug);
            hits.push(Hit {
                label: secret.path.to_string(),
                detail,
                href: format!("/secrets/{}", secret.id),
            });
        }
        let projects = ProjectQuery { archived: false, search: search.clone(), after: None, limit: EACH };
        for it in house.domain.projects(op, &projects).await?.projects {
            let href = format!("/projects/{}", it.project.slug);
            hits.push(Hit { label: it.project.name, detail: t.projects_one().to_owned(), href });
        }
        if shell.policies {
            let policies = PolicyQuery { search: search.clone(), limit: EACH, ..PolicyQuery::default() };
            for it in house.domain.policies(op, &policies).await?.policies {
                let href = format!("/policies/{}", it.policy.id);
                hits.push(Hit { label: it.policy.name, detail: t.policies_one().to_owned(), href });
            }
        }
        let workloads = WorkloadQuery {
            project: None,
            deactivated: false,
            search,
            token_ends_within_days: None,
            after: None,
            limit: EACH,
        };
        for it in house.domain.workloads(op, &workloads).await?.workloads {
            hits.push(Hit {
                label: it.name,
                detail: t.workloads_one().to_owned(),
                href: format!("/workloads/{}", it.id),
            });
        }
    }
    if let Ok(name) = text.parse() {
        let named = UserFilter { name: Some(name), state: Some(UserState::Active) };
        match house.domain.list_users(op, &named, None, EACH).await {
            Ok(page) => hits.extend(page.users.into_iter().map(|it| Hit {
                label: it.name,
                detail: t.people_one().to_owned(),
                href: format!("/people/{}", it.id),
            })),
            // People are not everybody's to see.
            Err(Refused::Forbidden(_) | Refused::NotFound) => {}
            Err(refused) => return Err(refused),
        }
    }
    let pages = [
        (t.keys_issue(), "/keys/new".to_owned()),
        (t.secrets_create(), "/secrets/new".to_owned()),
        (t.projects_create(), "/projects/new".to_owned()),
        (t.workloads_create(), "/workloads/new".to_owned()),
    ];
    let sections = [
        Section::Home,
        Section::Keys,
        Section::Secrets,
        Section::Projects,
        Section::People,
        Section::Workloads,
        Section::Policies,
        Section::Audit,
        Section::System,
        Section::Leaks,
        Section::Account,
    ];
    let sections = sections.into_iter().filter(|it| *it != Section::Policies || shell.policies);
    let sections = sections.map(|section| (section.name(t), section.href().to_owned()));
    let policies = shell.policies.then(|| (t.policies_new(), "/policies/new".to_owned()));
    for (label, href) in sections.chain(pages).chain(policies) {
        if label.to_lowercase().contains(&wanted) {
            hits.push(Hit { label: label.to_owned(), detail: t.palette_page().to_owned(), href });
        }
    }
    hits.truncate(HITS);
    Ok(hits)
}

fn found(page: Result<KeyPage, ListError>) -> Result<Vec<KeyLine>, Refused> {
    match page {
        Ok(page) => Ok(page.keys),
        // A first page has no cursor to be wrong about.
        Err(ListError::Cursor) => Ok(Vec::new()),
        Err(ListError::Refused(refused)) => Err(refused),
    }
}

fn secrets_found(page: Result<SecretPage, SecretListError>) -> Result<Vec<SecretLine>, Refused> {
    match page {
        Ok(page) => Ok(page.secrets),
        Err(SecretListError::Cursor) => Ok(Vec::new()),
        Err(SecretListError::Refused(refused)) => Err(refused),
    }
}

/// Where a thing's own page is, by its id. Whether it may be seen is that page's matter.
async fn open(Asking { shell, .. }: Asking, Path(id): Path<String>) -> Response {
    let place = match id.split('_').next() {
        Some("acr") => "/access/requests",
        Some("chn") => "/channels",
        Some("key") => "/keys",
        Some("pol") => "/policies",
        Some("prj") => "/projects",
        Some("sec") => "/secrets",
        Some("std") => "/standards",
        Some("wkl") => "/workloads",
        Some("usr") => "/people",
        Some("team") => "/teams",
        Some("evt") => "/audit",
        _ => return render::not_found(&shell),
    };
    if id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        render::see_other(&format!("{place}/{id}"))
    } else {
        render::not_found(&shell)
    }
}
