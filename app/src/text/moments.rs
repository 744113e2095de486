//! How far away a moment is. Short units need no plural.

use chrono::{DateTime, Datelike as _, Utc};

use super::{Text, texts};

texts! {
    moment_now = "just now";
    moment_seconds_ago(n: &str) = "{n} s ago";
    moment_minutes_ago(n: &str) = "{n} min ago";
    moment_hours_ago(n: &str) = "{n} h ago";
    moment_days_ago(n: &str) = "{n} d ago";
    moment_in_seconds(n: &str) = "in {n} s";
    moment_in_minutes(n: &str) = "in {n} min";
    moment_in_hours(n: &str) = "in {n} h";
    moment_in_days(n: &str) = "in {n} d";
    moment_never = "never";
    moment_day(day: u32, month: &str) = "{day} {month}";
    moment_day_of(day: u32, month: &str, year: i32) = "{day} {month} {year}";
    month_1 = "Jan";
    month_2 = "Feb";
    month_3 = "Mar";
    month_4 = "Apr";
    month_5 = "May";
    month_6 = "Jun";
    month_7 = "Jul";
    month_8 = "Aug";
    month_9 = "Sep";
    month_10 = "Oct";
    month_11 = "Nov";
    month_12 = "Dec";
}

impl Text {
    /// `25 Nov`.
    pub fn day(self, at: DateTime<Utc>) -> String {
        self.moment_day(at.day(), self.month(at.month()))
    }

    /// `25 Nov 2027`.
    pub fn day_of(self, at: DateTime<Utc>) -> String {
        self.moment_day_of(at.day(), self.month(at.month()), at.year())
    }

    fn month(self, number: u32) -> &'static str {
        match number {
            1 => self.month_1(),
            2 => self.month_2(),
            3 => self.month_3(),
            4 => self.month_4(),
            5 => self.month_5(),
            6 => self.month_6(),
            7 => self.month_7(),
            8 => self.month_8(),
            9 => self.month_9(),
            10 => self.month_10(),
            11 => self.month_11(),
            _ => self.month_12(),
        }
    }
}
