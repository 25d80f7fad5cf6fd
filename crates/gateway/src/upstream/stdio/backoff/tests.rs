use std::time::Duration;

use tokio::time::Instant;

use super::{Backoff, LONGEST, wait};

#[test]
fn the_wait_doubles_and_has_an_end() {
    let waits: Vec<u128> = (0..=6).map(|deaths| wait(deaths).as_millis()).collect();
    assert_eq!(waits, [0, 0, 0, 250, 500, 1_000, 2_000]);
    assert_eq!(wait(u32::MAX), LONGEST);
}

#[test]
fn a_loop_of_deaths_is_slowed_for_its_own_party_and_forgotten_later() {
    let backoff = Backoff::default();
    let mut now = Instant::now();
    for _ in 0..2 {
        backoff.died("rita", now, now);
        assert!(backoff.may_start(&"rita", now), "twice at once");
    }
    for waited in [250, 500, 1_000] {
        backoff.died("rita", now, now);
        assert!(!backoff.may_start(&"rita", now));
        assert!(backoff.may_start(&"ron", now), "another is not held up");
        now += Duration::from_millis(waited - 1);
        assert!(!backoff.may_start(&"rita", now), "{waited}");
        now += Duration::from_millis(1);
        assert!(backoff.may_start(&"rita", now), "{waited}");
    }
    now += Duration::from_mins(1);
    backoff.died("rita", now, now);
    assert!(backoff.may_start(&"rita", now), "long ago");
}

#[test]
fn a_long_life_clears_the_record() {
    let backoff = Backoff::default();
    let started = Instant::now();
    for _ in 0..9 {
        backoff.died("rita", started, started);
    }
    let later = started + Duration::from_secs(61);
    backoff.died("rita", started, later);
    assert!(backoff.may_start(&"rita", later));
}
