//! A message as mail: text and HTML that say the same.

use std::fmt::Write as _;

use keywarden_model::time::from_micros;
use keywarden_store::messages::Row;

use super::carry::Letter;
use super::words::Words;

const WHY: &str = "You get this because a channel in Keywarden leads to this address. Nothing can be decided from this mail: open Keywarden itself.";

/// The mail, if the address is one.
pub(super) fn write(message: &Row, words: &Words, to: &str) -> Option<Letter> {
    let Words { subject, sentences, url } = words;
    let text = format!("{}\n\n{url}\n\n-- \n{WHY}\n", sentences.join("\n\n"));
    let mut paragraphs = String::new();
    for sentence in sentences {
        let _ = writeln!(paragraphs, "<p>{}</p>", escaped(sentence));
    }
    let html = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{title}</title></head>\n<body>\n<h1>{title}</h1>\n\
         {paragraphs}<p><a href=\"{href}\">Open it in Keywarden</a></p>\n<hr>\n<p><small>{why}</small></p>\n</body>\n</html>\n",
        title = escaped(subject),
        href = escaped(url),
        why = escaped(WHY),
    );
    let (to, id, at) = (to.parse().ok()?, message.id.to_string(), from_micros(message.at));
    Some(Letter { to, id, at, subject: subject.clone(), text, html })
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_thing_is_called_stays_text_in_html() {
        assert_eq!(
            escaped(r#"<img src=x onerror="alert('1')">&"#),
            "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;"
        );
    }
}
