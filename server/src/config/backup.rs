use std::{path::PathBuf, str::FromStr, time::Duration};

use keywarden_domain::backup::{DrillsDue, Schedule};

use super::{error::ConfigError, source::Values, value::Span};

/// When the newest backup is drilled; none: switched off.
pub(super) fn drills(values: &Values) -> Result<Option<DrillsDue>, ConfigError> {
    let Due(due) = values.parse("backup.drill")?;
    Ok(due)
}

/// `off`, `asked`, a number of backups, or a span of time.
pub(super) struct Due(Option<DrillsDue>);

impl FromStr for Due {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let due = match (text, text.parse::<u32>()) {
            ("off", _) => return Ok(Self(None)),
            ("asked", _) => DrillsDue::Never,
            (_, Ok(0)) => return Err("choose one backup or more".into()),
            (_, Ok(number)) => DrillsDue::Backups(number),
            (_, Err(_)) => match text.parse() {
                Ok(Span(span)) => DrillsDue::Since(span),
                Err(_) => {
                    return Err(
                        "write `off`, `asked`, after how many backups (`7`) or how long (`30d`)".into()
                    );
                }
            },
        };
        Ok(Self(Some(due)))
    }
}

/// When backups are made by themselves: if there is a folder for them.
pub(super) fn read(values: &Values) -> Result<Option<Schedule>, ConfigError> {
    let folder: Option<PathBuf> = values.optional("backup.folder")?;
    let Span(every) = values.parse("backup.every")?;
    if every < Duration::from_mins(1) {
        return Err(values.refuse("backup.every", "choose a minute or more"));
    }
    let keep: usize = values.parse("backup.keep")?;
    if keep == 0 {
        return Err(values.refuse("backup.keep", "keep at least one"));
    }
    let absolute = |folder: PathBuf| {
        let folder = std::path::absolute(folder);
        let folder = folder.map_err(|cause| values.refuse("backup.folder", cause.to_string()))?;
        Ok(Schedule { folder, every, keep })
    };
    folder.map(absolute).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drills_are_due_after_backups_after_a_time_when_asked_or_never() {
        let due = |text: &str| text.parse::<Due>().map(|Due(due)| due);
        assert_eq!(due("off"), Ok(None));
        assert_eq!(due("asked"), Ok(Some(DrillsDue::Never)));
        assert_eq!(due("7"), Ok(Some(DrillsDue::Backups(7))));
        assert_eq!(due("30d"), Ok(Some(DrillsDue::Since(Duration::from_hours(720)))));
        for wrong in ["0", "", "-1", "monthly", "30 d", "OFF"] {
            assert!(due(wrong).is_err(), "{wrong}");
        }
    }
}
