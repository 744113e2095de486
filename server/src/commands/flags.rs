use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use crate::config::SETTINGS;

/// A flag for every setting, made from the table.
#[derive(Debug, Default)]
pub(super) struct Flags {
    pub(super) given: Vec<(&'static str, String)>,
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        let text = |key: &'static str| matches.get_one::<String>(key).map(|text| (key, text.clone()));
        self.given = SETTINGS.iter().filter_map(|setting| text(setting.key)).collect();
        Ok(())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        SETTINGS.iter().fold(command, |command, setting| {
            let value_name = if setting.is_secret() { "FILE" } else { "VALUE" };
            let help = if setting.default.is_empty() {
                setting.help.to_owned()
            } else {
                format!("{} [default: {}]", setting.help, setting.default)
            };
            command.arg(
                Arg::new(setting.key)
                    .long(setting.flag())
                    .value_name(value_name)
                    .help(help)
                    .help_heading("Settings")
                    .hide_short_help(true)
                    .global(true),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
