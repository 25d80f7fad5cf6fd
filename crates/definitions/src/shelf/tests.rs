//! Every way in which a definition can come, change, go back and be judged.

use kenward_model::Timestamp;

use super::{Event, EventKind, Key, Shelf, Sight, Status};
use crate::{Form, Kind, Mode, Rejection};

const HONEST: &str = r#"{"name":"sum","description":"adds"}"#;
const OTHER: &str = r#"{"name":"sum","description":"adds, and tells"}"#;

fn sight(mode: Mode, form: Form) -> Sight {
    Sight { form, kind: Kind::Tool, mode, now: Timestamp::from_micros(1) }
}

fn see(shelf: &mut Shelf, mode: Mode, form: Form, items: &[(&str, &str)]) -> Vec<EventKind> {
    let items: Vec<_> = items.iter().map(|(name, text)| (*name, *text, None)).collect();
    let (next, events) = shelf.see(&sight(mode, form), &items);
    *shelf = next;
    events.into_iter().map(|event: Event| event.kind).collect()
}

fn key(form: Form) -> Key {
    Key { form, kind: Kind::Tool, name: "sum".into() }
}

fn status(shelf: &Shelf) -> Status {
    shelf.get(Form::Legacy, Kind::Tool, "sum").unwrap().status
}

fn is_withheld(shelf: &Shelf, mode: Mode, form: Form) -> bool {
    shelf.withholds(mode, form, Kind::Tool, "sum").is_some()
}

fn judged(shelf: &Shelf, approve: bool) -> Shelf {
    let now = Timestamp::from_micros(2);
    let judge = if approve { Shelf::approve } else { Shelf::refuse };
    judge(shelf, &key(Form::Legacy), "admin", now).expect("something to judge")
}

#[test]
fn a_change_waits_and_is_served_by_nobody_until_it_is_approved() {
    let mut shelf = Shelf::default();
    let (pin, legacy) = (Mode::Pin, Form::Legacy);
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [EventKind::Approved]);
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), []);
    let reordered = r#"{ "description":"adds", "name":"\u0073um" }"#;
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", reordered)]), [], "it says the same");
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", OTHER)]), [EventKind::Changed]);
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", OTHER)]), []);
    for form in [legacy, Form::Modern] {
        assert!(is_withheld(&shelf, pin, form), "{form:?}");
        assert!(is_withheld(&shelf, Mode::Approve, form), "{form:?}");
        assert!(!is_withheld(&shelf, Mode::Live, form), "{form:?}");
    }
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [EventKind::Both]);
    assert!(is_withheld(&shelf, pin, legacy), "going back is no way out");
    let shelf = judged(&shelf, true);
    assert!(!is_withheld(&shelf, pin, legacy));
    let entry = shelf.get(legacy, Kind::Tool, "sum").unwrap();
    assert_eq!(entry.served().map(|text| &**text), Some(OTHER));
    assert_eq!(entry.decided.as_ref().map(|(_, by)| &**by), Some("admin"));
}

#[test]
fn what_was_refused_stays_away_for_as_long_as_it_is_shown() {
    let mut shelf = Shelf::default();
    let (pin, legacy) = (Mode::Pin, Form::Legacy);
    see(&mut shelf, pin, legacy, &[("sum", HONEST)]);
    see(&mut shelf, pin, legacy, &[("sum", OTHER)]);
    let mut shelf = judged(&shelf, false);
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", OTHER)]), []);
    assert!(is_withheld(&shelf, pin, legacy));
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [EventKind::Approved]);
    assert!(!is_withheld(&shelf, pin, legacy));
    let mut shelf = judged(&shelf, false);
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [], "no to what was approved");
    assert!(is_withheld(&shelf, pin, legacy));
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", OTHER)]), [EventKind::Waiting]);
}

#[test]
fn where_approval_is_needed_the_first_sight_waits() {
    let mut shelf = Shelf::default();
    let (approve, legacy) = (Mode::Approve, Form::Legacy);
    assert!(is_withheld(&shelf, approve, legacy), "what nobody has seen is not approved either");
    assert_eq!(see(&mut shelf, approve, legacy, &[("sum", HONEST)]), [EventKind::Waiting]);
    assert!(is_withheld(&shelf, approve, legacy));
    assert_eq!(see(&mut shelf, approve, legacy, &[("sum", OTHER)]), [EventKind::Waiting]);
    let mut shelf = judged(&shelf, true);
    assert!(!is_withheld(&shelf, approve, legacy));
    let same = see(&mut shelf, approve, Form::Modern, &[("sum", OTHER)]);
    assert_eq!(same, [EventKind::Approved], "the same words are approved for both eras");
}

#[test]
fn another_form_for_the_other_era_waits_and_harms_nobody_in_the_first() {
    let mut shelf = Shelf::default();
    see(&mut shelf, Mode::Pin, Form::Legacy, &[("sum", HONEST)]);
    let other = see(&mut shelf, Mode::Pin, Form::Modern, &[("sum", OTHER)]);
    assert_eq!(other, [EventKind::Waiting]);
    assert!(is_withheld(&shelf, Mode::Pin, Form::Modern));
    assert!(!is_withheld(&shelf, Mode::Pin, Form::Legacy));
}

#[test]
fn what_nobody_can_approve_is_rejected_however_it_comes() {
    let mut shelf = Shelf::default();
    let (pin, legacy) = (Mode::Pin, Form::Legacy);
    let twice = see(&mut shelf, pin, legacy, &[("sum", HONEST), ("sum", OTHER)]);
    assert!(matches!(twice[..], [EventKind::Rejected(_)]), "{twice:?}");
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [EventKind::Waiting]);
    let mut shelf = judged(&shelf, true);
    let twin = see(&mut shelf, pin, legacy, &[("sum", HONEST), ("Sum", OTHER), ("surn", OTHER)]);
    assert!(matches!(twin[..], [EventKind::Rejected(_), EventKind::Rejected(_)]), "{twin:?}");
    assert_eq!(status(&shelf), Status::Approved, "the one that was there stays");
    let remote = r#"{"name":"sum","inputSchema":{"$ref":"https://evil.example/"}}"#;
    let changed = see(&mut shelf, pin, legacy, &[("sum", remote)]);
    assert!(matches!(changed[..], [EventKind::Rejected(_)]), "{changed:?}");
    assert!(shelf.approve(&key(legacy), "admin", Timestamp::from_micros(3)).is_none());
    assert_eq!(see(&mut shelf, pin, legacy, &[("sum", HONEST)]), [EventKind::Changed]);
    let unfit = [("sum", HONEST, Some(Rejection::Unfit("no header".to_owned())))];
    let (next, _) = shelf.see(&sight(pin, legacy), &unfit);
    assert_eq!(status(&next), Status::Rejected);
}

#[test]
fn what_is_served_is_clean_and_what_is_pinned_is_not() {
    let mut shelf = Shelf::default();
    let hidden = "{\"name\":\"sum\",\"description\":\"ad\u{200b}ds\"}";
    see(&mut shelf, Mode::Pin, Form::Legacy, &[("sum", hidden)]);
    let served = shelf.get(Form::Legacy, Kind::Tool, "sum").unwrap().served().cloned();
    assert_eq!(served.as_deref(), Some(HONEST));
    let cleaner = see(&mut shelf, Mode::Pin, Form::Legacy, &[("sum", HONEST)]);
    assert_eq!(cleaner, [EventKind::Changed], "invisible text is a change too");
}

#[test]
fn a_server_cannot_fill_the_memory() {
    let mut shelf = Shelf::default();
    for round in 0..3 {
        let names: Vec<String> = (0..1_000).map(|n| format!("t_{round}_{n}x")).collect();
        let items: Vec<_> = names.iter().map(|name| (name.as_str(), HONEST)).collect();
        see(&mut shelf, Mode::Pin, Form::Legacy, &items);
    }
    assert_eq!(shelf.entries().count(), super::MOST_ENTRIES);
}
