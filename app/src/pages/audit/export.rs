//! The list as a file: exactly the rows of its filters, page by page as they are read. Its length is bounded, and a file
//! that was cut says so.

use std::io;

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse as _, Response},
};
use chrono::SecondsFormat;
use futures_util::{StreamExt as _, stream};
use http::header;
use keywarden_domain::{
    Op,
    audit::{Event, Page, Query},
};

use super::{list, query};
use crate::{
    context::{Asking, House},
    form::Params,
    render,
    shell::Section,
    text::Text,
};

const PAGE: u32 = 200;
/// The most rows of a file.
pub(super) const MOST: usize = 100_000;
const HEAD: &str = "id,at,action,outcome,actor_kind,actor,resource_kind,resource,project\r\n";

pub(super) async fn csv(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { shell, op } = asking.at(Section::Audit);
    let query = match query(&house, &op, &params, PAGE).await {
        Ok(query) => query,
        Err(unasked) => return list::refused(&shell, params, unasked),
    };
    // Who may not read any of it is told so on a page, before a file begins.
    let first = match house.domain.events(&op, &query).await {
        Ok(first) => first,
        Err(refused) => return render::refused(&shell, refused),
    };
    let mut rest = Rest { house, op, query, text: shell.text, rows: 0, ended: false };
    let begun = format!("{HEAD}{}", rest.lines(&first));
    let file = stream::once(async { io::Result::Ok(begun) }).chain(stream::try_unfold(rest, Rest::next));
    (
        [
            (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
            (header::CONTENT_DISPOSITION, "attachment; filename=\"keywarden-audit.csv\""),
            (header::CACHE_CONTROL, "no-store"),
        ],
        Body::from_stream(file),
    )
        .into_response()
}

/// What is still to be written.
struct Rest {
    house: House,
    op: Op,
    query: Query,
    text: Text,
    rows: usize,
    ended: bool,
}

impl Rest {
    /// The next page's lines. A file whose next page cannot be read breaks off: it must not look whole.
    async fn next(mut self) -> io::Result<Option<(String, Self)>> {
        if self.ended {
            return Ok(None);
        }
        if self.rows >= MOST {
            self.ended = true;
            return Ok(Some((cut(self.text), self)));
        }
        match self.house.domain.events(&self.op, &self.query).await {
            Ok(page) => Ok(Some((self.lines(&page), self))),
            Err(refused) => {
                tracing::warn!(%refused, "an export of events broke off");
                Err(io::Error::other("the export broke off"))
            }
        }
    }

    fn lines(&mut self, page: &Page) -> String {
        let mut text = String::new();
        for event in &page.events {
            line(&mut text, event);
        }
        self.rows = self.rows.saturating_add(page.events.len());
        self.query.before = page.next;
        self.ended = page.next.is_none();
        text
    }
}

/// The last line of a file that does not hold everything.
fn cut(t: Text) -> String {
    format!("{}\r\n", cell_of(&t.audit_export_cut(&t.number(MOST as u64))))
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
pub(in crate::pages) fn cell_of(value: &str) -> String {
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
    fn a_file_that_was_cut_says_so_in_one_cell() {
        let last = cut(Text::default());
        assert!(
            last.starts_with("\"There are more events than the 100,000 above") && last.ends_with("\"\r\n"),
            "{last}"
        );
    }

    #[test]
    fn no_cell_is_a_formula_and_no_value_breaks_its_row() {
        assert_eq!(cell_of("=1+1"), "'=1+1");
        assert_eq!(cell_of("@SUM(A1)"), "'@SUM(A1)");
        assert_eq!(cell_of("a,\"b\"\n"), "\"a,\"\"b\"\"\n\"");
        assert_eq!(cell_of("key_01"), "key_01");
    }
}
