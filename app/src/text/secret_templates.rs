//! Templates: values that refer to other secrets.

use super::texts;

texts! {
    templates_is = "The value is a template";
    templates_is_hint = "${project/environment/path} in it stands for the current value of another secret, ${project/environment/path#field} for a field of the JSON that it is, and $${ for ${ itself. Whoever reads the value has to be allowed to read all of them. Without this, the value comes back as it is.";
    templates_badge = "template";
    templates_malformed(line: usize, character: usize, why: &str) = "Line {line}, character {character}: {why}";
    templates_unclosed(line: usize, character: usize) = "Line {line}, character {character}: close the reference with a brace. For the two characters $ and brace themselves, write $${{.";
    templates_form = "Write ${project/environment/path}. For the two characters $ and brace themselves, write $${.";
    templates_slug = "Write the slugs of a project and of an environment, in lower case, before the path.";
    templates_field = "Write the names of fields behind #, with single dots between them.";
    templates_many(most: usize) = "Use at most {most} references.";
    templates_binary = "A template is text or JSON: binary values have no references.";

    templates_reveal_raw = "Reveal as it was put";
    templates_why = "It is a template. Revealed, it has the values of what it refers to, each of which is a reading of its own; as it was put, it has the references.";
    templates_raw_lead = "The template as it was put, with its references.";

    templates_references = "References";
    templates_reference = "Refers to";
    templates_leads = "Leads to";
    templates_missing = "nothing that is there, or that you may see";
    templates_missing_title(n: usize) = "{n} reference leads to nothing that you can see" | "{n} references lead to nothing that you can see";
    templates_missing_why = "As long as there is no such secret, the value is read by nobody.";
    templates_deleted = "deleted";
    templates_there = "a secret";
    templates_referenced_by = "Referenced by";
    templates_referenced_by_why = "Templates whose value has this one's in it, as far as you may see them.";
    templates_delete(names: &str) = "Templates refer to it, and are read no more until it is restored: {names}.";
    templates_export(n: usize) = "{n} of them is a template" | "{n} of them are templates";
    templates_export_why = "The file has their text as it was put, with the references. CSV says which ones they are, and an import keeps that; the other formats do not say it.";

    templates_unresolved(reference: &str, why: &str) = "The reference {reference} is not resolved: {why}";
    templates_why_missing = "there is no such secret, or you may not see it.";
    templates_why_forbidden = "none of your roles lets you read it.";
    templates_why_binary = "its value is binary.";
    templates_why_cycle(way: &str) = "it leads back to itself: {way}.";
    templates_why_deep(most: usize) = "it is more than {most} references away from here.";
    templates_why_deleted = "this secret is deleted.";
    templates_why_no_field = "its value has no such field that is a text, a whole number, true or false.";
    templates_why_no_current = "no version of it is current.";
    templates_why_not_json = "its value is not JSON, so it has no fields.";
    templates_why_long = "with it the value is too long.";
    templates_why_many(most: usize) = "at most {most} references are resolved at once.";
}
