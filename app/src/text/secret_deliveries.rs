//! To whom a secret's value went lately.

use super::texts;

texts! {
    delivered = "Where it is delivered";
    delivered_lead = "Who got the value lately, once each, with the last version and the way it went. What a program is called is its own word.";
    delivered_all = "All readings";
    delivered_none = "Nobody has read it lately";
    delivered_none_why = "A reading by a person, a service or a link is shown here, and stays in the record.";
    delivered_old(n: usize) = "{n} of them last got a version that is not current. It may go on using that." | "{n} of them last got a version that is not current. They may go on using that.";
    delivered_by = "Who";
    delivered_way = "Way";
    delivered_at = "Last";
    delivered_not_current = "not current";
    delivered_more = "There are more readers than are shown here: all of them are in the record.";
    delivered_since(day: &str) = "This secret has a long record: only what happened since {day} is looked through here. All of it is in the record.";
    delivered_console = "console";
    delivered_file = "exported file";
    delivered_link = "one-time link";
    delivered_api = "API";
    delivered_api_by(agent: &str) = "API, {agent}";
    delivered_names = "console, the names of its fields alone";
    delivered_promotion = "promoted to another environment";
    delivered_template = "in the value of another secret";
}
