//! Backups, on the system page.

use super::texts;

texts! {
    backups = "Backups";
    backups_what = "A backup is one encrypted file with everything of one instant. The running server writes it.";
    backups_none = "There is no backup.";
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
    backups_no_recipients = "Nobody can open a backup.";
    backups_recipients_what = "Backups are encrypted to public keys. Their secret halves, the recovery keys, are kept where no server is.";
}
