//! What happens to a key: each verb's question, its consequences and what is said afterwards.

use super::texts;

texts! {
    keys_rotate = "Rotate key";
    keys_rotate_title(name: &str) = "Rotate {name}";
    keys_rotate_new = "The key gets a new value now, which is shown once on the next page. The old one works until it stops.";
    keys_rotate_cap(end: &str) = "No value works past the key's own expiry at {end}.";
    keys_rotated = "Key rotated";
    keys_old_stops = "The old value stops";
    keys_overlap_none = "At once";
    keys_overlap_none_hint = "For a value in wrong hands. Callers break until they have the new one.";
    keys_overlap_usual(span: &str) = "After {span}, as the environment says";
    keys_until = "Until";
    keys_until_hint = "Time in UTC, at most 90 days from now.";
    keys_overlap_over = "This is in the past. Choose a later moment.";
    keys_overlap_long = "An overlap lasts 90 days at most.";
    keys_has_expired = "This key has expired. Give it a later expiry first.";
    keys_is_revoked = "This key is revoked.";
    keys_many_values = "As many values of this key work as may. Stop an old one first.";

    keys_suspend = "Suspend key";
    keys_suspend_title(name: &str) = "Suspend {name}";
    keys_suspend_refused = "Every value of it is refused on every node within a second.";
    keys_suspend_back = "It can be resumed at any time.";
    keys_suspended_now(name: &str) = "Suspended {name}.";
    keys_suspended_already = "This key is suspended already.";
    keys_resume = "Resume key";
    keys_resume_title(name: &str) = "Resume {name}";
    keys_resume_good = "Its values are good again, as far as their time is not over.";
    keys_resumed_now(name: &str) = "Resumed {name}.";
    keys_not_suspended = "This key is not suspended.";

    keys_revoke = "Revoke key";
    keys_revoke_title(name: &str) = "Revoke {name}";
    keys_revoke_all = "Every value is refused on every node within a second.";
    keys_revoke_final = "It cannot be taken back. The record stays, the name is free.";
    keys_revoked_now(name: &str) = "Revoked {name}.";
    keys_reason = "Reason";
    keys_reason_superseded = "Superseded";
    keys_reason_superseded_hint = "Another key took its place.";
    keys_reason_compromise = "Compromised";
    keys_reason_compromise_hint = "A value is or may be in wrong hands.";
    keys_reason_cessation = "No longer needed";
    keys_reason_cessation_hint = "The owner or the service behind it is gone.";
    keys_reason_unspecified = "Another reason";
    keys_reason_unspecified_hint = "Say which in the note.";
    keys_note = "Note";
    keys_note_hint = "Kept in the audit record.";

    keys_revoke_many = "Revoke keys";
    keys_bulk_lead = "Filter, look at what breaks, then revoke exactly the keys that are shown.";
    keys_bulk_choose = "Which keys?";
    keys_bulk_choose_why = "Use the filter above. Nothing happens before you have seen them.";
    keys_bulk_none_why = "No key that stands, and that you may revoke, fits this filter.";
    keys_bulk_more = "These are the first 1,000. Revoke them, then come back for the rest.";
    keys_bulk_callers = "Callers of the last 7 days";
    keys_bulk_nobody = "No caller was seen in the last 7 days";
    keys_bulk_nobody_why = "Nobody uses these keys.";
    keys_bulk_breaks(n: usize) = "{n} caller of the last 7 days breaks." | "{n} callers of the last 7 days break.";
    keys_bulk_breaks_more(n: usize) = "At least {n} caller of the last 7 days breaks, and there are more that were not looked at." | "At least {n} callers of the last 7 days break, and there are more that were not looked at.";
    keys_bulk_title(n: usize) = "Revoke {n} key" | "Revoke {n} keys";
    keys_bulk_done(n: u32) = "Revoked {n} key." | "Revoked {n} keys.";
    keys_bulk_already(n: u32) = "{n} was revoked already." | "{n} were revoked already.";
    keys_bulk_nothing = "No key is chosen.";
    keys_bulk_many = "At most 1,000 keys can be revoked at once. Narrow the filter.";
}
