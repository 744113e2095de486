//! Counts down to a deadline. Without it the page shows the time left when it was drawn.

use std::time::Duration;

use leptos::prelude::*;

/// Time left, as `4:59` or `2:03:07`; then `ended`. Both moments in seconds since the epoch, by the server's
/// clock: the browser's only measures how much has passed.
#[island]
pub fn Countdown(until: i64, now: i64, #[prop(into)] ended: String) -> impl IntoView {
    let left = RwSignal::new(until.saturating_sub(now).max(0));
    Effect::new(move |_| {
        let began = now_here();
        let at_first = until.saturating_sub(now);
        let tick = move || left.set(at_first.saturating_sub(now_here().saturating_sub(began)).max(0));
        if let Ok(handle) = set_interval_with_handle(tick, Duration::from_secs(1)) {
            on_cleanup(move || handle.clear());
        }
    });
    view! {
        <span class="countdown" role="timer">
            {move || match left.get() {
                0 => ended.clone(),
                seconds => clock(seconds),
            }}
        </span>
    }
}

/// Seconds of the browser's clock.
#[expect(clippy::cast_possible_truncation, reason = "milliseconds since the epoch fit for ages")]
fn now_here() -> i64 {
    (js_sys::Date::now() / 1000.0) as i64
}

fn clock(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

#[cfg(test)]
mod tests {
    use super::clock;

    #[test]
    fn the_time_left_is_read_like_a_clock() {
        assert_eq!(clock(59), "0:59");
        assert_eq!(clock(299), "4:59");
        assert_eq!(clock(7387), "2:03:07");
    }
}
