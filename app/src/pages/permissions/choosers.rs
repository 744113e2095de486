//! Whom and what a question can name, by what people call it: as much as the caller may see. What is not among it is named by
//! its id.

use keywarden_domain::{
    Domain, Op, Refused,
    keys::{KeyQuery, ListError},
    policy::PolicyQuery,
    secrets::{SecretListError, SecretQuery},
};

use crate::{
    pages::policies::{Names, Place},
    text::Text,
    ui::{Choice, choice},
};

/// Keys, secrets and policies, of each.
const MOST: u32 = 200;

/// Choices for a question.
#[derive(Clone, Debug)]
pub(super) struct Choosers {
    names: Names,
    keys: Vec<(String, String)>,
    secrets: Vec<(String, String)>,
    drafts: Vec<(String, String, i64)>,
}

impl Choosers {
    pub(super) async fn load(domain: &Domain, op: &Op) -> Result<Self, Refused> {
        let names = Names::load(domain, op, &Place::Organization).await?;
        let keys = match domain.keys(op, &KeyQuery { limit: MOST, ..KeyQuery::default() }).await {
            Ok(page) => page.keys,
            Err(ListError::Refused(refused)) => return Err(refused),
            Err(ListError::Cursor) => Vec::new(),
        };
        let secrets = match domain.secrets(op, &SecretQuery { limit: MOST, ..SecretQuery::default() }).await {
            Ok(page) => page.secrets,
            Err(SecretListError::Refused(refused)) => return Err(refused),
            Err(SecretListError::Cursor) => Vec::new(),
        };
        let policies = domain.policies(op, &PolicyQuery { limit: MOST, ..PolicyQuery::default() }).await?;
        let drafts = policies.policies.into_iter().filter(|it| it.newest.0.is_open());
        Ok(Self {
            names,
            keys: keys.into_iter().map(|it| (it.key.id.to_string(), it.key.name.to_string())).collect(),
            secrets: secrets
                .into_iter()
                .map(|it| {
                    let it = it.secret;
                    let place = format!("{}/{}/{}", it.project_slug, it.environment_slug, it.path);
                    (it.id.to_string(), place)
                })
                .collect(),
            drafts: drafts
                .map(|it| {
                    let (id, number) = (it.policy.id, it.policy.newest);
                    (format!("{id}@{number}"), it.policy.name, number)
                })
                .collect(),
        })
    }

    /// People and workloads.
    pub(super) fn principals(&self, t: Text, chosen: &str) -> Vec<Choice> {
        let all = ["Person", "Workload"].into_iter().flat_map(|kind| self.each(t, kind));
        with(all.collect(), chosen)
    }

    /// Everything that something can be done to.
    pub(super) fn things(&self, t: Text, chosen: &str) -> Vec<Choice> {
        let organization = choice("organization", t.permissions_organization());
        let kinds = ["Project", "Environment", "Secret", "ApiKey", "Team", "Workload", "Person"].into_iter();
        let all = [organization].into_iter().chain(kinds.flat_map(|kind| self.each(t, kind)));
        with(all.collect(), chosen)
    }

    /// Versions that do not decide yet.
    pub(super) fn drafts(&self, t: Text, chosen: &str) -> Vec<Choice> {
        let drafts = self.drafts.iter().map(|(value, name, number)| {
            choice(value, t.permissions_under_draft(name, &number.to_string())).named()
        });
        with(drafts.collect(), chosen)
    }

    fn each(&self, t: Text, kind: &str) -> Vec<Choice> {
        let of = |table: &[(String, String)]| -> Vec<Choice> {
            table.iter().map(|(id, name)| choice(id, name)).collect()
        };
        let choices = match kind {
            "ApiKey" => of(&self.keys),
            "Secret" => of(&self.secrets),
            _ => self.names.choices(t, kind),
        };
        let kind = t.policies_one_of(kind);
        let named =
            choices.into_iter().map(|it| choice(it.value(), t.policies_named(&kind, it.label())).named());
        named.collect()
    }
}

/// What is chosen is among it, whatever it is.
pub(super) fn with(mut choices: Vec<Choice>, chosen: &str) -> Vec<Choice> {
    if !chosen.is_empty() && !choices.iter().any(|it| it.value() == chosen) {
        choices.push(choice(chosen, chosen).named());
    }
    choices
}
