//! Two texts, line by line.

/// A line of either text or of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'a> {
    Added(&'a str),
    Removed(&'a str),
    Same(&'a str),
}

/// Longer texts than these are compared as a whole: the table has as many places as lines times lines.
const PLACES: usize = 1_000_000;

/// What became of the older text: the lines of both, in order.
pub(super) fn lines<'a>(older: &'a str, newer: &'a str) -> Vec<Line<'a>> {
    let (older, newer): (Vec<&str>, Vec<&str>) = (older.lines().collect(), newer.lines().collect());
    let head = older.iter().zip(&newer).take_while(|(a, b)| a == b).count();
    let (same, a, b) = (older.get(..head).unwrap_or_default(), rest(&older, head), rest(&newer, head));
    let tail = a.iter().rev().zip(b.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, ending) = a.split_at(a.len().saturating_sub(tail));
    let b = b.get(..b.len().saturating_sub(tail)).unwrap_or_default();
    let mut all: Vec<Line<'a>> = same.iter().map(|line| Line::Same(line)).collect();
    if a.len().saturating_mul(b.len()) > PLACES {
        all.extend(a.iter().map(|line| Line::Removed(line)));
        all.extend(b.iter().map(|line| Line::Added(line)));
    } else {
        between(a, b, &mut all);
    }
    all.extend(ending.iter().map(|line| Line::Same(line)));
    all
}

fn rest<'a, 'b>(lines: &'b [&'a str], from: usize) -> &'b [&'a str] {
    lines.get(from..).unwrap_or_default()
}

/// By the longest sequence of lines that both have.
fn between<'a>(a: &[&'a str], b: &[&'a str], all: &mut Vec<Line<'a>>) {
    // Of each two rests of the texts, how many lines they share in order.
    let mut shared = vec![vec![0_usize; b.len().saturating_add(1)]; a.len().saturating_add(1)];
    let at = |shared: &Vec<Vec<usize>>, i: usize, j: usize| {
        shared.get(i).and_then(|row| row.get(j)).copied().unwrap_or_default()
    };
    for (i, one) in a.iter().enumerate().rev() {
        for (j, other) in b.iter().enumerate().rev() {
            let (below, beside) = (i.saturating_add(1), j.saturating_add(1));
            let best = if one == other {
                at(&shared, below, beside).saturating_add(1)
            } else {
                at(&shared, below, j).max(at(&shared, i, beside))
            };
            if let Some(place) = shared.get_mut(i).and_then(|row| row.get_mut(j)) {
                *place = best;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    loop {
        match (a.get(i), b.get(j)) {
            (Some(one), Some(other)) if one == other => {
                all.push(Line::Same(one));
                (i, j) = (i.saturating_add(1), j.saturating_add(1));
            }
            (Some(one), other)
                if other.is_none()
                    || at(&shared, i.saturating_add(1), j) >= at(&shared, i, j.saturating_add(1)) =>
            {
                all.push(Line::Removed(one));
                i = i.saturating_add(1);
            }
            (_, Some(other)) => {
                all.push(Line::Added(other));
                j = j.saturating_add(1);
            }
            (_, None) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Line::{Added, Removed, Same};
    use super::*;

    #[test]
    fn what_both_have_stays_and_the_rest_comes_or_goes() {
        let older = "permit (\n  who,\n  what\n)\nwhen { a };";
        let newer = "permit (\n  what,\n  what\n)\nwhen { a }\nunless { b };";
        assert_eq!(
            lines(older, newer),
            [
                Same("permit ("),
                Removed("  who,"),
                Added("  what,"),
                Same("  what"),
                Same(")"),
                Removed("when { a };"),
                Added("when { a }"),
                Added("unless { b };"),
            ]
        );
        assert_eq!(lines("a", "a"), [Same("a")]);
        assert_eq!(lines("", "a"), [Added("a")]);
        assert_eq!(lines("a\nb", "a"), [Same("a"), Removed("b")]);
    }

    #[test]
    fn either_text_comes_out_whole_however_long_it_is() {
        let numbers: Vec<_> = (0..3_000).map(|n| n.to_string()).collect();
        let older = numbers.join("\n");
        let newer = numbers.iter().rev().cloned().collect::<Vec<_>>().join("\n");
        let all = lines(&older, &newer);
        let of = |keep: fn(&Line) -> bool| all.iter().filter(|it| keep(it)).count();
        assert_eq!(of(|it| !matches!(it, Added(_))), 3_000);
        assert_eq!(of(|it| !matches!(it, Removed(_))), 3_000);
    }
}
