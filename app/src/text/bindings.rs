//! Who holds which role, and giving and taking them.

use super::{Text, texts};

texts! {
    roles = "Roles";
    roles_holder = "Who";
    roles_holder_hint = "A person, a team or a workload.";
    roles_what = "Kind";
    roles_role = "Role";
    roles_since = "Since";
    roles_inactive = "Deactivated";
    roles_none = "Nobody has a role here";
    roles_none_why = "Owners and admins of the organization can do everything here all the same.";
    roles_give = "Give a role";
    roles_given = "The role is given.";
    roles_take = "Take away";
    roles_take_title(role: &str, holder: &str) = "Take {role} from {holder}";
    roles_take_at_once = "What the role allows stops on every node within a second.";
    roles_taken = "The role is taken away.";
    roles_already = "This role is held already.";
    roles_no_such_holder = "There is no such active person, team or workload.";
    roles_locks_out = "No owner could invite people, give roles and change policies any more. Change the policies first.";
    roles_last_owner = "This is the last active owner. Make somebody else an owner first.";
    holder_person = "Person";
    holder_team = "Team";
    holder_workload = "Workload";
}

impl Text {
    /// `person`, `team` or `workload` in words.
    pub(crate) fn roles_kind(self, kind: &str) -> &'static str {
        match kind {
            "team" => self.holder_team(),
            "workload" => self.holder_workload(),
            _ => self.holder_person(),
        }
    }
}
