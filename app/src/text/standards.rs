//! Standards: the list, a standard with its versions, the form, and what breaks it.

use keywarden_domain::standards::{Breach, Demand, PatternError, Tally};
use keywarden_model::PolicyState;

use super::{Text, texts};

texts! {
    standards = "Standards";
    standards_lead = "What keys, secrets and their settings have to be like. In force, a standard refuses what would break it.";
    standards_new = "New standard";
    standards_new_lead = "Saving makes a draft. It shows what breaks it, and refuses nothing yet.";
    standards_new_in(project: &str) = "New standard in {project}";
    standards_none = "No standard yet";
    standards_none_why = "Start with a rule that all your keys should keep, such as a longest life. You see what breaks it before it is in force.";
    standards_none_seen = "No standard that you can see";
    standards_none_seen_why = "Those of your projects are listed here. Those of the whole organization are shown to owners, admins and auditors. What one of them refuses says so.";
    standards_none_found = "No standard fits";
    standards_none_found_why = "Search for another name, or show all states.";
    standards_search = "Name of the standard";
    standards_name_taken = "There is a standard of this name.";
    standards_where = "Holds in";
    standards_everywhere = "The whole organization";
    standards_see_policies = "See policies";
    standards_see = "See standards";
    standards_edit = "Edit";
    standards_edit_title(name: &str) = "Edit {name}";
    standards_edit_lead = "Saving makes a new draft. What is in force stays so until you activate the draft.";
    standards_save = "Save draft";
    standards_saved = "The draft is saved. It refuses nothing yet.";
    standards_check = "Check";
    standards_about = "About this version";
    standards_about_hint = "Say why. Whoever looks at it in a year reads this first.";
    standards_asks = "What it asks for";
    standards_asks_key_names(pattern: &str) = "Names of keys look like {pattern}";
    standards_asks_secret_names(pattern: &str) = "Paths of secrets look like {pattern}";
    standards_asks_lifetime(days: u32) = "Keys live one day at most" | "Keys live {days} days at most";
    standards_asks_key_rotation(days: u32) = "Keys are rotated each day" | "Keys are rotated every {days} days";
    standards_asks_secret_rotation(days: u32) = "Secrets get a new value each day" | "Secrets get a new value every {days} days";
    standards_asks_team = "Keys and secrets belong to a team";
    standards_asks_tags(tags: &str) = "Keys and secrets have these tags: {tags}";
    standards_asks_scopes(scopes: &str) = "These scopes need an approval, and no key is given them: {scopes}";
    standards_asks_reason = "Whoever reads a value says why";
    standards_environments = "Environments";
    standards_environments_all = "All";
    standards_environments_hint = "By slug or label, with commas between them: production, live. Leave it empty for all.";
    standards_environments_wrong = "Write slugs or labels of environments, with commas between them.";
    standards_names = "Names";
    standards_key_names = "Form of key names";
    standards_key_names_hint = "A pattern for the whole name. [a-z][a-z0-9-]* is small letters, digits and dashes. pay-.* is all that starts with pay-.";
    standards_secret_names = "Form of secret paths";
    standards_secret_names_hint = "The path with its folders: [a-z0-9-]+/[a-z0-9-]+ is one folder and a name.";
    standards_sample = "A name to try";
    standards_sample_hint = "Press Check to see if it fits both forms. It is not saved.";
    standards_sample_fits(what: &str, name: &str) = "{what}: “{name}” fits.";
    standards_sample_fits_not(what: &str, name: &str) = "{what}: “{name}” does not fit.";
    standards_lives = "Lifetime and rotation";
    standards_key_lifetime = "Longest life of a key, in days";
    standards_key_lifetime_hint = "Counted from its newest value. Where the environment has a limit too, the shorter one holds.";
    standards_key_rotation = "Rotate keys every so many days";
    standards_rotation_hint = "What is late is listed here. Nothing is refused for it.";
    standards_secret_rotation = "New secret values every so many days";
    standards_days_wrong = "Use 1 to 3650 days, or leave it empty.";
    standards_owners = "Owner and tags";
    standards_team_owner = "Keys and secrets belong to a team";
    standards_team_owner_hint = "Each of them has an owner. This asks for a team, so that nothing hangs on one person.";
    standards_tags = "Tags that keys and secrets have";
    standards_tags_hint = "One a line. cost is there with any value, team=payments with this one.";
    standards_use = "Use";
    standards_scopes = "Scopes that need an approval";
    standards_scopes_hint = "One a line. There are no approvals yet: until then, no key is given such a scope.";
    standards_reason = "Whoever reads a value says why";
    standards_reason_hint = "It holds even where the environment does not ask for a reason.";
    standards_empty = "It asks for nothing. Fill in at least one rule.";
    standards_pattern_length = "Use 1 to 200 characters.";
    standards_pattern_wrong = "This is no pattern. Start from [a-z][a-z0-9-]*.";
    standards_pattern_large = "This pattern is too large. Repeat less in it.";
    standards_report = "What breaks it";
    standards_report_clean = "Nothing breaks it";
    standards_report_clean_why = "All that you can see is as it asks for.";
    standards_report_later = "Nothing on this page breaks it. There is more to look at.";
    standards_thing = "Thing";
    standards_place = "Where";
    standards_break(n: u32) = "One thing breaks this." | "{n} things break this.";
    standards_break_kinds(keys: &str, secrets: &str, environments: &str) = "Keys: {keys}. Secrets: {secrets}. Environments: {environments}.";
    standards_break_part(n: &str) = "There may be more: {n} of each kind were looked at.";
    standards_none_breaks = "Nothing breaks this.";
    standards_goes_on = "What breaks it goes on as it is. Edits that make it worse are refused.";
    standards_since = "In force since";
    standards_until = "In force until";
    standards_activate_title(name: &str, number: i64) = "Put version {number} of {name} in force";
    standards_activate_what = "From now on, what would break it is refused: on pages, in the API and in imports.";
    standards_activate_reason = "Readings without a reason are refused from then on, where it holds.";
    standards_activated = "The standard is in force.";
    standards_rolled_back = "The older version is in force again.";
    standards_submit_what = "Somebody else than its author looks at it. It refuses nothing until it is in force.";
    standards_approve_what = "It is not in force by that. Somebody activates it after that.";
    standards_end = "End";
    standards_end_title(name: &str) = "End {name}";
    standards_end_what = "Nothing is refused for it any more. Its versions are kept, and can be in force again.";
    standards_ended = "The standard is not in force any more.";
    standards_unreadable = "What it asks for cannot be read";
    standards_unreadable_why = "It cannot be put in force. Write its rules anew: that makes another version.";
    standards_unreadable_active = "Nothing is made where it holds, and nothing that standards look at is changed there. End it, or write its rules anew and put that version in force.";
    standards_ending(who: &str) = "{who} wants to end this standard. Another person has to agree.";
    standards_not_in_force = "No version of it is in force.";
    standards_needs_approval = "Standards need a second person here. Somebody else than the author approves this version first.";
    standards_older_nodes = "A node of an older version may still run, and would refuse nothing. Upgrade each node, then try again after an hour at most.";
    standards_changed_meanwhile = "Somebody changed this standard meanwhile. Look at it again.";
    standards_state_active = "In force";
    standards_breach(name: &str, what: &str) = "The standard “{name}” is in force. {what}";
    standards_breaks(n: usize) = "This breaks a standard" | "This breaks standards in {n} ways";
    standards_holds = "Standards that hold here";
    standards_holds_why = "The stricter of a standard and the settings above holds.";
    standards_demand_lifetime(days: u32) = "Keys live one day at most here: choose an earlier expiry." | "Keys live {days} days at most here: choose an earlier expiry.";
    standards_demand_key_name(pattern: &str) = "Names of keys look like {pattern} here: choose such a name.";
    standards_demand_key_rotation(days: u32) = "Keys are rotated each day here: rotate it." | "Keys are rotated every {days} days here: rotate it.";
    standards_demand_owner = "Keys and secrets belong to a team here: choose a team as the owner.";
    standards_demand_reason = "Whoever reads a value is to say why. The environment does not ask for it.";
    standards_demand_scope(scope: &str) = "The scope {scope} needs an approval, which nobody can ask for yet: leave it out.";
    standards_demand_secret_name(pattern: &str) = "Paths of secrets look like {pattern} here: choose such a path.";
    standards_demand_secret_rotation(days: u32) = "Secrets get a new value each day here: put one." | "Secrets get a new value every {days} days here: put one.";
    standards_demand_tag(tag: &str) = "The tag {tag} is missing: add it.";
    standards_demand_unreadable = "Its rules cannot be read, so nothing is made or changed here: end it, or put another version of it in force.";
}

impl Text {
    /// What is asked for and not so, and what to do.
    pub(crate) fn standard_demand(self, demand: &Demand) -> String {
        match demand {
            Demand::KeyLifetime { days } => self.standards_demand_lifetime(*days),
            Demand::KeyName { pattern } => self.standards_demand_key_name(pattern),
            Demand::KeyRotation { days } => self.standards_demand_key_rotation(*days),
            Demand::Owner => self.standards_demand_owner().to_owned(),
            Demand::Reason => self.standards_demand_reason().to_owned(),
            Demand::Scope { scope } => self.standards_demand_scope(scope),
            Demand::SecretName { pattern } => self.standards_demand_secret_name(pattern),
            Demand::SecretRotation { days } => self.standards_demand_secret_rotation(*days),
            Demand::Tag { tag } => self.standards_demand_tag(tag),
            Demand::Unreadable => self.standards_demand_unreadable().to_owned(),
        }
    }

    /// Why something is refused.
    pub(crate) fn standard_breach(self, breach: &Breach) -> String {
        self.standards_breach(&breach.name, &self.standard_demand(&breach.demand))
    }

    /// How much breaks a standard.
    pub(crate) fn standard_tally(self, tally: Tally) -> String {
        let mut said = match tally.all() {
            0 => self.standards_none_breaks().to_owned(),
            n => {
                let number = |n: u32| self.number(n.into());
                let [keys, secrets, environments] =
                    [tally.keys, tally.secrets, tally.environments].map(number);
                format!(
                    "{} {}",
                    self.standards_break(n),
                    self.standards_break_kinds(&keys, &secrets, &environments)
                )
            }
        };
        if !tally.complete {
            let most = self.number(keywarden_domain::standards::MOST_LOOKED_AT.into());
            said = format!("{said} {}", self.standards_break_part(&most));
        }
        said
    }

    /// Where a version of a standard is.
    pub(crate) fn standard_state(self, state: PolicyState) -> &'static str {
        match state {
            PolicyState::Active => self.standards_state_active(),
            other => self.policy_state(other),
        }
    }

    /// What is wrong with a pattern.
    pub(crate) fn pattern_wrong(self, wrong: &PatternError) -> String {
        match wrong {
            PatternError::Length => self.standards_pattern_length(),
            PatternError::Malformed => self.standards_pattern_wrong(),
            PatternError::TooLarge => self.standards_pattern_large(),
        }
        .to_owned()
    }
}
