//! Who can as a picture: principals, the ways to a yes, the thing. Drawn here, with no script; the table beside it says the
//! same.

use std::collections::BTreeMap;

use keywarden_domain::{
    permissions::{Path, WhoCan},
    roles::Holder,
};
use leptos::prelude::*;

use super::explained;
use crate::text::Text;

/// As many principals are drawn one by one.
const SINGLE: usize = 12;
/// As many ways are drawn; the others are one.
const WAYS: usize = 12;
/// Characters of a label.
const LABEL: usize = 26;

const ROW: usize = 34;
const BOX: usize = 24;
const WIDTH: usize = 200;
const GAP: usize = 60;

/// What stands where.
#[derive(Debug, Default, PartialEq, Eq)]
struct Picture {
    /// People and workloads, or how many of them.
    principals: Vec<String>,
    ways: Vec<String>,
    /// From a principal to a way, by their places.
    lines: Vec<(usize, usize)>,
}

/// People and workloads that come by one way.
#[derive(Debug, Default)]
struct Crowd {
    people: u64,
    workloads: u64,
}

impl Picture {
    fn of(t: Text, found: &WhoCan) -> Self {
        let mut crowds: BTreeMap<&Path, Crowd> = BTreeMap::new();
        for (holder, path) in
            found.entitled.iter().flat_map(|it| it.paths.iter().map(move |path| (it.holder, path)))
        {
            let crowd = crowds.entry(path).or_default();
            match holder {
                Holder::Workload(_) => crowd.workloads = crowd.workloads.saturating_add(1),
                _ => crowd.people = crowd.people.saturating_add(1),
            }
        }
        let mut ways: Vec<_> = crowds.into_iter().collect();
        ways.sort_by_key(|(_, crowd)| std::cmp::Reverse(crowd.people.saturating_add(crowd.workloads)));
        let rest = ways.split_off(ways.len().min(WAYS));
        let mut picture = Self {
            ways: ways.iter().map(|(path, _)| explained::path(t, path, &found.written)).collect(),
            ..Self::default()
        };
        let place = |path: &Path| ways.iter().position(|(way, _)| *way == path).unwrap_or(WAYS);
        if !rest.is_empty() {
            picture.ways.push(t.permissions_others(rest.len() as u64));
        }
        if found.entitled.len() <= SINGLE {
            for (at, it) in found.entitled.iter().enumerate() {
                picture.principals.push(it.name.clone());
                let mut to: Vec<_> = it.paths.iter().map(|path| (at, place(path))).collect();
                to.dedup();
                picture.lines.extend(to);
            }
            return picture;
        }
        let mut last = Crowd::default();
        for (_, crowd) in &rest {
            last.people = last.people.saturating_add(crowd.people);
            last.workloads = last.workloads.saturating_add(crowd.workloads);
        }
        let last = (!rest.is_empty()).then_some(&last);
        for (at, crowd) in ways.iter().map(|(_, crowd)| crowd).chain(last).enumerate() {
            picture.principals.push(crowd.told(t));
            picture.lines.push((at, at));
        }
        picture
    }
}

impl Crowd {
    fn told(&self, t: Text) -> String {
        let people = (self.people > 0).then(|| t.permissions_people_count(self.people));
        let workloads = (self.workloads > 0).then(|| t.permissions_workloads_count(self.workloads));
        people.into_iter().chain(workloads).collect::<Vec<_>>().join(", ")
    }
}

/// The picture of everybody in the list.
pub(super) fn draw(t: Text, found: &WhoCan) -> AnyView {
    let picture = Picture::of(t, found);
    let thing = explained::name(t, &found.thing);
    let rows = picture.principals.len().max(picture.ways.len()).max(1);
    let height = rows.saturating_mul(ROW);
    let (second, third) = (WIDTH.saturating_add(GAP), WIDTH.saturating_add(GAP).saturating_mul(2));
    let whole = format!("0 0 {} {height}", third.saturating_add(WIDTH));
    let top = |at: usize, of: usize| {
        // Shorter columns stand in the middle.
        let spare = rows.saturating_sub(of).saturating_mul(ROW).div_euclid(2);
        spare.saturating_add(at.saturating_mul(ROW)).saturating_add(ROW.saturating_sub(BOX).div_euclid(2))
    };
    let middle = |at: usize, of: usize| top(at, of).saturating_add(BOX.div_euclid(2));
    let (left, ways) = (picture.principals.len(), picture.ways.len());
    let line = |x1: usize, y1: usize, x2: usize, y2: usize| {
        view! { <line x1=x1 y1=y1 x2=x2 y2=y2/> }
    };
    let lines =
        picture.lines.iter().map(|(from, to)| line(WIDTH, middle(*from, left), second, middle(*to, ways)));
    let on = (0..ways).map(|at| line(second.saturating_add(WIDTH), middle(at, ways), third, middle(0, 1)));
    let (lines, on) = (lines.collect_view(), on.collect_view());
    let node = |class: &'static str, x: usize, y: usize, label: &str| {
        let (text_x, text_y) = (x.saturating_add(10), y.saturating_add(16));
        view! {
            <g class=class>
                <title>{label.to_owned()}</title>
                <rect x=x y=y width=WIDTH height=BOX rx="4"/>
                <text x=text_x y=text_y>{shortened(label)}</text>
            </g>
        }
    };
    let principals = picture.principals.iter().enumerate();
    let principals = principals.map(|(at, label)| node("principal", 0, top(at, left), label)).collect_view();
    let boxes = picture.ways.iter().enumerate();
    let boxes = boxes.map(|(at, label)| node("path", second, top(at, ways), label)).collect_view();
    let goal = node("thing", third, top(0, 1), &thing);
    let means = t.permissions_picture_means(&t.permissions_count(found.entitled.len() as u64), &thing);
    view! {
        <div class="permissions-picture" role="group" aria-label=t.permissions_picture() tabindex="0">
            <svg viewBox=whole role="img" focusable="false" translate="no">
                <title>{t.permissions_picture()}</title>
                <desc>{means}</desc>
                {lines}
                {on}
                {principals}
                {boxes}
                {goal}
            </svg>
        </div>
    }
    .into_any()
}

fn shortened(label: &str) -> String {
    if label.chars().count() <= LABEL {
        return label.to_owned();
    }
    let head: String = label.chars().take(LABEL.saturating_sub(1)).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_end_with_an_ellipsis() {
        assert_eq!(shortened("Alice"), "Alice");
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), LABEL);
    }

    #[test]
    fn a_crowd_is_told_in_numbers() {
        let t = Text::default();
        assert_eq!(Crowd { people: 312, workloads: 1 }.told(t), "312 people, 1 workload");
        assert_eq!(Crowd { people: 1, workloads: 0 }.told(t), "1 person");
    }
}
