//! How far away a moment is. Short units need no plural.

use super::texts;

texts! {
    moment_now = "just now";
    moment_seconds_ago(n: &str) = "{n} s ago";
    moment_minutes_ago(n: &str) = "{n} min ago";
    moment_hours_ago(n: &str) = "{n} h ago";
    moment_days_ago(n: &str) = "{n} d ago";
    moment_in_seconds(n: &str) = "in {n} s";
    moment_in_minutes(n: &str) = "in {n} min";
    moment_in_hours(n: &str) = "in {n} h";
    moment_in_days(n: &str) = "in {n} d";
    moment_never = "never";
}
