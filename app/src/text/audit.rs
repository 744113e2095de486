//! The audit timeline.

use super::texts;

texts! {
    audit = "Audit";
    audit_lead = "Everything that people, services and operators did or were refused, newest first.";
    audit_search = "Id of a key, person, project …";
    audit_action = "Action";
    audit_who = "Who";
    audit_what = "What";
    audit_when = "When";
    audit_outcome = "Outcome";
    audit_allowed = "Done";
    audit_refused = "Refused";
    audit_failed = "Failed";
    audit_since = "From";
    audit_until = "Until";
    audit_export = "Export CSV";
    audit_export_most(most: &str) = "The export holds the newest {most} events of this filter at most, and says so in its last line if there are more.";
    audit_export_cut(most: &str) = "There are more events than the {most} above: narrow the filter, or go on from the last one with the filter Until.";
    audit_unreadable = "This filter cannot be read";
    audit_unreadable_why(filter: &str, value: &str) = "{filter} is {value}. Give a day, such as 2027-02-23, or a day and a time, such as 2027-02-23T14:00. Nothing is shown until then.";
    audit_unreadable_place = "The link to this page of the list is broken. Start again from the first page.";
    audit_none = "Nothing to see yet";
    audit_none_why = "Every change is recorded in the moment it is made. You see those of projects and keys that you may see.";
    audit_none_match = "No event matches";
    audit_none_match_why = "Nothing you may see fits this filter.";
    audit_shell = "operator on the server's shell";
    audit_operator = "operator, by token";
    audit_link = "an invitation or recovery link";
    audit_system(job: &str) = "Keywarden ({job})";
    audit_nobody = "somebody unknown";
    audit_id = "Event id";
    audit_request = "Request id";
    audit_session = "Session";
    audit_strength = "Proven by";
    audit_why = "Why";
    audit_policies = "Allowed by";
    audit_changes = "Changes";
    audit_field = "Field";
    audit_before = "Before";
    audit_after = "After";
    audit_record = "Record";
    audit_record_why = "This is what is kept and will be hashed. Names, addresses and free text are sealed beside it; the record holds their salted hashes.";
}
