//! What Rita was told and was refused before.

use std::sync::Arc;
use std::time::Duration;

use kenward_disclosure::{Entry, History, Learnt, Shadow, ShadowSource};
use kenward_model::{DecisionId, EntityUid, Fact, Precision, Timestamp};

use crate::deployment::{ATTRIBUTES, FAMILIES, attribute, family};
use crate::directory;
use crate::random::Random;

/// Of so many customers something was told,
pub(crate) const KNOWN: usize = 50;
/// so many facts of each.
pub(crate) const FACTS: usize = 10;
/// So many refusals stand.
pub(crate) const SHADOWS: usize = 20;

pub(crate) fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

pub(crate) fn decision(number: u64) -> DecisionId {
    let mut entropy = [0; 10];
    entropy.iter_mut().zip(number.to_le_bytes()).for_each(|(to, byte)| *to = byte);
    DecisionId::new(now(), &entropy)
}

fn customer(number: usize) -> EntityUid {
    EntityUid::new("Customer", directory::id(number))
}

/// The customers of whom something was told.
pub(crate) fn known(entities: usize) -> Vec<usize> {
    let mut random = Random::new(2);
    (0..KNOWN).map(|_| directory::open_customer(&mut random, entities)).collect()
}

/// A history of 500 facts and of 20 refusals, which are about something of the family `of`.
pub(crate) fn history(entities: usize, of: usize) -> History {
    let mut history = History::default();
    for number in known(entities) {
        let mut random = Random::new(u64::try_from(number).expect("64 bits"));
        let first = random.below(5);
        for step in 0..FACTS {
            history.apply(&Entry::Learnt(learnt(number, first + step * 5)));
        }
    }
    let mut random = Random::new(3);
    for _ in 0..SHADOWS {
        let subject = customer(random.below(entities) / 10 * 10);
        history.apply(&Entry::Refused(shadow(subject, of)));
    }
    history
}

fn fact(subject: EntityUid, number: usize) -> Fact {
    let precision = Precision::EXACT;
    let family = family(number % FAMILIES).into();
    Fact { subject, attribute: attribute(number % ATTRIBUTES).into(), family, precision }
}

fn learnt(customer_number: usize, attribute: usize) -> Learnt {
    let fact = fact(customer(customer_number), attribute);
    let (first, last) = (now(), now());
    let via: Arc<str> = "bench/another".into();
    Learnt { fact, first, last, via, decision: decision(1), answers: vec![1] }
}

fn shadow(subject: EntityUid, of: usize) -> Shadow {
    Shadow {
        fact: Some(fact(subject.clone(), of)),
        subject: Some(subject),
        family: family(of).into(),
        source: ShadowSource::Policy,
        cast: now(),
        expires: now().plus(Duration::from_hours(24)),
        decision: decision(1),
        tools: vec!["bench/another".into()],
    }
}
