use keywarden_domain::{
    Domain, Env,
    system::{KeyStatus, MAX_USES, RENEW_AT},
};
use keywarden_vault::Protection;
use tokio::task::spawn_blocking;

use super::Check;
use crate::{
    config::Config,
    runs_as::RunsAs,
    seals::{Pins, Seals},
};

const HSM: &str = "hsm";
const LIBRARY: &str = "library";
const KEYRING: &str = "keyring";
const SEALS: &str = "seals";
const PROJECTS: &str = "projects";

/// The configured seal answers. Before the first start there may be none to ask; `made` says whether a key was ever made, and
/// nothing where the database does not tell.
pub(super) async fn answers(config: &Config, env: &Env, pins: &Pins, made: Option<bool>) -> Check {
    let seals = match Seals::build(config, env, pins.clone()) {
        Ok(seals) => seals,
        Err(cause) => return Check::failed(HSM, cause.to_string(), "see KEYWARDEN_SEAL"),
    };
    let name = seals.ids().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let is_first = made == Some(false);
    if is_first && !config.seal.is_hsm() {
        return Check::fine(HSM, format!("{name} will be made on first start"));
    }
    let all = seals.all();
    let is_software = all.iter().any(|seal| seal.describe().protection == Protection::Software);
    let probed = spawn_blocking(move || all.iter().try_for_each(|seal| seal.probe())).await;
    match probed {
        Ok(Ok(())) if is_software => {
            Check::fine(HSM, format!("{name} answers; keys are protected by this machine's files only"))
        }
        Ok(Ok(())) => Check::fine(HSM, format!("{name} answers")),
        Ok(Err(cause)) if is_first => Check::warning(
            HSM,
            format!("{name}: {cause}{}", seals.runs_as().doubt(&cause)),
            "the first start makes its key",
        ),
        Ok(Err(cause)) => {
            let advice = "bring it back: a running server unseals by itself, within a second";
            Check::failed(HSM, format!("{name}: {cause}{}", seals.runs_as().doubt(&cause)), advice)
        }
        Err(cause) => Check::failed(HSM, format!("{name}: {cause}"), "report this"),
    }
}

/// Libraries that others wrote are not root's.
pub(super) fn library(config: &Config, env: &Env, pins: &Pins) -> Option<Check> {
    match Seals::build(config, env, pins.clone()).ok()?.runs_as() {
        RunsAs::Another(user) => {
            let finding =
                format!("PKCS#11 libraries run as user {user}; KEYWARDEN_PKCS11_USER names another");
            Some(Check::fine(LIBRARY, finding))
        }
        RunsAs::Root(why) => {
            let advice = "start the server as another user, or name one in KEYWARDEN_PKCS11_USER";
            Some(Check::warning(LIBRARY, format!("PKCS#11 libraries run as root: {why}"), advice))
        }
        RunsAs::TheServer | RunsAs::TheServersUser(_) => None,
    }
}

/// One seal alone is one accident away from losing everything.
pub(super) async fn enough(domain: Option<&Domain>) -> Option<Check> {
    let domain = domain?;
    let seals = domain.seals(&domain.shell_op()).await.ok()?;
    let whole = seals.iter().filter(|seal| seal.lacks == 0).count();
    Some(match (seals.len(), whole) {
        (0, _) => return None,
        (1, _) => {
            let advice = "add another, kept elsewhere: `keywarden seal add software /media/recovery.key`";
            Check::warning(SEALS, "the keyring is wrapped under one seal only", advice)
        }
        (all, whole) if whole < all => {
            let advice = "run `keywarden seal add` for it again; `keywarden seal list` names it";
            Check::warning(SEALS, "a seal does not wrap every key", advice)
        }
        (all, _) => Check::fine(SEALS, format!("the keyring is wrapped under {all} seals")),
    })
}

/// No key of the keyring comes near the number of envelopes that it may seal.
pub(super) async fn used_up(domain: Option<&Domain>) -> Option<Check> {
    let domain = domain?;
    let system = domain.system(&domain.shell_op()).await.ok()?;
    near_their_end(&system.keys)
}

fn near_their_end(keys: &[KeyStatus]) -> Option<Check> {
    let near = keys.iter().filter(|key| key.retired_at.is_none() && key.uses >= RENEW_AT);
    let near: Vec<_> = near.map(|key| format!("`{}`: {} of {MAX_USES}", key.purpose, key.uses)).collect();
    if near.is_empty() {
        return None;
    }
    let finding =
        format!("keys have sealed half of the envelopes that they may, or more: {}", near.join(", "));
    let advice = "run `keywarden keyring rotate` for each, then `keywarden seal add` for the seals that are kept elsewhere; where \
                  no such seal would lack the new key, a running server does it within ten minutes";
    Some(Check::warning(KEYRING, finding, advice))
}

/// Every seal that projects name answers, or whose secrets wait is told.
pub(super) async fn of_projects(
    config: &Config,
    env: &Env,
    pins: &Pins,
    domain: Option<&Domain>,
) -> Vec<Check> {
    let Some(domain) = domain else { return Vec::new() };
    let Ok(seals) = Seals::build(config, env, pins.clone()) else { return Vec::new() };
    let offered = domain.offered_seals(&domain.shell_op()).await.unwrap_or_default();
    let mut checks = Vec::new();
    for offered in offered {
        let users = match offered.projects.as_slice() {
            [] => "no project".to_owned(),
            all => all.join(", "),
        };
        let name = format!("{}, the own seal of {users},", offered.id);
        let Some(seal) = seals.of_projects_named(&offered.id) else {
            let advice = "set it in KEYWARDEN_SEAL_PROJECTS: until then no secret under it can be opened";
            checks.push(Check::warning(PROJECTS, format!("{name} is not set on this machine"), advice));
            continue;
        };
        let probed = spawn_blocking(move || seal.as_seal().probe()).await;
        checks.push(match probed {
            Ok(Ok(())) => Check::fine(PROJECTS, format!("{name} answers")),
            Ok(Err(cause)) => {
                let advice =
                    "its owner brings it back: until then no secret under it can be opened; all else goes on";
                Check::warning(PROJECTS, format!("{name} is away: {cause}"), advice)
            }
            Err(cause) => Check::failed(PROJECTS, format!("{name}: {cause}"), "report this"),
        });
    }
    checks
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use keywarden_vault::Purpose;

    use super::*;

    #[test]
    fn a_key_that_is_half_used_up_is_named_unless_it_is_retired() {
        let env = Env::system().unwrap();
        let key = |purpose, uses, retired_at| KeyStatus {
            id: env.id(DateTime::UNIX_EPOCH),
            purpose,
            created_at: DateTime::UNIX_EPOCH,
            retired_at,
            uses,
        };
        let quiet = [
            key(Purpose::Session, RENEW_AT - 1, None),
            key(Purpose::Session, MAX_USES, Some(DateTime::UNIX_EPOCH)),
        ];
        assert_eq!(near_their_end(&quiet), None);
        let check = near_their_end(&[key(Purpose::Personal, RENEW_AT, None)]).unwrap().to_string();
        assert!(check.starts_with("warning  keyring"), "{check}");
        assert!(check.contains("`personal`: 2147483648 of 4294967295"), "{check}");
        assert!(check.contains("keywarden keyring rotate"), "{check}");
    }
}
