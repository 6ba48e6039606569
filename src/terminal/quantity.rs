//! Formats numbers for people: short, and aligned by the code that makes columns.

use std::time::Duration;

use indicatif::{DecimalBytes, HumanCount};

/// `12,300`.
pub(super) fn count(count: u64) -> String {
    HumanCount(count).to_string()
}

/// `45.20 MB`.
pub(super) fn bytes(bytes: u64) -> String {
    DecimalBytes(bytes).to_string()
}

/// `8.0 s`, `3m 05s`, `2h 00m`.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1} s", time.as_secs_f64().min(59.9)),
        60..3_600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

/// The rest of a wait: `8 s`, counted down to `1 s`.
pub(super) fn countdown(left: Duration) -> String {
    let seconds = left.as_millis().div_ceil(1_000);
    let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
    if seconds < 60 { format!("{seconds} s") } else { time(Duration::from_secs(seconds)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_short() {
        assert_eq!(
            (count(1_234_567), bytes(45_200_000), bytes(7)),
            ("1,234,567".into(), "45.20 MB".into(), "7 B".into())
        );
        let times = [0.0, 8.04, 59.99, 60.0, 185.9, 7_199.0].map(|seconds| time(Duration::from_secs_f64(seconds)));
        assert_eq!(times, ["0.0 s", "8.0 s", "59.9 s", "1m 00s", "3m 05s", "1h 59m"]);
        let left = [7.2, 0.001, 60.0, 61.5].map(|seconds| countdown(Duration::from_secs_f64(seconds)));
        assert_eq!(left, ["8 s", "1 s", "1m 00s", "1m 02s"]);
    }
}
