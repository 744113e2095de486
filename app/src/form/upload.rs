//! Forms with a file (RFC 7578), read strictly and within bounds.

use std::fmt;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRef, FromRequest, FromRequestParts as _, Multipart, Request},
    response::Response,
};
use http::{header, request::Parts};
use keywarden_domain::{SecretBytes, secrets::files::MAX_FILE};

use super::{Fields, FieldsError, Room};
use crate::{console::Console, render, shell::Shell, shell::Visit};

/// Room for the largest file, and for the fields around it.
const LARGEST: usize = MAX_FILE + (64 << 10);
/// The longest name of a file that is kept, in characters.
const LONGEST_NAME: usize = 120;

/// A posted form whose `file` may be a file, and whose `paste` may be as long as one.
pub struct Upload {
    /// The other fields.
    pub fields: Fields,
    /// The file, if one was chosen.
    pub file: Option<Uploaded>,
    /// What was pasted, if anything; line ends are `\n`.
    pub paste: Option<SecretBytes>,
}

/// A file that was chosen.
pub struct Uploaded {
    /// What it is called where it comes from, without its folder.
    pub name: String,
    /// The file.
    pub bytes: SecretBytes,
}

impl Upload {
    async fn read(parts: &Parts, body: Body) -> Result<Self, FieldsError> {
        let kind = parts.headers.get(header::CONTENT_TYPE).ok_or(FieldsError::Kind)?.clone();
        let bytes = to_bytes(body, LARGEST).await.map_err(|_| FieldsError::TooLarge)?;
        let mut whole = Request::new(Body::from(bytes));
        whole.headers_mut().insert(header::CONTENT_TYPE, kind);
        let mut form = Multipart::from_request(whole, &()).await.map_err(|_| FieldsError::Kind)?;
        let mut upload = Self { fields: Fields::default(), file: None, paste: None };
        while let Some(part) = form.next_field().await.map_err(|_| FieldsError::Unreadable)? {
            let name = part.name().unwrap_or_default().to_owned();
            let file = part.file_name().map(str::to_owned);
            let bytes = part.bytes().await.map_err(|_| FieldsError::Unreadable)?;
            match (name.as_str(), file) {
                ("file", Some(_)) if upload.file.is_some() => return Err(FieldsError::Repeated),
                // What a browser sends where no file was chosen.
                ("file", Some(file)) if file.is_empty() && bytes.is_empty() => {}
                ("file", Some(file)) => {
                    let bytes = SecretBytes::copy_of(&bytes);
                    upload.file = Some(Uploaded { name: base_name(&file), bytes });
                }
                ("paste", None) if upload.paste.is_some() => return Err(FieldsError::Repeated),
                ("paste", None) => {
                    let text = std::str::from_utf8(&bytes).map_err(|_| FieldsError::Unreadable)?;
                    let text = text.replace("\r\n", "\n");
                    let is_some = !text.trim().is_empty();
                    upload.paste = is_some.then(|| SecretBytes::new(text.into_bytes()));
                }
                (_, None) => {
                    let text = std::str::from_utf8(&bytes).map_err(|_| FieldsError::Unreadable)?;
                    upload.fields.add(Room::USUAL, &name, text)?;
                }
                (_, Some(_)) => return Err(FieldsError::Unreadable),
            }
        }
        Ok(upload)
    }
}

/// The last part of a path, without what has no place in a name.
pub(super) fn base_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    base.chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect()
}

impl<S: Send + Sync> FromRequest<S> for Upload
where
    Console: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let error = match Self::read(&parts, body).await {
            Ok(upload) => return Ok(upload),
            Err(error) => error,
        };
        tracing::info!(%error, "upload refused");
        let visit = match Visit::from_request_parts(&mut parts, state).await {
            Ok(visit) => visit,
            Err(never) => match never {},
        };
        Err(render::refused_form(&Shell::unmoved(Console::from_ref(state), visit), error.status()))
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("fields", &self.fields).finish_non_exhaustive()
    }
}

impl fmt::Debug for Uploaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Uploaded").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Reads a form whose parts are parted by `X`.
#[cfg(test)]
pub(super) async fn read_upload(body: &[u8]) -> Result<Upload, FieldsError> {
    let kind = "multipart/form-data; boundary=X";
    let request = Request::post("/").header(header::CONTENT_TYPE, kind).body(Body::from(body.to_vec()));
    let (parts, body) = request.map_err(|_| FieldsError::Kind)?.into_parts();
    Upload::read(&parts, body).await
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(body: &str) -> Result<Upload, FieldsError> {
        read_upload(body.replace('\n', "\r\n").as_bytes()).await
    }

    const FILE: &str = "--X\nContent-Disposition: form-data; name=\"file\"; filename=\"C:\\fakepath\\.env\"\nContent-Type: text/plain\n\nA=hunter2\n\n";

    #[tokio::test]
    async fn a_file_a_paste_and_fields_are_found() {
        let upload = read(&format!(
            "--X\nContent-Disposition: form-data; name=\"folder\"\n\nshop\n{FILE}--X\nContent-Disposition: form-data; name=\"paste\"\n\nB=1\nC=2\n--X--\n"
        ))
        .await
        .unwrap();
        assert_eq!(upload.fields.text("folder"), "shop");
        let file = upload.file.as_ref().unwrap();
        assert_eq!((file.name.as_str(), file.bytes.expose()), (".env", &b"A=hunter2\r\n"[..]));
        assert_eq!(upload.paste.as_ref().unwrap().expose(), b"B=1\nC=2");
        assert!(!format!("{upload:?} {file:?}").contains("hunter2"));
    }

    #[tokio::test]
    async fn no_file_chosen_is_none() {
        let upload = read("--X\nContent-Disposition: form-data; name=\"file\"; filename=\"\"\nContent-Type: application/octet-stream\n\n\n--X\nContent-Disposition: form-data; name=\"paste\"\n\n \n--X--\n").await.unwrap();
        assert!(upload.file.is_none() && upload.paste.is_none());
    }

    #[tokio::test]
    async fn what_no_browser_sends_is_refused() {
        for (body, error) in [
            (format!("{FILE}{FILE}--X--\n"), FieldsError::Repeated),
            (FILE.to_owned(), FieldsError::Unreadable),
            ("--X\nContent-Disposition: form-data; name=\"other\"; filename=\"x\"\n\nx\n--X--\n".into(), FieldsError::Unreadable),
            ("--X\nContent-Disposition: form-data; name=\"a\"\n\n1\n--X\nContent-Disposition: form-data; name=\"a\"\n\n2\n--X--\n".into(), FieldsError::Repeated),
            (format!("--X\nContent-Disposition: form-data; name=\"file\"; filename=\"x\"\n\n{}\n--X--\n", "x".repeat(LARGEST)), FieldsError::TooLarge),
        ] {
            let shown: String = body.chars().take(80).collect();
            assert_eq!(read(&body).await.map(drop).unwrap_err(), error, "{shown}");
        }
    }
}
