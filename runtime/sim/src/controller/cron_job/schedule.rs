//! Schedules: `*/5 2 * * 1-5`, `@hourly`, `@every 1h`; and when they are due.
//!
//! Not known here: what is made then.

use jiff::{SignedDuration, Timestamp, ToSpan, civil::Weekday, tz::TimeZone};

/// How far a schedule is looked ahead: the 29th of February comes at least every eight years.
const HORIZON: usize = 366 * 9;

/// A schedule in a time zone.
pub(super) enum Schedule {
    Fields { minutes: u64, hours: u64, days: u64, months: u64, weekdays: u64, either: bool, zone: TimeZone },
    Every(SignedDuration),
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads a schedule; none where it is not one.
    pub(super) fn read(text: &str, zone: TimeZone) -> Option<Self> {
        let text = match text.trim() {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            other => other,
        };
        if let Some(span) = text.strip_prefix("@every ") {
            let span = span.parse::<SignedDuration>().ok()?;
            return Some(Self::Every(span.max(SignedDuration::from_secs(1))));
        }
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else { return None };
        let sunday = |mask: u64| if mask & 1 << 7 == 0 { mask } else { mask & 0x7f | 1 };
        Some(Self::Fields {
            minutes: field(minutes, 0, 59, &[])?,
            hours: field(hours, 0, 23, &[])?,
            days: field(days, 1, 31, &[])?,
            months: field(months, 1, 12, &MONTHS)?,
            weekdays: sunday(field(weekdays, 0, 7, &DAYS)?),
            // Where both kinds of day are restricted, either is enough.
            either: !days.starts_with(['*', '?']) && !weekdays.starts_with(['*', '?']),
            zone,
        })
    }

    /// The first moment after another.
    pub(super) fn after(&self, at: Timestamp) -> Option<Timestamp> {
        let Self::Fields { minutes, hours, zone, .. } = self else {
            let Self::Every(span) = self else { return None };
            return at.checked_add(*span).ok();
        };
        let start = at.to_zoned(zone.clone());
        let mut day = start.date();
        for _ in 0..HORIZON {
            if self.holds_day(day) {
                for hour in (0..24_i8).filter(|hour| hours & 1 << hour != 0) {
                    for minute in (0..60_i8).filter(|minute| minutes & 1 << minute != 0) {
                        let moment = day.at(hour, minute, 0, 0).to_zoned(zone.clone()).ok()?.timestamp();
                        if moment > at {
                            return Some(moment);
                        }
                    }
                }
            }
            day = day.checked_add(1.day()).ok()?;
        }
        None
    }

    fn holds_day(&self, day: jiff::civil::Date) -> bool {
        let Self::Fields { days, months, weekdays, either, .. } = self else { return false };
        let in_month = months & 1 << day.month() != 0;
        let by_date = days & 1 << day.day() != 0;
        let by_weekday = weekdays & 1 << weekday(day.weekday()) != 0;
        in_month && if *either { by_date || by_weekday } else { by_date && by_weekday }
    }

    /// The latest moment after `since` that is not after `now`.
    pub(super) fn latest(&self, since: Timestamp, now: Timestamp) -> Option<Timestamp> {
        let mut latest = None;
        // Of more than a hundred that were missed, the next is taken that comes.
        let mut from = since;
        for _ in 0..100 {
            match self.after(from) {
                Some(due) if due <= now => (latest, from) = (Some(due), due),
                _ => return latest,
            }
        }
        let day_ago = now.checked_sub(SignedDuration::from_hours(24)).unwrap_or(since).max(from);
        let mut from = day_ago;
        for _ in 0..2000 {
            match self.after(from) {
                Some(due) if due <= now => (latest, from) = (Some(due), due),
                _ => break,
            }
        }
        latest
    }
}

const fn weekday(day: Weekday) -> i8 {
    day.to_sunday_zero_offset()
}

/// One field as a mask of the values that it means.
fn field(text: &str, least: u32, most: u32, names: &[&str]) -> Option<u64> {
    let value = |word: &str| -> Option<u32> {
        let lower = word.to_lowercase();
        if let Some(index) = names.iter().position(|name| *name == lower) {
            return Some(u32::try_from(index).ok()? + least);
        }
        word.parse().ok().filter(|number| (least..=most).contains(number))
    };
    let mut mask = 0_u64;
    for part in text.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let step: u32 = step.map_or(Some(1), |step| step.parse().ok().filter(|step| *step > 0))?;
        let (from, to) = match range {
            "*" | "?" => (least, most),
            _ => match range.split_once('-') {
                Some((from, to)) => (value(from)?, value(to)?),
                // `5/10` goes on from five.
                None if part.contains('/') => (value(range)?, most),
                None => (value(range)?, value(range)?),
            },
        };
        if from > to {
            return None;
        }
        for number in (from..=to).step_by(usize::try_from(step).ok()?) {
            mask |= 1 << number;
        }
    }
    Some(mask)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, at: &str) -> String {
        let schedule = Schedule::read(schedule, TimeZone::UTC).unwrap();
        schedule.after(at.parse().unwrap()).unwrap().to_string()
    }

    #[test]
    fn the_next_moment_follows_every_field() {
        let at = "2026-01-01T00:00:30Z"; // a Thursday
        for (schedule, wanted) in [
            ("* * * * *", "2026-01-01T00:01:00Z"),
            ("*/15 * * * *", "2026-01-01T00:15:00Z"),
            ("0 2 * * *", "2026-01-01T02:00:00Z"),
            ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
            ("30 6 * * MON-FRI", "2026-01-01T06:30:00Z"),
            ("0 0 13 * 5", "2026-01-02T00:00:00Z"),
            ("0 0 * * 7", "2026-01-04T00:00:00Z"),
            ("@monthly", "2026-02-01T00:00:00Z"),
            ("@every 90s", "2026-01-01T00:02:00Z"),
        ] {
            assert_eq!(next(schedule, at), wanted, "{schedule}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_none() {
        for wrong in ["", "* * * *", "61 * * * *", "5-1 * * * *", "*/0 * * * *", "a * * * *", "@every x"] {
            assert!(Schedule::read(wrong, TimeZone::UTC).is_none(), "{wrong}");
        }
    }

    #[test]
    fn of_many_that_were_missed_the_latest_is_due() {
        let schedule = Schedule::read("* * * * *", TimeZone::UTC).unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let latest = schedule.latest(at("2026-01-01T00:00:00Z"), at("2026-01-03T00:00:30Z"));
        assert_eq!(latest, Some(at("2026-01-03T00:00:00Z")));
    }
}
