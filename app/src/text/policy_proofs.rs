//! Policies: what a solver shows of a version.

use super::{Text, texts};

texts! {
    proofs = "Proof";
    proofs_prove = "Prove";
    proofs_prove_title(name: &str, number: i64) = "Prove version {number} of {name}";
    proofs_prove_what = "A solver looks for a request that would be allowed or refused otherwise than now. What it found before is lost.";
    proofs_asked = "The proof is asked for.";
    proofs_none = "The proof was not run";
    proofs_none_why = "Nobody has asked for it. A solver can show whether this version grants something new.";
    proofs_no_solver_why = "There is no solver on this server. It is run once there is one.";
    proofs_not_run_means = "The solver failed, so that it is not known if it grants something new. Everything else works without it.";
    proofs_waiting = "The proof waits for its turn";
    proofs_waiting_why = "It is run in a few seconds.";
    proofs_running = "The proof is under way";
    proofs_running_at(done: &str, of_all: &str) = "{done} of {of_all} kinds of requests are done.";
    proofs_stale = "This proof is out of date";
    proofs_stale_why = "Other policies decide by now. Prove it again.";
    proofs_equivalent = "Nothing changes";
    proofs_equivalent_means = "Each request is allowed or refused as it is now.";
    proofs_grants = "It grants something new";
    proofs_grants_means = "This request is refused now. With this version, it is allowed.";
    proofs_grants_nothing = "It grants nothing new";
    proofs_grants_nothing_means = "No request is allowed that is refused now. It is not known if all others still are.";
    proofs_narrows = "It only takes away";
    proofs_narrows_means = "No request is allowed that is refused now. This one is allowed now, and is not with this version.";
    proofs_unproven = "It could not be proven";
    proofs_unproven_means = "It is not known if it grants something new.";
    proofs_because(why: &str) = "Why: {why}";
    proofs_verdict = "Shown";
    proofs_compared = "Kinds of requests";
    proofs_compared_of(done: &str, of_all: &str) = "{done} of {of_all}";
    proofs_solver = "Solver";
    proofs_when = "Proven";
    proofs_took = "Took";
    proofs_seconds(n: &str) = "{n} s";
    proofs_a_moment = "Less than a second";
    proofs_example = "A request that shows it";
    proofs_who = "Who asks";
    proofs_does = "Wants to";
    proofs_thing = "With";
    proofs_moment = "At";
    proofs_from = "From";
    proofs_signed_in = "Signed in with";
    proofs_passkey = "Passkey shown";
    proofs_passkey_ago(seconds: &str) = "{seconds} s before";
    proofs_now = "Now";
    proofs_with_version = "With this version";
    proofs_let = "Allowed";
    proofs_refused = "Refused";
    proofs_some_person = "Some person";
    proofs_some_workload = "Some workload";
    proofs_shell = "The server’s shell";
    proofs_with_roles(who: &str, roles: &str) = "{who}, with {roles}";
    proofs_any_thing(kind: &str) = "any {kind}";
    proofs_in_place(thing: &str, place: &str) = "{thing} in {place}";
    proofs_of_their_own(thing: &str) = "{thing} of their own";
    proofs_an_owner(thing: &str) = "{thing} that holds the role of owner";
    proofs_project_role(role: &str) = "{role} of its project";
    proofs_tag(name: &str) = "Its tag {name}";
    proofs_of_environment(name: &str) = "{name} of its environment";
    proofs_of_project(name: &str) = "{name} of its project";
    proofs_of_clock(zone: &str) = "Clock in {zone}";
    proofs_of_moment(name: &str) = "{name} of the request";
    proofs_of_thing(name: &str) = "Its {name}";
    proofs_method_passkey = "A passkey";
    proofs_method_recovery = "A recovery code";
    proofs_method_shell = "The shell";
    proofs_method_token = "A token";
    proofs_system = "Proofs of policies";
    proofs_system_none = "No solver";
}

impl Text {
    /// How somebody signed in, by the word that policies compare.
    pub(crate) fn proofs_method(self, method: &str) -> &'static str {
        match method {
            "passkey" => self.proofs_method_passkey(),
            "recovery" => self.proofs_method_recovery(),
            "shell" => self.proofs_method_shell(),
            _ => self.proofs_method_token(),
        }
    }
}
