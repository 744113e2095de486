//! What people are asked when they issue, import or edit a key.

use super::texts;

texts! {
    keys_issue = "Issue key";
    keys_issue_lead = "Its value is shown once, on the next page.";
    keys_issued = "Key issued";
    keys_nowhere = "There is no environment that you may do this in";
    keys_nowhere_why = "Keys lie in environments of projects. Ask a project's manager for the role of issuer, or make an environment first.";
    keys_try = "Try it";
    keys_try_why = "Paste the value where the first line waits for it. KEYWARDEN_TOKEN holds the token of a workload that may verify.";
    keys_environment_hint = "It says how the value begins and how long the key may live. It never changes.";
    keys_name_hint = "What it is for, as people call it: checkout, partner-acme.";
    keys_name_taken = "Another key of this environment has this name. Choose another.";
    keys_description = "Description";
    keys_description_hint = "Who uses it, and whom to ask before it goes.";
    keys_owner_me = "You";
    keys_owner_hint = "The owner sees, rotates and revokes it wherever it lies. A team outlives its people.";
    keys_owner_unknown = "The owner must be a team or an active person.";
    keys_archived = "This project is archived: nothing new is made in it.";

    keys_days(n: u64) = "{n} day" | "{n} days";
    keys_until_date = "At a date";
    keys_longest = "As late as the environment allows";
    keys_longest_hint = "Where it sets no longest life, the key never expires.";
    keys_life = "How long it lives";
    keys_found_by = "What is known of it";
    keys_expires_at = "Expires at";
    keys_expires_at_hint = "Time in UTC. Counts with \"At a date\".";
    keys_expires_edit_hint = "Time in UTC. Empty: never, where the environment allows it. A value that has expired does not come back: rotate the key then.";
    keys_not_before = "Not valid before";
    keys_not_before_hint = "Time in UTC. Empty: at once.";
    keys_date_wrong = "Choose a day and a time.";
    keys_expires_before = "The key would expire before it becomes valid. Choose a later moment.";
    keys_has_begun = "It has begun already. To stop it for a while, suspend it.";
    keys_expires_past = "This is in the past. Choose a later moment.";
    keys_lives_too_long(latest: &str) = "In this environment the key may live until {latest} at most.";

    keys_scopes = "Scopes";
    keys_scopes_hint = "What it may be used for, one a line: orders:read, or orders:* for all below. Your services ask for them when they verify.";
    keys_scope_wrong(text: &str) = "{text} is no scope: write orders:read or orders:*, in lower-case letters, digits, dots, dashes and underscores.";
    keys_too_many(most: usize) = "Use at most {most}.";
    keys_ranges = "Allowed addresses";
    keys_ranges_hint = "Ranges from which it may be used, one a line: 10.0.0.0/8, 2001:db8::/32. Empty: from everywhere.";
    keys_range_wrong(text: &str) = "{text} is no address range: write 10.0.0.0/8 or 2001:db8::/32.";
    keys_range_meant(given: &str, meant: &str) = "{given} has bits outside its mask. Did you mean {meant}?";
    keys_rate = "Rate limit";
    keys_rate_hint = "Uses. Empty: no limit.";
    keys_rate_window = "in each";
    keys_rate_wrong = "Write a whole number from 1 to 10,000,000.";
    keys_window_second = "second";
    keys_window_minute = "minute";
    keys_window_hour = "hour";
    keys_window_day = "day";
    keys_window_seconds(n: u32) = "{n} second" | "{n} seconds";
    keys_tags = "Tags";
    keys_tags_hint = "For finding it, one a line: team=payments, pci.";
    keys_tag_wrong(text: &str) = "{text} is no tag: write team or team=payments, with a lower-case name.";
    keys_metadata = "Metadata";
    keys_metadata_hint = "A JSON object of at most 4 KiB. Services get it when they verify the key.";
    keys_metadata_deep = "Nest it at most 8 deep.";
    keys_metadata_large = "Use at most 4,096 bytes.";
    keys_metadata_number = "Write a number of more than 64 bits in quotes: its last digits would be lost.";
    keys_metadata_wrong = "Write a JSON object, such as {\"plan\": \"gold\"}.";

    keys_import = "Import key";
    keys_import_lead = "For a value that callers already hold: it is verified here from now on, until its last day. Then rotate, and callers move to a value of our own.";
    keys_import_value = "The value that callers hold";
    keys_import_value_hint = "16 to 512 characters. It is never shown again.";
    keys_import_either = "Give either the value or its SHA-256.";
    keys_import_known = "This value is known already.";
    keys_import_ours = "This looks like a value that Keywarden makes: it cannot be imported.";
    keys_import_weak = "It could be guessed: use 16 to 512 visible ASCII characters, at least 8 of them different.";
    keys_sha256 = "Or its SHA-256";
    keys_sha256_hint = "64 hexadecimal digits. The value itself then never comes here. It must be 16 to 512 visible ASCII characters long: a caller with another one is never let in.";
    keys_sha256_wrong = "A SHA-256 has 64 hexadecimal digits.";
    keys_last_day = "Its last moment";
    keys_last_day_hint = "Time in UTC. By then its callers must have changed over.";
    keys_last_day_wrong = "Choose a moment ahead, and not after the key's expiry.";
    keys_imported_now(name: &str) = "Imported {name}.";

    keys_edit = "Edit key";
}
