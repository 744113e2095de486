use std::{path::PathBuf, time::Duration};

use keywarden_domain::backup::Schedule;

use super::{error::ConfigError, source::Values, value::Span};

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
