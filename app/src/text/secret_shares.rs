//! Giving values out: the reason that an environment asks for, and one-time links.

use super::texts;

texts! {
    reasons_label = "Reason";
    reasons_hint = "Why you read the value: a ticket, an incident. This environment asks for it, and it stands in the record.";
    reasons_why_hint = "Why you do this: a ticket, an incident. You may leave it empty; it is shown with the version.";
    reasons_env = "Ask for a reason";
    reasons_env_hint = "Whoever reads a value, person or machine, says why: the reason stands in the record of the reading.";

    shares = "Open links";
    shares_make = "Share by link";
    shares_make_lead(number: i64) = "A link gives version {number} to one recipient, once. Until then it holds no value: it stops working when you may not read the value any more, or the version is disabled, deleted or destroyed.";
    shares_who = "Who opens it";
    shares_who_passphrase = "Whoever has a passphrase";
    shares_who_passphrase_hint = "Keywarden draws it. Tell it another way than the link: by phone, or face to face.";
    shares_who_person = "A person of the organization";
    shares_who_person_hint = "They sign in and show their passkey.";
    shares_choose_who = "Choose who opens it.";
    shares_recipient = "Recipient";
    shares_no_recipient = "Choose a person";
    shares_recipient_unknown = "Choose an active person.";
    shares_life = "How long it works";
    shares_life_hour = "1 hour";
    shares_life_day = "24 hours";
    shares_life_week = "7 days";
    shares_choose_life = "Choose how long it works.";
    shares_many(most: u32) = "{most} link to this secret is open: withdraw some first." | "{most} links to this secret are open: withdraw some first.";
    shares_archived = "This project is archived: its values are not shared.";
    shares_template(number: i64) = "Version {number} is a template, and what it refers to is not shared: share the secrets that it refers to.";
    shares_made = "Link made";
    shares_made_lead = "Both are shown this once. The link shows a page with one button, so that a preview in a chat reads nothing.";
    shares_link = "Link";
    shares_link_hint = "For the recipient. It works once.";
    shares_passphrase = "Passphrase";
    shares_passphrase_hint = "Tell it another way than the link. After five wrong ones the link is gone, and you are told.";
    shares_for = "For";
    shares_for_passphrase = "whoever has the passphrase";
    shares_until = "Works until";
    shares_wrong = "Wrong passphrases";
    shares_by = "Made by";
    shares_withdraw = "Withdraw";
    shares_withdraw_title(number: i64) = "Withdraw the link to version {number}";
    shares_withdraw_why = "It opens nothing from then on. Nobody is told.";
    shares_withdrawn = "The link is withdrawn.";

    shared = "A value for you";
    shared_lead = "Somebody shared a secret value with you. It is shown once: be ready to put it where it belongs, then open it.";
    shared_until = "The link works until";
    shared_open = "Show the value";
    shared_passphrase_hint = "Whoever sent you the link told it to you. Case, spaces and hyphens do not matter.";
    shared_wrong(left: i64) = "This passphrase does not open the link. After {left} more wrong one it is gone." | "This passphrase does not open the link. After {left} more wrong ones it is gone.";
    shared_sign_in = "Sign in to open it";
    shared_sign_in_why = "The link is for one person of the organization.";
    shared_gone = "This link opens nothing";
    shared_gone_why = "It was opened, withdrawn or is too old, or it is meant for somebody else. Ask whoever sent it for another.";
    shared_value = "The value";
    shared_value_lead = "It is in this page and in no other, and the link is used up. Leaving the page takes the value away.";
    shared_encoded = "The value, in base64";
    shared_encoded_hint = "It is no text that a page can show as it is: decode it (RFC 4648, 4).";
}
