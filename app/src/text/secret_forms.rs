//! What people are asked when they make a secret, a version, a label.

use super::texts;

texts! {
    secrets_create = "Create secret";
    secrets_create_lead = "Its value is encrypted before it is written, and no page shows it until somebody asks.";
    secrets_created(path: &str) = "Created {path}.";
    secrets_path_hint = "Folders and a name between slashes: database/primary/password. Callers hold it, so it never changes.";
    secrets_path_dots = "\".\" and \"..\" are no names here: write the path as it is.";
    secrets_path_empty = "Write names between single slashes, as in database/password, with none at the ends.";
    secrets_path_slash(c: &str) = "{c} looks like a slash: use / between names, and none within.";
    secrets_path_long(most: usize) = "Use at most {most} bytes.";
    secrets_path_long_name(most: usize) = "Use at most {most} bytes for a name.";
    secrets_path_deep(most: usize) = "Use at most {most} folders.";
    secrets_path_untidy = "Write single spaces within names and none around them, and letters in their composed form (NFC).";
    secrets_path_taken = "There is a secret at this path: add a version to it, or choose another path.";
    secrets_path_twin = "Another secret of this environment has this path in another spelling: use that one, or choose another path.";
    secrets_path_deleted = "A deleted secret has this path until it is destroyed: restore it, or choose another path.";
    secrets_key_exhausted = "The project's key has encrypted as many values as it may: it has to be rotated first.";
    secrets_owner_hint = "Whom to ask about it. To own it gives no right to read or change it; a team outlives its people.";
    secrets_description_hint = "What it is for, and whom to ask before it changes. Never write the value here.";

    secrets_how = "Where the value comes from";
    secrets_write = "I have it";
    secrets_write_hint = "Paste it below.";
    secrets_generate = "Generate one";
    secrets_generate_hint = "Made at random on the server when you save. Nobody sees it until it is revealed.";
    secrets_content_type_hint = "For programs, as in application/x-pem-file. Leave it empty for what the kind says.";
    secrets_content_type_wrong = "Write a type in lower case with one slash, as in application/x-pem-file.";
    secrets_kind_hint = "JSON is checked; binary is pasted in base64. All of it is kept byte for byte.";
    secrets_value_hint(most: &str) = "At most {most} bytes. Line ends are kept as single line feeds, blanks at the ends are kept. No page begins with it, not even this one if something is wrong.";
    secrets_value_again = "It was not kept: paste it once more.";
    secrets_value_not_base64 = "This is not base64: binary values are pasted in base64 with its padding.";
    secrets_value_not_json = "This is not JSON: mend it, or choose text.";
    secrets_value_not_text = "This is not text: choose binary, and paste it in base64.";
    secrets_value_too_long(most: &str) = "This is too long: use at most {most} bytes.";
    secrets_length = "Length in characters";
    secrets_alphabet = "Made of";
    secrets_alphabet_letters = "letters and digits";
    secrets_alphabet_symbols = "letters, digits and symbols";
    secrets_alphabet_hexadecimal = "hexadecimal digits";

    secrets_validity = "Validity";
    secrets_expires_at = "Expires at";
    secrets_expires_at_hint = "Time in UTC. Empty: never. From then on the value is not read; it stays so, and a new version takes its place.";

    secrets_new_version = "New version";
    secrets_new_version_lead = "The versions before it stay as they are and can be made current again.";
    secrets_put(number: i64) = "Version {number} is kept.";
    secrets_edit = "Edit secret";
    secrets_edit_lead = "The value stays as it is; another value is a new version. The path never changes.";

    secrets_label_set = "Set label";
    secrets_label_lead(number: i64) = "A label is a name that callers can ask for. It points at one version; setting it here moves it to version {number}.";
    secrets_label_which = "Label of this version";
    secrets_label_current = "current";
    secrets_label_current_hint = "What callers get who name no version. The one before becomes previous.";
    secrets_label_pending = "pending";
    secrets_label_pending_hint = "Kept, and not in force: callers go on getting the current one.";
    secrets_label_previous_hint = "What was current before.";
    secrets_label_own = "a name of your own";
    secrets_label_own_hint = "Read by callers who ask for it by this name.";
    secrets_label_name = "Name of the label";
    secrets_label_name_hint = "1 to 64 lower-case letters, digits, dots, dashes and underscores, not digits alone. Counts with a name of your own.";
    secrets_label_wrong = "Use 1 to 64 lower-case letters, digits, dots, dashes or underscores, a letter or digit first and not digits alone.";
    secrets_label_follows = "previous follows current by itself: choose another name.";
    secrets_label_many = "A secret has at most 20 labels: take one away first.";
    secrets_label_deleted = "This version is deleted: restore it before a label points at it.";
    secrets_label_destroyed = "This version is destroyed: no label can point at it.";
    secrets_label_not_enabled(state: &str) = "This version is {state}: enable it before it becomes current.";
    secrets_label_stays = "current can be moved but not taken away, and previous follows it by itself.";
    secrets_labelled(label: &str, number: i64) = "{label} points at version {number}.";
    secrets_unlabel = "Take away";
    secrets_unlabel_title(label: &str, number: i64) = "Take {label} away from version {number}";
    secrets_unlabel_why = "Callers who ask for this label get nothing from then on. The version stays.";
    secrets_unlabelled(label: &str) = "Took {label} away.";
}
