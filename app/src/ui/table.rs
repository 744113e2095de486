//! Lists: a real table, one link a row, pages by cursor.

use leptos::prelude::*;

use super::words;

/// A column's heading and how its cells look.
#[derive(Clone, Debug)]
pub struct Column {
    label: String,
    class: Option<&'static str>,
    named: bool,
}

impl Column {
    /// Text, badges, anything.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), class: None, named: false }
    }

    /// As [`Column::text`], about a thing that somebody named.
    pub fn named(name: impl Into<String>) -> Self {
        Self { named: true, ..Self::text(name) }
    }

    /// Figures: to the end of the cell, in digits of one width.
    pub fn number(label: impl Into<String>) -> Self {
        Self { class: Some("number"), ..Self::text(label) }
    }

    /// As [`Column::text`], and left out where there is little room.
    pub fn minor(label: impl Into<String>) -> Self {
        Self { class: Some("minor"), ..Self::text(label) }
    }
}

/// A row; see [`row`].
#[derive(Debug)]
pub struct Row {
    href: Option<String>,
    name: AnyView,
    cells: Vec<AnyView>,
}

/// A row that leads to `href`: the link is on the name in the first column and covers the row. The cells are for
/// the columns after the first; make them with [`cells!`].
pub fn row(href: impl Into<String>, name: impl IntoAny, cells: Vec<AnyView>) -> Row {
    Row { href: Some(href.into()), name: name.into_any(), cells }
}

impl Row {
    /// A row that leads nowhere.
    pub fn plain(name: impl IntoAny, cells: Vec<AnyView>) -> Self {
        Self { href: None, name: name.into_any(), cells }
    }
}

/// The cells of a row: texts and views, in the order of the columns after the first.
#[macro_export]
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { vec![$(leptos::prelude::IntoAny::into_any($cell)),*] };
}
pub use cells;

/// Where the neighbouring pages are.
#[derive(Clone, Debug, Default)]
pub struct Pager {
    /// "1–50 of about 12,300"; empty if there is nothing to say.
    pub shown: String,
    /// The first page's address, on a later page.
    pub first: Option<String>,
    /// The next page's address, if there is one.
    pub next: Option<String>,
}

/// A table. Without rows, `empty` stands in its place.
#[component]
pub fn Table(
    /// Names the table; read out, and shown with `captioned`.
    #[prop(into)]
    caption: String,
    columns: Vec<Column>,
    rows: Vec<Row>,
    #[prop(optional)] pager: Option<Pager>,
    #[prop(optional, into)] empty: Option<AnyView>,
    #[prop(optional)] captioned: bool,
) -> impl IntoView {
    if rows.is_empty()
        && let Some(empty) = empty
    {
        return view! { {empty}{pager.map(pages)} }.into_any();
    }
    let heads = columns
        .iter()
        .map(|column| {
            let translate = column.named.then_some("no");
            view! { <th scope="col" class=column.class translate=translate>{column.label.clone()}</th> }
        })
        .collect_view();
    let body = rows.into_iter().map(|row| table_row(row, &columns)).collect_view();
    view! {
        <div class="table-frame" role="group" aria-label=caption tabindex="0">
            <table class="table">
                <caption class=(!captioned).then_some("visually-hidden")>{caption.clone()}</caption>
                <thead><tr>{heads}</tr></thead>
                <tbody>{body}</tbody>
            </table>
        </div>
        {pager.map(pages)}
    }
    .into_any()
}

fn table_row(Row { href, name, cells }: Row, columns: &[Column]) -> AnyView {
    let cells = cells
        .into_iter()
        .zip(columns.iter().skip(1))
        .map(|(cell, column)| view! { <td class=column.class data-label=column.label.clone()>{cell}</td> })
        .collect_view();
    let linked = href.is_some().then_some("table-row");
    let name = match href {
        Some(href) => view! { <a class="table-link" href=href translate="no">{name}</a> }.into_any(),
        None => name,
    };
    view! { <tr class=linked><th scope="row">{name}</th>{cells}</tr> }.into_any()
}

fn pages(Pager { shown, first, next }: Pager) -> AnyView {
    let t = words().text;
    if shown.is_empty() && first.is_none() && next.is_none() {
        return ().into_any();
    }
    view! {
        <nav class="pager" aria-label=t.ui_pager()>
            <span class="pager-shown">{shown}</span>
            {first.map(|href| view! { <a class="button" href=href>{t.ui_first_page()}</a> })}
            {next.map(|href| view! { <a class="button" href=href rel="next">{t.ui_next_page()}</a> })}
        </nav>
    }
    .into_any()
}
