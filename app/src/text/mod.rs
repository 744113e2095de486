//! The catalogue: every word that the console shows, one file per noun.
//!
//! To add a text: put a line into the noun's file and call it as a method, `t.keys_issued("pay-prod")`. Texts
//! nobody calls are dead code to the compiler, texts that are missing do not compile.
//!
//! ```text
//! texts! {
//!     keys_title = "Keys";
//!     keys_issued(name: &str) = "Issued `{name}`.";
//!     keys_found(n: u64) = "{n} key" | "{n} keys";        // plural: the first argument counts
//! }
//! ```
//!
//! English is the source. `en-XA` is made from it (accents, brackets, a third longer) and shows what was not
//! translatable and what gets clipped. **Invariant:** texts hold no markup.

mod access;
mod accessible;
mod account;
mod audit;
mod backups;
mod bindings;
mod channels;
mod common;
mod device;
mod docs;
mod encryption;
mod entry;
mod errors;
mod forms;
mod home;
mod key_forms;
mod key_states;
mod key_verbs;
mod keys;
mod leaks;
mod locale;
mod moments;
mod notices;
mod numbers;
mod people;
mod permissions;
mod policies;
mod policy_difference;
mod policy_forms;
mod policy_proofs;
mod policy_templates;
mod problems;
mod projects;
pub(crate) mod pseudo;
#[cfg(test)]
mod readable;
mod roles;
mod secret_aliases;
mod secret_deliveries;
mod secret_fields;
mod secret_files;
mod secret_forms;
mod secret_places;
mod secret_reuse;
mod secret_shares;
mod secret_templates;
mod secret_verbs;
mod secrets;
mod shell;
mod standards;
mod step_up;
mod system;
#[cfg(test)]
mod titles;
mod trust;
mod workloads;

pub use locale::Locale;

/// The words of one locale. Cheap to copy: handlers take it from the shell, views capture it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Text(Locale);

impl Text {
    /// The catalogue in this locale.
    pub fn new(locale: Locale) -> Self {
        Self(locale)
    }

    /// Which locale these words are in.
    pub fn locale(self) -> Locale {
        self.0
    }
}

/// Defines texts as methods of [`Text`]; see the module.
macro_rules! texts {
    ($($(#[$meta:meta])* $name:ident $(($($arg:ident: $type:ty),+ $(,)?))? = $one:literal $(| $other:literal)?;)*) => {
        impl $crate::text::Text {
            $($crate::text::texts!(@one [$(#[$meta])*] $name [$($($arg: $type),+)?] $one $($other)?);)*
        }
    };
    (@one [$(#[$meta:meta])*] $name:ident [] $text:literal) => {
        $(#[$meta])*
        pub(crate) fn $name(self) -> &'static str {
            static PSEUDO: std::sync::LazyLock<String> = std::sync::LazyLock::new(|| $crate::text::pseudo::of($text));
            match self.locale() {
                $crate::text::Locale::En => $text,
                $crate::text::Locale::EnXa => &PSEUDO,
            }
        }
    };
    (@one [$(#[$meta:meta])*] $name:ident [$($arg:ident: $type:ty),+] $text:literal) => {
        $(#[$meta])*
        pub(crate) fn $name(self, $($arg: $type),+) -> String {
            match self.locale() {
                $crate::text::Locale::En => format!($text),
                $crate::text::Locale::EnXa => {
                    $(let $arg = $crate::text::pseudo::Given(&$arg);)+
                    $crate::text::pseudo::of(&format!($text))
                }
            }
        }
    };
    (@one [$(#[$meta:meta])*] $name:ident [$count:ident: $number:ty $(, $arg:ident: $type:ty)*] $one:literal $other:literal) => {
        $(#[$meta])*
        pub(crate) fn $name(self, $count: $number $(, $arg: $type)*) -> String {
            let one = $count == 1;
            match self.locale() {
                $crate::text::Locale::En if one => format!($one),
                $crate::text::Locale::En => format!($other),
                $crate::text::Locale::EnXa => {
                    let $count = $crate::text::pseudo::Given(&$count);
                    $(let $arg = $crate::text::pseudo::Given(&$arg);)*
                    $crate::text::pseudo::of(&if one { format!($one) } else { format!($other) })
                }
            }
        }
    };
}
pub(crate) use texts;

#[cfg(test)]
mod tests {
    use super::*;

    texts! {
        test_plain = "Keys";
        test_named(name: &str, by: &str) = "Issued {name} by {by}.";
        test_counted(n: u64, of: u64) = "{n} key of {of}" | "{n} keys of {of}";
    }

    const EN: Text = Text(Locale::En);
    const XA: Text = Text(Locale::EnXa);

    #[test]
    fn english_says_what_the_catalogue_says() {
        assert_eq!(EN.test_plain(), "Keys");
        assert_eq!(EN.test_named("pay-prod", "Ada"), "Issued pay-prod by Ada.");
        assert_eq!(EN.test_counted(1, 9), "1 key of 9");
        assert_eq!(EN.test_counted(0, 9), "0 keys of 9");
    }

    #[test]
    fn the_pseudo_locale_changes_the_text_and_leaves_what_was_put_in() {
        assert_eq!(XA.test_plain(), "[Ķéýš ~]");
        let named = XA.test_named("pay-prod", "Ada");
        assert!(named.contains("pay-prod") && named.contains("Ada") && !named.contains("Issued"), "{named}");
        assert_ne!(XA.test_counted(1, 9), XA.test_counted(2, 9));
    }
}
