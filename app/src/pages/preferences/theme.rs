//! `POST /theme`: light, dark, or as the system.

use axum::{extract::State, response::Response};
use http::header;

use crate::{
    console::Console,
    form::Fields,
    render,
    shell::{Lifetime, Theme, back_path, set_cookie},
};

pub(super) async fn set(State(console): State<Console>, fields: Fields) -> Response {
    let theme = Theme::named(fields.text("theme")).unwrap_or_default();
    let mut response = render::see_other(back_path(fields.text("back")));
    if let Some(cookie) = set_cookie(console, "theme", theme.as_str(), Lifetime::Year) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use http::{Request, StatusCode};
    use tower::ServiceExt as _;

    use super::*;
    use crate::routes;

    async fn post(kind: &str, body: &'static str) -> Response {
        let request =
            Request::post("/theme").header(header::CONTENT_TYPE, kind).body(Body::from(body)).unwrap();
        routes::anyone(Console::new(false, |_| None)).oneshot(request).await.unwrap()
    }

    const FORM: &str = "application/x-www-form-urlencoded";

    #[tokio::test]
    async fn the_choice_is_remembered_and_leads_back() {
        let response = post(FORM, "theme=dark&back=%2Fkeys%3Fstate%3Dactive").await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[header::LOCATION], "/keys?state=active");
        let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("kw-theme=dark; "), "{cookie}");
    }

    #[tokio::test]
    async fn it_never_leads_to_another_site() {
        let response = post(FORM, "theme=dark&back=%2F%2Fevil.example").await;
        assert_eq!(response.headers()[header::LOCATION], "/");
    }

    #[tokio::test]
    async fn what_is_no_form_gets_a_page_that_says_so() {
        for (kind, body, status) in [
            (FORM, "theme=dark&theme=light", StatusCode::BAD_REQUEST),
            ("application/json", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ] {
            let response = post(kind, body).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html; charset=utf-8");
        }
    }
}
