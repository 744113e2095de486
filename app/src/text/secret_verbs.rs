//! What happens to a secret: each verb's question, its consequences and what is said afterwards.

use super::texts;

texts! {
    secrets_delete = "Delete";
    secrets_delete_title(path: &str) = "Delete {path}";
    secrets_delete_unread = "No version of it is read from then on: callers get nothing.";
    secrets_delete_until(days: i64, day: &str) = "It can be restored for {days} day, until {day}, as it is now. Then its values are destroyed." | "It can be restored for {days} days, until {day}, as it is now. Then its values are destroyed.";
    secrets_delete_path = "Its path stays taken until then.";
    secrets_deleted_now(path: &str, day: &str) = "Deleted {path}. It can be restored until {day}.";
    secrets_is_deleted = "This secret is deleted: restore it first.";
    secrets_restore = "Restore";
    secrets_restore_title(path: &str) = "Restore {path}";
    secrets_restore_why = "It comes back as it was: its versions, their states, its labels. Callers read it again at once.";
    secrets_restored(path: &str) = "Restored {path}.";
    secrets_not_deleted = "This secret is not deleted.";

    secrets_version_delete_title(number: i64, path: &str) = "Delete version {number} of {path}";
    secrets_version_delete_current = "It is current: put a new value or make another one current first, or delete the secret.";
    secrets_version_delete_labels(labels: &str) = "These labels go on pointing at it, and read nothing: {labels}.";
    secrets_version_delete_until(days: i64, day: &str) = "It can be restored for {days} day, until {day}, as it is now. Then its value is destroyed." | "It can be restored for {days} days, until {day}, as it is now. Then its value is destroyed.";
    secrets_version_deleted_now(number: i64, day: &str) = "Version {number} is deleted. It can be restored until {day}.";
    secrets_version_restore_title(number: i64, path: &str) = "Restore version {number} of {path}";
    secrets_version_restore_why = "It comes back as it was, enabled or disabled; the labels that point at it read it again.";
    secrets_version_restored(number: i64) = "Version {number} is restored.";

    secrets_disable = "Disable";
    secrets_disable_title(number: i64, path: &str) = "Disable version {number} of {path}";
    secrets_disable_unread = "It is not read from then on, by its number or by a label.";
    secrets_disable_current = "It is current: callers who name no version get nothing, until it is enabled or another one is current.";
    secrets_disable_back = "It can be enabled again at any time.";
    secrets_disabled_now(number: i64) = "Version {number} is disabled.";
    secrets_enable = "Enable";
    secrets_enable_title(number: i64, path: &str) = "Enable version {number} of {path}";
    secrets_enable_read = "It is read again at once, by its number and by the labels that point at it.";
    secrets_enabled_now(number: i64) = "Version {number} is enabled.";
    secrets_version_is(number: i64, state: &str) = "Version {number} is: {state}.";

    secrets_destroy = "Destroy";
    secrets_destroy_title(number: i64, path: &str) = "Destroy version {number} of {path}";
    secrets_destroy_final = "Its value and the key that encrypts it are erased here. This cannot be taken back.";
    secrets_destroy_labels(labels: &str) = "These labels go with it: {labels}.";
    destroy_backups = "In backups";
    destroy_until(n: usize, day: &str) = "{n} backup that this server keeps holds it, encrypted, until {day}. That day holds as long as backups go on as they are set up." | "{n} backups that this server keeps hold it, encrypted, the last until {day}. That day holds as long as backups go on as they are set up.";
    destroy_no_day(n: usize) = "{n} backup that this server keeps holds it, encrypted. No newer one takes its place as things are, so there is no day on which it goes." | "{n} backups that this server keeps hold it, encrypted. No newer ones take their place as things are, so there is no day on which they go.";
    destroy_elsewhere(n: usize) = "{n} backup was written elsewhere and holds it, encrypted, for as long as somebody keeps the file." | "{n} backups were written elsewhere and hold it, encrypted, for as long as somebody keeps the files.";
    destroy_no_backup = "No backup that this server knows of holds it.";
    destroy_unknown = "Copies of backups, and of the database, that were made in other ways are not known here.";
    secrets_destroy_name = "The secret's name";
    secrets_destroy_name_hint(name: &str) = "Write {name} to say that you mean it.";
    secrets_destroy_name_wrong(name: &str) = "Write {name}, as it is.";
    secrets_destroy_current = "This version is current: put a new value, make another one current or delete the secret first.";
    secrets_destroy_protected = "This environment has purge protection: delete the version, and its value is destroyed when its window is over.";
    secrets_destroyed_now(number: i64) = "Version {number} is destroyed.";
    secrets_purge_title(path: &str) = "Destroy {path} and all of its versions";
    secrets_purge_final = "All of its values and the keys that encrypt them are erased here. This cannot be taken back.";
    secrets_purge_path = "Its path and its aliases are free then. What was done to it stays in the record.";
    secrets_purge_protected = "This environment has purge protection: the secret is destroyed when its window is over.";
    secrets_purged(path: &str) = "Destroyed {path}.";
    secrets_is_destroyed = "This version is destroyed already.";
}
