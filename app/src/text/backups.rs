//! Backups, on the system page.

use super::texts;

texts! {
    backups = "Backups";
    backups_what = "A backup is one encrypted file with everything of one instant. The running server writes it.";
    backups_none = "There is no backup";
    backups_missing = "There is no backup.";
    backups_none_why = "If the database is lost, everything stored here is lost with it. Make one on the server's shell, keywarden backup --to FILE, or set KEYWARDEN_BACKUP_FOLDER.";
    backups_no_recipient = "No backup can be made yet.";
    backups_no_recipient_why = "Nobody could open it. On another machine, make a recovery key: keywarden recovery-key create. Then add its recipient here: keywarden backup recipient add.";
    backups_of = "As of";
    backups_size = "Size";
    backups_bytes(n: &str) = "{n} bytes";
    backups_digest = "SHA-256";
    backups_opens_for = "Opens for";
    backups_file = "Written to";
    backups_recipients = "Recovery recipients";
    backups_recipient = "Recipient";
    backups_no_recipients = "Nobody can open a backup";
    drills = "Drills";
    drills_what = "A drill restores the newest backup to a scratch database beside this one, looks at everything in it, and takes it away again.";
    drills_none = "No backup was drilled yet";
    drills_begin = "Drill the newest backup";
    drills_asked_now = "A server begins the drill within a minute. Look here again.";
    drills_no_key = "There is no backup that could be drilled. Make one first: those from before drills were switched on cannot be opened here.";
    drills_off = "Drills are switched off on this server: KEYWARDEN_BACKUP_DRILL says off.";
    drills_under_way = "A drill is under way already.";
    drills_when = "Asked for";
    drills_backup_of = "Backup of";
    drills_took = "Took";
    drills_seconds(n: &str) = "{n} s";
    drills_looked_at = "Looked at";
    drills_counts(rows: &str, events: &str, opened: &str, compared: &str) = "{rows} rows, {events} events, {opened} rows and values opened, {compared} values compared with those here";
    drills_token = "Restored under a new and empty token.";
    drills_software(why: &str) = "Restored under a key in memory, in software. There was no token: {why}.";
    drills_wrong = "What was wrong";
    drills_apart(what: &str) = "Came back and was not opened: {what}.";
    drills_asked = "Waits";
    drills_failed = "Failed";
    drills_passed = "Came back whole";
    drills_running = "Running";
    drills_last_failed = "The newest backup that was drilled did not come back whole.";
    drills_last_failed_why = "Below it says what was wrong. Make another backup and drill it before you rely on any.";
    backups_recipients_what = "Backups are encrypted to public keys. Their secret halves, the recovery keys, are kept where no server is.";
}
