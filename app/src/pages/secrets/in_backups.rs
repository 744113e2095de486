//! Until when backups hold a value that is, or is about to be, destroyed here.

use keywarden_domain::backup::Holding;

use super::around;
use crate::text::Text;

/// One sentence each.
pub(super) fn sentences(t: Text, holding: Holding) -> Vec<String> {
    let mut said = Vec::new();
    match (holding.scheduled, holding.until) {
        (0, _) => {}
        (n, Some(until)) => said.push(t.destroy_until(n, &around::day(t, until))),
        (n, None) => said.push(t.destroy_no_day(n)),
    }
    if holding.elsewhere > 0 {
        said.push(t.destroy_elsewhere(holding.elsewhere));
    }
    if said.is_empty() {
        said.push(t.destroy_no_backup().to_owned());
    }
    said.push(t.destroy_unknown().to_owned());
    said
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_day_is_named_where_one_is_known_and_what_is_not_known_is_said() {
        let told = |scheduled, until: Option<&str>, elsewhere| {
            let until = until.map(|it| DateTime::parse_from_rfc3339(it).unwrap().to_utc());
            sentences(Text::default(), Holding { scheduled, until, elsewhere }).join(" ")
        };
        let day = told(2, Some("2026-12-13T08:00:00Z"), 0);
        assert!(day.contains("until 13 Dec 2026"), "{day}");
        assert!(!day.contains("elsewhere") && day.ends_with("are not known here."), "{day}");
        let no_day = told(1, None, 3);
        assert!(no_day.contains("no day") && no_day.contains("3 backups were written elsewhere"), "{no_day}");
        let none = told(0, None, 0);
        assert!(none.starts_with("No backup that this server knows of holds it."), "{none}");
    }
}
