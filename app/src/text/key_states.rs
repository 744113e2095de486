//! States of keys (NIST SP 800-57) and of versions, as people read them.

use super::texts;

texts! {
    state_active = "Active";
    state_compromised = "Compromised";
    state_deactivated = "Deactivated";
    state_destroyed = "Destroyed";
    state_disabled = "Disabled";
    state_enabled = "Enabled";
    state_pre_activation = "Not yet valid";
    state_soft_deleted = "Deleted";
    state_suspended = "Suspended";
}
