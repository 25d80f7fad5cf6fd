//! The guarantee: no release adds a fact that policy refuses to what follows from all that was
//! released, and none repeats one that is refused by now; whatever the order of calls, answers that
//! never come, changes of policy and restarts. Held against an evaluator of its own that knows
//! nothing of the engine.

mod desk;
mod naive;

use std::sync::{Arc, Barrier, Mutex};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};

use desk::{Call, Desk, KnockOut};
use naive::{Rule, World};

/// How many attributes there are.
const ATTRIBUTES: usize = 7;
/// How many steps their scale has.
const STEPS: u8 = 4;
/// How many subjects there are.
const SUBJECTS: usize = 2;

/// One thing that happens.
#[derive(Debug, Clone)]
enum Event {
    Ask(Call),
    /// The answer to one of the calls under way comes, or breaks off.
    Answer {
        which: usize,
        comes: bool,
    },
    /// The coarsest step that is refused of an attribute of a subject; none at 0.
    Refuse {
        subject: usize,
        attribute: usize,
        below: u8,
    },
    Restart,
}

/// Rules that only lead upward cannot go round in circles.
fn rules() -> impl Strategy<Value = Vec<Rule>> {
    let premise = (0..ATTRIBUTES - 1, prop::option::of(0..STEPS));
    let rule = (
        1..ATTRIBUTES,
        0..STEPS,
        prop::collection::vec(premise, 1..4),
        prop::option::weighted(0.3, 1_u32..4),
    );
    prop::collection::vec(rule, 1..8).prop_map(|rules| {
        let rules = rules.into_iter().map(|(then, precision, premises, distinct)| {
            let mut seen = Vec::new();
            let premises: Vec<(usize, Option<u8>)> = premises
                .into_iter()
                .map(|(premise, at)| (premise % then, at))
                .filter(|(premise, _)| {
                    let is_new = !seen.contains(premise);
                    seen.push(*premise);
                    is_new
                })
                .collect();
            Rule { then, precision, premises, distinct }
        });
        rules.collect()
    })
}

fn call() -> impl Strategy<Value = Call> {
    let told = prop::collection::vec((0..ATTRIBUTES, 0..STEPS), 1..3);
    (0..SUBJECTS, told, 0_u64..3).prop_map(|(subject, mut told, variant)| {
        told.sort_unstable();
        told.dedup_by_key(|(attribute, _)| *attribute);
        Call { subject, told, variant }
    })
}

fn refusal() -> impl Strategy<Value = (usize, usize, u8)> {
    (0..SUBJECTS, 0..ATTRIBUTES, 0..=STEPS)
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![
        6 => call().prop_map(Event::Ask),
        5 => (any::<usize>(), prop::bool::weighted(0.7))
            .prop_map(|(which, comes)| Event::Answer { which, comes }),
        1 => refusal().prop_map(|(subject, attribute, below)| Event::Refuse { subject, attribute, below }),
        1 => Just(Event::Restart),
    ];
    prop::collection::vec(event, 4..40)
}

type Case = (Vec<Rule>, Vec<(usize, usize, u8)>, Vec<Event>, bool);

fn case() -> impl Strategy<Value = Case> {
    (rules(), prop::collection::vec(refusal(), 1..8), events(), any::<bool>())
}

/// Lets everything happen, one after the other. `Err` says what was released against the
/// guarantee.
fn run_through((rules, refused, events, shadows): Case, knock_out: KnockOut) -> Result<(), String> {
    let mut desk = Desk::new(&rules, knock_out);
    desk.settings.shadows = shadows;
    let mut world = World::new(rules);
    for (subject, attribute, below) in refused {
        world.refuse(subject, attribute, below);
    }
    for event in events {
        match event {
            Event::Ask(call) => desk.ask(&call, &world),
            Event::Answer { which, comes } => {
                let Some((call, entries)) = desk.answer(which, comes, &world) else { continue };
                desk.take(&entries);
                if let Some(call) = call {
                    world.release(call.subject, &call.told, desk::digest(&call))?;
                }
            }
            Event::Refuse { subject, attribute, below } => world.refuse(subject, attribute, below),
            Event::Restart => desk.restart(),
        }
    }
    Ok(())
}

fn check(knock_out: KnockOut, cases: u32) -> Result<(), TestError<Case>> {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&case(), |case| run_through(case, knock_out).map_err(TestCaseError::fail))
}

#[test]
fn no_release_adds_or_repeats_what_is_refused() {
    if let Err(error) = check(KnockOut::Nothing, 1_000) {
        panic!("{error}");
    }
}

/// The property above can fail: each part of the engine that is left out lets something through.
#[test]
fn each_part_of_the_engine_is_needed_for_it() {
    for part in [
        KnockOut::Reservation,
        KnockOut::History,
        KnockOut::Closure,
        KnockOut::Answers,
        KnockOut::SecondLook,
    ] {
        assert!(check(part, 4_000).is_err(), "without {part:?} nothing is let through");
    }
}

/// What is lost by being careful: what the evaluator would permit is permitted, as long as nothing
/// was refused before.
#[test]
fn what_adds_nothing_refused_is_permitted() {
    let config = Config { cases: 1_000, failure_persistence: None, ..Config::default() };
    let run = TestRunner::new(config).run(&case(), |(rules, refused, events, _)| {
        let mut desk = Desk::new(&rules, KnockOut::Nothing);
        desk.settings.shadows = false;
        let mut world = World::new(rules);
        for (subject, attribute, below) in refused {
            world.refuse(subject, attribute, below);
        }
        for event in events {
            let Event::Ask(call) = event else { continue };
            // One after the other, so that nothing is under way.
            let mut after = world.clone();
            let harmless = after.release(call.subject, &call.told, desk::digest(&call)).is_ok();
            desk.ask(&call, &world);
            let answered = desk.answer(0, true, &world);
            prop_assert_eq!(answered.is_some(), harmless, "{:?}", call);
            if let Some((_, entries)) = answered {
                desk.take(&entries);
                world = after;
            }
        }
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

/// Several agents of one person at once: each decision is taken together with its reservation, and
/// the answers come in whatever order the threads do.
#[test]
fn calls_in_parallel_keep_the_guarantee() {
    let config = Config { cases: 60, failure_persistence: None, ..Config::default() };
    let calls = prop::collection::vec(prop::collection::vec(call(), 1..8), 4);
    let cases = (rules(), prop::collection::vec(refusal(), 1..8), calls);
    let run = TestRunner::new(config).run(&cases, |(rules, refused, calls)| {
        let mut world = World::new(rules.clone());
        for (subject, attribute, below) in refused {
            world.refuse(subject, attribute, below);
        }
        let shared = Arc::new(Mutex::new((Desk::new(&rules, KnockOut::Nothing), world)));
        let start = Arc::new(Barrier::new(calls.len()));
        let threads = calls.into_iter().enumerate().map(|(index, calls)| {
            let (shared, start) = (Arc::clone(&shared), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                calls.iter().try_for_each(|call| ask_and_answer(&shared, call, index))
            })
        });
        let threads: Vec<_> = threads.collect();
        for thread in threads {
            thread.join().unwrap().map_err(TestCaseError::fail)?;
        }
        Ok(())
    });
    if let Err(error) = run {
        panic!("{error}");
    }
}

/// One step of the agent `index`: it asks, and then an answer comes to any of the calls under way,
/// not to its own alone. The answers to one of the agents always break off, and another one's
/// gateway restarts in between.
fn ask_and_answer(shared: &Mutex<(Desk, World)>, call: &Call, index: usize) -> Result<(), String> {
    {
        let mut held = shared.lock().unwrap();
        let (desk, world) = &mut *held;
        desk.ask(call, world);
    }
    std::thread::yield_now();
    let mut held = shared.lock().unwrap();
    let (desk, world) = &mut *held;
    if index == 0 {
        desk.restart();
    }
    let Some((call, entries)) = desk.answer(index * 7, index != 1, world) else { return Ok(()) };
    desk.take(&entries);
    let released = call.map(|call| world.release(call.subject, &call.told, desk::digest(&call)));
    released.unwrap_or(Ok(()))
}
