//! A file between two pages: sealed, with what is to be done with it, for its person's session alone.

use keywarden_domain::{
    Op, Refused, SecretBytes,
    keys::Place,
    people::KeepError,
    secrets::{
        ImportFile,
        files::{FileFormat, Nested},
    },
};
use keywarden_model::{EnvironmentId, PendingPostId, SecretPath};

use super::PATH;
use crate::{context::House, form::Params, pages::listing::href};

/// What is to be done with a file.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) environment: EnvironmentId,
    pub(super) folder: Option<SecretPath>,
    pub(super) format: FileFormat,
    pub(super) nested: Nested,
    /// What it was called where it came from; empty for what was pasted.
    pub(super) name: String,
}

/// A file that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) plan: Plan,
    pub(super) file: ImportFile,
}

impl Kept {
    pub(super) fn place(&self) -> Place {
        Place::Environment(self.plan.environment)
    }

    pub(super) fn folder(&self) -> &str {
        self.plan.folder.as_ref().map_or("", |folder| folder.as_str())
    }
}

/// Keeps a file; where its preview is.
pub(super) async fn keep(
    house: &House,
    op: &Op,
    plan: &Plan,
    file: &SecretBytes,
) -> Result<String, KeepError> {
    let nested = match plan.nested {
        Nested::Folders => "folders",
        Nested::Json => "json",
    };
    let about = href(
        PATH,
        &[
            ("environment", &plan.environment.to_string()),
            ("folder", plan.folder.as_ref().map_or("", |folder| folder.as_str())),
            ("format", plan.format.as_str()),
            ("nested", nested),
            ("name", &plan.name),
        ],
    );
    let id = house.domain.keep_file(op, &about, file).await?;
    Ok(format!("{PATH}/{id}"))
}

/// Finds a file again; `None`: it is not kept any more, or was kept by somebody else.
pub(super) async fn find(house: &House, op: &Op, id: &str) -> Result<Option<Kept>, Refused> {
    let Ok(id) = id.parse::<PendingPostId>() else { return Ok(None) };
    let Some(kept) = house.domain.kept_file(op, id).await? else { return Ok(None) };
    // A post that waits for a passkey is no file.
    let Some(query) = kept.path.strip_prefix(PATH).and_then(|rest| rest.strip_prefix('?')) else {
        return Ok(None);
    };
    let about = Params::parse(query);
    let folder = about.some("folder").map(|text| text.parse::<SecretPath>()).transpose();
    let (Ok(environment), Ok(folder), Ok(format), Ok(nested)) = (
        about.text("environment").parse(),
        folder,
        about.text("format").parse(),
        about.text("nested").parse(),
    ) else {
        return Ok(None);
    };
    let plan =
        Plan { environment, folder: folder.clone(), format, nested, name: about.text("name").to_owned() };
    Ok(Some(Kept { plan, file: ImportFile { folder, format, nested, file: kept.body } }))
}
