//! Words of the pages that the server draws before any door: shut, too often, nothing there.

use http::{HeaderMap, header};
use keywarden_model::ProblemKind as Kind;

use super::{Locale, Text, texts};
use crate::{console::Console, shell::cookie};

texts! {
    problem_home = "Go to the console";
    problem_closed = "Closed after a restore";
    problem_closed_why(why: &str) = "Keywarden was restored from a backup, and its doors stay shut until its operator has accepted what is lost by that. {why}";
    problem_cross_site = "Request refused";
    problem_cross_site_why(own: &str) = "This request came from another site's page, or does not say from which; open the console at {own} and try again there.";
    problem_format = "Request refused";
    problem_format_why = "Only forms and JSON are taken here.";
    problem_internal = "Something went wrong on our side";
    problem_internal_why = "Look whether it was done before you try again.";
    problem_method = "Request refused";
    problem_method_why = "This address does not take that kind of request.";
    problem_nothing = "Not found";
    problem_nothing_why = "There is nothing at this address.";
    problem_sealed = "This node is sealed";
    problem_sealed_why(cause: &str) = "It has no keys in memory, and unseals by itself as soon as its HSM answers. {cause} `keywarden doctor` on the server's shell says what is wrong.";
    problem_starting = "Starting";
    problem_starting_why = "Keywarden is ready in a moment. Load the page again.";
    problem_timeout = "Request stopped";
    problem_timeout_why = "It took too long and was stopped. Look whether it was done before you try again.";
    problem_too_large = "Too large";
    problem_too_large_why(bytes: &str) = "Send at most {bytes} bytes at once.";
    problem_too_many = "Too many requests";
    problem_too_many_why(seconds: &str) = "Too much came from your address. Try again in {seconds} seconds.";
    problem_unavailable = "Not available";
    problem_unavailable_why = "Keywarden cannot answer right now. Try again in a moment.";
}

impl Text {
    /// The words for whoever sent these headers. How people reach the console is not asked: a locale is no secret.
    pub fn asked(headers: &HeaderMap) -> Self {
        let chosen = [true, false]
            .into_iter()
            .find_map(|https| cookie(headers, Console::new(https, |_| None), "locale"));
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self::new(Locale::choose(chosen, language))
    }

    /// Heading and sentence of the page for a problem that the server itself answers with. `about` is what only it
    /// knows: the seconds to wait, the bytes allowed, the console's own address, the cause of a shut door.
    pub fn problem(self, kind: Kind, about: &str) -> (&'static str, String) {
        match kind {
            Kind::Closed => (self.problem_closed(), self.problem_closed_why(about)),
            Kind::CrossSite => (self.problem_cross_site(), self.problem_cross_site_why(about)),
            Kind::Method => (self.problem_method(), self.problem_method_why().into()),
            Kind::NotFound => (self.problem_nothing(), self.problem_nothing_why().into()),
            Kind::Sealed => (self.problem_sealed(), self.problem_sealed_why(about)),
            Kind::Starting => (self.problem_starting(), self.problem_starting_why().into()),
            Kind::Timeout => (self.problem_timeout(), self.problem_timeout_why().into()),
            Kind::TooLarge => (self.problem_too_large(), self.problem_too_large_why(about)),
            Kind::TooMany => (self.problem_too_many(), self.problem_too_many_why(about)),
            Kind::Unavailable => (self.problem_unavailable(), self.problem_unavailable_why().into()),
            Kind::UnsupportedType => (self.problem_format(), self.problem_format_why().into()),
            _ => (self.problem_internal(), self.problem_internal_why().into()),
        }
    }

    /// The way from such a page.
    pub fn to_console(self) -> &'static str {
        self.problem_home()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::pseudo::raw_words;

    #[test]
    fn every_problem_is_told_in_the_words_of_whoever_asked() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT_LANGUAGE, "en-XA".parse().unwrap());
        let text = Text::asked(&headers);
        for kind in Kind::ALL {
            let (title, why) = text.problem(*kind, "given");
            let raw = raw_words(&format!("<h1>{title}</h1><p>{why}</p><a>{}</a>", text.to_console()));
            assert_eq!(raw, Vec::<String>::new(), "{kind:?}");
        }
        headers.insert(header::COOKIE, "__Host-kw-locale=en".parse().unwrap());
        assert_eq!(Text::asked(&headers).problem(Kind::NotFound, "").0, "Not found");
    }
}
