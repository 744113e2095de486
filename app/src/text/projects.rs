//! Projects and environments.

use super::texts;

texts! {
    projects = "Projects";
    projects_lead = "A project holds the keys of one product or team, in environments such as development and production.";
    projects_search = "Name or slug";
    projects_name = "Name";
    projects_name_hint = "What people call it. It can change later.";
    projects_slug = "Slug";
    projects_slug_hint = "Lower-case letters, digits and hyphens. It is part of addresses and never changes.";
    projects_id = "Id";
    projects_state = "State";
    projects_created = "Created";
    projects_archived = "Archived";
    projects_create = "Create project";
    projects_create_lead = "You can add more environments, people and services afterwards.";
    projects_environments = "Environments to begin with";
    projects_development_hint = "For trying things: its keys begin with kwk_test_.";
    projects_production_hint = "For real callers: its keys begin with kwk_live_.";
    projects_made(name: &str) = "Created project {name}.";
    projects_name_taken = "Another project has this name, perhaps an archived one. Choose another.";
    projects_slug_taken = "Another project has this slug, perhaps an archived one. Choose another.";
    projects_first = "No projects yet";
    projects_first_why = "Keys live in projects. Create one for the first product or team whose keys you want to keep here.";
    projects_none_yours = "No project is open to you";
    projects_none_yours_why = "Ask an owner or a project's manager for a role.";
    projects_none_match = "No project matches";
    projects_none_match_why = "Nothing you may see fits this filter.";
    projects_see_keys = "See its keys";
    projects_edit = "Edit project";
    projects_edit_hint = "The slug stays as it is.";
    projects_is_archived = "This project is archived: nothing in it can be changed.";
    projects_archive = "Archive project";
    projects_archive_title(name: &str) = "Archive {name}";
    projects_archive_new = "Nothing new can be made in it, and its roles cannot be changed.";
    projects_archive_stays = "Its records stay readable; its slug and name stay taken.";
    projects_archived_now(name: &str) = "Archived {name}.";
    projects_in_use(keys: &str, workloads: &str) = "It is still in use: {keys} keys and {workloads} workloads. Revoke and deactivate them first.";

    environments = "Environments";
    environments_create = "Create environment";
    environments_edit = "Edit environment";
    environments_made(name: &str) = "Created environment {name}.";
    environments_none = "No environments yet";
    environments_none_why = "Keys are issued into an environment, which says how their values begin and how long they may live.";
    environments_values = "Values begin";
    environments_lifetime = "Longest life";
    environments_overlap = "Overlap";
    environments_no_limit = "no limit";
    environments_slug_hint = "Lower-case letters, digits and hyphens. It never changes.";
    environments_label = "Key label";
    environments_label_hint = "1 to 16 lower-case letters or digits that stand in every value, so that people see what a key is for: live, test. It never changes.";
    environments_terms = "Terms for keys";
    environments_lifetime_days = "Longest life in days";
    environments_lifetime_hint = "Keys issued here expire after this many days at the latest. Empty: no limit.";
    environments_overlap_hours = "Overlap in hours";
    environments_overlap_hint = "How long the old value goes on working after a rotation, unless one says otherwise.";
    environments_lifetime_wrong = "Use 1 day to 10 years, or leave it empty.";
    environments_overlap_wrong = "Use 0 to 2160 hours.";
    environments_slug_taken = "Another environment of this project has this slug. Choose another.";
    environments_name_taken = "Another environment of this project has this name. Choose another.";

    span_none = "none";
    span_days(n: u64) = "{n} day" | "{n} days";
    span_hours(n: u64) = "{n} hour" | "{n} hours";
    span_minutes(n: u64) = "{n} minute" | "{n} minutes";
}
