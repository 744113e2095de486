//! What every page of the console promises, proved on the gallery's.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use axum::{body::Body, response::Response};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use leptos::prelude::*;
use tower::ServiceExt as _;

use super::routes;
use crate::{
    cells,
    console::Console,
    render,
    shell::{Shell, Visit},
    text::pseudo::raw_words,
    ui::{Column, Id, Table, Time, row},
};

const PAGES: [&str; 10] = [
    "/",
    "/keys",
    "/keys/new",
    "/keys/pay-prod",
    "/empty",
    "/sign-in",
    "/degraded",
    "/missing",
    "/fault",
    "/unavailable",
];

fn console() -> Console {
    Console::new(true, |name| {
        Some(match name {
            "favicon.svg" => "/assets/favicon.0a.svg",
            "history.js" => "/assets/history.0a.js",
            "islands.js" => "/assets/islands.0a.js",
            "keywarden.css" => "/assets/keywarden.0a.css",
            "keywarden.js" => "/assets/keywarden.0a.js",
            "keywarden.wasm" => "/assets/keywarden.0a.wasm",
            "once.js" => "/assets/once.0a.js",
            _ => return None,
        })
    })
}

async fn send(request: Request<Body>) -> (Response<()>, String) {
    let (parts, body) = routes(console()).oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (Response::from_parts(parts, ()), String::from_utf8(body.to_vec()).unwrap())
}

async fn get(path: &str) -> (Response<()>, String) {
    send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(path: &str, body: &str) -> (Response<()>, String) {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    send(request.body(Body::from(body.to_owned())).unwrap()).await
}

/// Every page there is, the refused form included.
async fn all() -> Vec<(String, String)> {
    let mut pages = Vec::new();
    for path in PAGES {
        pages.push((path.to_owned(), get(path).await.1));
    }
    pages.push(("a refused form".into(), post("/keys/new", "name=&scopes[]=orders:write").await.1));
    pages
}

/// One tag a line, without the renderer's markers and the islands' hashes.
fn readable(html: &str) -> String {
    let html = html.replace("<!>", "").replace("<!--<() />-->", "").replace("><", ">\n<");
    html.lines()
        .map(|line| match line.split_once("data-component=\"") {
            Some((before, rest)) => {
                let (island, rest) = rest.split_once('"').unwrap();
                let name = island.split('_').next().unwrap();
                format!("{before}data-component=\"{name}\"{rest}\n")
            }
            None => format!("{line}\n"),
        })
        .collect()
}

fn attributes<'a>(html: &'a str, name: &str) -> Vec<&'a str> {
    let opening = format!(" {name}=\"");
    html.split(&opening).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

#[tokio::test]
async fn pages_look_like_this() {
    for (path, html) in all().await {
        let name = path.trim_start_matches('/').replace(['/', ' '], "-");
        let name = if name.is_empty() { "home".into() } else { name };
        insta::assert_snapshot!(name, readable(&html));
    }
}

#[tokio::test]
async fn every_page_forbids_what_it_does_not_need_and_is_not_kept() {
    for path in PAGES {
        let (response, _) = get(path).await;
        assert_eq!(response.headers()[header::CONTENT_SECURITY_POLICY], render::CSP, "{path}");
        assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store", "{path}");
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
    }
    assert!(!render::CSP.contains("unsafe-inline") && !render::CSP.contains("  "));
}

#[tokio::test]
async fn no_page_holds_a_style_a_handler_or_a_script_of_its_own() {
    for (path, html) in all().await {
        for tag in html.split('<').skip(1).map(|rest| rest.split('>').next().unwrap()) {
            let spaced = tag.replace('\n', " ");
            assert!(!spaced.contains(" style="), "{path}: {tag}");
            assert!(
                !spaced.split(' ').any(|word| word.starts_with("on") && word.contains('=')),
                "{path}: {tag}"
            );
            assert!(!spaced.contains("javascript:"), "{path}: {tag}");
            assert!(!spaced.starts_with("script") || spaced.contains(" src=\""), "{path}: {tag}");
        }
        assert!(!html.contains("<style"), "{path}");
    }
}

#[tokio::test]
async fn ids_are_unique_and_what_refers_to_one_finds_it() {
    for (path, html) in all().await {
        let ids = attributes(&html, "id");
        let distinct: BTreeSet<&str> = ids.iter().copied().collect();
        assert_eq!(ids.len(), distinct.len(), "{path}: {ids:?}");
        for name in ["for", "aria-describedby", "aria-labelledby", "aria-controls"] {
            for id in attributes(&html, name).into_iter().flat_map(str::split_whitespace) {
                assert!(distinct.contains(id), "{path}: {name}=\"{id}\" leads nowhere");
            }
        }
        for id in attributes(&html, "href").into_iter().filter_map(|href| href.strip_prefix('#')) {
            assert!(id.is_empty() || distinct.contains(id), "{path}: #{id} leads nowhere");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{path}");
        assert_eq!(html.matches("<main").count(), 1, "{path}");
    }
}

#[tokio::test]
async fn all_words_come_from_the_catalogue() {
    for path in PAGES {
        let request = Request::get(path).header(header::ACCEPT_LANGUAGE, "en-XA");
        let (_, html) = send(request.body(Body::empty()).unwrap()).await;
        assert!(html.contains("<html lang=\"en-XA\">"));
        // The product's name is the same in every language; a key's own name is in its page's title.
        let html = html.replace("Keywarden", "").replace("<title>pay-prod", "<title>");
        assert_eq!(raw_words(&html), Vec::<String>::new(), "{path}");
    }
}

#[tokio::test]
async fn a_refused_form_shows_what_was_typed_and_what_is_wrong() {
    let long = "x".repeat(2001);
    let body = format!("name=+&environment=test&scopes[]=orders:write&note={long}&expires=2027-01-01T00:00");
    let (response, html) = post("/keys/new", &body).await;
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert!(html.contains("<title>Error: Issue key · Keys — Keywarden</title>"));
    assert!(html.contains("role=\"alert\" tabindex=\"-1\" autofocus"));
    assert!(html.contains("<a href=\"#field-name\">Name: Fill this in.</a>"));
    assert!(html.contains("aria-describedby=\"field-name-hint field-name-error\" aria-invalid=\"true\""));
    assert!(html.contains("<option value=\"test\" selected"));
    assert!(html.contains("name=\"scopes[]\" value=\"orders:write\" checked"));
    assert!(!html.contains("name=\"scopes[]\" value=\"orders:read\" checked"));
    assert!(!html.contains("name=\"notify\" value=\"1\" checked"));
    assert!(html.contains("value=\"2027-01-01T00:00\""));
    assert!(html.contains(&format!("\n{long}</textarea>")));
}

#[tokio::test]
async fn an_accepted_form_leads_on_and_the_next_page_says_what_was_done_once() {
    let (response, _) = post("/keys/new", "name=pay-prod&environment=prod").await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    assert_eq!(response.headers()[header::LOCATION], "/keys/pay-prod");
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap();

    let request = Request::get("/keys/pay-prod").header(header::COOKIE, cookie);
    let (response, html) = send(request.body(Body::empty()).unwrap()).await;
    assert!(html.contains("Issued key pay-prod."), "{html}");
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().starts_with("__Host-kw-flash=; "));
}

#[tokio::test]
async fn pages_fetch_the_browser_side_only_where_an_island_is() {
    let (_, none) = get("/sign-in").await;
    assert!(!none.contains("islands") && !none.contains("wasm"), "{none}");
    let (_, asleep) = get("/keys/new").await;
    assert!(
        asleep.contains("data-islands=\"/assets/keywarden.0a.js\"") && !asleep.contains("preload"),
        "{asleep}"
    );
    let (_, at_once) = get("/keys").await;
    assert!(at_once.contains("<link rel=\"modulepreload\" href=\"/assets/keywarden.0a.js\">"));
}

#[tokio::test]
async fn the_theme_is_in_the_first_byte() {
    let themed =
        |theme: &str| Request::get("/keys").header(header::COOKIE, format!("__Host-kw-theme={theme}"));
    let (_, html) = send(themed("dark").body(Body::empty()).unwrap()).await;
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\" data-theme=\"dark\">"));
    let (_, html) = send(themed("\"><script>").body(Body::empty()).unwrap()).await;
    assert!(html.starts_with("<!DOCTYPE html><html lang=\"en\"><head>"));
}

#[test]
fn a_page_of_fifty_rows_stays_small() {
    let visit = Visit::read(&http::HeaderMap::new(), "/", String::new(), console());
    let shell = Shell::new(console(), visit, super::shell::now(), "seed".into());
    let html = render::fragment(&shell, || {
        let columns = ["a", "b", "c", "d", "e", "f"].map(Column::text).to_vec();
        let rows = (0..50).map(|n| {
            let id = view! { <Id value=format!("key_01JDB2W1N9F6Q3R8T5V7X9Z{n:03}")/> };
            row(
                format!("/keys/{n}"),
                format!("key {n}"),
                cells![id, view! { <Time at=super::shell::now()/> }, "c", "d", "e"],
            )
        });
        view! { <Table caption="Keys" columns=columns rows=rows.collect()/> }
    });
    let elements = html.matches('<').count() - html.matches("</").count() - html.matches("<!").count();
    assert!(elements < 1_200, "{elements} elements");
    // Some 6 kB compressed: rows are alike.
    assert!(html.len() < 64_000, "{} bytes", html.len());
}

fn style() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../style")
}

/// The sheets of the design system with their texts, comments dropped.
fn sheets() -> Vec<(String, String)> {
    let mut sheets = Vec::new();
    for folder in [style(), style().join("ui")] {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "css") {
                let text = fs::read_to_string(&path).unwrap();
                let text = text.split("/*").map(|part| part.split_once("*/").map_or(part, |(_, rest)| rest));
                sheets.push((path.file_name().unwrap().to_str().unwrap().to_owned(), text.collect()));
            }
        }
    }
    sheets
}

#[tokio::test]
async fn every_class_of_the_sheets_is_on_a_page() {
    // What an island draws only in the browser is in its source alone.
    let drawn_later = include_str!("../islands/palette.rs");
    let mut used: BTreeSet<String> =
        attributes(drawn_later, "class").into_iter().map(str::to_owned).collect();
    for (_, html) in all().await {
        used.extend(
            attributes(&html, "class").into_iter().flat_map(str::split_whitespace).map(str::to_owned),
        );
    }
    for (name, text) in sheets() {
        // Selectors end at a brace; numbers with a decimal point are not classes.
        for selector in text.split(['{', '}', ';']).filter(|part| !part.contains(':') || part.contains("::"))
        {
            for class in selector.split('.').skip(1) {
                let class: String =
                    class.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
                let is_class = class.starts_with(|c: char| c.is_ascii_alphabetic()) && class != "css";
                assert!(!is_class || used.contains(&class), "{name}: nothing on any page is `.{class}`");
            }
        }
    }
}

#[test]
fn raw_colours_stand_in_the_tokens_alone() {
    for (name, text) in sheets() {
        let raw = ["#", "rgb(", "hsl(", "oklch(", "light-dark("].iter().any(|raw| text.contains(raw));
        assert_eq!(raw, name == "tokens.css", "{name}");
    }
}

#[test]
fn the_main_sheet_imports_every_sheet() {
    let main = fs::read_to_string(style().join("main.css")).unwrap();
    for (name, _) in sheets().into_iter().filter(|(name, _)| name != "main.css") {
        assert!(main.contains(&format!("{name}\";")), "main.css does not import {name}");
    }
}
