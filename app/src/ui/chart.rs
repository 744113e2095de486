//! Small charts in SVG. Each has a title, a description, and its figures as a table.

use leptos::prelude::*;

use super::{Tone, words};

/// A line without axes, for the shape of the last days; the title says what and the description how much.
#[component]
pub fn Sparkline(
    #[prop(into)] title: String,
    #[prop(into)] description: String,
    points: Vec<u64>,
) -> impl IntoView {
    let line = line(&points);
    view! {
        <svg class="sparkline" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" focusable="false">
            <title>{title}</title>
            <desc>{description}</desc>
            <polyline points=line/>
        </svg>
    }
}

/// One bar a point, with the figures below in a table that opens.
#[component]
pub fn BarChart(
    #[prop(into)] title: String,
    #[prop(into)] description: String,
    /// Heading of the labels: "Day".
    #[prop(into)]
    label_heading: String,
    /// Heading of the figures: "Requests".
    #[prop(into)]
    value_heading: String,
    points: Vec<(String, u64)>,
    #[prop(optional)] tone: Tone,
) -> impl IntoView {
    let t = words().text;
    let total = t.number(points.iter().map(|(_, value)| value).sum());
    let ends = [points.first(), points.last()].map(|end| end.map(|(label, _)| label.clone()));
    let [from, to] = ends;
    let most = points.iter().map(|(_, value)| *value).max().unwrap_or(0).max(1);
    let step = 100.0 / count(points.len().max(1));
    let bars = points
        .iter()
        .enumerate()
        .map(|(at, (label, value))| {
            let height = 40.0 * ratio(*value, most);
            let tip = format!("{label}: {}", t.number(*value));
            view! {
                <rect
                    x=rounded(count(at) * step + step * 0.1)
                    y=rounded(40.0 - height)
                    width=rounded(step * 0.8)
                    height=rounded(height)
                >
                    <title translate="no">{tip}</title>
                </rect>
            }
        })
        .collect_view();
    view! {
        <figure class="chart" class:chart-bad=tone == Tone::Bad>
            <figcaption><span>{title.clone()}</span><strong>{total}</strong></figcaption>
            <svg viewBox="0 0 100 40" preserveAspectRatio="none" role="img" focusable="false">
                <title>{title.clone()}</title>
                <desc>{description}</desc>
                {bars}
            </svg>
            <p class="chart-axis" aria-hidden="true" translate="no"><span>{from}</span><span>{to}</span></p>
            <details>
                <summary>{t.ui_chart_table()}</summary>
                <table class="table">
                    <caption class="visually-hidden">{title}</caption>
                    <thead><tr><th scope="col">{label_heading}</th><th scope="col" class="number">{value_heading}</th></tr></thead>
                    <tbody>
                        {points
                            .into_iter()
                            .map(|(label, value)| view! { <tr><th scope="row" translate="no">{label}</th><td class="number">{t.number(value)}</td></tr> })
                            .collect_view()}
                    </tbody>
                </table>
            </details>
        </figure>
    }
}

/// Points of a polyline in a box of 100 × 24, with room for the line's own width.
fn line(points: &[u64]) -> String {
    let most = points.iter().copied().max().unwrap_or(0).max(1);
    let step = 100.0 / count(points.len().saturating_sub(1).max(1));
    let mut line = String::new();
    for (at, value) in points.iter().enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(&rounded(count(at) * step));
        line.push(',');
        line.push_str(&rounded(22.5 - 21.0 * ratio(*value, most)));
    }
    line
}

#[expect(clippy::cast_precision_loss, reason = "a picture of 100 units shows less than a float holds")]
fn ratio(value: u64, most: u64) -> f64 {
    value as f64 / most as f64
}

#[expect(clippy::cast_precision_loss, reason = "charts have few points")]
fn count(n: usize) -> f64 {
    n as f64
}

fn rounded(x: f64) -> String {
    let text = format!("{x:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_spans_the_box_and_the_most_is_on_top() {
        assert_eq!(line(&[0, 5, 10]), "0,22.5 50,12 100,1.5");
        assert_eq!(line(&[0, 0]), "0,22.5 100,22.5");
        assert_eq!(line(&[7]), "0,1.5");
        assert_eq!(line(&[]), "");
    }
}
