//! Who can as a file: exactly the rows of the list's filters.

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use http::header;
use keywarden_domain::permissions::WhoCan;

use super::{explained, who_can};
use crate::{
    context::{Asking, House},
    form::Params,
    pages::audit::cell_of,
    render,
    shell::Section,
    text::Text,
};

const HEAD: &str = "action,resource,principal,kind,name,paths,policies\r\n";

pub(super) async fn csv(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::People);
    match who_can::load(&house, &shell, &op, &params).await {
        Ok(found) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"keywarden-permissions.csv\""),
                (header::CACHE_CONTROL, "no-store"),
            ],
            file(shell.text, &found.only(&who_can::sought(&params))),
        )
            .into_response(),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn file(t: Text, found: &WhoCan) -> String {
    let mut text = HEAD.to_owned();
    let thing = found.thing.id();
    for it in &found.entitled {
        let paths: Vec<_> = it.paths.iter().map(|path| explained::path(t, path, &found.written)).collect();
        let mut policies: Vec<_> =
            it.paths.iter().flat_map(|path| &path.policies).map(String::as_str).collect();
        policies.sort_unstable();
        policies.dedup();
        let cells = [
            found.action.name().to_owned(),
            thing.clone(),
            it.holder.to_string(),
            it.holder.kind().to_owned(),
            it.name.clone(),
            paths.join("; "),
            policies.join("; "),
        ];
        text.push_str(&cells.map(|cell| cell_of(&cell)).join(","));
        text.push_str("\r\n");
    }
    text
}
