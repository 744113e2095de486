//! A secret in all environments of its project: side by side, and from one to the next.

use super::texts;

texts! {
    secrets_tab_folders = "Folders";
    secrets_beside = "Side by side";
    secrets_beside_lead = "What each environment holds at a path. Values are compared by their keyed fingerprints: none is read, and none is shown.";
    secrets_beside_show = "Show";
    secrets_beside_all = "Every path";
    secrets_beside_differences = "Only differences";
    secrets_beside_missing_ones = "Only what is missing";
    secrets_beside_missing = "missing";
    secrets_beside_deleted = "deleted";
    secrets_beside_unreadable = "no value";
    secrets_beside_same(names: &str) = "same as {names}";
    secrets_beside_same_as_here = "same as here";
    secrets_beside_alike = "No differences";
    secrets_beside_alike_why = "Every environment holds every path, with the same value.";
    secrets_beside_complete = "Nothing is missing";
    secrets_beside_complete_why = "Every environment holds every path.";
    secrets_beside_none_so_far = "None so far";
    secrets_beside_none_so_far_why = "The paths looked at so far hold none of these. Look further.";

    secrets_copy_as = "Copy as";
    secrets_copy_lead = "Each takes the server's address from KEYWARDEN_SERVER and a workload's token from KEYWARDEN_TOKEN; none of them holds the value. Every reading is in the record.";
    secrets_copy_cli = "Command line";
    secrets_copy_run = "A program that finds it in a variable";
    secrets_copy_curl = "curl";
    secrets_copy_dotenv = ".env file";
    secrets_copy_kubernetes = "Kubernetes Secret";
    secrets_copy_github = "GitHub Actions";
    secrets_copy_gitlab = "GitLab CI";

    secrets_elsewhere = "In other environments";
    secrets_promote = "Promote";
    secrets_promote_title(path: &str, from: &str, to: &str) = "Promote {path} from {from} to {to}";
    secrets_promote_reads(number: i64, from: &str) = "Version {number} is read in {from}: the reading is in the record, and the value is not shown.";
    secrets_promote_makes(to: &str) = "There is no secret at this path in {to}: one is made, with the same description, tags and owner.";
    secrets_promote_puts(to: &str, number: i64) = "In {to} it becomes the current version; version {number} becomes the previous one and can be made current again.";
    secrets_promote_puts_first(to: &str) = "In {to} it becomes the current version, where none is current now.";
    secrets_promote_callers(to: &str) = "Callers in {to} who name no version get it from then on.";
    secrets_promote_name = "The environment's name in addresses";
    secrets_promote_deleted = "The secret is deleted there: restore it first.";
    secrets_promote_owner = "Its owner is no active person any more: give the secret to somebody else first.";
    secrets_promote_same = "The secret has this value there already.";
    secrets_promoted_to(to: &str, number: i64) = "Promoted to {to}, as version {number}.";
}
