//! Workloads and their service tokens.

use super::texts;

texts! {
    workloads = "Workloads";
    workloads_lead = "A workload is a service, job or pipeline that speaks to Keywarden with a service token: to verify keys, or to issue them.";
    workloads_search = "Name";
    workloads_name = "Name";
    workloads_name_hint = "What runs there: checkout-gateway, nightly-import.";
    workloads_id = "Id";
    workloads_project = "Project";
    workloads_project_hint = "Roles below admin and auditor are held in a project.";
    workloads_no_project = "None: the whole organization";
    workloads_organization = "The whole organization";
    workloads_state = "State";
    workloads_active = "Active";
    workloads_deactivated = "Deactivated";
    workloads_last_used = "Last used";
    workloads_token_until = "Token until";
    workloads_no_token = "no token";
    workloads_ends_within(days: &str) = "last token ends within {days} d";
    workloads_create = "Create workload";
    workloads_create_lead = "It begins with one role. Its tokens are issued on its page.";
    workloads_made(name: &str) = "Created workload {name}. Issue its first token.";
    workloads_name_taken = "Another workload has this name. Choose another.";
    workloads_needs_project = "This role is held in a project: choose one.";
    workloads_role_of_organization = "This role holds in the whole organization: choose no project, or another role.";
    workloads_none_yours = "No workload is open to you";
    workloads_none_yours_why = "No project lets you see its workloads, or there are none. Ask a project's manager for a role.";
    workloads_first = "No workloads yet";
    workloads_first_why = "Create one for each service that verifies keys, so that its use can be told apart and its token ends without hurting others.";
    workloads_none_match = "No workload matches";
    workloads_none_match_why = "Nothing you may see fits this filter.";
    workloads_no_role = "It has no role";
    workloads_no_role_why = "Without a role its tokens can do nothing. Give it one on a project's page.";
    workloads_deactivate = "Deactivate workload";
    workloads_deactivate_title(name: &str) = "Deactivate {name}";
    workloads_deactivate_tokens(n: u64) = "Its {n} good token stops on every node within a second." | "Its {n} good tokens stop on every node within a second.";
    workloads_deactivate_final = "It cannot be activated again. Its record stays, its name is free.";
    workloads_deactivated_now(name: &str) = "Deactivated {name}.";
    workloads_is_deactivated = "This workload is deactivated.";

    tokens = "Service tokens";
    tokens_value = "Service token";
    tokens_issued = "Service token issued";
    tokens_expires = "Expires";
    tokens_active = "Active";
    tokens_expired = "Expired";
    tokens_revoked = "Revoked";
    tokens_none = "No tokens yet";
    tokens_none_why = "A token is how this workload shows who it is. Its value is shown once.";
    tokens_issue = "Issue token";
    tokens_issue_lead = "The value is shown once. Several tokens can be good at a time, so that one can be replaced without an outage.";
    tokens_lasts = "Lasts";
    tokens_lasts_hint = "Shorter is safer: a leaked token ends by itself.";
    tokens_too_many = "This workload has as many good tokens as it may. Revoke some first.";
    tokens_try = "Try it";
    tokens_revoke = "Revoke token";
    tokens_revoke_title(id: &str) = "Revoke token {id}";
    tokens_revoke_breaks(name: &str) = "{name} can no longer use it, on every node within a second.";
    tokens_last_used_at(at: &str) = "It was last used at {at}.";
    tokens_never_used = "It was never used.";
    tokens_revoked_now = "The token is revoked.";
    tokens_revoked_already = "This token is revoked already.";
}
