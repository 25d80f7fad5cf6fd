//! What is known, reserved and refused, entry by entry.

use std::sync::Arc;

use kenward_model::{DecisionId, EntityUid, Fact, Precision, Timestamp};

use super::{Answered, Entry, Granted, History, Learnt, Shadow, ShadowSource, Term};

fn decision(n: u8) -> DecisionId {
    DecisionId::new(Timestamp::from_seconds(0), &[n; 10])
}

fn learnt(attribute: &str, precision: u8, answer: u64) -> Learnt {
    let fact = Fact {
        subject: EntityUid::new("Customer", "1"),
        attribute: attribute.into(),
        family: "location".into(),
        precision: Precision(precision),
    };
    let now = Timestamp::from_seconds(10);
    let via = "desk/find".into();
    Learnt { fact, first: now, last: now, via, decision: decision(1), answers: vec![answer] }
}

#[test]
fn what_is_reserved_is_known_until_it_is_undone() {
    let mut history = History::default();
    let fact = learnt("address", 0, 1).fact;
    history.apply(&Entry::Reserved(decision(1), vec![learnt("address", 0, 1)]));
    assert!(history.knows(&fact));
    history.apply(&Entry::Undone(decision(1)));
    assert!(!history.knows(&fact));
    assert!(history.is_empty());
}

#[test]
fn undoing_a_call_takes_nothing_back_that_another_told() {
    let mut history = History::default();
    history.apply(&Entry::Learnt(learnt("address", 2, 1)));
    history.apply(&Entry::Reserved(decision(2), vec![learnt("address", 0, 2)]));
    history.apply(&Entry::Undone(decision(2)));
    assert!(history.knows(&learnt("address", 2, 1).fact));
    assert!(!history.knows(&learnt("address", 0, 1).fact));
}

#[test]
fn answers_are_counted_once_each() {
    let mut history = History::default();
    for answer in [1, 2, 2, 1, 3] {
        history.apply(&Entry::Learnt(learnt("nearby_places", 2, answer)));
    }
    let subject = EntityUid::new("Customer", "1");
    let counts: Vec<usize> = history.known(&subject).map(|row| row.answers.len()).collect();
    assert_eq!(counts, [3]);
}

mod shortened {
    //! A history that is written anew is the same history.

    use proptest::prelude::*;

    use super::*;

    fn subject(number: u8) -> EntityUid {
        EntityUid::new("Customer", (number % 3).to_string())
    }

    fn row(number: u8, seconds: u8) -> Learnt {
        let attribute = ["address", "city", "route"][usize::from(seconds % 3)];
        let mut row = learnt(attribute, number % 4, u64::from(seconds));
        row.fact.subject = subject(number);
        (row.first, row.last) = (at(seconds), at(seconds));
        row
    }

    fn at(seconds: u8) -> Timestamp {
        Timestamp::from_seconds(seconds.into())
    }

    fn entry() -> impl Strategy<Value = Entry> {
        (0_u8..10, any::<u8>(), any::<u8>()).prop_map(|(kind, a, b)| {
            let family: Arc<str> = ["location", "contact"][usize::from(a % 2)].into();
            let source = [ShadowSource::Policy, ShadowSource::Upstream][usize::from(b % 2)];
            match kind {
                0 => Entry::Reserved(decision(a % 4), vec![row(a, b), row(b, a)]),
                1 => Entry::Confirmed(decision(a % 4)),
                2 => Entry::Undone(decision(a % 4)),
                3 => Entry::Learnt(row(a, b)),
                4 => Entry::Forgotten(subject(a), row(a, b).fact.attribute),
                5 => Entry::Refused(Shadow {
                    subject: (a % 5 > 0).then(|| subject(a)),
                    family,
                    fact: (b % 3 > 0).then(|| row(a, b).fact),
                    source,
                    cast: at(a),
                    expires: at(b),
                    decision: decision(a),
                    tools: vec!["desk/find".into(), b.to_string().into()],
                }),
                6 => Entry::Lifted { subject: Some(subject(a)), family, source },
                7 => Entry::Missed { subject: subject(a), attribute: "address".into() },
                8 => Entry::Answered(Answered {
                    attribute: family,
                    via: "desk/count".into(),
                    terms: vec![Term { key: a.into(), condition: b.into(), equals: true }],
                    count: b.into(),
                }),
                _ => {
                    let (subject, until) = (subject(a), at(b));
                    Entry::Granted(Granted { subject, family, until, by: "boss".into() })
                }
            }
        })
    }

    fn of<'e>(entries: impl IntoIterator<Item = &'e Entry>) -> History {
        let mut history = History::default();
        entries.into_iter().for_each(|entry| history.apply(entry));
        history
    }

    proptest! {
        #[test]
        fn it_says_the_same_and_goes_on_the_same(
            before in prop::collection::vec(entry(), 0..60),
            after in prop::collection::vec(entry(), 0..20),
        ) {
            let short = of(&before).to_entries(Timestamp::from_micros(i64::MIN));
            prop_assert_eq!(of(&short), of(&before));
            prop_assert_eq!(of(short.iter().chain(&after)), of(before.iter().chain(&after)));
            let text = serde_json::to_string(&short).expect("text");
            prop_assert_eq!(serde_json::from_str::<Vec<Entry>>(&text).expect("entries"), short);
        }

        #[test]
        fn only_what_has_ended_is_left_out(
            before in prop::collection::vec(entry(), 0..60),
            now in any::<u8>(),
        ) {
            let (history, now) = (of(&before), at(now));
            let short = of(&history.to_entries(now));
            let standing = |history: &History| -> Vec<Shadow> {
                history.shadows(now).cloned().collect()
            };
            prop_assert_eq!(standing(&short), standing(&history));
            prop_assert_eq!(short.shadows.len(), standing(&history).len());
            for number in 0..3 {
                for family in ["location", "contact"] {
                    let (subject, later) = (subject(number), now);
                    prop_assert_eq!(
                        short.is_granted(&subject, family, later),
                        history.is_granted(&subject, family, later)
                    );
                }
            }
            prop_assert_eq!(&short.ledger, &history.ledger);
            prop_assert_eq!(short.rows, history.rows);
            prop_assert_eq!(&short.reserved, &history.reserved);
            prop_assert_eq!(&short.misses, &history.misses);
            prop_assert_eq!(&short.answered, &history.answered);
        }
    }
}

#[test]
fn a_shadow_that_has_ended_is_not_taken_up_again() {
    let shadow = |cast: i64, tool: &str| Shadow {
        subject: Some(EntityUid::new("Customer", "1")),
        family: "location".into(),
        fact: None,
        source: ShadowSource::Upstream,
        cast: Timestamp::from_seconds(cast),
        expires: Timestamp::from_seconds(cast + 10),
        decision: decision(1),
        tools: vec![tool.into()],
    };
    let mut history = History::default();
    history.apply(&Entry::Refused(shadow(0, "a/b")));
    history.apply(&Entry::Refused(shadow(5, "a/c")));
    let tools = |history: &History, now| -> Vec<String> {
        let now = Timestamp::from_seconds(now);
        history.shadows(now).flat_map(|s| &s.tools).map(ToString::to_string).collect()
    };
    assert_eq!(tools(&history, 14), ["a/b", "a/c"]);
    assert!(tools(&history, 15).is_empty(), "it ends when its time is over");
    history.apply(&Entry::Refused(shadow(20, "a/d")));
    assert_eq!(tools(&history, 21), ["a/d"]);
    let written = serde_json::to_string(&Entry::Refused(shadow(0, "a/b"))).unwrap();
    assert_eq!(serde_json::from_str::<Entry>(&written).unwrap(), Entry::Refused(shadow(0, "a/b")));
}
