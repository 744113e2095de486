//! The system page.

use super::{Text, texts};

texts! {
    system = "System";
    system_lead = "What protects the keys, and how the servers are.";
    system_one_seal = "There is one seal only.";
    system_one_seal_why = "If its HSM or key file is lost, everything stored here is lost with it. Add a second one on the server's shell: keywarden seal add.";
    system_library_root = "A PKCS#11 library runs as root.";
    system_library_root_why = "It is a program that others wrote. Start the server as another user, or name one in KEYWARDEN_PKCS11_USER. keywarden doctor says why root runs it.";
    system_engine = "Records in";
    system_schema = "Schema version";
    system_origin = "Public address";
    system_mail = "Mail";
    system_no_mail = "Not sent: no mail server is set";
    system_rp_id = "Passkeys belong to";
    system_set_up = "Set up";
    system_seals = "Seals";
    system_seal = "Seal";
    system_protection = "Protection";
    system_hardware = "Hardware";
    system_keys_wrapped = "Keys";
    system_wraps_all = "Wraps all of them";
    system_lacks(n: u64) = "Lacks {n} key" | "Lacks {n} keys";
    system_keyring = "Keyring";
    system_purpose = "Purpose";
    system_retired = "Only verifies and opens";
    system_half_used = "Rotate it soon";
    system_uses = "Envelopes sealed";
    system_nodes = "Servers";
    system_node = "Machine";
    system_version = "Version";
    system_started = "Started";
    system_seen = "Last seen";
    system_ready = "Ready";
    system_is_degraded = "Degraded";
    system_is_sealed = "Sealed";
    system_is_closed = "Closed after a restore";
}

impl Text {
    /// How a node says it is, in words.
    pub(crate) fn system_condition(self, condition: &str) -> &'static str {
        match condition {
            "ready" => self.system_ready(),
            "closed" => self.system_is_closed(),
            "degraded" => self.system_is_degraded(),
            _ => self.system_is_sealed(),
        }
    }
}
