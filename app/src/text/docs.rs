//! The frame of the API's own pages. What they say about the API comes from its description, which is in English.

use super::texts;

texts! {
    docs = "API";
    docs_lead = "Every endpoint of this server, made from the same description that programs read.";
    docs_machine = "The description for programs (OpenAPI 3.1)";
    docs_problems = "Problems";
    docs_problems_lead = "Every error has a stable type: one of these, in the field “type” of its answer.";
    docs_operation = "Operation";
    docs_parameters = "Parameters";
    docs_name = "Name";
    docs_place = "Where";
    docs_type = "Type";
    docs_about = "Meaning";
    docs_required = "required";
    docs_body = "Body";
    docs_example_of(what: &str) = "Example: {what}";
    docs_answers = "Answers";
    docs_status = "Status";
    docs_no_token = "For anybody: no token is needed.";
}
