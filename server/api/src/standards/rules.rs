//! What a standard asks for, as bodies say it.

use keywarden_domain::standards::{Days, EnvironmentWord, MOST_ENVIRONMENTS, NamePattern, Rules};
use keywarden_model::{Scopes, Tags};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    flaw::{Flaw, Flaws},
    json::absent,
};

/// What a standard asks for; what is absent asks for nothing.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandardRules {
    /// Only in these environments, by slug or label; at most 32. Empty: in all.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["production"]))]
    environments: Vec<String>,
    /// Names of keys have this form: a regular expression over the whole name, at most 200 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "[a-z][a-z0-9-]*")]
    key_names: Option<String>,
    /// Paths of secrets have this form.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "[a-z][a-z0-9/-]*")]
    secret_names: Option<String>,
    /// Keys expire so many days after their newest value was made, at the latest: 1 to 3650.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 90)]
    key_lifetime_days: Option<i64>,
    /// Keys are rotated after so many days at the latest. It is reported, and refuses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 30)]
    key_rotation_days: Option<i64>,
    /// Secrets get another current version after so many days at the latest. It is reported, and refuses nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 180)]
    secret_rotation_days: Option<i64>,
    /// Keys and secrets belong to a team.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    team_owner: bool,
    /// Keys and secrets have these tags: `cost` with any value, `team=payments` with this one. At most 32.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["cost"]))]
    tags: Vec<String>,
    /// Scopes that need an approval. There is none to be had yet, so that no key is given such a scope. At most 64.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "Vec::is_empty")]
    #[schema(example = json!(["refunds:*"]))]
    approved_scopes: Vec<String>,
    /// Whoever reads a value says why.
    #[serde(default, deserialize_with = "absent", skip_serializing_if = "std::ops::Not::not")]
    #[schema(example = true)]
    reads_need_reason: bool,
}

impl From<&Rules> for StandardRules {
    fn from(rules: &Rules) -> Self {
        let pattern = |it: &Option<NamePattern>| it.as_ref().map(ToString::to_string);
        let days = |it: Option<Days>| it.map(|days| i64::from(days.number()));
        Self {
            environments: rules.environments.iter().map(|it| it.as_str().to_owned()).collect(),
            key_names: pattern(&rules.key_names),
            secret_names: pattern(&rules.secret_names),
            key_lifetime_days: days(rules.key_lifetime_days),
            key_rotation_days: days(rules.key_rotation_days),
            secret_rotation_days: days(rules.secret_rotation_days),
            team_owner: rules.team_owner,
            tags: rules.tags.words(),
            approved_scopes: rules.approved_scopes.iter().map(ToString::to_string).collect(),
            reads_need_reason: rules.reads_need_reason,
        }
    }
}

impl StandardRules {
    /// As the domain has them; `None`: what is wrong was noted.
    pub(super) fn read(&self, flaws: &mut Flaws) -> Option<Rules> {
        let words: Result<_, _> = self.environments.iter().map(|it| it.parse::<EnvironmentWord>()).collect();
        let environments = flaws.keep("/rules/environments", words);
        let few = self.environments.len() <= MOST_ENVIRONMENTS;
        if !few {
            let most = format_args!("use at most {MOST_ENVIRONMENTS} environments");
            flaws.note(Flaw::at("/rules/environments", most));
        }
        let key_names = flaws.keep("/rules/key_names", pattern(self.key_names.as_deref()));
        let secret_names = flaws.keep("/rules/secret_names", pattern(self.secret_names.as_deref()));
        let days = |it: Option<i64>| it.map(Days::try_from).transpose();
        let key_lifetime_days = flaws.keep("/rules/key_lifetime_days", days(self.key_lifetime_days));
        let key_rotation_days = flaws.keep("/rules/key_rotation_days", days(self.key_rotation_days));
        let secret_rotation_days = flaws.keep("/rules/secret_rotation_days", days(self.secret_rotation_days));
        let tags = flaws.keep("/rules/tags", Tags::parse(&self.tags));
        let approved_scopes = flaws.keep("/rules/approved_scopes", Scopes::parse(&self.approved_scopes));
        Some(Rules {
            environments: environments.filter(|_| few)?,
            key_names: key_names?,
            secret_names: secret_names?,
            key_lifetime_days: key_lifetime_days?,
            key_rotation_days: key_rotation_days?,
            secret_rotation_days: secret_rotation_days?,
            team_owner: self.team_owner,
            tags: tags?,
            approved_scopes: approved_scopes?,
            reads_need_reason: self.reads_need_reason,
        })
    }
}

fn pattern(text: Option<&str>) -> Result<Option<NamePattern>, keywarden_domain::standards::PatternError> {
    text.map(str::parse).transpose()
}
