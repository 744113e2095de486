//! The account of the person who is signed in.

use super::texts;

texts! {
    account = "Your account";
    account_lead = "How you get in, and where you are in.";
    account_passkeys = "Passkeys";
    account_passkey_add = "Add a passkey";
    account_passkey_add_lead = "A second passkey is the best insurance against losing the first: another device, or a security key in a drawer.";
    account_passkey_added(name: &str) = "Passkey {name} added. It cannot approve anything for 24 hours.";
    account_passkey_synced = "Synced";
    account_passkey_synced_why = "Its provider may copy it to your other devices.";
    account_passkey_bound = "Device-bound";
    account_passkey_bound_why = "It never leaves its device.";
    account_passkey_kind = "Kind";
    account_passkey_this = "Used now";
    account_name = "Name";
    account_added = "Added";
    account_last_used = "Last used";
    account_approves_after = "May approve from";
    account_rename = "Rename";
    account_renamed(name: &str) = "Renamed to {name}.";
    account_remove = "Remove passkey";
    account_remove_title(name: &str) = "Remove {name}";
    account_remove_signs = "It cannot sign you in any more, on any device that holds it.";
    account_remove_ends = "Other sessions that it opened end at once.";
    account_remove_final = "It cannot be undone. The same authenticator can be added again as a new passkey.";
    account_removed(name: &str) = "Passkey {name} removed.";
    account_last = "This is your only passkey. Add another one first, or nothing would let you in.";
    account_codes_left(n: i64) = "{n} of 10 codes is left." | "{n} of 10 codes are left.";
    account_codes_none = "None left: make new ones.";
    account_codes_renew_ends = "The codes that you have now stop working.";
    account_codes_renew_once = "The new ones are shown once.";
    account_sessions = "Sessions";
    account_session_here = "This one";
    account_session_recovering = "Recovering";
    account_session_terminal = "Terminal";
    account_browser = "Browser";
    account_browser_unknown = "Unknown";
    account_browser_on(browser: &str, system: &str) = "{browser} on {system}";
    account_address = "Address";
    account_signed_in = "Signed in";
    account_last_seen = "Last seen";
    account_end = "Sign out";
    account_end_what(browser: &str) = "Sign out {browser}";
    account_ended = "The session is signed out.";
    account_end_others = "Sign out all others";
    account_others_ended = "All your other sessions are signed out.";
    account_roles = "Your roles";
    account_roles_none = "You hold no role yet. An owner or admin can give you one.";
    account_role = "Role";
    account_where = "Where";
    account_since = "Since";
    account_everywhere = "Everywhere";
    account_preferences = "Preferences";
    account_preferences_why = "Kept in this browser.";
    account_language = "Language";
}
