//! The made-up surroundings of the gallery.

use axum::Json;
use chrono::{DateTime, TimeDelta, Utc};

use crate::{
    console::Console,
    islands::palette::Hit,
    shell::{ProjectLink, Protection, Section, Shell, Visit, Who},
};

/// One instant for all of it: 25 November 2026, 14:00:00 UTC.
pub(super) fn now() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(1_795_615_200)
}

pub(super) fn framed(console: Console, visit: Visit, section: Option<Section>) -> Shell {
    let project = |slug: &str, name: &str| ProjectLink { slug: slug.into(), name: name.into() };
    let mut shell = bare(console, visit);
    shell.who = Some(Who { name: "Ada Lovelace".into(), detail: "ada@example.com".into() });
    shell.section = section;
    shell.projects =
        vec![project("pay", "Payments"), project("search", "Search"), project("mail", "Mail & notices")];
    shell.project = Some(project("pay", "Payments"));
    shell.protection = Protection::Software;
    shell
}

pub(super) fn bare(console: Console, visit: Visit) -> Shell {
    Shell::new(console, visit, now(), "5eed5eed5eed5eed5eed5eed5eed5eed".into())
}

pub(super) async fn palette() -> Json<Vec<Hit>> {
    let hit = |label: &str, detail: &str, href: &str| Hit {
        label: label.into(),
        detail: detail.into(),
        href: href.into(),
    };
    Json(vec![
        hit("pay-prod", "Key · Payments", "/keys/pay-prod"),
        hit("pay-test", "Key · Payments", "/keys/pay-test"),
        hit("Ada Lovelace", "Person", "/people"),
    ])
}
