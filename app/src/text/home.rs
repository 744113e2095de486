//! The first page.

use super::texts;

texts! {
    home = "Home";
    home_lead = "What needs somebody's attention, within what you may see.";
    home_first = "Welcome to Keywarden";
    home_first_why = "Keys live in projects. Create the first one; then issue a key and give a service a token to verify it.";
    home_calm = "Nothing needs you";
    home_calm_why = "No key expires soon, none is unused or without an owner, and no old value is still in use.";
    home_expiring = "Keys that expire within 14 days";
    home_old_values = "Old values still in use after a rotation";
    home_unowned = "Keys without an active owner";
    home_unused = "Keys unused for 90 days";
    home_tokens = "Service tokens that end within 14 days";
    home_all = "See all";
}
