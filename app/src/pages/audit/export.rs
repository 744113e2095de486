//! The list as a file: exactly the rows of its filters, at most ten thousand.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::SecondsFormat;
use http::header;
use keywarden_domain::audit::Event;

use super::query;
use crate::{
    context::{Asking, House},
    form::Params,
    render,
};

const PAGE: u32 = 200;
const MOST: usize = 10_000;

pub(super) async fn csv(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking;
    let gathered = async {
        let mut query = query(&house, &op, &params, PAGE).await?;
        let mut text =
            String::from("id,at,action,outcome,actor_kind,actor,resource_kind,resource,project\r\n");
        let mut rows = 0;
        loop {
            let page = house.domain.events(&op, &query).await?;
            for event in &page.events {
                line(&mut text, event);
            }
            rows += page.events.len();
            match page.next {
                Some(next) if rows < MOST => query.before = Some(next),
                _ => return Ok(text),
            }
        }
    };
    match gathered.await {
        Ok(text) => (
            [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"keywarden-audit.csv\""),
                (header::CACHE_CONTROL, "no-store"),
            ],
            Body::from(text),
        )
            .into_response(),
        Err(refused) => render::refused(&shell, refused),
    }
}

fn line(text: &mut String, event: &Event) {
    let cells = [
        event.id.to_string(),
        event.at.to_rfc3339_opts(SecondsFormat::Micros, true),
        event.action.clone(),
        event.outcome.clone(),
        event.actor.0.clone(),
        event.actor.1.clone(),
        event.resource.0.clone(),
        event.resource.1.clone(),
        event.project.map(|it| it.to_string()).unwrap_or_default(),
    ];
    text.push_str(&cells.map(|cell| cell_of(&cell)).join(","));
    text.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula (OWASP ASVS 1.2.10).
fn cell_of(value: &str) -> String {
    let formula = value.starts_with(['=', '+', '-', '@', '\t', '\r', '\0']);
    let guarded = if formula { format!("'{value}") } else { value.to_owned() };
    if guarded.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", guarded.replace('"', "\"\""))
    } else {
        guarded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_and_no_value_breaks_its_row() {
        assert_eq!(cell_of("=1+1"), "'=1+1");
        assert_eq!(cell_of("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(cell_of("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(cell_of("key_01"), "key_01");
    }
}
