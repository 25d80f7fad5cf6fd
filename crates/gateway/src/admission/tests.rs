use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Admission;
use crate::tests::{caller, party};

#[test]
fn a_party_holds_as_much_as_it_may_and_no_more() {
    let admission = Admission::new(2);
    let ann = caller("ann");
    let first = admission.enter(&ann).expect("the first");
    let _second = admission.enter(&ann).expect("the second");
    assert!(admission.enter(&ann).is_err(), "a third");
    drop(first);
    let _third = admission.enter(&ann).expect("another once one is free");
    assert!(admission.enter(&ann).is_err(), "one more again");
}

#[test]
fn nobody_gets_in_where_nothing_may_be_held() {
    assert!(Admission::new(0).enter(&caller("ann")).is_err());
}

#[test]
fn parties_do_not_stand_in_each_others_way() {
    let admission = Admission::new(1);
    let parties = [
        party("ann", "desktop", "https://idp.example.com"),
        party("bob", "desktop", "https://idp.example.com"),
        party("ann", "phone", "https://idp.example.com"),
        party("ann", "desktop", "https://other.example.com"),
    ];
    let held: Vec<_> = parties.iter().map(|party| admission.enter(party).expect("room")).collect();
    for party in &parties {
        assert!(admission.enter(party).is_err(), "{party:?}");
    }
    drop(held);
    assert!(parties.iter().all(|party| admission.enter(party).is_ok()));
}

#[test]
fn another_token_of_the_same_party_opens_no_more_room() {
    let admission = Admission::new(1);
    let first = caller("ann");
    let mut second = caller("ann");
    second.fingerprint += 1;
    second.scopes = vec!["more".into()];
    let _held = admission.enter(&first).expect("room");
    assert!(admission.enter(&second).is_err());
}

/// Threads that come and go at the same door.
struct Crowd {
    admission: Admission,
    start: Barrier,
    inside: AtomicUsize,
    most: AtomicUsize,
    refused: AtomicUsize,
}

impl Crowd {
    fn at(admission: Admission) -> Self {
        let none = AtomicUsize::default;
        Self { admission, start: Barrier::new(8), inside: none(), most: none(), refused: none() }
    }

    fn come_and_go(&self) {
        let ann = caller("ann");
        self.start.wait();
        for _ in 0..5_000 {
            let Ok(slot) = self.admission.enter(&ann) else {
                self.refused.fetch_add(1, Ordering::SeqCst);
                continue;
            };
            let inside = self.inside.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(inside, Ordering::SeqCst);
            std::thread::yield_now();
            self.inside.fetch_sub(1, Ordering::SeqCst);
            drop(slot);
        }
    }
}

#[test]
fn the_limit_holds_under_eight_threads_and_nothing_is_lost() {
    const LIMIT: usize = 5;
    let ann = caller("ann");
    let crowd = Crowd::at(Admission::new(LIMIT));
    let (admission, held) = (&crowd.admission, LIMIT - 2);
    let outside: Vec<_> = (0..held).map(|_| admission.enter(&ann).expect("room")).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| crowd.come_and_go());
        }
    });
    let (most, refused) = (crowd.most.into_inner(), crowd.refused.into_inner());
    assert!(most <= LIMIT - held, "{most} at once beside {held}");
    assert!(refused > 0, "eight threads never met");
    drop(outside);
    assert!(admission.shards.iter().all(|shard| shard.lock().expect("a shard").is_empty()));
    let all: Vec<_> =
        (0..LIMIT).map(|_| admission.enter(&ann).expect("all of it is free")).collect();
    assert!(admission.enter(&ann).is_err());
    drop(all);
}

#[test]
fn a_slot_is_given_back_by_a_thread_that_panics() {
    let admission = Admission::new(1);
    let theirs = admission.clone();
    let thread = std::thread::spawn(move || {
        let _slot = theirs.enter(&caller("ann")).expect("room");
        panic!("while it is held");
    });
    assert!(thread.join().is_err());
    assert!(admission.enter(&caller("ann")).is_ok());
}
