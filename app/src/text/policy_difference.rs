//! What would change by a version of a policy, for whom, and what it would have changed.

use keywarden_domain::policy::difference::{Change, When};

use super::{Text, texts};

texts! {
    policies_difference = "What would change";
    policies_difference_version(name: &str, number: i64) = "What version {number} of {name} would change";
    policies_difference_disabling(name: &str) = "What disabling {name} would change";
    policies_difference_lead = "Who would be able to do more, and who less, of all people and workloads that are here today.";
    policies_difference_none = "Nothing would change";
    policies_difference_none_seen = "Nothing would change for those we looked at";
    policies_difference_none_why = "Everybody would be able to do what they can do now.";
    policies_difference_hidden = "You may not see everything that this is about, so what would change is not shown.";
    policies_difference_unknown = "We could not find out in time what would change. You can go on without it.";
    policies_difference_gain(who: &str, things: &str) = "{who} would gain rights, on {things}.";
    policies_difference_lose(who: &str, things: &str) = "{who} would lose rights, on {things}.";
    policies_difference_may_gain(who: &str, things: &str) = "At other times {who} may gain rights, on {things}.";
    policies_difference_may_lose(who: &str, things: &str) = "At other times {who} may lose rights, on {things}.";
    policies_difference_both(people: &str, workloads: &str) = "{people} and {workloads}";
    policies_difference_people(n: u64) = "{n} person" | "{n} people";
    policies_difference_workloads(n: u64) = "{n} workload" | "{n} workloads";
    policies_difference_things(n: u64) = "{n} thing" | "{n} things";
    policies_difference_keys(n: u64) = "{n} API key" | "{n} API keys";
    policies_difference_environments(n: u64) = "{n} environment" | "{n} environments";
    policies_difference_projects(n: u64) = "{n} project" | "{n} projects";
    policies_difference_secrets(n: u64) = "{n} secret" | "{n} secrets";
    policies_difference_teams(n: u64) = "{n} team" | "{n} teams";
    policies_difference_organization = "the organization";
    policies_difference_lines = "By action and place";
    policies_difference_rows = "One by one";
    policies_difference_what = "Action";
    policies_difference_change = "Change";
    policies_difference_who = "Who";
    policies_difference_where = "Where";
    policies_difference_thing = "Thing";
    policies_difference_when = "When";
    policies_difference_gained = "Gains";
    policies_difference_lost = "Loses";
    policies_difference_always = "Always";
    policies_difference_as_assumed = "Now, but not always";
    policies_difference_otherwise = "Not now, perhaps at other times";
    policies_difference_all = "Who and what";
    policies_difference_more_lines(n: u64) = "{n} more line is not shown." | "{n} more lines are not shown.";
    policies_difference_moody = "Some of it depends on time, address or passkey";
    policies_difference_moody_why = "We assumed that everybody asks now, from an unknown address, with a passkey just shown. What differs at other times is marked.";
    policies_difference_looked(people: &str, things: &str) = "People and workloads looked at: {people}. Things: {things}.";
    policies_difference_left = "We could not look at everything";
    policies_difference_left_why = "There are too many people, things or rules to compare. More may change than is shown here.";
    policies_difference_preview = "Show what would change";
    policies_replay = "Last 30 days";
    policies_replay_version(name: &str, number: i64) = "Version {number} of {name} in the last 30 days";
    policies_replay_disabling(name: &str) = "The last 30 days without {name}";
    policies_replay_lead = "What was asked and answered in that time, asked again with the roles of today. Nobody is told or stopped by it. Questions about things that somebody may not even see are not in the log.";
    policies_replay_says(denied: &str, allowed: &str) = "Would newly deny {denied}, newly allow {allowed}.";
    policies_replay_asked(n: u64, times: &str) = "We asked {n} question again, which came up {times} times." | "We asked {n} questions again, which came up {times} times.";
    policies_replay_gone(n: u64) = "{n} was not asked again: who asked is no longer here." | "{n} were not asked again: who asked is no longer here.";
    policies_replay_moment(n: u64) = "{n} was not asked again: a policy looks at time, address or passkey, and the log does not tell enough of it." | "{n} were not asked again: a policy looks at time, address or passkey, and the log does not tell enough of it.";
    policies_replay_otherwise(n: u64) = "{n} gets another answer by now even without this: roles or policies have changed since." | "{n} get another answer by now even without this: roles or policies have changed since.";
    policies_replay_unlisted(n: u64) = "{n} more is not listed." | "{n} more are not listed.";
    policies_replay_more_why = "There are too many questions to ask all of them again. We asked the latest.";
    policies_replay_decisions = "Answers that would change";
    policies_replay_none = "No answer would change";
    policies_replay_none_why = "Whatever we asked again gets the answer that it gets now.";
    policies_replay_times = "Times";
    policies_replay_last = "Last asked";
}

impl Text {
    /// Gained or lost.
    pub(crate) fn policies_change(self, change: Change) -> &'static str {
        match change {
            Change::Gained => self.policies_difference_gained(),
            Change::Lost => self.policies_difference_lost(),
        }
    }

    /// At which moments.
    pub(crate) fn policies_difference_moment(self, when: When) -> &'static str {
        match when {
            When::Always => self.policies_difference_always(),
            When::AsAssumed => self.policies_difference_as_assumed(),
            When::Otherwise => self.policies_difference_otherwise(),
        }
    }

    /// `37 secrets`.
    pub(crate) fn policies_count(self, kind: &str, n: u64) -> String {
        match kind {
            "environment" => self.policies_difference_environments(n),
            "key" => self.policies_difference_keys(n),
            "organization" => self.policies_difference_organization().to_owned(),
            "project" => self.policies_difference_projects(n),
            "secret" => self.policies_difference_secrets(n),
            "team" => self.policies_difference_teams(n),
            "user" => self.policies_difference_people(n),
            "workload" => self.policies_difference_workloads(n),
            _ => self.policies_difference_things(n),
        }
    }

    /// `4 people and 1 workload`.
    pub(crate) fn policies_whose(self, people: u64, workloads: u64) -> String {
        match (people, workloads) {
            (_, 0) => self.policies_difference_people(people),
            (0, _) => self.policies_difference_workloads(workloads),
            _ => self.policies_difference_both(
                &self.policies_difference_people(people),
                &self.policies_difference_workloads(workloads),
            ),
        }
    }
}
