use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused,
    authz::Reach,
    secrets::{SecretListError, SecretPage, SecretQuery},
};

use super::{
    browse::{self, Content, Here},
    filter::{Filter, PATH},
    found,
    places::{self, Places},
};
use crate::{
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
};

const PAGE: u32 = 50;

/// What an address shows: a folder, the tree's top, or what is found anywhere.
enum Shown {
    Folder(Content),
    Found(SecretPage),
    Places(Places),
}

pub(super) async fn list(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let filter = match Filter::read(&house, &mut shell, &op, params).await {
        Ok(filter) => filter,
        Err(response) => return response,
    };
    let loaded = async {
        let create = may(&house, &op, &filter, Action::CreateSecret).await?;
        let export = may(&house, &op, &filter, Action::ReadSecret).await?;
        let shown = if filter.searches() {
            let cursor = filter.params().some("after");
            let query = SecretQuery { cursor, limit: PAGE, ..filter.query.clone() };
            Shown::Found(house.domain.secrets(&op, &query).await?)
        } else if filter.environment.is_some() {
            Shown::Folder(Content::of(&house, &op, &filter).await?)
        } else {
            Shown::Places(Places::of(&house, &op, &filter).await?)
        };
        Ok::<_, SecretListError>((shown, Here { create, export }))
    };
    let (shown, may) = match loaded.await {
        Ok(loaded) => loaded,
        Err(SecretListError::Cursor) => return render::see_other(&filter.params().first(PATH)),
        Err(SecretListError::Refused(refused)) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let title = match (&filter.environment, filter.folder()) {
        _ if filter.searches() => t.secrets().to_owned(),
        (Some(environment), "") => environment.slug.clone(),
        (Some(_), folder) => folder.to_owned(),
        (None, _) => t.secrets().to_owned(),
    };
    let frame = shell.clone();
    page(&shell, title).show(move || {
        let bar = filter.bar(&frame);
        match shown {
            Shown::Folder(content) => browse::view(t, &filter, bar, content, may),
            Shown::Found(page) => found::view(t, &filter, bar, page),
            Shown::Places(places) => places::view(t, &filter, bar, places, may.create),
        }
    })
}

/// Whether this can be done here, or anywhere where no project is chosen. Nothing new is made in an archived project.
async fn may(house: &House, op: &Op, filter: &Filter, action: Action) -> Result<bool, Refused> {
    let reach = house.domain.reach(op, action).await?;
    Ok(match (&filter.project, reach) {
        (Some(project), reach) => {
            let stands = project.archived_at.is_none() || action == Action::ReadSecret;
            stands && reach.covers(project.id)
        }
        (None, Reach::All) => true,
        (None, Reach::Part { projects, .. }) => !projects.is_empty(),
    })
}
