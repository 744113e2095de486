//! Doors know nothing but the domain's verbs (the arrows see to that), so that an endpoint or a page has its action if each verb
//! asks for one: read from the source. A verb that asks for none is named here, with what stands in the place of an action.

use std::collections::BTreeSet;

use super::sources;

/// What asks who may.
const ASKING: [&str; 5] = ["authorize", "change", "change_together", "reach", "would"];

/// What is shown is the proof: a passkey's signature, a link, a code, a token; or it is what anybody may see before that.
const PROOFS: &[&str] = &[
    "authenticate_token",
    "authenticate_verifier",
    "exchange",
    "finish_accept",
    "finish_setup",
    "finish_sign_in",
    "finish_step_up",
    "look_at_link",
    "look_at_share",
    "open_setup",
    "redeem_device",
    "resolve_session",
    "setup_state",
    "start_accept",
    "start_device",
    "start_setup",
    "start_sign_in",
    "start_step_up",
    "use_recovery_code",
    "use_recovery_link",
];

/// Of the caller's own session or request, and of nobody else's; or what the caller has asked for right before.
const OWN: &[&str] = &[
    "forget_session",
    "keep_file",
    "keep_post",
    "kept_file",
    "me",
    "own_access",
    "recent_of_secrets",
    "take_post",
    "take_unseen_codes",
    // How many of their own notices the person in whose frame it stands has not read.
    "unread_notices",
    // Asks once for each caller, and remembers it by the staleness rule: `keys/verify.rs`.
    "verify_key",
    "was_done",
];

/// On the server's own shell, by the clock, or of this node: no door may.
const INNER: &[&str] = &[
    "accept_clock",
    "activate_due_policies",
    "check_clock",
    "check_rp_id",
    "claim_deliveries",
    "clock_high_water",
    "copy_to",
    "deliver",
    "destroy_ended_values",
    "destroy_old_seal_keys",
    "end_due_access",
    "expire_shares",
    "flush_decisions",
    "flush_refusals",
    "flush_some_usage",
    "flush_token_use",
    "flush_usage",
    "flush_verify_counts",
    "forget_node",
    "fsck",
    "has_keyring",
    "key_is_missing",
    "keyring_is_current",
    "look",
    "lost",
    "note_clock",
    "note_key_uses",
    "note_node",
    "observe_project_seals",
    "open_gap",
    "operator_recover",
    "operator_token",
    "purge_secret_versions",
    "purge_secrets",
    "renew_keyring_keys",
    "restore",
    "rewrap",
    "run_waiting_proof",
    "route_messages",
    "sweep",
    "turn_at_seals",
    "unseal",
    "warm_keys",
    "watch_keys",
    "watch_seals",
    "would_orphan",
];

/// A method, without white space.
struct Method {
    name: String,
    /// A verb: doors can call it.
    is_verb: bool,
    takes_op: bool,
    flat: String,
}

/// Methods as rustfmt lays them out: each ends at its own margin.
fn methods(text: &str) -> Vec<Method> {
    let mut methods = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(rest) = line.strip_prefix("    ").filter(|it| !it.starts_with([' ', '/', '#', '}'])) else {
            continue;
        };
        let is_pub = rest.starts_with("pub ");
        let plain = ["pub ", "pub(crate) ", "pub(super) "]
            .iter()
            .find_map(|it| rest.strip_prefix(it))
            .unwrap_or(rest);
        let (is_async, plain) = plain.strip_prefix("async ").map_or((false, plain), |it| (true, it));
        let Some(named) = plain.strip_prefix("fn ") else { continue };
        let name: String = named.chars().take_while(|it| it.is_alphanumeric() || *it == '_').collect();
        let mut flat = String::new();
        let mut add = |line: &str| {
            let code = line.split("//").next().unwrap_or_default();
            flat.extend(code.chars().filter(|it| !it.is_whitespace()));
        };
        add(line);
        if !line.ends_with('}') {
            for line in lines.by_ref().take_while(|it| *it != "    }") {
                add(line);
            }
        }
        let head = flat.split('{').next().unwrap_or_default();
        let of_self = head.split(')').next().unwrap_or_default().contains("(&self");
        let takes_op = head.contains("op:&Op") || head.contains("op:Op");
        methods.push(Method { name, is_verb: is_pub && is_async && of_self, takes_op, flat });
    }
    methods
}

/// Whether one of these is called with the operation.
fn calls(flat: &str, names: &BTreeSet<String>) -> bool {
    names.iter().any(|name| {
        ["self", "domain", "self.domain"].iter().any(|of| {
            ["op,", "op)", "&op,", "&op)"].iter().any(|op| flat.contains(&format!("{of}.{name}({op}")))
        })
    })
}

fn domain() -> Vec<Method> {
    let sources = sources().into_iter();
    let own = sources.filter(|(path, _)| path.starts_with("server/domain/src/") && !path.contains("/cast"));
    own.flat_map(|(_, text)| methods(&text)).collect()
}

#[test]
fn every_verb_asks_for_its_action_or_is_named_with_what_stands_in_its_place() {
    let methods = domain();
    let mut asking: BTreeSet<String> = ASKING.map(str::to_owned).into();
    loop {
        let more: Vec<_> = methods
            .iter()
            .filter(|it| it.takes_op && !asking.contains(&it.name) && calls(&it.flat, &asking))
            .map(|it| it.name.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        asking.extend(more);
    }
    let verbs: Vec<_> = methods.iter().filter(|it| it.is_verb).collect();
    let ask = |it: &Method| ASKING.contains(&it.name.as_str()) || (it.takes_op && calls(&it.flat, &asking));
    let silent: BTreeSet<&str> = verbs.iter().filter(|it| !ask(it)).map(|it| it.name.as_str()).collect();
    let named: BTreeSet<&str> = [PROOFS, OWN, INNER].concat().into_iter().collect();
    let unnamed: Vec<_> = silent.difference(&named).collect();
    assert!(
        unnamed.is_empty(),
        "these ask for no action; name them here if something stands in its place: {unnamed:?}"
    );
    let gone: Vec<_> = named.difference(&silent).collect();
    assert!(gone.is_empty(), "these are gone, or ask for an action by now: {gone:?}");
    assert_eq!(named.len(), PROOFS.len() + OWN.len() + INNER.len(), "something is named twice");
    assert!(verbs.len() - silent.len() > 150, "{} of {}", silent.len(), verbs.len());
}

#[test]
fn no_door_does_what_is_for_the_shell_or_the_clock() {
    let mut read = 0;
    for (path, text) in sources() {
        if !path.starts_with("server/api/src/") && !path.starts_with("app/src/") {
            continue;
        }
        read += 1;
        let flat: String = text.chars().filter(|it| !it.is_whitespace()).collect();
        for name in INNER {
            let called =
                flat.contains(&format!("domain.{name}(")) || flat.contains(&format!("Domain::{name}("));
            assert!(!called, "{path} calls `{name}`");
        }
    }
    assert!(read > 200, "{read}");
}

#[test]
fn a_verb_that_only_looks_as_if_it_asked_is_found() {
    let text = "impl Domain {
    pub async fn asks(&self, op: &Op) -> Result<(), Refused> {
        let _permit = self.authorize(op, Action::ViewUsers, &Resource::Organization).await?;
        Ok(())
    }

    pub async fn tells(&self, op: &Op) -> Result<(), Refused> {
        // self.authorize(op, Action::ViewUsers)
        self.change_unasked(op, \"because\", |record| record.event(\"x\").change(\"from\", \"to\")).await
    }

    pub async fn passes_on(
        &self,
        op: &Op,
    ) -> Result<(), Refused> {
        self.asks(op).await
    }

    pub fn quiet(&self) -> bool { true }
}
";
    let methods = methods(text);
    let known: BTreeSet<String> = ASKING.map(str::to_owned).into();
    let found: Vec<_> =
        methods.iter().map(|it| (it.name.as_str(), it.is_verb, calls(&it.flat, &known))).collect();
    assert_eq!(
        found,
        [("asks", true, true), ("tells", true, false), ("passes_on", true, false), ("quiet", false, false)]
    );
    let further: BTreeSet<String> = ["asks".to_owned()].into();
    assert!(calls(&methods[2].flat, &further) && methods[2].takes_op);
}
