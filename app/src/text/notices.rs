//! Notices: about accounts, and what messages tell.

use super::texts;

texts! {
    notices = "Notices";
    notices_lead = "What you were told. Nothing is decided here: each notice leads to the page where it is.";
    notices_unread_only = "Unread";
    notices_all = "All";
    notices_none = "Nothing to read";
    notices_none_why = "You have read all that you were told. Older notices are under “All”.";
    notices_none_ever = "No notices yet";
    notices_none_ever_why = "When a key of yours ends soon, or something happens to your account, you read it here.";
    notices_read_all = "Mark all as read";
    notices_all_read = "All notices are marked as read.";
    notices_read = "Read";
    notices_unread = "Unread";
    notices_count(n: u64) = "Notices: {n} unread" | "Notices: {n} unread";
    notices_what = "What happened";
    notices_when = "When";
    notices_state = "State";
    notice_passkey_added(name: &str) = "A passkey was added to the account of {name}.";
    notice_passkey_removed(name: &str) = "A passkey was removed from the account of {name}.";
    notice_recovered_by_code(name: &str) = "A recovery code let somebody into the account of {name}. If it was not {name}, deactivate the account.";
    notice_recovered_by_link(name: &str) = "A link made on the server let somebody into the account of {name}. If it was not {name}, deactivate the account.";
    notice_codes_renewed(name: &str) = "The recovery codes of {name} were made anew.";
    notice_share_guessed = "Somebody tried five wrong passphrases on a link that you made. The link is gone; if its recipient still needs the value, make another.";
    notice_backup_failed = "A backup that was due was not made. It is tried again by itself; the server's log says why it failed.";
    notice_drill_failed = "The newest backup was restored for a look, and was not as it must be. Make another one.";
    notice_key_expires(days: i64, name: &str) = "The key {name} stops working within a day." | "The key {name} stops working within {days} days.";
    notice_old_value(name: &str) = "The key {name} was rotated, and its old value is still used. It stops within a day.";
    notice_refusals(times: i64, name: &str) = "{times} request of {name} was refused within a minute." | "{times} requests of {name} were refused within a minute.";
    notice_refusals_strangers(times: i64) = "{times} request of strangers was refused within a minute." | "{times} requests of strangers were refused within a minute.";
    notice_seal_silent = "No seal that unwraps the house's keys answers. The server works on for a while, and then refuses.";
    notice_seal_answers = "A seal that unwraps the house's keys answers again.";
    notice_other(event: &str, name: &str) = "{event}: {name}";
    notice_look = "Look at the account";
    notice_look_at_key = "Look at the key";
    notice_look_at_record = "Look at the record";
    notice_look_at_secret = "Look at the secret";
    notice_look_at_system = "Look at the system";
    notice_dismiss = "Dismiss";
    notice_dismiss_what(sentence: &str) = "Dismiss: {sentence}";
    choices = "What you are told";
    choices_lead = "Choose what rings the bell and goes to your own channels. Channels of the organization carry what they are set to, for all.";
    choices_tell = "Tell me of";
    choices_owner_hint = "You are an owner: of what may put the house or an account at risk you are always told.";
    choices_save = "Save";
    choices_saved = "What you are told is changed.";
    kind_access = "Requests for access";
    kind_account = "Passkeys, recovery codes and recoveries";
    kind_backup = "Backups that fail";
    kind_key_expiry = "Keys that end soon";
    kind_refusals = "Many refusals";
    kind_rotation = "Rotations that need a look";
    kind_seal = "The HSM and other seals";
    kind_test = "Tests";
}
