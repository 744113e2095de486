//! A thing by its id: what policies are told of it, and what people call it.

use keywarden_model::{ApiKeyId, EnvironmentId, ProjectId, SecretId, TeamId, UserId, WorkloadId};
use keywarden_store::{Conn, environments, keys, names, people::users, projects, secrets, teams, workloads};

use crate::authz::Owner;
use crate::{Fault, Resource};

/// A thing that something could be done to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// As policies see it.
    pub resource: Resource,
    /// What it is called; empty for the organization.
    pub name: String,
    /// The project that it lies in, and what that is called.
    pub project: Option<(ProjectId, String)>,
}

impl Thing {
    /// Its id, or `organization`.
    pub fn id(&self) -> String {
        self.resource.name().1
    }

    /// By its id, or `organization`; `None` if there is none.
    pub(crate) async fn find(conn: &mut Conn, id: &str) -> Result<Option<Self>, Fault> {
        let Some(resource) = resource(conn, id).await? else { return Ok(None) };
        let project = resource.project().map(|project| (project, project.to_string()));
        let ids = project.iter().map(|(_, text)| text.as_str()).chain([id]);
        let mut called = names::of(conn, ids).await?;
        let project =
            project.map(|(project, text)| (project, called.get(&text).cloned().unwrap_or_default()));
        let name = called.remove(id).unwrap_or_default();
        Ok(Some(Self { resource, name, project }))
    }
}

async fn resource(conn: &mut Conn, id: &str) -> Result<Option<Resource>, Fault> {
    let damaged = |what: &str| Fault::Damaged(format!("{id}: {what}"));
    if id == "organization" {
        return Ok(Some(Resource::Organization));
    }
    Ok(if let Ok(id) = id.parse::<ApiKeyId>() {
        match keys::find(conn, id).await? {
            None => None,
            Some(row) => Some(Resource::ApiKey {
                id,
                project: row.project_id,
                environment: row.environment_id,
                owner: Owner::parse(&row.owner_id).ok_or_else(|| damaged("owner"))?,
            }),
        }
    } else if let Ok(id) = id.parse::<EnvironmentId>() {
        let found = environments::find(conn, id).await?;
        found.map(|row| Resource::Environment { id, project: row.project_id })
    } else if let Ok(id) = id.parse::<UserId>() {
        users::find(conn, id).await?.map(|_| Resource::Person(id))
    } else if let Ok(id) = id.parse::<ProjectId>() {
        projects::find(conn, id).await?.map(|_| Resource::Project(id))
    } else if let Ok(id) = id.parse::<SecretId>() {
        let found = secrets::find(conn, id).await?;
        found.map(|row| Resource::Secret { id, project: row.project_id, environment: row.environment_id })
    } else if let Ok(id) = id.parse::<TeamId>() {
        teams::find(conn, id).await?.map(|_| Resource::Team(id))
    } else if let Ok(id) = id.parse::<WorkloadId>() {
        match workloads::find(conn, id).await? {
            None => None,
            Some(row) => {
                let project = row.project_id.map(|it| it.parse()).transpose();
                Some(Resource::Workload { id, project: project.map_err(|_| damaged("project"))? })
            }
        }
    } else {
        None
    })
}
