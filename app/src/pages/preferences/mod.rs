//! What a browser remembers about its visitor: theme and language. Nobody needs to be signed in for it.

mod locale;
mod theme;

use axum::Router;

use crate::{console::Console, pages::elsewhere};

pub(crate) fn routes() -> Router<Console> {
    Router::new()
        .route("/theme", elsewhere::to("/").post(theme::set))
        .route("/locale", elsewhere::to("/").post(locale::set))
}
