//! The sentence that a policy is, and the form that it is edited with.

use keywarden_domain::{
    Action,
    policy::form::{NotShown, Wrong},
};

use super::{Locale, Text, pseudo, texts};

texts! {
    policies_who = "Who";
    policies_effect = "Can or must never";
    policies_can = "can";
    policies_must_never = "must never";
    policies_what = "Do what";
    policies_what_hint = "Tick what it is about. Nothing ticked: whatever can be done.";
    policies_things = "To which things";
    policies_to = "to";
    policies_in = "in";
    policies_namely = "—";
    policies_anywhere = "anywhere";
    policies_or = " or ";
    policies_comma = ", ";
    policies_anyone = "Anyone";
    policies_anything = "do anything";
    policies_everything = "everything";
    policies_choose = "Choose…";
    policies_chosen(n: usize) = "{n} chosen" | "{n} chosen";
    policies_when = "when";
    policies_unless = "unless";
    policies_all_of = "all of these hold";
    policies_any_of = "one of these holds";
    policies_none_of = "none of these holds";
    policies_not_all_of = "not all of these hold";
    policies_group_all = "A group: all of these hold";
    policies_group_any = "A group: one of these holds";
    policies_group_none = "A group: none of these holds";
    policies_word(place: &str) = "Part {place}: word";
    policies_kind(place: &str) = "Part {place}: how many";
    policies_new_condition(place: &str) = "New condition in part {place}";
    policies_add = "Add condition";
    policies_add_what(place: &str) = "Add condition to part {place}";
    policies_add_when = "Add “when”";
    policies_add_unless = "Add “unless”";
    policies_nest = "Nest";
    policies_nest_what(place: &str) = "Nest part {place} in a group";
    policies_remove = "Remove";
    policies_remove_what(place: &str) = "Remove part {place}";
    policies_draw = "Draw the form again";
    policies_text_condition = "A condition as Cedar text";
    policies_text_condition_at(place: &str) = "Cedar text of part {place}";
    policies_as_form = "As a form";
    policies_as_text = "The same as text";
    policies_as_text_hint = "Cedar. Change the form or the text, not both at once: each can be made from the other.";
    policies_to_text = "Write the text from the form";
    policies_to_form = "Fill the form from the text";
    policies_both_changed = "You changed the form and the text. Press one of the buttons below the text to say which one counts.";
    policies_comments_lost = "Comments in the text are not kept when the form writes it.";
    policies_only_text = "The form cannot show this policy. It stays text";
    policies_form_made = "The form shows what the text says.";
    policies_text_made = "The text says what the form shows.";
    policies_live_same = "Form and text say the same.";
    policies_live_unfinished = "The text follows once each part of the form is filled in.";
    policies_live_unreadable = "The text is no policy yet. The form waits.";
    policies_live_text = "The form cannot show this. The text counts.";
    policies_live_apart = "The text has comments, and stays as it is until you write it from the form.";
    policies_live_failed = "The server did not answer. The buttons still work.";
    policies_live_offers = "Words that fit here";
    policies_live_of(thing: &str, kind: &str) = "{thing}: {kind}";
    policies_too_many = "The form has room for 60 conditions. Write a longer policy as text.";
    policies_at_line(line: u32, column: u32, says: &str) = "Line {line}, column {column}: {says}";
    policies_utc_hint = "In UTC.";
    policies_number_hint = "In seconds: 300 is five minutes.";
    policies_instant_hint = "In UTC, as 2027-01-31T18:00:00Z.";
    policies_zone = "Time zone";
    policies_zone_hint = "The name of a city in it, as Europe/Berlin. Summer time is followed.";
    policies_tag_hint = "As team or team=payments. Capital letters count in what stands after the =.";
    policies_tag_name_hint = "The part before the =, as team.";
    policies_slug_hint = "The short name that stands in addresses, as production.";
    policies_address_hint = "One address, or a range as 10.0.0.0/8.";
    policies_each_in(what: &str, place: &str) = "{what} in {place}";
    policies_named(kind: &str, name: &str) = "{kind} {name}";
    policies_seconds(n: &str) = "{n} seconds";
    policies_nobody_knows = "something new";
    policies_group_reading = "Everything that changes nothing";
    policies_groups = "Groups";
    policies_all_kind(kind: &str) = "All {kind}";
    policies_everything_in(project: &str) = "Everything in {project}";
    policies_noun_audit = "Audit";
    policies_noun_backup = "Backups";
    policies_noun_environment = "Environments";
    policies_noun_key = "Keys";
    policies_noun_leak = "Leaks";
    policies_noun_own = "Your own account";
    policies_noun_policy = "Policies";
    policies_noun_project = "Projects";
    policies_noun_role = "Roles";
    policies_noun_secret = "Secrets";
    policies_noun_system = "System";
    policies_noun_team = "Teams";
    policies_noun_user = "People";
    policies_noun_workload = "Workloads";
    policies_noun_more(name: &str) = "More: {name}";

    policies_kind_key = "key";
    policies_kind_environment = "environment";
    policies_kind_operator = "operator";
    policies_kind_organization = "organization";
    policies_kind_person = "person";
    policies_kind_project = "project";
    policies_kind_role = "role";
    policies_kind_secret = "secret";
    policies_kind_team = "team";
    policies_kind_workload = "workload";
    policies_keys = "keys";
    policies_environments = "environments";
    policies_operators = "operators";
    policies_people = "people";
    policies_projects = "projects";
    policies_secrets = "secrets";
    policies_teams = "teams";
    policies_workloads = "workloads";

    policies_test_address = "the request comes from";
    policies_test_weekday = "it is one of these days";
    policies_test_local_weekday = "by local time it is one of these days";
    policies_test_local_from = "by local time it is at or after";
    policies_test_local_before = "by local time it is before";
    policies_test_reason = "whoever asks said why";
    policies_test_tag_is = "the thing has the tag";
    policies_test_tag_has = "the thing has a tag of the name";
    policies_test_environment_is = "the thing is in an environment called";
    policies_test_environment_is_not = "the thing is in an environment that is not called";
    policies_test_project_is = "the thing is in a project called";
    policies_test_project_is_not = "the thing is in a project that is not called";
    policies_test_time_from = "the time of day is at or after";
    policies_test_time_before = "the time of day is before";
    policies_test_moment_from = "it is at or after";
    policies_test_moment_before = "it is before";
    policies_test_passkey_less = "the passkey was shown less than this long ago:";
    policies_test_passkey_at_least = "the passkey was shown this long ago or longer:";
    policies_test_sign_in_is = "they signed in with";
    policies_test_sign_in_is_not = "they did not sign in with";
    policies_test_who_person = "who asks is a person";
    policies_test_who_workload = "who asks is a workload";
    policies_test_who_is = "who asks is this person:";
    policies_test_who_is_workload = "who asks is this workload:";
    policies_test_who_in_team = "who asks is in the team";
    policies_test_who_has_role = "who asks has the role";
    policies_test_owner_self = "they own the thing";
    policies_test_owner_is = "the thing’s owner is this person:";
    policies_test_owner_team_self = "their team owns the thing";
    policies_test_owner_team_is = "the thing’s owner is the team";
    policies_test_thing_project = "the thing is in the project";
    policies_test_thing_environment = "the thing is in the environment";
    policies_test_thing_secret = "the thing is a secret";
    policies_test_thing_key = "the thing is a key";

    policies_method_passkey = "a passkey";
    policies_method_recovery = "a recovery code or link";
    policies_method_shell = "the server’s own shell";
    policies_method_token = "a token";

    policies_monday = "Monday";
    policies_tuesday = "Tuesday";
    policies_wednesday = "Wednesday";
    policies_thursday = "Thursday";
    policies_friday = "Friday";
    policies_saturday = "Saturday";
    policies_sunday = "Sunday";

    policies_wrong_address = "Write an address or a range: 10.0.0.0/8.";
    policies_wrong_choose = "Choose one of these.";
    policies_wrong_days = "Choose one day or more.";
    policies_wrong_deep = "Groups lie in each other too deep. Write it as text.";
    policies_wrong_empty = "Add a condition, or remove this group.";
    policies_wrong_instant = "Write an instant as 2027-01-31T18:00:00Z.";
    policies_wrong_number = "Write a whole number.";
    policies_wrong_slug = "Write the short name that stands in addresses: production.";
    policies_wrong_tag = "Write a tag as team or team=payments, with a lower-case name.";
    policies_wrong_zone = "Write a time zone by its name: Europe/Berlin.";
    policies_wrong_text(cause: &str) = "This is no condition in Cedar: {cause}.";
    policies_wrong_time = "Write a time of day as 09:30.";

    policies_part(part: &str) = "It cannot show this part: {part}";
    policies_part_differs = "It would say something else.";
    policies_part_many = "A policy is one statement, and the text has none or several.";
    policies_part_slot = "The text has a gap to fill: ?principal or ?resource.";
    policies_part_unreadable = "The text is no Cedar yet.";
}

impl Text {
    /// What can be done, in words that follow "can": `rotate a key`. An action that is not in the table is somebody's group.
    pub(crate) fn action(self, name: &str) -> String {
        let words = match (Action::named(name), name) {
            (Some(action), _) => action.words(),
            (None, "reading") => return self.policies_group_reading().to_lowercase(),
            (None, group) => return group.to_owned(),
        };
        match self.locale() {
            Locale::En => words,
            Locale::EnXa => pseudo::of(&words),
        }
    }

    /// What actions of this noun are about.
    pub(crate) fn policies_noun(self, noun: &str) -> String {
        match noun {
            "account" => self.policies_noun_own(),
            "audit" => self.policies_noun_audit(),
            "backup" => self.policies_noun_backup(),
            "environment" => self.policies_noun_environment(),
            "key" => self.policies_noun_key(),
            "leak" => self.policies_noun_leak(),
            "policy" => self.policies_noun_policy(),
            "project" => self.policies_noun_project(),
            "role" => self.policies_noun_role(),
            "secret" => self.policies_noun_secret(),
            "system" => self.policies_noun_system(),
            "team" => self.policies_noun_team(),
            "user" => self.policies_noun_user(),
            "workload" => self.policies_noun_workload(),
            other => return self.policies_noun_more(other),
        }
        .to_owned()
    }

    /// Things of a type, many of them.
    pub(crate) fn policies_each(self, kind: &str) -> String {
        match kind {
            "ApiKey" => self.policies_keys(),
            "Environment" => self.policies_environments(),
            "Operator" => self.policies_operators(),
            "Organization" => self.policies_kind_organization(),
            "Person" => self.policies_people(),
            "Project" => self.policies_projects(),
            "Secret" => self.policies_secrets(),
            "Team" => self.policies_teams(),
            "Workload" => self.policies_workloads(),
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// A thing of a type, before its name.
    pub(crate) fn policies_one_of(self, kind: &str) -> String {
        match kind {
            "ApiKey" => self.policies_kind_key(),
            "Environment" => self.policies_kind_environment(),
            "Operator" => self.policies_kind_operator(),
            "Organization" => self.policies_kind_organization(),
            "OrganizationRole" => self.policies_kind_role(),
            "Person" => self.policies_kind_person(),
            "Project" => self.policies_kind_project(),
            "Secret" => self.policies_kind_secret(),
            "Team" => self.policies_kind_team(),
            "Workload" => self.policies_kind_workload(),
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// A comparison, before its value.
    pub(crate) fn policies_test(self, field: &str, operator: &str) -> &'static str {
        match (field, operator) {
            ("address", _) => self.policies_test_address(),
            ("weekday", _) => self.policies_test_weekday(),
            ("local-weekday", _) => self.policies_test_local_weekday(),
            ("local-time", "from") => self.policies_test_local_from(),
            ("local-time", _) => self.policies_test_local_before(),
            ("reason", _) => self.policies_test_reason(),
            ("tag", _) => self.policies_test_tag_is(),
            ("tag-name", _) => self.policies_test_tag_has(),
            ("environment", "is") => self.policies_test_environment_is(),
            ("environment", _) => self.policies_test_environment_is_not(),
            ("project", "is") => self.policies_test_project_is(),
            ("project", _) => self.policies_test_project_is_not(),
            ("time", "from") => self.policies_test_time_from(),
            ("time", _) => self.policies_test_time_before(),
            ("moment", "from") => self.policies_test_moment_from(),
            ("moment", _) => self.policies_test_moment_before(),
            ("passkey-age", "less") => self.policies_test_passkey_less(),
            ("passkey-age", _) => self.policies_test_passkey_at_least(),
            ("sign-in", "is") => self.policies_test_sign_in_is(),
            ("sign-in", _) => self.policies_test_sign_in_is_not(),
            ("who", "person") => self.policies_test_who_person(),
            ("who", "workload") => self.policies_test_who_workload(),
            ("who", "is") => self.policies_test_who_is(),
            ("who", "is-workload") => self.policies_test_who_is_workload(),
            ("who", "in-team") => self.policies_test_who_in_team(),
            ("who", _) => self.policies_test_who_has_role(),
            ("owner-person", "self") => self.policies_test_owner_self(),
            ("owner-person", _) => self.policies_test_owner_is(),
            ("owner-team", "self") => self.policies_test_owner_team_self(),
            ("owner-team", _) => self.policies_test_owner_team_is(),
            ("thing", "in-project") => self.policies_test_thing_project(),
            ("thing", "in-environment") => self.policies_test_thing_environment(),
            ("thing", "secret") => self.policies_test_thing_secret(),
            ("thing", _) => self.policies_test_thing_key(),
            _ => self.policies_nobody_knows(),
        }
    }

    /// How somebody signed in.
    pub(crate) fn policies_method(self, method: &str) -> &'static str {
        match method {
            "passkey" => self.policies_method_passkey(),
            "recovery" => self.policies_method_recovery(),
            "shell" => self.policies_method_shell(),
            "token" => self.policies_method_token(),
            _ => self.policies_nobody_knows(),
        }
    }

    /// A day of the week, Monday is 1.
    pub(crate) fn policies_day(self, day: u8) -> &'static str {
        match day {
            1 => self.policies_monday(),
            2 => self.policies_tuesday(),
            3 => self.policies_wednesday(),
            4 => self.policies_thursday(),
            5 => self.policies_friday(),
            6 => self.policies_saturday(),
            _ => self.policies_sunday(),
        }
    }

    /// Days of the week, as `1 2 3`.
    pub(crate) fn policies_days(self, days: &str) -> String {
        let days = days.split(' ').filter_map(|it| it.parse().ok()).map(|day| self.policies_day(day));
        days.collect::<Vec<_>>().join(self.policies_comma())
    }

    /// What is wrong with a part of a form.
    pub(crate) fn policies_wrong(self, wrong: &Wrong) -> String {
        match wrong {
            Wrong::Address => self.policies_wrong_address(),
            Wrong::Choose => self.policies_wrong_choose(),
            Wrong::Days => self.policies_wrong_days(),
            Wrong::Deep => self.policies_wrong_deep(),
            Wrong::Empty => self.policies_wrong_empty(),
            Wrong::Instant => self.policies_wrong_instant(),
            Wrong::Missing => self.form_missing(),
            Wrong::Number => self.policies_wrong_number(),
            Wrong::Slug => self.policies_wrong_slug(),
            Wrong::Tag => self.policies_wrong_tag(),
            Wrong::Text(cause) => return self.policies_wrong_text(cause),
            Wrong::Time => self.policies_wrong_time(),
            Wrong::Zone => self.policies_wrong_zone(),
        }
        .to_owned()
    }

    /// Why a policy is shown as text alone.
    pub(crate) fn policies_not_shown(self, why: &NotShown) -> String {
        match why {
            NotShown::Differs => self.policies_part_differs(),
            NotShown::Many(_) => self.policies_part_many(),
            NotShown::Part(part) => return self.policies_part(part),
            NotShown::Template => self.policies_part_slot(),
            NotShown::Unreadable => self.policies_part_unreadable(),
        }
        .to_owned()
    }
}
