//! Words that pages of every noun use.

use super::texts;

texts! {
    save = "Save";
    saved = "Saved.";
    edit = "Edit";
    choose = "Choose…";
    revoke = "Revoke";
    changed_meanwhile = "Somebody changed this since you opened the page. Reload it, and make your change again.";
    form_choose = "Choose one of these.";
    form_number = "Write a whole number.";
    list_clear = "Clear the filter";
    shown_once = "It is shown this once. Keep it where only the service can read it; your clipboard manager may keep a copy.";
    palette_page = "Go to";
    keys_one = "Key";
    people_one = "Person";
    projects_one = "Project";
    secrets_one = "Secret";
    workloads_one = "Workload";
    stored_it = "I have stored it";
    stored_them = "I have stored them";
}
