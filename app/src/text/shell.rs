//! Words of the frame around every page.

use super::texts;

texts! {
    shell_skip = "Skip to the content";
    shell_menu = "Menu";
    shell_nav = "Main";
    shell_breadcrumbs = "Breadcrumbs";
    shell_access = "Access";
    shell_search = "Search or jump to…";
    shell_all_projects = "All projects";
    shell_project = "Project";
    shell_manage_projects = "Manage projects";
    shell_account = "Account";
    shell_sign_out = "Sign out";
    shell_theme = "Theme";
    shell_theme_dark = "Dark";
    shell_theme_light = "Light";
    shell_theme_system = "System";
    shell_software_protected = "Software-protected";
    shell_software_protected_why = "Keys are wrapped by software on this machine, not by a hardware security module.";
    shell_degraded = "The HSM cannot be reached.";
    shell_degraded_until(since: &str, until: &str) =
        "Not reachable since {since}. Work goes on with the keys in memory until {until}; then this node is sealed until it is back.";
    shell_sealed = "This node is sealed.";
    shell_sealed_why(since: &str) =
        "It has had no access to its HSM since {since}, so it can neither verify nor issue. It unseals by itself when the HSM is back; \"keywarden doctor\" says what is missing.";
    shell_unlocked = "Passkey again";
    shell_unlocked_why = "You showed your passkey lately: until this moment, changes do not ask for it.";
    shell_locked = "Show passkey";
    shell_locked_why = "The next change asks for your passkey. Show it now, and none does for five minutes.";
    shell_elevated(role: &str, until: &str) = "Elevated: {role} until {until}.";
    shell_give_back = "Give back now";
}
