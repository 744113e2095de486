//! A notice in words, and where it leads.

use keywarden_domain::people::{Notice, NoticeKind, Told};
use keywarden_model::MessageKind;

use crate::text::Text;

/// A notice's sentence, the address that it is about, and what to call the way there.
pub(super) struct Said {
    pub(super) sentence: String,
    pub(super) href: String,
    pub(super) label: &'static str,
}

pub(super) fn say(t: Text, notice: &Notice) -> Said {
    let (user, name) = &notice.about;
    let sentence = match notice.kind {
        NoticeKind::PasskeyAdded => t.notice_passkey_added(name),
        NoticeKind::PasskeyRemoved => t.notice_passkey_removed(name),
        NoticeKind::RecoveredByCode => t.notice_recovered_by_code(name),
        NoticeKind::RecoveredByLink => t.notice_recovered_by_link(name),
        NoticeKind::RecoveryCodesRenewed => t.notice_codes_renewed(name),
        NoticeKind::ShareGuessed => t.notice_share_guessed().to_owned(),
        NoticeKind::Message(_) => return message(t, notice.told.as_ref()),
    };
    match notice.secret {
        Some(secret) => {
            Said { sentence, href: format!("/secrets/{secret}"), label: t.notice_look_at_secret() }
        }
        None => Said { sentence, href: format!("/people/{user}"), label: t.notice_look() },
    }
}

fn message(t: Text, told: Option<&Told>) -> Said {
    let Some(Told { event, resource: (kind, id), name, facts }) = told else {
        return Said { sentence: String::new(), href: "/notices".into(), label: t.notices() };
    };
    let number = |fact: &str| facts.get(fact).and_then(serde_json::Value::as_i64).unwrap_or_default();
    let key = || (format!("/keys/{id}"), t.notice_look_at_key());
    let record = || (format!("/audit?action={event}"), t.notice_look_at_record());
    let system = || ("/system".to_owned(), t.notice_look_at_system());
    let request = facts.get("request").and_then(serde_json::Value::as_str).unwrap_or(id);
    let access = || (format!("/access/requests/{request}"), t.notice_look_at_request());
    let word = facts.get("role").and_then(serde_json::Value::as_str).unwrap_or_default();
    let role = word.parse().map_or_else(|_| word.to_owned(), |role| t.role(role).to_owned());
    let (sentence, (href, label)) = match event.as_str() {
        "access.deny" => (t.notice_access_denied().to_owned(), access()),
        "access.edit" => (t.notice_access_edited().to_owned(), access()),
        "access.end" => (t.notice_access_ended().to_owned(), access()),
        "access.expire" => (t.notice_access_expired().to_owned(), access()),
        "access.grant" => (t.notice_access_granted(&role), access()),
        "access.request" => (t.notice_access_asked(&role), access()),
        "access.revoke" => (t.notice_access_revoked().to_owned(), access()),
        "backup.drill-failed" => (t.notice_drill_failed().to_owned(), system()),
        "backup.failed" => (t.notice_backup_failed().to_owned(), system()),
        "key.expires-soon" => (t.notice_key_expires(number("days"), name), key()),
        "key.old-value-in-use" => (t.notice_old_value(name), key()),
        "refusals.count" if kind == "organization" => {
            (t.notice_refusals_strangers(number("times")), record())
        }
        "refusals.count" => (t.notice_refusals(number("times"), name), record()),
        "seal.answers" => (t.notice_seal_answers().to_owned(), system()),
        "seal.silent" => (t.notice_seal_silent().to_owned(), system()),
        _ => (t.notice_other(event, name), record()),
    };
    Said { sentence, href, label }
}

/// A kind of messages, as people choose by it.
pub(crate) fn kind_name(t: Text, kind: MessageKind) -> &'static str {
    match kind {
        MessageKind::Access => t.kind_access(),
        MessageKind::Account => t.kind_account(),
        MessageKind::Backup => t.kind_backup(),
        MessageKind::KeyExpiry => t.kind_key_expiry(),
        MessageKind::Refusals => t.kind_refusals(),
        MessageKind::Rotation => t.kind_rotation(),
        MessageKind::Seal => t.kind_seal(),
        MessageKind::Test => t.kind_test(),
    }
}
