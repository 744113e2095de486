//! Serves the gallery on loopback, with the style sheets as they are on disk: edit and reload. Script and wasm
//! come from the bundle (`.ci/bundle`), whose folder may be given as the argument.

use std::{
    collections::BTreeMap,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use axum::{
    Router,
    extract::{Path as Asked, State},
    response::IntoResponse,
    routing::get,
};
use http::header::CONTENT_TYPE;
use keywarden_app::{console::Console, gallery};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let bundle = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("target/site"), PathBuf::from);
    let assets = Router::new().route("/assets/{name}", get(serve)).with_state(bundle);
    let router = gallery::routes(Console::new(false, asset)).merge(assets);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3900").await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, router).await?;
    Ok(())
}

fn asset(name: &str) -> Option<&'static str> {
    Some(match name {
        "favicon.svg" => "/assets/favicon.svg",
        "history.js" => "/assets/history.js",
        "islands.js" => "/assets/islands.js",
        "keywarden.css" => "/assets/keywarden.css",
        "keywarden.js" => "/assets/keywarden.js",
        "keywarden.wasm" => "/assets/keywarden.wasm",
        "once.js" => "/assets/once.js",
        _ => return None,
    })
}

async fn serve(State(bundle): State<PathBuf>, Asked(name): Asked<String>) -> impl IntoResponse {
    let style = Path::new(env!("CARGO_MANIFEST_DIR")).join("../style");
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css",
        Some("js") => "text/javascript",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    let bytes = match name.as_str() {
        "keywarden.css" => sheet(&style.join("main.css")).into_bytes(),
        name => fs::read(style.join("public").join(name)).unwrap_or_else(|_| bundled(&bundle, name)),
    };
    ([(CONTENT_TYPE, kind)], bytes)
}

/// A file of the bundle by its plain name, or by the hashed one under which the script asks for its module.
fn bundled(bundle: &Path, name: &str) -> Vec<u8> {
    let manifest = fs::read(bundle.join("manifest.json")).unwrap_or_default();
    let names: BTreeMap<String, String> = serde_json::from_slice(&manifest).unwrap_or_default();
    fs::read(bundle.join(names.get(name).map_or(name, String::as_str))).unwrap_or_default()
}

/// A sheet with its imports in place; they stand at the beginning of lines, one each.
fn sheet(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
    text.lines()
        .map(|line| match line.strip_prefix("@import \"").and_then(|rest| rest.strip_suffix("\";")) {
            Some(import) => sheet(&folder.join(import)),
            None => format!("{line}\n").replace("url(\"public/", "url(\""),
        })
        .collect()
}
