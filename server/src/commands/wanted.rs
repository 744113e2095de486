//! Which secrets a program or a file is to have, and all of their values at once.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use url::Url;

use super::Failure;
use crate::client::{Access, Client, ClientError, Listed, Place, Value, Variable, named};

/// Values that are asked for at once.
const AT_ONCE: usize = 8;

/// Values, each with its variable, in the order of these.
pub(super) type Values = Vec<(Variable, Arc<Value>)>;

#[derive(Debug, clap::Args)]
pub(super) struct Wanted {
    #[command(flatten)]
    access: Access,
    /// The project's slug
    #[arg(long, short)]
    pub(super) project: String,
    /// The environment's slug
    #[arg(long, short)]
    pub(super) environment: String,
    /// Only the secrets of this folder; variables are named after what stands behind it
    #[arg(long)]
    folder: Option<String>,
    /// Only this variable; may be given more than once
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
}

impl Wanted {
    /// A caller of the server, signed in, for a command of this name.
    pub(super) async fn client(&self, command: &str) -> Result<Client, ClientError> {
        Client::new(&self.access, command).await
    }

    /// The server.
    pub(super) fn server(&self) -> Result<Url, ClientError> {
        self.access.server()
    }

    pub(super) fn place(&self) -> Place {
        Place { project: self.project.clone(), environment: self.environment.clone() }
    }

    pub(super) fn folder(&self) -> Option<&str> {
        self.folder.as_deref().map(|folder| folder.trim_matches('/'))
    }

    /// The variables that were chosen; none: all of them.
    pub(super) fn only(&self) -> &[String] {
        &self.only
    }

    /// The `current` values, each with the name of its variable: all of them, or none and why. Those that are `held` are
    /// read only if they are others by now.
    pub(super) async fn values(&self, client: &Client, held: &Values) -> Result<Values, Failure> {
        let place = self.place();
        let enabled = |it: &Listed| it.current.as_ref().is_some_and(|at| at.state == "enabled");
        let listed = client.list(&place, self.folder()).await?;
        let paths: Vec<_> = listed.into_iter().filter(enabled).map(|it| it.path).collect();
        let chosen = self.chosen(named(&paths, self.folder())?)?;
        let place = &place;
        stream::iter(chosen)
            .map(async |variable| {
                let held = held.iter().find(|(it, _)| it.path == variable.path).map(|(_, value)| value);
                let tag = held.and_then(|value| value.tag.as_deref());
                let read = match client.read_anew(place, &variable.path, tag).await {
                    Err(cause) if cause.is_no_value() => {
                        return Err(Failure::NoValue { variable: variable.name, cause });
                    }
                    read => read?,
                };
                let value = match (read, held) {
                    (Some(value), _) => Arc::new(value),
                    (None, Some(value)) => Arc::clone(value),
                    (None, None) => return Err(ClientError::Answer("a value is missing".into()).into()),
                };
                Ok((variable, value))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await
    }

    /// A name that nothing has is a mistake.
    fn chosen(&self, all: Vec<Variable>) -> Result<Vec<Variable>, Failure> {
        if let Some(name) = self.only.iter().find(|name| !all.iter().any(|it| it.name == **name)) {
            return Err(Failure::NoSuchVariable(name.clone()));
        }
        Ok(all.into_iter().filter(|it| self.only.is_empty() || self.only.contains(&it.name)).collect())
    }
}
