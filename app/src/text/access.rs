//! Access that is asked for, approved and held for a while.

use chrono::TimeDelta;
use keywarden_domain::access::{AccessError, LifeError, RequestError};
use keywarden_model::{AccessState, GrantEnd, PasskeyStrength};

use super::{Text, texts};

texts! {
    access = "Access requests";
    access_waiting(n: usize) = "{n} waits for you" | "{n} wait for you";
    access_lead = "Ask for a role for a while. It ends by itself.";
    access_mine = "What you asked for";
    access_held = "Roles that you hold for a while";
    access_none = "You have asked for nothing yet";
    access_none_why = "A role for a while is enough for most work. Say what you need and why. Others sign it, and it ends by itself.";
    access_held_none = "You hold no role for a while";
    access_held_none_why = "Once what you ask for is approved, it stands here with the time that is left.";
    access_new = "Request access";
    access_new_lead = "Ask for no more than you need. Whoever approves reads each word of it, and signs it.";
    access_role = "Role";
    access_project = "Project";
    access_project_hint = "Its short name, as in addresses. Leave it empty for Admin and Auditor.";
    access_for = "For whom";
    access_for_hint = "For yourself, if you leave it empty. Else the id of somebody in a team of yours, or of a machine whose tokens you may issue.";
    access_for_self = "For yourself";
    access_lasts = "For how long";
    access_lasts_hint = "How many hours, or minutes if you add \"min\": 2, or 30 min.";
    access_lasts_wrong = "Write hours or minutes, such as 2 or 30 min.";
    access_reason = "Why";
    access_reason_hint = "What is to be done with it. It is part of what others sign.";
    access_ticket = "Ticket";
    access_ticket_hint = "Where else it is spoken of, if anywhere.";
    access_asked = "Asked for. You see here when it is answered.";
    access_edit = "Change what you ask for";
    access_edit_why = "What was signed so far counts no more: it was for other words.";
    access_edited = "Changed. It has to be signed anew.";
    access_withdraw = "Withdraw";
    access_withdraw_title = "Withdraw this request";
    access_withdraw_what = "Nobody can approve it any more. You can ask again.";
    access_withdrawn = "Withdrawn.";
    access_deny = "Deny";
    access_deny_title = "Deny this request";
    access_deny_what = "Whoever asked reads your words. They can ask again, for less or for another reason.";
    access_deny_words = "Your words";
    access_denied = "Denied.";
    access_approve = "Approve";
    access_approve_do = "Sign with your passkey";
    access_approve_title = "Approve with your signature";
    access_sign_this = "You sign this text";
    access_sign_exact = "The exact bytes that your passkey signs";
    access_sign_why = "Your passkey signs what stands in the box, and nothing else. If any of it changes, the signature does not count.";
    access_sign_limit_why = "The signature shows that your passkey signed this text. It cannot show that you read it: look at each line.";
    access_signed_waits(have: u32, need: u32) = "Signed. {have} of {need} persons have signed.";
    access_signed_granted = "Signed. The role is held from now on, and ends by itself.";
    access_state = "State";
    access_state_active = "Held now";
    access_state_denied = "Denied";
    access_state_ended = "Ended";
    access_state_expired = "Not answered in time";
    access_state_pending = "Waits";
    access_state_withdrawn = "Withdrawn";
    access_asker = "Asked by";
    access_asked_at = "Asked";
    access_answer_by = "To be answered by";
    access_answered = "Answered";
    access_words = "Their words";
    access_rule_needs(n: u32) = "{n} person has to sign" | "{n} different persons have to sign";
    access_approvals = "Signatures";
    access_approvals_none = "Nobody has signed yet";
    access_approvals_none_why = "Each signature stands here with the name of whoever made it.";
    access_approver = "Who";
    access_signed_at = "Signed";
    access_counts = "Counts";
    access_counts_not = "Counts no more";
    access_evidence = "Download the signatures";
    access_grant = "The role";
    access_ends = "Ends";
    access_ended = "Ended";
    access_end_expired = "Its time was over";
    access_end_given_back = "Given back";
    access_end_revoked = "Taken away";
    access_give_back = "Give back";
    access_give_back_title = "Give this role back";
    access_give_back_what = "What it allows stops on every node within a second. To have it again, you ask again.";
    access_given_back = "Given back.";
    access_revoke = "Take away";
    access_revoke_title(role: &str, holder: &str) = "Take {role} from {holder}";
    access_revoke_what = "What the role allows stops on every node within a second, and what hangs on it ends.";
    access_revoked = "Taken away.";
    access_inbox = "Waiting for you";
    access_inbox_lead = "What others ask for, and you may answer.";
    access_inbox_none = "Nothing waits for you";
    access_inbox_none_why = "What others ask for where you may approve stands here, the oldest first.";
    access_what = "What";
    access_minutes(n: i64) = "{n} minute" | "{n} minutes";
    access_hours(n: i64) = "{n} hour" | "{n} hours";
    access_days(n: i64) = "{n} day" | "{n} days";
    access_organization = "The whole organization";
    access_in(role: &str, place: &str) = "{role} in {place}";
    access_statement_who = "Who approves";
    access_statement_instance = "Which Keywarden";
    access_statement_request = "Request";
    access_statement_wording(revision: i64) = "wording {revision}";
    access_statement_rule = "Under which rule";
    access_statement_rule_is(scope: &str, version: i64, approvers: u32) = "{scope}, version {version}: {approvers} to sign";
    access_why_signed = "You have signed this. Somebody else has to, too.";
    access_why_own = "You have a part in this: somebody else has to approve it.";
    access_why_named = "The rule names others who may approve this.";
    access_why_synced = "The rule asks for a passkey that does not leave its device, such as a security key. You have none.";
    access_why_new(at: &str) = "A passkey approves nothing in its first 24 hours. Yours may from {at} on.";
    access_why_long(most: &str) = "The rule allows {most} at most. It has to be asked for anew, for less.";
    access_why_expired = "Nobody answered in time. It has to be asked for anew.";
    access_why_decided = "This was answered already. Look at it again.";
    access_why_not_active = "This role is held no longer.";
    access_why_not_yours = "Only whoever asked for it can do this.";
    access_why_changed = "This request was changed meanwhile. Look at it again.";
    access_why_archived = "The project is archived: no role is held in it any more.";
    access_why_gone = "Whoever this is for is not active any more, or cannot hold a role here.";
    access_why_person = "Only a person can approve, with a passkey, in a browser.";
    access_why_held = "This role is held already.";
    access_why_holder = "Ask for yourself, for somebody of your teams, or for a machine whose tokens you may issue.";
    access_why_home = "This machine is a project's own: it holds roles in that project only.";
    access_why_owner = "Nobody is an owner for a while. Ask for another role.";
    access_why_many = "Twenty requests of yours wait for an answer. Withdraw one first.";
    access_why_short = "Ask for five minutes at least.";
    access_why_scope = "Admin and Auditor are roles of the organization. The others are held in a project: name it.";
    access_rules = "Who approves access";
    access_rules_lead = "How many persons have to sign, and for how long a role may be held.";
    access_rules_of(place: &str) = "Who approves access to {place}";
    access_rules_from_project = "This project has a rule of its own.";
    access_rules_from_organization = "The rule of the organization holds.";
    access_rules_from_built_in = "No rule is written. What stands here is built in.";
    access_rules_approvers = "Persons who have to sign";
    access_rules_approvers_hint = "One to five, each of them another. Whoever asked is never one of them.";
    access_rules_only = "Only these";
    access_rules_only_hint = "Ids of people and teams, one on a line. Leave it empty for all who may approve here. To be named lets nobody approve who may not.";
    access_rules_longest = "Longest time";
    access_rules_longest_hint = "How many hours a role is held at most.";
    access_rules_unanswered = "Waits for";
    access_rules_unanswered_hint = "After so many hours a request that nobody answers is over.";
    access_rules_strength = "Passkeys";
    access_rules_strength_hint = "Most passkeys of phones are copied to other devices. Those of security keys are not.";
    access_rules_any = "Any passkey";
    access_rules_device_bound = "Only one that does not leave its device";
    access_rules_save = "Save the rule";
    access_rules_saved = "The rule is saved. What was signed under the one before counts no more.";
    access_rules_drop = "Let the rule of the organization hold";
    access_rules_wrong = "This rule cannot be kept to. Look at its numbers and ids.";
    access_rules_none = "There is no rule of its own here.";
}

impl Text {
    /// Where a request is.
    pub(crate) fn access_state_of(self, state: AccessState) -> &'static str {
        match state {
            AccessState::Active => self.access_state_active(),
            AccessState::Denied => self.access_state_denied(),
            AccessState::Ended => self.access_state_ended(),
            AccessState::Expired => self.access_state_expired(),
            AccessState::Pending => self.access_state_pending(),
            AccessState::Withdrawn => self.access_state_withdrawn(),
        }
    }

    /// How a role was over.
    pub(crate) fn access_end(self, how: GrantEnd) -> &'static str {
        match how {
            GrantEnd::Expired => self.access_end_expired(),
            GrantEnd::GivenBack => self.access_end_given_back(),
            GrantEnd::Revoked => self.access_end_revoked(),
        }
    }

    /// Which passkeys.
    pub(crate) fn access_strength(self, strength: PasskeyStrength) -> &'static str {
        match strength {
            PasskeyStrength::Any => self.access_rules_any(),
            PasskeyStrength::DeviceBound => self.access_rules_device_bound(),
        }
    }

    /// A span in the largest unit that says it exactly.
    pub(crate) fn span(self, span: TimeDelta) -> String {
        let whole = |unit: i64| {
            span.num_minutes()
                .checked_div(unit)
                .filter(|n| *n > 0 && span.num_minutes() == n.saturating_mul(unit))
        };
        match (whole(1_440), whole(60)) {
            (Some(days), _) => self.access_days(days),
            (None, Some(hours)) => self.access_hours(hours),
            (None, None) => self.access_minutes(span.num_minutes()),
        }
    }

    /// Why a request's life does not allow something.
    pub(crate) fn access_life(self, why: &LifeError) -> String {
        match why {
            LifeError::AlreadySigned => self.access_why_signed().into(),
            LifeError::Expired => self.access_why_expired().into(),
            LifeError::NotActive => self.access_why_not_active().into(),
            LifeError::NotAsker => self.access_why_not_yours().into(),
            LifeError::NotNamed => self.access_why_named().into(),
            LifeError::NotPending(_) => self.access_why_decided().into(),
            LifeError::OwnRequest => self.access_why_own().into(),
            LifeError::PasskeySynced => self.access_why_synced().into(),
            LifeError::PasskeyTooNew(from) => {
                self.access_why_new(&format!("{} {}", self.day_of(*from), crate::ui::clock(*from)))
            }
            LifeError::TooLong(most) => self.access_why_long(&self.span(*most)),
        }
    }

    /// Why something was not done; `None`: as everywhere, or of the passkey.
    pub(crate) fn access_error(self, error: &AccessError) -> Option<String> {
        Some(match error {
            AccessError::Archived => self.access_why_archived().into(),
            AccessError::Ceremony(_) | AccessError::Refused(_) => return None,
            AccessError::ChangedMeanwhile => self.access_why_changed().into(),
            AccessError::HolderGone => self.access_why_gone().into(),
            AccessError::Life(why) => self.access_life(why),
            AccessError::NotAPerson => self.access_why_person().into(),
            AccessError::TooLong(most) => self.access_why_long(&self.span(*most)),
            AccessError::TooShort => self.access_why_short().into(),
        })
    }

    /// The field that a request is wrong in, and why; `None`: as everywhere.
    pub(crate) fn access_request_error(self, error: &RequestError) -> Option<(&'static str, String)> {
        Some(match error {
            RequestError::AlreadyHeld => ("role", self.access_why_held().into()),
            RequestError::NoSuchHolder => ("for", self.access_why_holder().into()),
            RequestError::OnlyAtHome => ("for", self.access_why_home().into()),
            RequestError::Owner => ("role", self.access_why_owner().into()),
            RequestError::Refused(_) => return None,
            RequestError::TooLong(most) => ("lasts", self.access_why_long(&self.span(*most))),
            RequestError::TooMany => ("role", self.access_why_many().into()),
            RequestError::TooShort => ("lasts", self.access_why_short().into()),
            RequestError::WrongScope(_) => ("project", self.access_why_scope().into()),
        })
    }
}
