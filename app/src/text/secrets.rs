//! Secrets: folders, one secret, one version.

use super::texts;

texts! {
    secrets = "Secrets";
    secrets_lead = "A secret is a value that you keep here for a service: a password, a certificate, somebody else's API key. It lives at a path in an environment, and each new value is a version.";
    secrets_search = "Path, tag or owner";
    secrets_name = "Name";
    secrets_path = "Path";
    secrets_folder = "Folder";
    secrets_value = "Value";
    secrets_kind = "Kind";
    secrets_kind_binary = "binary";
    secrets_kind_json = "JSON";
    secrets_kind_text = "text";
    secrets_size = "Size";
    secrets_byte = "1 byte";
    secrets_bytes(n: &str) = "{n} bytes";
    secrets_content_type = "Content type";
    secrets_version = "Version";
    secrets_versions = "Versions";
    secrets_version_n(number: i64) = "Version {number}";
    secrets_current = "Current version";
    secrets_no_current = "none is current";
    secrets_no_current_why = "No version is current: who asks for this secret without naming a version gets nothing. Let the label current point at one.";
    secrets_changed = "Last value";
    secrets_by = "Made by";
    secrets_promoted = "Current since";
    secrets_label = "Label";
    secrets_labels = "Labels";
    secrets_label_means = "What it says";
    secrets_no_labels = "No label";
    secrets_no_labels_why = "Nothing points at this version: it is read by its number alone.";
    secrets_window = "Recovery window";
    secrets_protection = "Purge protection";
    secrets_protected = "on";

    secrets_found(n: u64) = "{n} secret" | "{n} secrets";
    secrets_shown(n: &str) = "{n} shown";
    secrets_shown_of_more(n: &str) = "{n} shown, and there are more";
    secrets_found_title = "Secrets found";
    secrets_first = "No secrets yet";
    secrets_first_why = "Keep the first password, certificate or foreign API key here: encrypted at rest, with every reading in the record.";
    secrets_none_here = "Nothing here yet";
    secrets_none_here_why = "Folders come by themselves: write them into the path of what lies in them.";
    secrets_none_yours_why = "No project lets you see secrets here. Ask a project's manager for a role.";
    secrets_none_match = "No secret matches";
    secrets_none_match_why = "Nothing that you may see has this in its path, its tags or its owner's name.";
    secrets_nowhere_why = "Secrets lie in environments of projects. Ask a project's manager for the role of manager, or make an environment first.";
    secrets_state_there = "Not deleted";
    secrets_unreadable_ones = "No value for callers";
    secrets_deleted_ones = "Deleted";
    secrets_deleted_title = "Deleted secrets";
    secrets_deleted_at = "Deleted";
    secrets_goes = "Destroyed on";
    secrets_none_deleted = "Nothing is deleted";
    secrets_none_deleted_why = "A deleted secret is listed here until the day on which its values are destroyed.";
    secrets_deleted_until(day: &str) = "This secret is deleted. It can be restored until {day}.";
    secrets_deleted_why = "Then all of its values are destroyed, and its path is free.";

    secrets_current_value = "Current value";
    secrets_value_said(number: i64, kind: &str, size: &str) = "Version {number}, {kind}, {size}";
    secrets_reveal = "Reveal";
    secrets_download = "Download";
    secrets_reveal_why = "Each reading is in the record, with who, when and from where.";
    secrets_reveal_not_yours = "None of your roles lets you read it.";
    secrets_reveal_shut = "It is not read in this state.";
    secrets_revealed = "Value revealed";
    secrets_revealed_lead = "It is in this page and in no other. Leaving the page takes it away; a reload shows nothing.";
    secrets_done = "Done";
    secrets_not_text(size: &str) = "{size} that a page cannot show as they are.";
    secrets_not_text_why = "Download them: the file holds every byte. That reading, too, is in the record.";
    secrets_not_shown = "The value is not shown";
    secrets_shown_before_why = "This page was reloaded: the value was shown the first time and is not read again by itself. Reveal it anew if you need it.";
    secrets_look_at_version = "Look at the version";
}
