//! Policies: the list, a policy and its versions.

use keywarden_model::{PolicyEffect, PolicyState};

use super::{Text, texts};

texts! {
    policies = "Policies";
    policies_one = "Policy";
    policies_lead = "Rules that say who can, or must never, do what. They hold beside the built-in roles.";
    policies_new = "New policy";
    policies_none = "No policy yet";
    policies_none_why = "Roles alone decide so far. A policy takes away from that, or adds to it. Start from a usual case.";
    policies_none_seen = "No policy that you can see";
    policies_none_seen_why = "Those of your projects are listed here. Those of the whole organization are shown to owners, admins and auditors.";
    policies_none_found = "No policy fits";
    policies_none_found_why = "Search for another name, or show all states.";
    policies_search = "Name of the policy";
    policies_name = "Name";
    policies_name_taken = "There is a policy of this name.";
    policies_state = "State";
    policies_effect_column = "What it does";
    policies_where = "Holds in";
    policies_everywhere = "The whole organization";
    policies_version(number: i64) = "Version {number}";
    policies_versions = "Versions";
    policies_says = "What it says";
    policies_text = "Cedar text";
    policies_who_wrote = "Written by";
    policies_when_written = "Written";
    policies_approved_by = "Approved by";
    policies_decides_since = "Decides since";
    policies_decided_until = "Decided until";
    policies_starts = "Starts";
    policies_note = "About this version";
    policies_note_hint = "Say why. Whoever reviews it, or looks for it in a year, reads this first.";
    policies_none_decides = "No version of it decides";
    policies_edit = "Edit";
    policies_edit_title(name: &str) = "Edit {name}";
    policies_edit_lead = "Saving makes a new draft. What decides now goes on until you activate the draft.";
    policies_new_lead = "Saving makes a draft. It decides nothing until you activate it.";
    policies_save = "Save draft";
    policies_saved = "The draft is saved. It decides nothing yet.";
    policies_activate = "Activate";
    policies_activate_title(name: &str, number: i64) = "Activate version {number} of {name}";
    policies_activate_what = "It decides within a second, on every node.";
    policies_activate_forbids = "Whoever it speaks of is refused from then on, whatever their roles are.";
    policies_activate_permits = "Whoever it speaks of may do more from then on.";
    policies_activate_replaces(number: i64) = "It takes the place of version {number}, which you can go back to.";
    policies_activated = "The policy decides now.";
    policies_roll_back = "Roll back";
    policies_roll_back_title(name: &str, number: i64) = "Roll {name} back to version {number}";
    policies_rolled_back = "The older version decides again.";
    policies_disable = "Disable";
    policies_disable_title(name: &str) = "Disable {name}";
    policies_disable_forbids = "What it refuses is decided by roles and other policies again.";
    policies_disable_permits = "Whoever may do something by it alone may not any longer.";
    policies_disable_keeps = "Its versions are kept: any of them can be activated again.";
    policies_disabled = "The policy decides no longer.";
    policies_submit = "Submit for review";
    policies_submitted = "The version waits for a second person.";
    policies_approve = "Approve";
    policies_approved = "The version is approved. It can be activated now.";
    policies_withdraw = "Withdraw";
    policies_withdrawn = "The version is withdrawn.";
    policies_compare = "Compare";
    policies_compare_title(from: i64, to: i64) = "Version {from} and version {to}";
    policies_compare_from = "Older";
    policies_compare_to = "Newer";
    policies_same = "Both versions say the same";
    policies_same_why = "Their text is the same, letter by letter.";
    policies_line_added = "Added";
    policies_line_removed = "Removed";
    policies_line_same = "Unchanged";
    policies_line = "Line";
    policies_what_happened = "What happened";
    policies_changed_meanwhile = "Somebody changed this policy meanwhile. Look at it again.";
    policies_state_active = "Active";
    policies_state_draft = "Draft";
    policies_state_in_review = "In review";
    policies_state_scheduled = "Scheduled";
    policies_state_superseded = "Superseded";
    policies_state_withdrawn = "Withdrawn";
    policies_state_active_means = "It decides.";
    policies_state_draft_means = "It was written and decides nothing yet.";
    policies_state_in_review_means = "It waits for a second person, and decides nothing yet.";
    policies_state_scheduled_means = "It will decide from a set moment on.";
    policies_state_superseded_means = "It decided once. You can roll back to it.";
    policies_state_withdrawn_means = "It was taken back before it decided anything.";
    policies_approve_title(name: &str, number: i64) = "Approve version {number} of {name}";
    policies_approve_what = "It decides nothing by that. Somebody activates it after that.";
    policies_approve_not_own = "Whoever wrote a version cannot approve it. Ask another person.";
    policies_submit_title(name: &str, number: i64) = "Submit version {number} of {name} for review";
    policies_submit_what = "Somebody else than its author looks at it. It decides nothing until then.";
    policies_withdraw_title(name: &str, number: i64) = "Withdraw version {number} of {name}";
    policies_withdraw_what = "It ends here. Its text stays among the versions, and can be edited as a new draft.";
    policies_from = "From when on";
    policies_from_hint = "In UTC. Leave it empty to let it decide now.";
    policies_scheduled = "The version is scheduled.";
    policies_no_moment = "Name a moment that is ahead, within a year.";
    policies_locks_out = "No owner could invite people, give roles and change policies any more. Let it except one of them.";
    policies_older_nodes = "A node of an older version may still run, and would decide without this policy. Upgrade each node, then try again after an hour at most.";
    policies_needs_approval = "Policies need a second person here. Somebody else than the author approves this version first. What a machine wrote is approved by one person and activated by another.";
    policies_wrong_step(state: &str) = "The version is now: {state}. This cannot be done with it.";
    policies_tests = "Tests";
    policies_tests_lead = "Questions with the answer that they must have. They are asked before a policy decides. One that fails a test does not.";
    policies_tests_none = "No test yet";
    policies_tests_none_why = "Ask the simulator something, and save it as a test.";
    policies_tests_under_why = "Asked as if this version decided. It cannot be activated while one fails.";
    policies_tests_all(n: u64) = "{n} test" | "{n} tests";
    policies_tests_failing(n: u64) = "{n} fails" | "{n} fail";
    policies_tests_others(n: usize) = "{n} more" | "{n} more";
    policies_test_passes = "Passes";
    policies_test_fails = "Fails";
    policies_test_outcome = "Comes out";
    policies_test_expected = "Must be";
    policies_test_allowed = "Allowed";
    policies_test_refused = "Refused";
    policies_test_gone = "Something it names is gone";
    policies_test_question = "Question";
    policies_test_name_hint = "What must stay so: “Nobody outside reads production”.";
    policies_test_save = "Save as test";
    policies_test_saved = "The test is saved.";
    policies_test_delete = "Delete test";
    policies_test_delete_title(name: &str) = "Delete test {name}";
    policies_test_delete_what = "Policies that fail it can be activated then.";
    policies_test_deleted = "The test is deleted.";
    policies_test_elsewhere = "A project’s test is about something in that project.";
    policies_test_name_taken = "There is a test of this name.";
    policies_fails_tests(names: &str) = "These tests would fail: {names}. Change the policy, or delete those tests first.";
    policies_text_no_longer(why: &str) = "This text cannot decide any more. {why}";
    policies_archived = "This project is archived. Nothing new is made in it.";
    policies_name_reserved = "This name is Keywarden’s own. Choose another.";
    policies_full = "There are as many as there may be.";
    policies_new_in(project: &str) = "New policy in {project}";
    policies_ending(who: &str) = "{who} wants to disable this policy. Another person has to agree.";
    policies_id = "Id";
    policies_next = "Next";
    policies_review = "Second person";
    policies_review_ending = "A second person looks at each version, and one owner wants to end that.";
    policies_review_off = "One person is enough to change what decides.";
    policies_review_on = "A second person looks at each version before it decides.";
    policies_review_change = "Change";
    policies_review_begin = "Ask for a second person";
    policies_review_begin_what = "From now on, somebody else than its author approves a version before it decides.";
    policies_review_end = "Do without a second person";
    policies_review_end_what = "Two owners have to say so. It stays as it is until the second one does.";
    policies_review_another = "You have said so already. Another owner has to agree.";
    policies_review_same = "It is so already.";
    policies_forbids = "Forbids";
    policies_permits = "Permits";
}

impl Text {
    /// The state of a version.
    pub(crate) fn policy_state(self, state: PolicyState) -> &'static str {
        match state {
            PolicyState::Active => self.policies_state_active(),
            PolicyState::Draft => self.policies_state_draft(),
            PolicyState::InReview => self.policies_state_in_review(),
            PolicyState::Scheduled => self.policies_state_scheduled(),
            PolicyState::Superseded => self.policies_state_superseded(),
            PolicyState::Withdrawn => self.policies_state_withdrawn(),
        }
    }

    /// What the state of a version means.
    pub(crate) fn policy_state_means(self, state: PolicyState) -> &'static str {
        match state {
            PolicyState::Active => self.policies_state_active_means(),
            PolicyState::Draft => self.policies_state_draft_means(),
            PolicyState::InReview => self.policies_state_in_review_means(),
            PolicyState::Scheduled => self.policies_state_scheduled_means(),
            PolicyState::Superseded => self.policies_state_superseded_means(),
            PolicyState::Withdrawn => self.policies_state_withdrawn_means(),
        }
    }

    /// What a policy does.
    pub(crate) fn policy_effect(self, effect: PolicyEffect) -> &'static str {
        match effect {
            PolicyEffect::Forbid => self.policies_forbids(),
            PolicyEffect::Permit => self.policies_permits(),
        }
    }
}
