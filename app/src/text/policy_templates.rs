//! Usual cases that a policy begins with.

use super::texts;

texts! {
    policies_start = "Start from a usual case";
    policies_start_lead = "Each opens the form filled in. Nothing is saved until you save it.";
    policies_start_with = "Start with this";
    policies_start_with_what(case: &str) = "Start with this: {case}";
    policies_template_contractors = "Contractors may not read production secrets";
    policies_template_contractors_means = "Choose the team and the environment. It holds against every role that its people have.";
    policies_template_fresh_passkey = "Read secrets only right after showing a passkey";
    policies_template_fresh_passkey_means = "Whoever showed a passkey more than two minutes ago shows it again, and then reads.";
    policies_template_machines = "Only machines read secrets here";
    policies_template_machines_means = "Choose the environment. People go on putting values there, and no person reads one.";
    policies_template_no_destruction = "Nobody destroys secrets for good";
    policies_template_no_destruction_means = "Deleting stays possible, and what is deleted can be restored until its time is over.";
    policies_template_office_hours = "People change and read on weekdays by day";
    policies_template_office_hours_means = "Times are in UTC. Machines go on at night. Think of who must act in an emergency.";
    policies_template_office_network = "People act from the office network only";
    policies_template_office_network_means = "Write your own range. Look first at the addresses in the audit log: a proxy may hide them.";
    policies_template_own_keys = "Keys are changed by their owners";
    policies_template_own_keys_means = "Managers go on seeing and revoking every key. Only its owner, or their team, edits and rotates it.";
    policies_template_own_role = "A role of your own";
    policies_template_own_role_means = "Name it as the role. Whoever is in the team holds it in the project. Tick what it gives.";
    policies_template_rotate_keys = "A team may rotate the keys of a project";
    policies_template_rotate_keys_means = "Choose the team and the project. It gives nothing else: not to see the keys, not to issue one.";
}
