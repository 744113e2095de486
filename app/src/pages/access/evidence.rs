//! `GET /access/requests/<id>/evidence`: all that was signed, as a file that is checked without Keywarden.

use axum::{
    extract::{Path, State},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use keywarden_domain::{Fault, Refused};
use keywarden_model::AccessRequestId;

use crate::{
    context::{Asking, House},
    render,
    shell::Section,
};

pub(super) async fn download(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Access);
    let made = async {
        let id: AccessRequestId = id.parse().map_err(|_| Refused::NotFound)?;
        let evidence = house.domain.access_evidence(&op, id).await?;
        let text = serde_json::to_vec_pretty(&evidence);
        Ok((id, text.map_err(|cause| Refused::from(Fault::Unexpected(cause.to_string())))?))
    };
    let (id, text) = match made.await {
        Ok(made) => made,
        Err(refused) => return render::refused(&shell, refused),
    };
    let name = HeaderValue::from_str(&format!("attachment; filename=\"{id}.json\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (header::CONTENT_DISPOSITION, name.unwrap_or(HeaderValue::from_static("attachment"))),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}
