//! Where AWS' own tools find keys and a region: variables first, then the profile in the two files.
//!
//! What a profile only describes (a sign-in, a role to assume, a program that gives keys) is not followed: AWS' own tool
//! does that, and gives the keys on as variables.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use aws_credential_types::Credentials;
use url::Url;
use zeroize::Zeroizing;

use super::super::{ClientError, access::safe};

/// Why AWS cannot be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AwsSettingsError {
    #[error("cannot read {}: {cause}", path.display())]
    File { path: PathBuf, cause: std::io::Error },
    #[error("{0} of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is missing: set both")]
    Half(&'static str),
    #[error(
        "no keys for AWS: put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or name a profile of ~/.aws/credentials by AWS_PROFILE"
    )]
    NoKeys,
    #[error("there is no profile `{0}` in AWS' files: AWS_PROFILE names it")]
    NoProfile(String),
    #[error("no region of AWS: say --region, or put it into AWS_REGION")]
    NoRegion,
    #[error(
        "the profile `{0}` holds no keys but says how to get some: eval \"$(aws configure export-credentials --profile {0} --format env)\" puts them into the environment"
    )]
    Other(String),
    #[error("`{0}` is no region of AWS: they are written as in `eu-central-1`")]
    Region(String),
    #[error("{0} is no address: {1}")]
    Url(&'static str, url::ParseError),
}

/// Whom to ask, and as whom.
#[derive(Debug)]
pub(super) struct Settings {
    pub(super) server: Url,
    pub(super) region: String,
    pub(super) keys: Credentials,
}

impl Settings {
    /// What flags, variables and files say together.
    #[expect(clippy::disallowed_methods, reason = "keys are no settings, and no flag may hold them")]
    pub(super) fn of(region: Option<&str>, endpoint: Option<&Url>) -> Result<Self, ClientError> {
        let world = World { variable: |name: &str| std::env::var(name).ok().filter(|it| !it.is_empty()) };
        let files = world.files()?;
        let region = region.map(str::to_owned).or_else(|| world.region(&files));
        let region = region.ok_or(AwsSettingsError::NoRegion)?;
        let server = match endpoint {
            Some(url) => safe(url)?,
            None => match world.endpoint()? {
                Some(url) => safe(&url)?,
                None => server(&region)?,
            },
        };
        Ok(Self { server, keys: world.keys(&files)?, region })
    }
}

/// AWS' own server of a region.
fn server(region: &str) -> Result<Url, AwsSettingsError> {
    // It becomes a part of a host's name.
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let domain = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let url = format!("https://secretsmanager.{region}.{domain}/");
    let is_region = (1..=40).contains(&region.len()) && region.bytes().all(fits);
    Url::parse(&url).ok().filter(|_| is_region).ok_or_else(|| {
        AwsSettingsError::Region(region.chars().filter(|c| !c.is_control()).take(64).collect())
    })
}

/// The variables of a process; empty ones are not there.
struct World<F> {
    variable: F,
}

/// The sections of one profile: that of the credentials, then that of the settings.
struct Profile {
    name: String,
    /// Whether somebody named it.
    is_named: bool,
    sections: Vec<Section>,
}

/// Names in lower case, and values.
type Section = HashMap<String, Zeroizing<String>>;

impl<F: Fn(&str) -> Option<String>> World<F> {
    fn files(&self) -> Result<Profile, AwsSettingsError> {
        let named = (self.variable)("AWS_PROFILE");
        let name = named.clone().unwrap_or_else(|| "default".to_owned());
        let credentials = self.file("AWS_SHARED_CREDENTIALS_FILE", "credentials")?;
        let config = self.file("AWS_CONFIG_FILE", "config")?;
        let sections = [
            credentials.and_then(|text| section(&text, |it| it == name)),
            config.and_then(|text| {
                let is_it = |it: &str| {
                    let of_profile = it.strip_prefix("profile").filter(|rest| rest.starts_with([' ', '\t']));
                    of_profile.map(str::trim) == Some(&name) || (it == name && name == "default")
                };
                section(&text, is_it)
            }),
        ];
        Ok(Profile { name, is_named: named.is_some(), sections: sections.into_iter().flatten().collect() })
    }

    /// A file's text; `None`: there is none.
    fn file(&self, variable: &str, name: &str) -> Result<Option<Zeroizing<String>>, AwsSettingsError> {
        let path = match ((self.variable)(variable), (self.variable)("HOME")) {
            (Some(path), _) => PathBuf::from(path),
            (None, Some(home)) => Path::new(&home).join(".aws").join(name),
            (None, None) => return Ok(None),
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Some(Zeroizing::new(text))),
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(cause) => Err(AwsSettingsError::File { path, cause }),
        }
    }

    fn region(&self, profile: &Profile) -> Option<String> {
        let variables = ["AWS_REGION", "AWS_DEFAULT_REGION"];
        let said = variables.iter().find_map(|name| (self.variable)(name));
        said.or_else(|| profile.value("region").map(str::to_owned))
    }

    fn endpoint(&self) -> Result<Option<Url>, AwsSettingsError> {
        let variables = ["AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL"];
        let said = variables.into_iter().find_map(|name| Some((name, (self.variable)(name)?)));
        said.map(|(name, url)| Url::parse(&url).map_err(|cause| AwsSettingsError::Url(name, cause)))
            .transpose()
    }

    fn keys(&self, profile: &Profile) -> Result<Credentials, AwsSettingsError> {
        let of = |name| (self.variable)(name).map(|text| text.trim().to_owned());
        match (of("AWS_ACCESS_KEY_ID"), of("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => return Ok(credentials(id, secret, of("AWS_SESSION_TOKEN"))),
            (Some(_), None) => return Err(AwsSettingsError::Half("the second")),
            (None, Some(_)) => return Err(AwsSettingsError::Half("the first")),
            (None, None) => {}
        }
        profile.keys()
    }
}

impl Profile {
    fn value(&self, name: &str) -> Option<&str> {
        self.sections
            .iter()
            .find_map(|section| section.get(name))
            .map(|it| it.as_str())
            .filter(|it| !it.is_empty())
    }

    /// The first section that has both halves.
    fn keys(&self) -> Result<Credentials, AwsSettingsError> {
        const OTHERS: [&str; 6] = [
            "credential_process",
            "login_session",
            "role_arn",
            "sso_session",
            "sso_start_url",
            "web_identity_token_file",
        ];
        for section in &self.sections {
            let of =
                |name: &str| section.get(name).filter(|it| !it.is_empty()).map(|it| it.as_str().to_owned());
            if let (Some(id), Some(secret)) = (of("aws_access_key_id"), of("aws_secret_access_key")) {
                return Ok(credentials(id, secret, of("aws_session_token")));
            }
        }
        if OTHERS.iter().any(|name| self.value(name).is_some()) {
            return Err(AwsSettingsError::Other(self.name.clone()));
        }
        let is_missing = self.is_named && self.sections.is_empty();
        Err(if is_missing {
            AwsSettingsError::NoProfile(self.name.clone())
        } else {
            AwsSettingsError::NoKeys
        })
    }
}

fn credentials(id: String, secret: String, token: Option<String>) -> Credentials {
    Credentials::new(id, secret, token, None, "keywarden")
}

/// The section of a file whose heading is this one. Later lines win; what is indented belongs to a setting above it, and is
/// of no use here.
fn section(text: &str, is_it: impl Fn(&str) -> bool) -> Option<Section> {
    let (mut found, mut within) = (None::<Section>, false);
    for line in text.lines() {
        if line.starts_with(['#', ';', ' ', '\t']) {
            continue;
        }
        if let Some(heading) = line.strip_prefix('[') {
            within = heading.split_once(']').is_some_and(|(name, _)| is_it(name.trim()));
            if within {
                found.get_or_insert_default();
            }
        } else if let (true, Some((name, value)), Some(section)) = (within, line.split_once('='), &mut found)
        {
            let ends = [" #", " ;", "\t#", "\t;"].iter().filter_map(|comment| value.find(comment)).min();
            let value = value.get(..ends.unwrap_or(value.len())).unwrap_or(value).trim();
            section.insert(name.trim().to_ascii_lowercase(), Zeroizing::new(value.to_owned()));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world<'a>(variables: &'a [(&'a str, &'a str)]) -> World<impl Fn(&str) -> Option<String>> {
        let variable = move |name: &str| {
            variables.iter().find(|(it, _)| *it == name).map(|(_, value)| (*value).to_owned())
        };
        World { variable }
    }

    type Keys = (String, String, Option<String>);

    fn keys(variables: &[(&str, &str)]) -> Result<Keys, String> {
        let world = world(variables);
        let keys = world.files().and_then(|files| world.keys(&files)).map_err(|error| error.to_string())?;
        Ok((
            keys.access_key_id().to_owned(),
            keys.secret_access_key().to_owned(),
            keys.session_token().map(str::to_owned),
        ))
    }

    fn three(id: &str, secret: &str, token: Option<&str>) -> Keys {
        (id.to_owned(), secret.to_owned(), token.map(str::to_owned))
    }

    #[test]
    fn keys_are_found_where_aws_tools_find_them() {
        let home = tempfile::tempdir().unwrap();
        let aws = home.path().join(".aws");
        std::fs::create_dir(&aws).unwrap();
        std::fs::write(
            aws.join("credentials"),
            "# mine\n[default]\naws_access_key_id=AK0\nAWS_SECRET_ACCESS_KEY = s/e=c+0 # old\n\n[ work ]\naws_access_key_id = AK1\n  nested = x\naws_secret_access_key\t=\tsecret1\naws_session_token = t1\n[half]\naws_access_key_id = AK2\n",
        )
        .unwrap();
        std::fs::write(
            aws.join("config"),
            "[default]\nregion = eu-west-1\n[profile work]\nregion = eu-central-1\n[profile sso]\nsso_session = x\nregion=us-east-2\n[half]\nregion = no\n[profile config]\naws_access_key_id = AK3\naws_secret_access_key = secret3\n",
        )
        .unwrap();
        let home = home.path().to_str().unwrap();
        assert_eq!(keys(&[("HOME", home)]).unwrap(), three("AK0", "s/e=c+0", None));
        let work = [("HOME", home), ("AWS_PROFILE", "work")];
        assert_eq!(keys(&work).unwrap(), three("AK1", "secret1", Some("t1")));
        assert_eq!(
            keys(&[("HOME", home), ("AWS_PROFILE", "config")]).unwrap(),
            three("AK3", "secret3", None)
        );
        let both =
            [("AWS_ACCESS_KEY_ID", "AK9"), ("AWS_SECRET_ACCESS_KEY", "s9"), ("AWS_SESSION_TOKEN", "t9")];
        assert_eq!(
            keys(&[&work[..], &both].concat()).unwrap(),
            three("AK9", "s9", Some("t9")),
            "variables come first"
        );
        let elsewhere =
            [("HOME", home), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/x"), ("AWS_PROFILE", "work")];
        assert!(keys(&elsewhere).unwrap_err().contains("no keys"));
        for (profile, why) in
            [("sso", "export-credentials --profile sso"), ("none", "no profile `none`"), ("half", "no keys")]
        {
            let told = keys(&[("HOME", home), ("AWS_PROFILE", profile)]).unwrap_err();
            assert!(told.contains(why), "{profile}: {told}");
        }
        assert!(keys(&[]).unwrap_err().contains("AWS_ACCESS_KEY_ID"));
        assert!(keys(&both[..1]).unwrap_err().contains("the second"));
        assert!(keys(&both[1..]).unwrap_err().contains("the first"));
        let unreadable = keys(&[("AWS_SHARED_CREDENTIALS_FILE", home)]).unwrap_err();
        assert!(unreadable.contains(home), "{unreadable}");

        let region = |more: &[(&str, &str)]| {
            let variables = [&[("HOME", home)][..], more].concat();
            let world = world(&variables);
            world.region(&world.files().unwrap())
        };
        assert_eq!(region(&[]).as_deref(), Some("eu-west-1"));
        assert_eq!(region(&[("AWS_PROFILE", "sso")]).as_deref(), Some("us-east-2"));
        assert_eq!(
            region(&[("AWS_PROFILE", "half")]),
            None,
            "a profile's settings have `profile` before its name"
        );
        assert_eq!(region(&[("AWS_DEFAULT_REGION", "x-1")]).as_deref(), Some("x-1"));
        assert_eq!(region(&[("AWS_DEFAULT_REGION", "x-1"), ("AWS_REGION", "x-2")]).as_deref(), Some("x-2"));
    }

    #[test]
    fn a_region_has_a_server_of_its_own() {
        assert_eq!(
            server("eu-central-1").unwrap().as_str(),
            "https://secretsmanager.eu-central-1.amazonaws.com/"
        );
        assert_eq!(
            server("cn-north-1").unwrap().host_str(),
            Some("secretsmanager.cn-north-1.amazonaws.com.cn")
        );
        for wrong in ["", "evil.example.com/", "a b", "EU-WEST-1", "x@y"] {
            assert!(server(wrong).is_err(), "{wrong}");
        }
        let world =
            world(&[("AWS_ENDPOINT_URL", "https://a.example"), ("AWS_ENDPOINT_URL_SECRETS_MANAGER", "?")]);
        assert!(world.endpoint().unwrap_err().to_string().contains("AWS_ENDPOINT_URL_SECRETS_MANAGER"));
    }
}
