use std::time::Duration;

use kenward_identity::grant::GrantKey;
use kenward_model::Timestamp;
use serde_json::Value;

use super::{ANNOUNCED, GrantKeys, IN_USE, RotationDue};
use crate::tests::{at, key};

fn published(ring: &GrantKeys) -> Vec<String> {
    let keys: Value = serde_json::from_slice(&ring.published()).expect("a key set");
    let keys = keys["keys"].as_array().expect("keys").clone();
    keys.iter().map(|key| key["kid"].as_str().expect("a kid").to_owned()).collect()
}

fn signs(ring: &GrantKeys, now: Timestamp) -> String {
    ring.current(now).kid().to_owned()
}

/// A key made so long after `at(0)`, with its id.
fn made(age: Duration) -> (GrantKey, String) {
    let key = key(i64::try_from(age.as_secs()).expect("a time"));
    let kid = key.kid().to_owned();
    (key, kid)
}

fn after(span: Duration) -> Timestamp {
    at(0).plus(span)
}

#[test]
fn the_only_key_signs_from_the_first_moment() {
    let (only, kid) = made(Duration::ZERO);
    let ring = GrantKeys::new(only, Vec::new());
    for now in [at(-10), at(0), after(ANNOUNCED), after(IN_USE * 10)] {
        assert_eq!(signs(&ring, now), kid);
    }
    assert_eq!(published(&ring), [kid]);
}

#[test]
fn a_new_key_is_published_before_it_signs() {
    let (old, old_kid) = made(Duration::ZERO);
    let ring = GrantKeys::new(old, Vec::new());
    let (new, new_kid) = made(IN_USE);
    assert!(ring.rotate(new, after(IN_USE)).is_empty());
    assert_eq!(published(&ring), [old_kid.clone(), new_kid.clone()]);
    let just_before = ANNOUNCED.saturating_sub(Duration::from_micros(1));
    assert_eq!(signs(&ring, after(IN_USE)), old_kid);
    assert_eq!(signs(&ring, after(IN_USE + just_before)), old_kid);
    assert_eq!(signs(&ring, after(IN_USE + ANNOUNCED)), new_kid);
    assert_eq!(published(&ring).len(), 2, "the old one is still needed to verify");
}

#[test]
fn a_key_is_due_to_be_replaced_after_its_time() {
    let (only, _) = made(Duration::ZERO);
    let ring = GrantKeys::new(only, Vec::new());
    assert_eq!(ring.rotation(after(IN_USE.saturating_sub(Duration::from_micros(1)))), None);
    assert_eq!(ring.rotation(after(IN_USE)), Some(RotationDue));
    let (new, _) = made(IN_USE);
    assert!(ring.rotate(new, after(IN_USE)).is_empty());
    assert_eq!(ring.rotation(after(IN_USE)), None);
    assert_eq!(ring.rotation(after(IN_USE * 2)), Some(RotationDue));
}

#[test]
fn over_months_of_rotation_the_ring_stays_small_and_whatever_signs_is_published() {
    let (first, _) = made(Duration::ZERO);
    let ring = GrantKeys::new(first, Vec::new());
    let mut seen = Vec::new();
    for day in 1..90 {
        let now = after(IN_USE * day);
        let signed_before = signs(&ring, now);
        let (new, kid) = made(IN_USE * day);
        let gone = ring.rotate(new, now);
        assert!(!gone.contains(&kid) && !gone.contains(&signed_before), "day {day}");
        let public = published(&ring);
        assert!(public.contains(&signed_before) && public.contains(&kid), "day {day}");
        assert!(gone.iter().all(|kid| !public.contains(kid)), "day {day}");
        assert!(public.len() <= 4, "day {day}: {}", public.len());
        seen.extend(gone);
    }
    let all = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), all, "a key is retired once");
    assert!(all >= 80, "old keys do leave: {all}");
}

#[test]
fn a_ring_read_back_signs_with_the_newest_that_was_announced() {
    let (a, _) = made(Duration::ZERO);
    let (b, b_kid) = made(IN_USE);
    let (c, c_kid) = made(IN_USE * 2);
    let ring = GrantKeys::new(c, vec![b, a]);
    assert_eq!(signs(&ring, after(IN_USE * 2)), b_kid);
    assert_eq!(signs(&ring, after(IN_USE * 2 + ANNOUNCED)), c_kid);
    assert_eq!(published(&ring).len(), 3);
}

#[test]
fn after_a_long_sleep_the_key_that_signed_until_now_is_not_retired() {
    let (old, old_kid) = made(Duration::ZERO);
    let ring = GrantKeys::new(old, Vec::new());
    let now = after(IN_USE * 5);
    assert_eq!(signs(&ring, now), old_kid, "a grant in flight");
    let (new, _) = made(IN_USE * 5);
    let gone = ring.rotate(new, now);
    assert!(gone.is_empty() && published(&ring).contains(&old_kid));
    assert_eq!(signs(&ring, now), old_kid, "the new one is not announced yet");
}

#[test]
fn private_parts_are_not_published() {
    let (only, _) = made(Duration::ZERO);
    let ring = GrantKeys::new(only, Vec::new());
    let text = String::from_utf8(ring.published().to_vec()).expect("text");
    assert!(!text.contains("\"d\""), "{text}");
}
