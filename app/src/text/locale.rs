//! Which catalogue a visitor reads.

/// A locale of the catalogue, by its BCP 47 tag.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// `en`.
    #[default]
    En,
    /// `en-XA`, the pseudo-locale: only for those who name it.
    EnXa,
}

impl Locale {
    /// Every locale.
    pub const ALL: [Self; 2] = [Self::En, Self::EnXa];

    /// What its readers call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::EnXa => "Éñĝļîšĥ (pseudo)",
        }
    }

    /// The tag for `lang` attributes and cookies.
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::EnXa => "en-XA",
        }
    }

    /// The locale with this tag.
    pub fn named(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(tag))
    }

    /// What the visitor chose (a cookie), else the first of `Accept-Language` (RFC 9110, 12.5.4) that the
    /// catalogue has, else English.
    pub fn choose(chosen: Option<&str>, accept_language: Option<&str>) -> Self {
        chosen.and_then(Self::named).unwrap_or_else(|| accepted(accept_language.unwrap_or_default()))
    }
}

/// Languages in the order of their weight; equal ones in the order they were written.
fn accepted(header: &str) -> Locale {
    let mut wanted: Vec<(&str, f32)> = header
        .split(',')
        .map(|item| {
            let (tag, parameters) = item.split_once(';').unwrap_or((item, ""));
            let weight = parameters.trim().strip_prefix("q=").map_or(1.0, |q| q.parse().unwrap_or(0.0));
            (tag.trim(), weight)
        })
        .filter(|(_, weight)| *weight > 0.0)
        .collect();
    wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
    wanted
        .into_iter()
        .find_map(|(tag, _)| {
            Locale::named(tag).or_else(|| {
                let language = tag.split('-').next().unwrap_or(tag);
                language.eq_ignore_ascii_case("en").then_some(Locale::En)
            })
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_comes_before_the_browser_and_english_comes_last() {
        for (chosen, header, locale) in [
            (None, None, Locale::En),
            (None, Some("de-CH, fr;q=0.9"), Locale::En),
            (None, Some("en-XA"), Locale::EnXa),
            (None, Some("en-GB, en-XA;q=0.5"), Locale::En),
            (None, Some("de, en-XA;q=0.8, en;q=0.5"), Locale::EnXa),
            (None, Some("en-xa;q=0, en"), Locale::En),
            (Some("en"), Some("en-XA"), Locale::En),
            (Some("en-xa"), Some("en"), Locale::EnXa),
            (Some("tlh"), Some("en-XA"), Locale::EnXa),
        ] {
            assert_eq!(Locale::choose(chosen, header), locale, "{chosen:?} {header:?}");
        }
    }
}
