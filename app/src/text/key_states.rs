//! NIST SP 800-57 key states, as people read them.

use super::texts;

texts! {
    state_active = "Active";
    state_compromised = "Compromised";
    state_deactivated = "Deactivated";
    state_destroyed = "Destroyed";
    state_pre_activation = "Not yet valid";
    state_suspended = "Suspended";
}
