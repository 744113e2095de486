//! What holds for pages of every noun, proved on the real domain: who is led where, what is kept, what looks alike.

mod access;
mod aliases;
mod audit;
mod device;
mod doors;
mod drills;
mod entry;
mod hand_over;
mod imports;
mod keys;
mod lists;
mod messages;
mod permissions;
mod policies;
mod posts;
mod presets;
mod project_seal;
mod rules;
mod secret_access;
mod secrets;
mod shares;
mod standards;
mod standing;
mod templates;
mod words;

use std::sync::Arc;

use axum::{body::Body, response::Response};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt as _;
use keywarden_domain::{
    Actor, Op, Source,
    cast::{Engine, House as Cast, Player},
    people::Browser,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::{
    console::Console,
    context::{House, Standing},
    routes,
};

const ORIGIN: &str = "https://keys.example.com";

/// A console before a house of the cast.
struct Stage {
    cast: Cast,
    house: House,
}

/// What came back.
struct Came {
    status: StatusCode,
    to: String,
    body: String,
    response: Response<()>,
}

impl Stage {
    async fn new() -> Self {
        Self::of(Cast::new(Engine::Sqlite).await)
    }

    fn of(cast: Cast) -> Self {
        let console = Console::new(true, |_| Some("/assets/x"));
        let house = House::new(cast.domain.clone(), console, Arc::new(json!({})), Standing::default);
        Self { cast, house }
    }

    /// Sends a request as the server's session layer would hand it on.
    async fn send(&self, actor: Actor, request: Request<Body>) -> Came {
        let mut request = request;
        request.extensions_mut().insert(actor);
        request.extensions_mut().insert(Source::default());
        request.extensions_mut().insert(Browser::known("the browser of this test"));
        let (parts, body) = routes::router(self.house.clone()).oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let to = parts.headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        Came {
            status: parts.status,
            to: to.unwrap_or_default(),
            body: String::from_utf8(body.to_vec()).unwrap(),
            response: Response::from_parts(parts, ()),
        }
    }

    async fn get(&self, actor: Actor, path: &str) -> Came {
        self.send(actor, Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, actor: Actor, path: &str, body: &str) -> Came {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(Body::from(body.to_owned()))
            .unwrap();
        self.send(actor, request).await
    }

    /// Posts a form with a file: its name and text, if it has one.
    async fn upload(
        &self,
        actor: Actor,
        path: &str,
        fields: &[(&str, &str)],
        file: Option<(&str, &str)>,
    ) -> Came {
        const PART: &str = "--X\r\nContent-Disposition: form-data; name=";
        let fields = fields.iter().map(|(name, value)| format!("{PART}\"{name}\"\r\n\r\n{value}\r\n"));
        let kind = "Content-Type: application/octet-stream";
        let file = file
            .map(|(name, text)| format!("{PART}\"file\"; filename=\"{name}\"\r\n{kind}\r\n\r\n{text}\r\n"));
        let body = fields.chain(file).chain(["--X--\r\n".to_owned()]).collect::<String>();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=X")
            .body(Body::from(body))
            .unwrap();
        self.send(actor, request).await
    }

    async fn script(&self, actor: Actor, path: &str, body: &Value) -> Came {
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        self.send(actor, request).await
    }
}

fn person(player: &Player) -> Actor {
    let Op { actor, .. } = player.op();
    actor
}

/// A page with the length of its refusal's id instead of it: that is drawn anew each time.
fn undecided(body: &str) -> String {
    let Some((_, after)) = body.split_once("title=\"dec_") else { return body.to_owned() };
    let id = format!("dec_{}", after.split('"').next().unwrap());
    let short = format!("{}…{}", &id[..9], &id[id.len() - 4..]);
    body.replace(&id, &format!("dec_{}", id.len())).replace(&short, "dec_…")
}
