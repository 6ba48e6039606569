//! Dates, times and spans.

use super::super::args::{CallArgs, int, text};
use super::super::datetime::{Date, DateTime, Offset, Time, strftime};
use super::super::error::{Fault, Result};
use super::super::value::{Object, Value};

const DATE_METHODS: [&str; 10] = [
    "ctime",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "timetuple",
    "toordinal",
    "weekday",
    "fromisoformat",
];
pub(super) const DATE: &[&str] = &DATE_METHODS;
pub(super) const DATETIME: &[&str] = &[
    "ctime",
    "isocalendar",
    "isoformat",
    "isoweekday",
    "replace",
    "strftime",
    "timetuple",
    "toordinal",
    "weekday",
    "fromisoformat",
    "astimezone",
    "date",
    "dst",
    "time",
    "timestamp",
    "timetz",
    "tzname",
    "utcoffset",
    "utctimetuple",
    "strptime",
    "fromtimestamp",
];

pub(super) fn field(value: &Value, name: &str) -> Option<Value> {
    let int = |value: i64| Some(Value::Int(value));
    let zone = |offset: Option<Offset>| Some(offset.map_or(Value::None, Value::Zone));
    let date = match value {
        Value::DateTime(moment) => Some(moment.date),
        Value::Date(date) => Some(*date),
        _ => None,
    };
    if let Some(date) = date {
        match name {
            "year" => return int(date.year.into()),
            "month" => return int(date.month.into()),
            "day" => return int(date.day.into()),
            _ => {}
        }
    }
    let clock = match value {
        Value::DateTime(moment) => Some((moment.time, moment.offset)),
        Value::Time(time, offset) => Some((*time, *offset)),
        _ => None,
    };
    if let Some((time, offset)) = clock {
        return match name {
            "hour" => int(time.hour.into()),
            "minute" => int(time.minute.into()),
            "second" => int(time.second.into()),
            "microsecond" => int(time.micro.into()),
            "tzinfo" => zone(offset),
            "fold" => int(0),
            _ => None,
        };
    }
    let delta = match value {
        Value::Delta(delta) => *delta,
        Value::Duration(duration) => {
            let decimal = |value: super::super::datetime::Decimal| {
                Some(if value.is_whole() { Value::big(value.truncated().into()) } else { Value::Float(value.to_f64()) })
            };
            match name {
                "years" => return decimal(duration.years),
                "months" => return decimal(duration.months),
                "tdelta" => return Some(Value::Delta(duration.delta)),
                _ => duration.delta,
            }
        }
        _ => return None,
    };
    match name {
        "days" => int(delta.days()),
        "seconds" => int(delta.seconds()),
        "microseconds" => int(delta.micros()),
        _ => None,
    }
}

pub(super) fn call(receiver: &Value, name: &'static str, args: CallArgs) -> Result<Value> {
    match receiver {
        Value::DateTime(moment) => datetime(*moment, name, args),
        Value::Date(date) => date_method(*date, name, args),
        Value::Time(time, offset) => time_method(*time, *offset, name, args),
        Value::Delta(delta) => args.none(name).map(|()| Value::Float(delta.total_seconds())),
        Value::Duration(duration) => args.none(name).map(|()| Value::Float(duration.delta.total_seconds())),
        Value::Zone(offset) => {
            let [_] = args.bind(name, [""], 1)?;
            Ok(offset_method(Some(*offset), name))
        }
        _ => Err(Fault::ty("a date is expected")),
    }
}

fn offset_method(offset: Option<Offset>, name: &str) -> Value {
    match (offset, name) {
        (Some(offset), "utcoffset") => Value::Delta(super::super::datetime::Delta(offset.micros.into())),
        (Some(offset), "tzname") => Value::str(offset.name()),
        _ => Value::None,
    }
}

/// The offset of a `tzinfo` argument.
fn zone(value: &Value) -> Result<Option<Offset>> {
    match value {
        Value::None => Ok(None),
        Value::Zone(offset) => Ok(Some(*offset)),
        _ => Err(Fault::ty("tzinfo argument must be None or of a tzinfo subclass")),
    }
}

fn datetime(moment: DateTime, name: &'static str, args: CallArgs) -> Result<Value> {
    let DateTime { date, time, offset } = moment;
    Ok(match name {
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            Value::str(strftime(&moment, &text(&format.unwrap_or(Value::None), name)?))
        }
        "isoformat" => {
            let [separator, timespec] = args.bind(name, ["sep", "timespec"], 0)?;
            let separator = separator.map(|separator| text(&separator, name)).transpose()?;
            let mut characters = separator.as_deref().unwrap_or("T").chars();
            let (Some(separator), None) = (characters.next(), characters.next()) else {
                return Err(Fault::ty("isoformat() argument 1 must be a unicode character"));
            };
            let timespec = timespec.map(|timespec| text(&timespec, name)).transpose()?;
            Value::str(moment.iso(separator, timespec.as_deref().unwrap_or("auto"))?)
        }
        "date" => args.none(name).map(|()| Value::Date(date))?,
        "time" => args.none(name).map(|()| Value::Time(time, None))?,
        "timetz" => args.none(name).map(|()| Value::Time(time, offset))?,
        "timestamp" => args.none(name).map(|()| Value::Float(moment.timestamp()))?,
        "utcoffset" | "tzname" | "dst" => args.none(name).map(|()| offset_method(offset, name))?,
        "astimezone" => {
            let [to] = args.bind(name, ["tz"], 0)?;
            let to = to.map_or(Ok(None), |to| zone(&to))?.unwrap_or(Offset::UTC);
            Value::DateTime(moment.at_offset(to)?)
        }
        "replace" => {
            let names = ["year", "month", "day", "hour", "minute", "second", "microsecond", "tzinfo"];
            let [year, month, day, hour, minute, second, micro, tzinfo] = args.bind(name, names, 0)?;
            let or = |value: Option<Value>, now: i64| value.map_or(Ok(now), |value| int(&value, name));
            let date =
                Date::new(or(year, date.year.into())?, or(month, date.month.into())?, or(day, date.day.into())?)?;
            let time = Time::new(
                or(hour, time.hour.into())?,
                or(minute, time.minute.into())?,
                or(second, time.second.into())?,
                or(micro, time.micro.into())?,
            )?;
            let offset = tzinfo.map_or(Ok(offset), |tzinfo| zone(&tzinfo))?;
            Value::DateTime(DateTime { date, time, offset })
        }
        "timetuple" => args
            .none(name)
            .map(|()| timetuple(date, time, if offset.is_some_and(|offset| offset.pytz) { 0 } else { -1 }))?,
        "utctimetuple" => {
            args.none(name)?;
            let utc = moment.at_offset(Offset::UTC)?;
            timetuple(utc.date, utc.time, 0)
        }
        "ctime" => args.none(name).map(|()| Value::str(strftime(&moment, "%a %b %e %H:%M:%S ") + &year4(date)))?,
        "strptime" => {
            let [value, format] = args.bind(name, ["", ""], 2)?;
            let (value, format) = (value.unwrap_or(Value::None), format.unwrap_or(Value::None));
            Value::DateTime(super::super::datetime::strptime(&text(&value, name)?, &text(&format, name)?)?)
        }
        "fromisoformat" | "fromtimestamp" => return Err(unsupported(name)),
        _ => return date_method(date, name, args),
    })
}

fn unsupported(name: &str) -> Box<Fault> {
    Fault::unsupported(format!("the method '{name}' of dates is not supported in templates"))
}

fn year4(date: Date) -> String {
    format!("{:04}", date.year)
}

fn timetuple(date: Date, time: Time, daylight: i64) -> Value {
    let names = &["tm_year", "tm_mon", "tm_mday", "tm_hour", "tm_min", "tm_sec", "tm_wday", "tm_yday", "tm_isdst"];
    let values: Vec<i64> = vec![
        date.year.into(),
        date.month.into(),
        date.day.into(),
        time.hour.into(),
        time.minute.into(),
        time.second.into(),
        date.weekday().into(),
        date.year_day().into(),
        daylight,
    ];
    let tuple = Value::tuple(values.into_iter().map(Value::Int).collect());
    Value::object(Object::Named("time.struct_time", names, tuple))
}

fn date_method(date: Date, name: &'static str, args: CallArgs) -> Result<Value> {
    let midnight = date.at_midnight();
    Ok(match name {
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            Value::str(strftime(&midnight, &text(&format.unwrap_or(Value::None), name)?))
        }
        "replace" => {
            let [year, month, day] = args.bind(name, ["year", "month", "day"], 0)?;
            let or = |value: Option<Value>, now: i64| value.map_or(Ok(now), |value| int(&value, name));
            Value::Date(Date::new(
                or(year, date.year.into())?,
                or(month, date.month.into())?,
                or(day, date.day.into())?,
            )?)
        }
        "isoformat" => args.none(name).map(|()| Value::str(date.to_string()))?,
        "weekday" => args.none(name).map(|()| Value::Int(date.weekday().into()))?,
        "isoweekday" => args.none(name).map(|()| Value::Int(i64::from(date.weekday()) + 1))?,
        "toordinal" => args.none(name).map(|()| Value::Int(date.ordinal()))?,
        "timetuple" => args.none(name).map(|()| timetuple(date, Time::default(), -1))?,
        "ctime" => args.none(name).map(|()| Value::str(strftime(&midnight, "%a %b %e 00:00:00 ") + &year4(date)))?,
        "isocalendar" => {
            args.none(name)?;
            let (year, week, weekday) = date.iso_calendar();
            let tuple = [i64::from(year), week.into(), weekday.into()].map(Value::Int).to_vec();
            Value::object(Object::Named("datetime.IsoCalendarDate", &["year", "week", "weekday"], Value::tuple(tuple)))
        }
        _ => return Err(unsupported(name)),
    })
}

fn time_method(time: Time, offset: Option<Offset>, name: &'static str, args: CallArgs) -> Result<Value> {
    Ok(match name {
        "isoformat" => {
            let [timespec] = args.bind(name, ["timespec"], 0)?;
            let timespec = timespec.map(|timespec| text(&timespec, name)).transpose()?;
            let text = time.iso(timespec.as_deref().unwrap_or("auto"))?;
            Value::str(text + &offset.map(|offset| offset.iso(":")).unwrap_or_default())
        }
        "strftime" => {
            let [format] = args.bind(name, ["format"], 1)?;
            let date = Date { year: 1900, month: 1, day: 1 };
            let moment = DateTime { date, time, offset };
            Value::str(strftime(&moment, &text(&format.unwrap_or(Value::None), name)?))
        }
        "replace" => {
            let names = ["hour", "minute", "second", "microsecond", "tzinfo"];
            let [hour, minute, second, micro, tzinfo] = args.bind(name, names, 0)?;
            let or = |value: Option<Value>, now: i64| value.map_or(Ok(now), |value| int(&value, name));
            let time = Time::new(
                or(hour, time.hour.into())?,
                or(minute, time.minute.into())?,
                or(second, time.second.into())?,
                or(micro, time.micro.into())?,
            )?;
            Value::Time(time, tzinfo.map_or(Ok(offset), |tzinfo| zone(&tzinfo))?)
        }
        _ => args.none(name).map(|()| offset_method(offset, name))?,
    })
}
