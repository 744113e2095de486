//! Which secrets a program or a file is to have, and all of their values at once.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::Failure;
use crate::client::{Access, Client, Listed, Place, Value, Variable, Which, named};

/// Values that are asked for at once.
const AT_ONCE: usize = 8;

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
    /// The `current` values, each with the name of its variable: all of them, or none and why.
    pub(super) async fn values(&self) -> Result<Vec<(Variable, Value)>, Failure> {
        let client = Client::new(&self.access).await?;
        let place = Place { project: self.project.clone(), environment: self.environment.clone() };
        let folder = self.folder.as_deref().map(|folder| folder.trim_matches('/'));
        let enabled = |it: &Listed| it.current.as_ref().is_some_and(|at| at.state == "enabled");
        let listed = client.list(&place, folder).await?;
        let paths: Vec<_> = listed.into_iter().filter(enabled).map(|it| it.path).collect();
        let chosen = self.chosen(named(&paths, folder)?)?;
        let (client, place) = (&client, &place);
        stream::iter(chosen)
            .map(async |variable| {
                let value = client.read(place, &variable.path, &Which::default()).await?;
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
