//! Whom PKCS#11 libraries run as: never root, where that can be, and never root unsaid.

use std::path::Path;

use keywarden_domain::Env;
use keywarden_vault::{
    SealError,
    seal::{
        pkcs11::{Launch, User},
        softhsm::SoftHsm,
    },
};

use crate::{
    commands::LIBRARY,
    config::Seal,
    seals::{SealsError, put_back},
};

/// Whom the process of a library runs as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RunsAs {
    /// Another user than the server.
    Another(User),
    /// Root, and why.
    Root(String),
    /// The server's own user, who is not root; root, where he looks after somebody's server.
    TheServer,
    /// That of somebody's server, for root who looks after it: a vendor's token may be nobody else's to use.
    TheServersUser(User),
}

impl RunsAs {
    /// As the setting says; without one, nobody has root's libraries. Whether that can be is tried: where a container takes
    /// from root what it needs to become somebody else, it cannot. Blocks for a moment.
    pub(crate) fn of(setting: Option<User>) -> Result<Self, SealsError> {
        Self::of_server(User::current(), setting)
    }

    /// As [`RunsAs::of`], for whoever looks only: root finds what a server finds that is not his. The data folder says whose it is.
    pub(crate) fn beside(data_dir: &Path, setting: Option<User>) -> Result<Self, SealsError> {
        match User::owner_of(data_dir) {
            Ok(owner) if setting.is_none() && User::current().is_root() && !owner.is_root() => {
                Ok(Self::TheServersUser(owner))
            }
            _ => Self::of(setting),
        }
    }

    fn of_server(ours: User, setting: Option<User>) -> Result<Self, SealsError> {
        Ok(match setting {
            Some(user) if user.is_root() && ours.is_root() => {
                Self::Root("KEYWARDEN_PKCS11_USER says so".into())
            }
            Some(user) if user == ours => Self::TheServer,
            Some(user) if !ours.is_root() => return Err(SealsError::OnlyRoot(user)),
            Some(user) => Self::Another(user),
            None if !ours.is_root() => Self::TheServer,
            None => {
                let nobody = User::nobody();
                match Launch::again([LIBRARY]).as_user(nobody).trial() {
                    Ok(()) => Self::Another(nobody),
                    Err(cause) => Self::Root(cause),
                }
            }
        })
    }

    /// As that, for the library of the embedded token, which whoever runs it must own. With `makes` it is made and handed over:
    /// at a start, before anybody uses it. Where nothing was set, a folder that cannot be handed over is root's to use.
    pub(crate) fn of_embedded(
        self,
        folder: &SoftHsm,
        seal: &Seal,
        makes: bool,
        env: &Env,
    ) -> std::io::Result<Self> {
        if makes {
            folder.prepare()?;
            // Sealed, it says so, and tries again for as long as the token is missed: see `Seals::mend`.
            if let Err(cause) = put_back(folder, env) {
                tracing::warn!(%cause, "the embedded token's own file could not be seen to: if it is lost, its copy is put \
                     back as soon as that can be done");
            }
            // What is no worse than before does not stop a start: there may be no room.
            folder.keep_first().ok();
        } else if folder.servers_user().is_ok_and(|it| it != User::ROOT.user) {
            return Ok(Self::TheServer);
        }
        let to = match &self {
            Self::Another(user) => *user,
            Self::Root(_) => User::ROOT,
            Self::TheServer | Self::TheServersUser(_) => return Ok(self),
        };
        let given = if makes { folder.hand_over(to) } else { Ok(()) };
        // Only looked at, or left as it is: there may be none yet.
        let owner = folder.owner().unwrap_or(to.user);
        match given {
            Err(cause) if seal.user.is_some() => Err(cause),
            Err(cause) => Ok(Self::Root(format!("the embedded token cannot be handed over: {cause}"))),
            Ok(()) if owner == to.user || to.is_root() => Ok(self),
            Ok(()) => Ok(Self::Root("the embedded token is handed over by the server's next start".into())),
        }
    }

    /// Tells the log, where it is not the server's own user.
    pub(crate) fn tell(&self) {
        match self {
            Self::Another(user) => {
                tracing::info!(%user, "PKCS#11 libraries run as another user, who must be able to read what they need");
            }
            Self::Root(why) => tracing::warn!(%why, "PKCS#11 libraries run as root"),
            Self::TheServer | Self::TheServersUser(_) => {}
        }
    }

    /// What may be wrong where a library fails that is not the server's user's, to be said after the failure.
    pub(crate) fn doubt(&self, failed: &SealError) -> String {
        match (self, failed) {
            (Self::Another(user), SealError::Module { .. } | SealError::TokenMissing(_)) => format!(
                " (libraries run as user {user}: may it read the library, its settings and its tokens? \
                 KEYWARDEN_PKCS11_USER names another)"
            ),
            (Self::TheServersUser(user), SealError::Module { .. } | SealError::TokenMissing(_)) => format!(
                " (asked as user {user}, whose the data folder is: may that user read the library, its settings and its \
                 tokens?)"
            ),
            _ => String::new(),
        }
    }

    /// How a process is started so.
    pub(crate) fn launch(&self) -> Launch {
        let launch = Launch::again([LIBRARY]);
        match self {
            Self::Another(user) => launch.as_user(*user),
            Self::TheServersUser(user) => launch.as_service_of(*user),
            Self::Root(_) | Self::TheServer => launch,
        }
    }

    /// Why it is root, if it is.
    pub(crate) fn root(&self) -> Option<&str> {
        match self {
            Self::Root(why) => Some(why),
            Self::Another(_) | Self::TheServer | Self::TheServersUser(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc, time::Duration};

    use keywarden_domain::env::SystemClock;

    use super::*;
    use crate::config::SealKind;

    #[test]
    fn a_token_whose_own_file_cannot_be_put_back_yet_stops_no_start() {
        let data = tempfile::tempdir().unwrap();
        let folder = SoftHsm::at(data.path());
        folder.prepare().unwrap();
        fs::create_dir(data.path().join("softhsm/tokens/one")).unwrap();
        // In the place of the copy: as little can be read there as there can be written where there is no room.
        fs::create_dir(data.path().join("softhsm/one.kept")).unwrap();
        let env = Env::seeded(Arc::new(SystemClock), 7);
        put_back(&folder, &env).unwrap_err();
        let seal = Seal {
            kind: SealKind::SoftHsm { module: None },
            grace: Duration::ZERO,
            user: None,
            projects: Vec::new(),
            old_keys: None,
        };
        let found = RunsAs::TheServer.of_embedded(&folder, &seal, true, &env).unwrap();
        assert_eq!(found, RunsAs::TheServer);
    }

    #[test]
    fn only_root_lets_a_library_be_somebody_elses() {
        let ours = User { user: 4711, group: 4712 };
        let of = |server, user| RunsAs::of_server(server, Some(user));
        assert_eq!(of(User::ROOT, ours).unwrap(), RunsAs::Another(ours));
        assert_eq!(of(ours, ours).unwrap(), RunsAs::TheServer);
        for other in [User::nobody(), User::ROOT, User { group: 4711, ..ours }] {
            let refused = of(ours, other).unwrap_err();
            assert!(matches!(refused, SealsError::OnlyRoot(named) if named == other), "{refused}");
        }
    }
}
