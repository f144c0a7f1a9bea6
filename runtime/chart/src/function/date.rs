//! Times and durations. What time it is, is handed in.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::math::to_float;
use super::{fixed, text};
use crate::execute::{Failure, Function, Param, World};
use crate::value::{Value, plain};

const ANY: Param = Param::Any;
const TEXT: Param = Param::Text;
const SECOND: i64 = 1_000_000_000;

pub(super) fn functions() -> Vec<Function> {
    let mut all = vec![
        fixed("now", &[], |world, _| Ok(Value::Time(now(world)?))),
        fixed("date", &[TEXT, ANY], |world, args| Ok(Value::text(layout(&moment(world, &args[1])?, &text(args, 0))))),
        fixed("htmlDate", &[ANY], |world, args| Ok(Value::text(layout(&moment(world, &args[0])?, "2006-01-02")))),
        fixed("htmlDateInZone", &[ANY, TEXT], |world, args| {
            Ok(Value::text(layout(&moment(world, &args[0])?, "2006-01-02")))
        }),
        fixed("ago", &[ANY], |world, args| {
            let since = now(world)?.timestamp().as_second() - moment(world, &args[0])?.timestamp().as_second();
            Ok(Value::text(plain(&Value::Duration(since.saturating_mul(SECOND)))))
        }),
        fixed("unixEpoch", &[ANY], |world, args| {
            Ok(Value::text(moment(world, &args[0])?.timestamp().as_second().to_string()))
        }),
        fixed("toDate", &[TEXT, TEXT], |_, args| {
            Ok(Value::Time(read(&text(args, 0), &text(args, 1)).unwrap_or_else(|_| year_one())))
        }),
        fixed("mustToDate", &[TEXT, TEXT], |_, args| Ok(Value::Time(read(&text(args, 0), &text(args, 1))?))),
        fixed("duration", &[ANY], |_, args| {
            let seconds = match &args[0] {
                Value::Text(text) => text.parse().unwrap_or(0),
                Value::Int64(n) => *n,
                _ => 0_i64,
            };
            Ok(Value::text(plain(&Value::Duration(seconds.saturating_mul(SECOND)))))
        }),
        fixed("durationRound", &[ANY], |world, args| rounded(world, &args[0])),
        fixed("mustToDuration", &[ANY], |_, args| Ok(Value::Duration(as_duration(&args[0])?))),
        fixed("durationMilliseconds", &[ANY], |_, args| Ok(whole(&args[0], 1_000_000))),
        fixed("durationMicroseconds", &[ANY], |_, args| Ok(whole(&args[0], 1_000))),
        fixed("durationNanoseconds", &[ANY], |_, args| Ok(whole(&args[0], 1))),
        fixed("durationSeconds", &[ANY], |_, args| Ok(part(&args[0], 1.0))),
        fixed("durationMinutes", &[ANY], |_, args| Ok(part(&args[0], 60.0))),
        fixed("durationHours", &[ANY], |_, args| Ok(part(&args[0], 3_600.0))),
        fixed("durationDays", &[ANY], |_, args| Ok(part(&args[0], 86_400.0))),
        fixed("durationWeeks", &[ANY], |_, args| Ok(part(&args[0], 604_800.0))),
        fixed("durationRoundTo", &[ANY, ANY], |_, args| {
            let (time, unit) = (as_duration(&args[0]).unwrap_or(0), as_duration(&args[1]).unwrap_or(0));
            Ok(Value::Duration(if unit <= 0 { time } else { round_to(time, unit) }))
        }),
        fixed("durationTruncateTo", &[ANY, ANY], |_, args| {
            let (time, unit) = (as_duration(&args[0]).unwrap_or(0), as_duration(&args[1]).unwrap_or(0));
            Ok(Value::Duration(if unit <= 0 { time } else { time - time % unit }))
        }),
    ];
    for name in ["dateInZone", "date_in_zone"] {
        all.push(fixed(name, &[TEXT, ANY, TEXT], |world, args| {
            // Only zones that need no data of the machine: others are UTC, as where Go finds none.
            Ok(Value::text(layout(&moment(world, &args[1])?, &text(args, 0))))
        }));
    }
    for name in ["dateModify", "date_modify", "mustDateModify", "must_date_modify"] {
        all.push(fixed(name, &[TEXT, ANY], |world, args| {
            let time = moment(world, &args[1])?;
            let Some(by) = duration(&text(args, 0)) else { return Ok(Value::Time(time)) };
            let moved = time.checked_add(jiff::SignedDuration::from_nanos(by));
            Ok(Value::Time(moved.map_err(|error| Failure::plain(error.to_string()))?))
        }));
    }
    all
}

pub(super) fn now(world: &World<'_>) -> Result<Zoned, Failure> {
    match world.order.now {
        Some(now) => Ok(now.to_zoned(TimeZone::UTC)),
        None => Err("what time it is cannot be told here, because no clock was handed in".into()),
    }
}

fn year_one() -> Zoned {
    Timestamp::from_second(-62_135_596_800).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(TimeZone::UTC)
}

fn moment(world: &World<'_>, value: &Value) -> Result<Zoned, Failure> {
    match value {
        Value::Time(time) => Ok(time.clone()),
        Value::Int(seconds) | Value::Int64(seconds) => {
            let stamp = Timestamp::from_second(*seconds).map_err(|error| Failure::plain(error.to_string()))?;
            Ok(stamp.to_zoned(TimeZone::UTC))
        }
        _ => now(world),
    }
}

/// What stands in a layout of Go, and the conversion that means the same.
const LAYOUT: &[(&str, &str)] = &[
    ("2006", "%Y"),
    ("January", "%B"),
    ("Monday", "%A"),
    ("Jan", "%b"),
    ("Mon", "%a"),
    ("MST", "%Z"),
    ("-07:00", "%:z"),
    ("-0700", "%z"),
    ("Z07:00", "%:z"),
    ("01", "%m"),
    ("02", "%d"),
    ("03", "%I"),
    ("04", "%M"),
    ("05", "%S"),
    ("06", "%y"),
    ("15", "%H"),
    ("PM", "%p"),
    ("pm", "%P"),
    ("_2", "%e"),
    ("1", "%-m"),
    ("2", "%-d"),
    ("3", "%-I"),
    ("4", "%-M"),
    ("5", "%-S"),
];

/// A layout of Go as conversions.
fn conversions(layout: &str) -> String {
    let mut out = String::new();
    let mut rest = layout;
    'layout: while let Some(first) = rest.chars().next() {
        for (theirs, ours) in LAYOUT {
            if let Some(after) = rest.strip_prefix(theirs) {
                out.push_str(ours);
                rest = after;
                continue 'layout;
            }
        }
        if let Some(after) = rest.strip_prefix(".").filter(|after| after.starts_with(['0', '9'])) {
            let digits = after.len() - after.trim_start_matches(['0', '9']).len();
            if !after[digits..].starts_with(|c: char| c.is_ascii_digit()) {
                out.push_str(&if after.starts_with('0') { format!("%.{digits}f") } else { "%.f".to_owned() });
                rest = &after[digits..];
                continue;
            }
        }
        out.push_str(if first == '%' { "%%" } else { &rest[..first.len_utf8()] });
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// A time in a layout of Go.
pub(crate) fn layout(time: &Zoned, layout: &str) -> String {
    let written = jiff::fmt::strtime::format(conversions(layout), time).unwrap_or_default();
    if layout.contains("Z07:00") { written.replace("+00:00", "Z") } else { written }
}

fn read(layout: &str, text: &str) -> Result<Zoned, Failure> {
    let bad = || {
        let quoted = crate::value::quote;
        Failure::plain(format!("parsing time {} as {}: cannot parse", quoted(text), quoted(layout)))
    };
    let text = if layout.contains("Z07:00") { text.replace('Z', "+00:00") } else { text.to_owned() };
    let parsed = jiff::fmt::strtime::parse(conversions(layout), &text).map_err(|_| bad())?;
    if let Ok(stamp) = parsed.to_timestamp() {
        return Ok(stamp.to_zoned(TimeZone::UTC));
    }
    let civil =
        parsed.to_datetime().or_else(|_| parsed.to_date().map(|date| date.at(0, 0, 0, 0))).map_err(|_| bad())?;
    civil.to_zoned(TimeZone::UTC).map_err(|_| bad())
}

/// `time.ParseDuration`, in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..digits].parse().ok()?;
        let after = &rest[digits..];
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        total += number
            * match &after[..end] {
                "ns" => 1.0,
                "us" | "µs" | "μs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3_600e9,
                _ => return None,
            };
        rest = &after[end..];
    }
    nanoseconds(if negative { -total } else { total })
}

fn nanoseconds(total: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "checked to be in range")]
    (total.abs() < 9.22e18).then_some(total as i64)
}

/// What helm 4 takes for a duration: one, its text, or seconds.
fn as_duration(value: &Value) -> Result<i64, Failure> {
    match value {
        Value::Duration(time) => Ok(*time),
        Value::Text(text) => {
            let text = text.trim();
            if text.is_empty() {
                return Err("empty duration".into());
            }
            let seconds = || text.parse::<f64>().ok().and_then(|seconds| nanoseconds(seconds * 1e9));
            duration(text)
                .or_else(seconds)
                .ok_or_else(|| Failure::plain(format!("could not parse duration {}", crate::value::quote(text))))
        }
        Value::Missing | Value::Nil => Err("invalid duration".into()),
        Value::Int(n) | Value::Int64(n) => {
            n.checked_mul(SECOND).ok_or_else(|| Failure::plain(format!("duration seconds overflow: {n}")))
        }
        Value::Float(n) => {
            nanoseconds(n * 1e9).ok_or_else(|| Failure::plain(format!("duration seconds overflow: {}", plain(value))))
        }
        other => Err(format!("unsupported duration type {}", other.type_name()).into()),
    }
}

fn whole(value: &Value, unit: i64) -> Value {
    Value::Int64(as_duration(value).unwrap_or(0) / unit)
}

fn part(value: &Value, unit: f64) -> Value {
    Value::Float(to_float(&Value::Duration(as_duration(value).unwrap_or(0))) / 1e9 / unit)
}

fn round_to(time: i64, unit: i64) -> i64 {
    let rest = time % unit;
    let down = time - rest;
    if rest.abs() >= unit - rest.abs() { down.saturating_add(unit * rest.signum()) } else { down }
}

fn rounded(world: &World<'_>, value: &Value) -> Result<Value, Failure> {
    let time = match value {
        Value::Text(text) => duration(text).unwrap_or(0),
        Value::Int64(n) => *n,
        Value::Time(then) => {
            (now(world)?.timestamp().as_second() - then.timestamp().as_second()).saturating_mul(SECOND)
        }
        _ => 0,
    }
    .unsigned_abs();
    let second = SECOND.unsigned_abs();
    let units = [("y", 31_536_000), ("mo", 2_592_000), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
    for (name, seconds) in units {
        if time > seconds * second {
            return Ok(Value::text(format!("{}{name}", time / (seconds * second))));
        }
    }
    Ok(Value::text("0s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_and_durations_are_those_of_go() {
        let time = Timestamp::from_second(1_700_000_000).unwrap().to_zoned(TimeZone::UTC);
        assert_eq!(layout(&time, "2006-01-02T15:04:05Z07:00"), "2023-11-14T22:13:20Z");
        assert_eq!(layout(&time, "Mon Jan _2 3:04PM"), "Tue Nov 14 10:13PM");
        assert_eq!(duration("1h30m"), Some(5_400 * SECOND));
        assert_eq!(duration("1.5s"), Some(1_500_000_000));
        assert_eq!(duration("5"), None);
    }
}
