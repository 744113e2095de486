//! A secret's versions and labels: shown, pointed, switched, deleted, restored. No value is read.

use http::Method;
use url::Url;

use super::{
    Client, ClientError, Listed, Place, Whole, address,
    answers::{Nothing, Point},
    value_address,
};

/// What can be done to one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Switch {
    Destroy,
    Disable,
    Enable,
}

impl Switch {
    const fn word(self) -> &'static str {
        match self {
            Self::Destroy => "destroy",
            Self::Disable => "disable",
            Self::Enable => "enable",
        }
    }
}

impl Client {
    /// The id of a secret, which its labels and versions are addressed by; `deleted`: of one that can be restored.
    pub(crate) async fn find(&self, place: &Place, path: &str, deleted: bool) -> Result<String, ClientError> {
        let mut url = address(&self.server, &["secrets"]);
        place.narrow(&mut url, path.rsplit_once('/').map(|(folder, _)| folder));
        url.query_pairs_mut().append_pair("q", path).append_pair("deleted", &deleted.to_string());
        let found: Option<Listed> = self.listed(url).await?.into_iter().find(|it| it.path == path);
        found.map(|it| it.id).ok_or_else(|| ClientError::NoSecret(path.to_owned()))
    }

    /// As [`Client::find`]; a deleted one only where no other is there.
    pub(crate) async fn find_even_deleted(&self, place: &Place, path: &str) -> Result<String, ClientError> {
        match self.find(place, path, false).await {
            Err(ClientError::NoSecret(_)) => self.find(place, path, true).await,
            found => found,
        }
    }

    /// The secret with its labels and versions.
    pub(crate) async fn show(&self, id: &str) -> Result<Whole, ClientError> {
        self.ask(Method::GET, self.of(id, &[]), None::<&()>).await
    }

    /// Lets a label point at a version.
    pub(crate) async fn label(&self, id: &str, label: &str, version: i64) -> Result<Whole, ClientError> {
        self.ask(Method::PUT, self.of(id, &["labels", label]), Some(&Point { version })).await
    }

    /// Takes a label away.
    pub(crate) async fn unlabel(&self, id: &str, label: &str) -> Result<Whole, ClientError> {
        self.ask(Method::DELETE, self.of(id, &["labels", label]), None::<&()>).await
    }

    /// Disables, enables or destroys a version.
    pub(crate) async fn switch(&self, id: &str, version: i64, to: Switch) -> Result<Whole, ClientError> {
        let url = self.of(id, &["versions", &version.to_string(), to.word()]);
        self.ask(Method::POST, url, Some(&Nothing {})).await
    }

    /// Deletes a secret; for a while it can be restored.
    pub(crate) async fn delete(&self, place: &Place, path: &str) -> Result<Whole, ClientError> {
        self.ask(Method::DELETE, value_address(&self.server, place, path), None::<&()>).await
    }

    /// Brings a deleted secret back.
    pub(crate) async fn restore(&self, id: &str) -> Result<Whole, ClientError> {
        self.ask(Method::POST, self.of(id, &["restore"]), Some(&Nothing {})).await
    }

    /// Destroys a deleted secret.
    pub(crate) async fn purge(&self, id: &str) -> Result<(), ClientError> {
        self.answer(self.http.post(self.of(id, &["purge"])).json(&Nothing {})).await.map(drop)
    }

    fn of(&self, id: &str, more: &[&str]) -> Url {
        address(&self.server, &[&["secrets", id][..], more].concat())
    }
}
