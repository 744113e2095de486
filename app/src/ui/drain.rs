//! How far a rotation has come: what still uses the old value, what uses the new one.

use leptos::prelude::*;

use super::words;

/// Two bars. The counts are uses or callers; the labels say which value is which.
#[component]
pub fn Drain(
    #[prop(into)] old_label: String,
    old: u64,
    #[prop(into)] new_label: String,
    new: u64,
) -> impl IntoView {
    let t = words().text;
    let all = old.saturating_add(new);
    view! {
        <div class="drain">
            {[("drain-old", old_label, old), ("drain-new", new_label, new)]
                .map(|(class, label, count)| {
                    let percent = share(count, all);
                    view! {
                        <div class=class>
                            <span class="drain-label">{label}</span>
                            <svg viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true" focusable="false">
                                <rect class="drain-track" width="100" height="1"/>
                                <rect class="drain-bar" width=percent height="1"/>
                            </svg>
                            <span class="drain-count">{format!("{percent} % · {}", t.number(count))}</span>
                        </div>
                    }
                })
                .collect_view()}
        </div>
    }
}

/// Percent, where only nothing is 0 and only all is 100: the last straggler must not round away.
fn share(count: u64, all: u64) -> u64 {
    if all == 0 || count == 0 {
        return 0;
    }
    if count == all {
        return 100;
    }
    let percent = u128::from(count).saturating_mul(100).checked_div(all.into()).unwrap_or(0);
    u64::try_from(percent).unwrap_or(100).clamp(1, 99)
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn the_last_straggler_does_not_round_away() {
        assert_eq!(share(0, 0), 0);
        assert_eq!(share(0, 9), 0);
        assert_eq!(share(1, 1_000_000), 1);
        assert_eq!(share(999_999, 1_000_000), 99);
        assert_eq!(share(u64::MAX, u64::MAX), 100);
        assert_eq!(share(37, 100), 37);
    }
}
