//! `keywarden approval verify FILE`: what was signed, checked with nothing but the file, and the public keys that its reader has
//! from elsewhere. No server, no configuration.

use std::{collections::BTreeSet, io::Write as _, path::PathBuf};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use clap::Subcommand;
use keywarden_domain::access::{self, Statement};
use keywarden_model::time::seconds;

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
        /// A public key (a COSE_Key in base64url) that is known from elsewhere; as often as there are some
        #[arg(long = "key", value_name = "KEY", value_parser = key)]
        keys: Vec<Key>,
    },
}

/// A public key.
#[derive(Debug, Clone)]
struct Key(Vec<u8>);

fn key(text: &str) -> Result<Key, &'static str> {
    let decoded = URL_SAFE_NO_PAD.decode(text.trim_end_matches('='));
    decoded.map(Key).map_err(|_| "write it in base64url")
}

pub(super) fn run(arguments: Arguments) -> Result<(), Failure> {
    let What::Verify { file, keys } = arguments.what;
    let size = std::fs::metadata(&file).map_err(Failure::io("read the file"))?.len();
    if size > LONGEST {
        return Err(Failure::Usage("this file is too long to be evidence of an approval"));
    }
    let text = std::fs::read(&file).map_err(Failure::io("read the file"))?;
    let keys: BTreeSet<_> = keys.into_iter().map(|it| it.0).collect();
    let (evidence, verified) = access::verify(&text, &keys)?;
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| writeln!(out, "{line}").map_err(Failure::io("print"));
    say(format!("{} at {}", evidence.request, evidence.origin))?;
    for (approval, checked) in evidence.approvals.iter().zip(&verified) {
        let signer = if checked.signer_proven { "signer proven" } else { "consistent; signer not proven" };
        say(format!("{signer}: {}", sentence(&checked.statement)))?;
        say(format!("  key {}", URL_SAFE_NO_PAD.encode(&approval.proof.public_key)))?;
    }
    // Of one wording under one rule, which has to be that of the last signature.
    let Some(last) = verified.last().map(|it| &it.statement) else { return Ok(()) };
    let alike = verified.iter().map(|it| &it.statement);
    let alike = alike.filter(|it| it.revision == last.revision && it.rule == last.rule);
    let persons: BTreeSet<_> = alike.map(|it| it.approver.id.as_str()).collect();
    let enough = u32::try_from(persons.len()).is_ok_and(|have| have >= last.rule.approvers);
    let word = if enough { "enough" } else { "not enough" };
    say(format!("{} of {} persons signed this wording: {word}", persons.len(), last.rule.approvers))?;
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
