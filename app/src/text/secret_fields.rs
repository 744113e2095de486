//! Single fields of a secret whose value is a JSON object.

use super::texts;

texts! {
    fields = "Fields";
    fields_of(number: i64) = "Fields of version {number}";
    fields_list = "List the fields";
    fields_lead = "What the fields are called is part of the value. To list the names is a reading of them alone, and it is in the record.";
    fields_shown_lead = "Each field is read by itself, and the record says which. Leaving the page takes it away; a reload shows nothing.";
    fields_none = "This value has no fields";
    fields_none_why = "Only a JSON object has fields. Reveal this value as a whole.";
    fields_reveal(name: &str) = "Reveal {name}";
    fields_not_there(name: &str) = "There is no field {name}";
    fields_not_there_why = "It may have another name. That you asked is in the record.";
    fields_more(n: usize) = "{n} more field is not listed here: reveal the value as a whole to see it." | "{n} more fields are not listed here: reveal the value as a whole to see them.";
    fields_sort = "Holds";
    fields_sort_list = "a list";
    fields_sort_nothing = "null";
    fields_sort_number = "a number";
    fields_sort_object = "fields of its own";
    fields_sort_text = "text";
    fields_sort_truth = "true or false";

    fields_edit = "Edit fields";
    fields_edit_lead = "Change some fields of the current version and keep the rest. What they are called is part of the value, so the names are read first. That is in the record.";
    fields_form_lead = "No field begins with its value. What you keep goes into the new version as it is, and into no page.";
    fields_becomes(name: &str) = "What becomes of {name}";
    fields_keep = "Keep it";
    fields_replace = "Replace it";
    fields_generate = "Generate one";
    fields_remove = "Remove it";
    fields_value_of(name: &str) = "New value of {name}";
    fields_json_hint = "This field is no text. Write JSON: 8080, true or [1, 2].";
    fields_new(n: usize) = "New field {n}";
    fields_new_name(n: usize) = "Name of new field {n}";
    fields_new_name_hint = "Leave it empty to add none.";
    fields_new_value(n: usize) = "Value of new field {n}";
    fields_kept(n: usize) = "{n} more field is not listed here, and is kept. No new field can have its name." | "{n} more fields are not listed here, and are kept. No new field can have the name of one.";
    fields_made = "Generated fields";
    fields_not_json = "This field is no text: write JSON.";
    fields_known = "The value has a field of this name. It is kept as it is.";
    fields_gone = "There is no such field any more.";
    fields_twice = "Another field here has this name.";
    fields_unchanged = "Nothing would change: replace, generate, remove or add a field.";
}
