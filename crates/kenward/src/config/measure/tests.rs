//! What is a measure, and what is not.

use std::time::Duration;

use super::{duration, size};

#[test]
fn durations() {
    assert_eq!(duration("30s"), Some(Duration::from_secs(30)));
    assert_eq!(duration("10ms"), Some(Duration::from_millis(10)));
    assert_eq!(duration("5m"), Some(Duration::from_mins(5)));
    assert_eq!(duration("1h"), Some(Duration::from_hours(1)));
    assert_eq!(duration("2 s"), Some(Duration::from_secs(2)));
    for bad in ["", "s", "30", "-1s", "1.5s", "30S", "30 seconds", "s30", "18446744073709551615h"] {
        assert_eq!(duration(bad), None, "{bad}");
    }
}

#[test]
fn sizes() {
    assert_eq!(size("4MiB"), Some(4 << 20));
    assert_eq!(size("4 KiB"), Some(4 << 10));
    assert_eq!(size("1GiB"), Some(1 << 30));
    assert_eq!(size("12"), Some(12));
    for bad in ["", "MiB", "4MB", "4mib", "4.5MiB", "-4", "18446744073709551615GiB"] {
        assert_eq!(size(bad), None, "{bad}");
    }
}
