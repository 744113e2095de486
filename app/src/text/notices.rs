//! Notices about accounts.

use super::texts;

texts! {
    notices = "Notices";
    notice_passkey_added(name: &str) = "A passkey was added to the account of {name}.";
    notice_passkey_removed(name: &str) = "A passkey was removed from the account of {name}.";
    notice_recovered_by_code(name: &str) = "A recovery code let somebody into the account of {name}. If it was not {name}, deactivate the account.";
    notice_recovered_by_link(name: &str) = "A link made on the server let somebody into the account of {name}. If it was not {name}, deactivate the account.";
    notice_codes_renewed(name: &str) = "The recovery codes of {name} were made anew.";
    notice_share_guessed = "Somebody tried five wrong passphrases on a link that you made. The link is gone; if its recipient still needs the value, make another.";
    notice_look = "Look at the account";
    notice_look_at_secret = "Look at the secret";
    notice_dismiss = "Dismiss";
    notice_dismiss_what(sentence: &str) = "Dismiss: {sentence}";
}
