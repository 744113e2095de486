//! Words of effective permissions: who can, what if, why not.

use keywarden_domain::permissions::Missing;
use keywarden_model::Role;

use super::{Text, texts};

texts! {
    permissions = "Permissions";
    permissions_who_can = "Who can …?";
    permissions_who_can_do(action: &str) = "Who can: {action}";
    permissions_lead = "Everybody who can do this now, and by what. The rules are asked as they stand. A change asks for a passkey on top of that.";
    permissions_action = "Action";
    permissions_thing = "Thing";
    permissions_thing_id = "Or another thing, by its id";
    permissions_organization = "The organization";
    permissions_search = "Part of a name";
    permissions_principal = "Who";
    permissions_kind = "Kind";
    permissions_people = "People";
    permissions_workloads = "Workloads";
    permissions_paths = "By what";
    permissions_role = "Role";
    permissions_count(n: u64) = "{n} can" | "{n} can";
    permissions_people_count(n: u64) = "{n} person" | "{n} people";
    permissions_workloads_count(n: u64) = "{n} workload" | "{n} workloads";
    permissions_none = "Nobody can do this";
    permissions_none_why = "No role that somebody holds allows it, or a policy forbids it. Ask the simulator why, and what would help.";
    permissions_none_match = "Nobody who can fits this filter";
    permissions_none_match_why = "Others can. Take the filter away to see them.";
    permissions_export = "Export CSV";
    permissions_picture = "As a picture";
    permissions_picture_means(who: &str, thing: &str) = "From left to right: who can, by what, and the thing. {who}. The thing: {thing}. The table has the same, one by one.";
    permissions_others(n: u64) = "{n} more" | "{n} more";

    permissions_path_organization(role: &str) = "{role} of the organization";
    permissions_path_project(role: &str) = "{role} of the project";
    permissions_path_by_team(path: &str, team: &str) = "{path}, by team {team}";
    permissions_path_team(team: &str) = "Member of team {team}";
    permissions_path_policy(path: &str, policies: &str) = "{path}, by policy {policies}";
    permissions_written(name: &str) = "Policy {name}";
    permissions_moody = "Policies look at the moment, too";
    permissions_moody_why = "This is the answer of now, from no known address, with a passkey just shown and no reason given. Ask the simulator about other moments.";
    permissions_path_together = "Several roles or teams together";

    permissions_of(name: &str) = "What {name} can do";
    permissions_of_button = "What can they do?";
    permissions_of_workload_button = "What can it do?";
    permissions_of_lead = "Everything that is allowed now, by place, and by what. What a rule allows for a single thing is shown at that thing.";
    permissions_of_none = "Nothing is allowed";
    permissions_of_none_why = "No role is held, or none that counts here.";
    permissions_of_inactive = "Somebody deactivated can do nothing";
    permissions_place = "Where";
    permissions_place_organization = "Organization";
    permissions_place_every_project = "Every project";
    permissions_place_project = "A project";
    permissions_place_any_team_keys = "Keys of their teams";
    permissions_place_own_keys = "Their own keys";
    permissions_place_team_keys(team: &str) = "Keys of team {team}";
    permissions_place_account = "Their own account";
    permissions_action_search = "Part of an action";

    permissions_simulator = "Simulator";
    permissions_simulate = "What if?";
    permissions_simulate_for(name: &str) = "What if? {name}";
    permissions_simulator_lead = "Choose who does what to which thing. The rules are asked as if it were done now. Nothing is done.";
    permissions_principal_hint = "Or somebody else, by their id";
    permissions_passkey = "Passkey shown";
    permissions_passkey_now = "Just now";
    permissions_passkey_minute = "A minute ago";
    permissions_passkey_minutes = "Ten minutes ago";
    permissions_passkey_hour = "An hour ago";
    permissions_passkey_never = "Not in this session";
    permissions_passkey_ago(n: u64) = "{n} second before" | "{n} seconds before";
    permissions_reason = "Reason";
    permissions_reason_given = "Given";
    permissions_reason_none = "None given";
    permissions_at = "When, in UTC";
    permissions_address = "From address";
    permissions_under = "Under";
    permissions_under_in_force = "The policies in force";
    permissions_under_draft(name: &str, number: &str) = "{name}, version {number}";
    permissions_unreadable(what: &str) = "This cannot be read: {what}";
    permissions_unreadable_why = "A time looks like 2027-01-31 09:30. An address looks like 192.0.2.7.";
    permissions_session = "Session";
    permissions_session_usual = "Opened with a passkey";
    permissions_session_recovering = "Opened with a recovery code";
    permissions_session_token = "None: a token was shown";
    permissions_ask = "Ask";
    permissions_unknown = "There is no such thing, person or action";
    permissions_unknown_why = "Look at the ids again. Each action is done to some kinds of things only.";
    permissions_yes = "Yes, it is allowed";
    permissions_yes_passkey = "Yes, once a passkey is shown again";
    permissions_no = "No, it is not allowed";
    permissions_decided_by = "Decided by";
    permissions_decided_by_none = "No rule says yes, and what no rule allows is refused.";
    permissions_considered = "Rules that speak of it";
    permissions_rule = "Rule";
    permissions_effect = "Effect";
    permissions_permits = "Allows";
    permissions_forbids = "Forbids";
    permissions_came_to = "What it came to";
    permissions_applies = "It holds";
    permissions_another_principal = "It is for others";
    permissions_conditions = "What it asks for does not hold:";
    permissions_missing = "Because this is missing:";
    permissions_missing_address = "the address that the request comes from";
    permissions_missing_environment = "an environment that the thing is in";
    permissions_missing_passkey = "a passkey, shown in the session";
    permissions_missing_person = "a person whom the thing belongs to";
    permissions_missing_project = "a project that the thing is in";
    permissions_missing_team = "a team that the thing belongs to";
    permissions_missing_tag(name: &str) = "a tag of the thing with the name {name}";
    permissions_over_owner = "It holds, but gives nothing over an owner";
    permissions_failed = "It could not be read, so it counts as a no";
    permissions_enough = "Smallest role that would do";
    permissions_enough_none = "No role would do.";
    permissions_enough_inactive = "None, as long as they are deactivated.";
    permissions_enough_organization(role: &str) = "{role} in the organization";
    permissions_enough_project(role: &str, project: &str) = "{role} in {project}";

    permissions_decision = "Refusal";
    permissions_decisions = "Why was it refused?";
    permissions_decisions_lead = "Every refusal has an id. Whoever was refused can give it to you; they cannot open it.";
    permissions_decision_id = "Decision id";
    permissions_decision_open = "Open";
    permissions_decision_gone = "There is no such refusal";
    permissions_decision_gone_why = "The id is not whole, is older than thirty days, or is about something that you may not see.";
    permissions_decision_when = "When";
    permissions_decision_answer = "Answer then";
    permissions_decision_forbidden = "Not allowed";
    permissions_decision_not_found = "As if it were not there";
    permissions_decision_passkey = "A passkey was asked for";
    permissions_decision_now = "Answer now";
    permissions_decision_changed = "Roles, teams, people or policies changed since then. What stands here is how the same question would be decided now.";
    permissions_decision_nothing = "There is nothing at the address that was asked for, so no rule was asked.";
    permissions_decision_no_thing = "It is not there";
    permissions_decision_nobody = "Nobody known";
    permissions_decision_shell = "The server's shell";

    policy_owner = "Owners may do everything";
    policy_admin = "Admins may do most things, but nothing to owners";
    policy_auditor = "Auditors see everything but values";
    policy_manager = "Managers run their project";
    policy_issuer = "Issuers look after their project's keys";
    policy_viewer = "Viewers see their project";
    policy_reader = "Readers read their project's secrets";
    policy_verifier = "Verifiers verify their project's keys";
    policy_key_owner = "Owns the key";
    policy_key_team = "The key is their team's";
    policy_oneself = "It is their own account";
    policy_signed_in = "Anybody who is signed in";
    policy_any_workload = "Any workload";
    policy_only_oneself = "Nobody acts in another person's account";
    policy_recovering = "A session of a recovery code may only add a passkey";
}

impl Text {
    /// What a condition asks for and is not there.
    pub(crate) fn permissions_missing_thing(self, missing: &Missing) -> String {
        let path = match missing {
            Missing::Attribute(path) => path.as_str(),
            Missing::Tag(name) => return self.permissions_missing_tag(name),
        };
        match path {
            "context.address" => self.permissions_missing_address(),
            "context.passkeyAge" => self.permissions_missing_passkey(),
            "resource.environment" => self.permissions_missing_environment(),
            "resource.ownerPerson" => self.permissions_missing_person(),
            "resource.ownerTeam" => self.permissions_missing_team(),
            "resource.project" => self.permissions_missing_project(),
            other => other,
        }
        .to_owned()
    }

    /// A policy in words; `None` for one that people wrote, which has its name.
    pub(crate) fn policy(self, id: &str) -> Option<&'static str> {
        Some(match id {
            "admin-but-not-over-owners" => self.policy_admin(),
            "any-workload" => self.policy_any_workload(),
            "anybody-signed-in" => self.policy_signed_in(),
            "auditor" => self.policy_auditor(),
            "key-owner" => self.policy_key_owner(),
            "key-owning-team" => self.policy_key_team(),
            "oneself" => self.policy_oneself(),
            "only-oneself" => self.policy_only_oneself(),
            "owner-may-everything" => self.policy_owner(),
            "project-issuer" => self.policy_issuer(),
            "project-manager" => self.policy_manager(),
            "project-reader" => self.policy_reader(),
            "project-verifier" => self.policy_verifier(),
            "project-viewer" => self.policy_viewer(),
            "recovering-may-only-enrol" => self.policy_recovering(),
            _ => return None,
        })
    }

    /// A role of the organization, or of a project, as a way to a yes.
    pub(crate) fn permissions_path_role(self, role: Role, in_project: bool) -> String {
        let role = self.role(role);
        if in_project {
            self.permissions_path_project(role)
        } else {
            self.permissions_path_organization(role)
        }
    }
}

#[cfg(test)]
mod tests {
    use keywarden_domain::authz::Rules;

    use super::*;

    #[test]
    fn every_built_in_policy_has_words() {
        let rules = Rules::builtin().unwrap();
        for policy in rules.policies().policies() {
            let id = policy.id().to_string();
            assert!(Text::default().policy(&id).is_some(), "{id}");
        }
        assert_eq!(Text::default().policy("night-shift"), None);
    }
}
