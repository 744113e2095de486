//! `keywarden approval verify FILE`: what was signed, checked with nothing but the file, and the public keys that its reader has
//! from elsewhere, with whose they are. No server, no configuration.

use std::{collections::BTreeMap, io::Write as _, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use keywarden_domain::access::{self, Statement};
use keywarden_model::{UserId, time::seconds};

use super::Failure;

/// The longest file that is read, in bytes.
const LONGEST: u64 = 4 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Check the signatures in a file of evidence, and say what they are about
    Verify {
        /// What `/access/requests/…/evidence` gave
        file: PathBuf,
        /// Whose public key (a COSE_Key in base64url) is known from elsewhere, by the person's id; as often as there are some
        #[arg(long = "key", value_name = "usr_…=KEY", value_parser = key)]
        keys: Vec<Key>,
    },
}

/// A person's public key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    person: UserId,
    key: Vec<u8>,
}

fn key(text: &str) -> Result<Key, &'static str> {
    let (person, key) = text.split_once('=').ok_or("write whose it is before it: usr_…=KEY")?;
    let person: UserId = person.parse().map_err(|_| "write the person's id before the key: usr_…=KEY")?;
    let key = URL_SAFE_NO_PAD.decode(key.trim_end_matches('=')).map_err(|_| "write the key in base64url")?;
    Ok(Key { person, key })
}

/// Whose each key is: one person's, or nobody is proven by it.
fn signers(keys: Vec<Key>) -> Result<BTreeMap<Vec<u8>, String>, Failure> {
    let mut signers = BTreeMap::new();
    for Key { person, key } in keys {
        let person = person.to_string();
        if signers.insert(key, person.clone()).is_some_and(|other| other != person) {
            return Err(Failure::Usage("the same key is given for two persons"));
        }
    }
    Ok(signers)
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let What::Verify { file, keys } = arguments.what;
    let size = std::fs::metadata(&file).map_err(Failure::io("read the file"))?.len();
    if size > LONGEST {
        return Err(Failure::Usage("this file is too long to be evidence of an approval"));
    }
    let text = std::fs::read(&file).map_err(Failure::io("read the file"))?;
    let keys = signers(keys)?;
    let (evidence, verified) = access::verify(&text, &keys)?;
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(Failure::io("print"));
    say(format!("{} at {}", evidence.request, evidence.origin))?;
    for (approval, checked) in evidence.approvals.iter().zip(&verified) {
        let signer = if checked.signer_proven { "signer proven" } else { "consistent; signer not proven" };
        say(format!("{signer}: {}", sentence(&checked.statement)))?;
        say(format!("  key {}", URL_SAFE_NO_PAD.encode(&approval.proof.public_key)))?;
    }
    let (have, need) = access::proven(&verified);
    let word = if have >= need { "enough" } else { "not enough" };
    say(format!("{have} of {need} persons are proven to have signed this wording: {word}"))?;
    say("A signature proves that a registered authenticator signed this text, not that a person read it."
        .into())
}

fn sentence(it: &Statement) -> String {
    let named = |named: &access::Named| format!("{} ({})", named.name, named.id);
    let place = it.project.as_ref().map_or_else(|| "the organization".to_owned(), named);
    format!(
        "{} approved {} in {place} for {}, for {} minutes: {}",
        named(&it.approver),
        it.role,
        named(&it.holder),
        seconds(it.lasts_seconds).num_minutes(),
        it.reason,
    )
}

#[cfg(test)]
mod tests {
    use keywarden_model::TypedId as _;

    use super::*;

    #[test]
    fn a_key_is_one_persons() {
        let id = |number| UserId::from_parts(chrono::DateTime::UNIX_EPOCH, number);
        let (mia, ben) = (id(1), id(2));
        let read = |person: UserId| key(&format!("{person}=AQID")).unwrap();
        assert_eq!(read(mia), Key { person: mia, key: vec![1, 2, 3] });
        assert_eq!(key(&format!("{mia}=AQ==")).unwrap().key, [1]);
        for none in ["AQID", "=AQID", "mia=AQID", "usr_1=AQID", "AQ=="] {
            assert!(key(none).is_err(), "{none}");
        }
        assert!(key(&format!("{mia}=?")).is_err());
        assert_eq!(signers(vec![read(mia), read(mia)]).unwrap().len(), 1);
        assert!(signers(vec![read(mia), read(ben)]).is_err());
    }
}
