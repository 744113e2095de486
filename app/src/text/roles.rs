//! Roles, as people read them.

use keywarden_model::Role;

use super::{Text, texts};

texts! {
    role_admin = "Admin";
    role_auditor = "Auditor";
    role_issuer = "Issuer";
    role_manager = "Manager";
    /// Who holds no role in the organization.
    role_member = "Member";
    role_owner = "Owner";
    role_reader = "Reader";
    role_verifier = "Verifier";
    role_viewer = "Viewer";
    role_admin_may = "Everything but making owners.";
    role_auditor_may = "Sees metadata and the audit log everywhere; changes nothing.";
    role_issuer_may = "Issues, rotates and revokes keys of one project.";
    role_manager_may = "Everything in one project, its environments and people included.";
    role_owner_may = "Everything.";
    role_reader_may = "Reads the values of one project's secrets; meant for services.";
    role_verifier_may = "Verifies keys of one project; meant for services.";
    role_viewer_may = "Sees keys of one project and their use.";
}

impl Text {
    /// The name of a role.
    pub fn role(self, role: Role) -> &'static str {
        match role {
            Role::Admin => self.role_admin(),
            Role::Auditor => self.role_auditor(),
            Role::Issuer => self.role_issuer(),
            Role::Manager => self.role_manager(),
            Role::Owner => self.role_owner(),
            Role::Reader => self.role_reader(),
            Role::Verifier => self.role_verifier(),
            Role::Viewer => self.role_viewer(),
        }
    }

    /// What somebody with this role may do, in one sentence.
    pub fn role_may(self, role: Role) -> &'static str {
        match role {
            Role::Admin => self.role_admin_may(),
            Role::Auditor => self.role_auditor_may(),
            Role::Issuer => self.role_issuer_may(),
            Role::Manager => self.role_manager_may(),
            Role::Owner => self.role_owner_may(),
            Role::Reader => self.role_reader_may(),
            Role::Verifier => self.role_verifier_may(),
            Role::Viewer => self.role_viewer_may(),
        }
    }
}
