use super::Check;
use crate::{config::Config, wire};

const NAME: &str = "proofs";

/// Whether policies can be proven. They decide without that just as well.
pub(super) async fn check(config: &Config) -> Check {
    if config.proofs.cvc5.is_none() {
        return Check::fine(NAME, "policies are not proven here: KEYWARDEN_CVC5 says `off`");
    }
    match wire::prover(config).look().await {
        Ok(solver) => Check::fine(NAME, format!("policies are proven with {solver}")),
        Err(why) => Check::warning(
            NAME,
            format!("policies are not proven: {why}"),
            "install cvc5 (apt-get install cvc5), or name its program in KEYWARDEN_CVC5; `off` says that none is wanted",
        ),
    }
}
