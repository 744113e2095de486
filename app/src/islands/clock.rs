//! Keeps "3 min ago" true on a page that stays open.

use std::time::Duration;

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::distance::{Distance, Unit};

/// The words of distances, with `{n}` for the number.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockWords {
    /// "just now".
    pub now: String,
    /// Seconds, minutes, hours, days ago.
    pub ago: [String; 4],
    /// In seconds, minutes, hours, days.
    pub ahead: [String; 4],
}

impl ClockWords {
    fn say(&self, distance: Distance) -> String {
        let [seconds, minutes, hours, days] = if distance.past { &self.ago } else { &self.ahead };
        let pattern = match distance.unit {
            Unit::Now => &self.now,
            Unit::Seconds => seconds,
            Unit::Minutes => minutes,
            Unit::Hours => hours,
            Unit::Days => days,
        };
        pattern.replace("{n}", &distance.count.to_string())
    }
}

/// Looks at every `<time data-at>` of the page twice a minute. `now` is the server's clock when it drew them.
#[island]
pub fn Clock(words: ClockWords, now: i64) -> impl IntoView {
    Effect::new(move |_| {
        let words = words.clone();
        // The page was drawn when it was loaded, not when this woke up.
        let drawn = page_began();
        let tick = move || refresh(&words, now.saturating_add(seconds_of(js_sys::Date::now() - drawn)));
        tick();
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(30)) {
            on_cleanup(move || handle.clear());
        }
    });
}

fn refresh(words: &ClockWords, now: i64) {
    let times = document().get_elements_by_tag_name("time");
    for at in 0..times.length() {
        let Some(time) = times.item(at) else { continue };
        let Some(moment) = time.get_attribute("data-at").and_then(|at| at.parse().ok()) else { continue };
        if let Some(shown) = time.last_element_child() {
            let text = words.say(Distance::between(moment, now));
            if shown.text_content().as_deref() != Some(&text) {
                shown.set_text_content(Some(&text));
            }
        }
    }
}

/// When the browser began to load this page (`performance.timeOrigin`), in its milliseconds.
fn page_began() -> f64 {
    let global = js_sys::global();
    js_sys::Reflect::get(&global, &"performance".into())
        .and_then(|performance| js_sys::Reflect::get(&performance, &"timeOrigin".into()))
        .ok()
        .and_then(|began| began.as_f64())
        .unwrap_or_else(js_sys::Date::now)
}

#[expect(clippy::cast_possible_truncation, reason = "milliseconds of an open page fit for ages")]
fn seconds_of(milliseconds: f64) -> i64 {
    (milliseconds / 1000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_goes_where_the_words_want_it() {
        let four = |text: &str| [0, 1, 2, 3].map(|at| format!("{text}{at} {{n}}"));
        let words = ClockWords { now: "now".into(), ago: four("ago"), ahead: four("in") };
        assert_eq!(words.say(Distance::between(0, 2)), "now");
        assert_eq!(words.say(Distance::between(0, 180)), "ago1 3");
        assert_eq!(words.say(Distance::between(864_000, 0)), "in3 10");
    }
}
