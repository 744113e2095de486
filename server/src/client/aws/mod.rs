//! Another system on its way out: AWS Secrets Manager, read as one file to be imported.
//!
//! Only what is current is read (`AWSCURRENT`), with its description and tags. A secret that waits to be deleted there, or
//! has no current value, is passed over and told. One that may not be read, or has no place here, is told as well, and then
//! nothing is imported: whoever wants the rest says so by name.
//!
//! Requests are signed by AWS' own library; keys come from where AWS' own tools look for them, and never from a flag.

mod api;
mod entries;
mod settings;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use keywarden_domain::secrets::files::{MOST_ENTRIES, Nested};
use url::Url;

pub(crate) use settings::AwsSettingsError;

use super::{Access, Aside, ClientError, Taken};
use api::{Listed, SecretsManager};
use entries::Entries;
use settings::Settings;

/// Values that are asked for at the same time.
const AT_ONCE: usize = 8;

/// Which secrets are read, and where. There is no flag for a key: whoever lists processes sees arguments.
#[derive(Debug, clap::Args)]
pub(in crate::client) struct AwsAccess {
    /// Import from AWS Secrets Manager instead of a file. Its keys are those of AWS' own tools: in AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or in ~/.aws/credentials under AWS_PROFILE
    #[arg(long)]
    pub(in crate::client) from_aws: bool,
    /// Its region; without it AWS_REGION, AWS_DEFAULT_REGION or the profile says
    #[arg(long, value_name = "REGION", requires = "from_aws")]
    region: Option<String>,
    /// Another address than AWS' own for that region; without it AWS_ENDPOINT_URL_SECRETS_MANAGER or AWS_ENDPOINT_URL says
    #[arg(long, value_name = "URL", requires = "from_aws")]
    endpoint_url: Option<Url>,
    /// Only secrets whose names there begin so
    #[arg(long, value_name = "TEXT", requires = "from_aws")]
    prefix: Option<String>,
    /// Without the secret of this name there; as often as needed
    #[arg(long, value_name = "NAME", requires = "from_aws")]
    except: Vec<String>,
}

impl AwsAccess {
    /// All that is to be imported, with what is told of the rest.
    pub(in crate::client) async fn taken(
        &self,
        below: Option<&str>,
        nested: Nested,
    ) -> Result<Taken, ClientError> {
        let settings = Settings::of(self.region.as_deref(), self.endpoint_url.as_ref())?;
        let service = SecretsManager::new(Access::http()?, settings);
        let wanted = Wanted::new(self.prefix.as_deref(), below, &self.except);
        let mut entries = Entries::new(nested);
        let mut chosen = Vec::new();
        let mut page = None;
        loop {
            let listed = service.list(&wanted.filter(), page.as_deref()).await?;
            for secret in listed.secrets {
                let Some(path) = wanted.path(&secret.name) else { continue };
                if secret.deleted {
                    entries.aside(Aside::left_out(&secret.name, "it waits to be deleted there"));
                } else {
                    chosen.push((path.to_owned(), secret));
                }
            }
            if chosen.len() > MOST_ENTRIES {
                return Err(service.refuses(format!(
                    "more than {MOST_ENTRIES} secrets: choose some by --below or --prefix"
                )));
            }
            if listed.next.is_none() || listed.next == page {
                break;
            }
            page = listed.next;
        }
        let values = chosen.into_iter().map(|(path, secret)| {
            let service = &service;
            async move {
                let value = service.value(&secret).await?;
                Ok::<_, ClientError>((path, secret, value))
            }
        });
        let mut values = stream::iter(values).buffered(AT_ONCE);
        while let Some((path, secret, value)) = values.try_next().await? {
            entries.take(&path, &secret, value);
        }
        drop(values);
        entries.end().map_err(|why| service.refuses(why))
    }
}

/// Which names are meant, and what each is called here.
struct Wanted<'a> {
    prefix: &'a str,
    /// A folder, with the slash at its end; or nothing.
    below: String,
    except: &'a [String],
}

impl<'a> Wanted<'a> {
    fn new(prefix: Option<&'a str>, below: Option<&str>, except: &'a [String]) -> Self {
        let below = below.unwrap_or_default().trim_matches('/');
        let below = if below.is_empty() { String::new() } else { format!("{below}/") };
        Self { prefix: prefix.unwrap_or_default(), below, except }
    }

    /// What names may begin with, as far as AWS can be asked for it; nothing: anything.
    fn filter(&self) -> Vec<String> {
        if !self.prefix.is_empty() {
            vec![self.prefix.to_owned()]
        } else if !self.below.is_empty() {
            // Many names there begin with a slash, and a path here does not.
            vec![self.below.clone(), format!("/{}", self.below)]
        } else {
            Vec::new()
        }
    }

    /// The path of a secret with this name there, if it is meant: told from the folder, and without slashes before it.
    fn path<'n>(&self, name: &'n str) -> Option<&'n str> {
        if !name.starts_with(self.prefix) || self.except.iter().any(|it| it == name) {
            return None;
        }
        name.trim_start_matches('/').strip_prefix(&self.below)
    }
}

impl Listed {
    /// What AWS is asked for it by.
    fn id(&self) -> &str {
        self.arn.as_deref().unwrap_or(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_chosen_by_how_it_begins_and_told_from_its_folder() {
        let except = ["prod/denied".to_owned()];
        let all = Wanted::new(None, None, &except);
        assert_eq!(all.path("prod/db"), Some("prod/db"));
        assert_eq!(all.path("/prod/db"), Some("prod/db"));
        assert_eq!(all.path("prod/denied"), None);
        assert!(all.filter().is_empty());
        let below = Wanted::new(None, Some("/prod/"), &[]);
        assert_eq!(below.path("/prod/db/url"), Some("db/url"));
        assert_eq!(below.path("prod/db"), Some("db"));
        assert_eq!((below.path("production/db"), below.path("prod")), (None, None));
        assert_eq!(below.filter(), ["prod/", "/prod/"]);
        let prefix = Wanted::new(Some("prod-"), None, &[]);
        assert_eq!(prefix.path("prod-db"), Some("prod-db"));
        assert_eq!(prefix.path("Prod-db"), None);
        assert_eq!(prefix.filter(), ["prod-"]);
    }
}
