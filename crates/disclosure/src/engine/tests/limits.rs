//! Guesses, figures, budgets and the room in the ledger.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::trial::{Trial, decision, fact};
use super::super::{AskReason, Why};
use crate::fixtures::customer;
use crate::history::{Entry, Granted, Learnt, MOST_LEARNT};

fn asks(trial: &mut Trial, tool: &str, arguments: &Value) -> Result<(), Why> {
    trial.call(tool, arguments).map(drop).map_err(|stop| stop.why)
}

#[test]
fn wrong_guesses_are_counted_by_subject() {
    let spec =
        json!({ "oracle": { "key": ["name"], "of": "Customer", "attribute": "zip", "misses": 2 } });
    let mut trial = Trial::new().bind("check", &spec);
    let guess = |name: &str, zip: u64| json!({ "name": name, "zip": zip });
    for zip in [1, 2] {
        let made = trial.call("check", &guess("Taylor Swift", zip)).unwrap();
        assert_eq!(made.expects.subjects, [customer("4711")]);
        let (subject, attribute) = (customer("4711"), "zip".into());
        trial.history.apply(&Entry::Missed { subject, attribute });
    }
    assert_eq!(asks(&mut trial, "check", &guess("Taylor Swift", 3)), Err(Why::Misses));
    assert_eq!(asks(&mut trial, "check", &guess("taylor@example.com", 3)), Err(Why::Misses));
    assert_eq!(asks(&mut trial, "check", &guess("Ann Lee", 3)), Ok(()));
    trial.person = customer("4711");
    assert_eq!(asks(&mut trial, "check", &guess("Taylor Swift", 3)), Ok(()), "one's own");
}

#[test]
fn a_guess_needs_the_same_permission_as_an_answer() {
    let spec = json!({ "oracle": { "key": ["name"], "of": "Customer", "attribute": "zip" } });
    let mut trial = Trial::new().bind("check", &spec);
    trial.refuse("4711", "zip", 0);
    let refused = asks(&mut trial, "check", &json!({ "name": "Taylor Swift", "zip": 1 }));
    assert!(matches!(refused, Err(Why::Fact(_))));
    assert!(matches!(asks(&mut trial, "check", &json!({ "zip": 1 })), Err(Why::Unresolved(_))));
    // The guess itself names nobody, unless something was refused before.
    let guess = json!({ "name": "Ann Lee", "zip": "Taylor Swift" });
    assert!(asks(&mut trial, "check", &guess).is_err());
    trial.settings.shadows = false;
    assert_eq!(asks(&mut trial, "check", &guess), Ok(()));
}

#[test]
fn whoever_is_named_in_a_filter_is_asked_about_and_is_not_known_thereby() {
    let filter = json!({ "aggregate": { "attribute": "salary", "of": "Customer",
        "filter": "$params.arguments.filter", "count": "$.count" } });
    let all =
        json!({ "aggregate": { "attribute": "salary", "of": "Customer", "count": "$.count" } });
    let mut trial = Trial::new().bind("some", &filter).bind("all", &all);
    trial.refuse("4711", "salary", 0);
    for (tool, key) in [("some", "filter"), ("all", "name")] {
        let refused = asks(&mut trial, tool, &json!({ key: { "who": "Taylor Swift" } }));
        assert_eq!(refused, Err(Why::Fact(fact("4711", "salary", "pay", 0))), "{tool}");
        let made = trial.call(tool, &json!({ key: "dept = Ann Lee" })).unwrap();
        assert_eq!(made.disclosed.len(), 1);
        assert!(made.entries.is_empty(), "a figure is nobody's salary");
        assert_eq!(asks(&mut trial, tool, &json!({ key: "dept = sales" })), Ok(()));
        assert_eq!(asks(&mut trial, tool, &json!({})), Ok(()));
        trial.settings.shadows = false;
    }
}

#[test]
fn a_budget_counts_people_and_not_answers() {
    let mut trial = Trial::new().tells("salary", "salary").tells("bonus", "bonus");
    assert_eq!(trial.about("salary", "1"), Ok(()));
    assert_eq!(trial.about("bonus", "1"), Ok(()));
    assert_eq!(trial.about("salary", "2"), Ok(()));
    assert_eq!(trial.about("salary", "3"), Err(Why::Ask(AskReason::Budget)));
    assert_eq!(trial.about("bonus", "2"), Ok(()), "somebody who counts already");
    trial.person = customer("3");
    assert_eq!(trial.about("salary", "3"), Ok(()), "oneself");
    trial.person = customer("nobody");
    let until = trial.now.plus(Duration::from_hours(1));
    let (subject, family, by) = (customer("4"), "pay".into(), "chief".into());
    trial.history.apply(&Entry::Granted(Granted { subject, family, until, by }));
    assert_eq!(trial.about("salary", "4"), Ok(()));
    trial.later(Duration::from_hours(25));
    assert_eq!(trial.about("salary", "5"), Ok(()), "another day");
    assert_eq!(trial.about("salary", "1"), Ok(()), "known long since");
    trial.settings.ledger = false;
    assert_eq!(trial.about("salary", "6"), Ok(()));
    assert_eq!(trial.about("salary", "7"), Ok(()));
    assert_eq!(trial.about("salary", "8"), Ok(()));
}

#[test]
fn a_budget_holds_for_one_call_about_many_and_may_refuse() {
    let mut trial = Trial::new().tells("salary", "salary").tells("claims", "claims");
    let many = trial.call("salary", &json!({ "id": ["1", "2", "3"] }));
    if let Err(stop) = many {
        assert!(matches!(stop.why, Why::Ask(AskReason::Budget) | Why::Unresolved(_)), "{stop:?}");
    } else {
        panic!("three at once");
    }
    assert_eq!(trial.about("claims", "1"), Ok(()));
    assert_eq!(trial.about("claims", "2"), Err(Why::Budget));
    // What is under way counts.
    trial.later(Duration::from_hours(2));
    assert!(trial.start("claims", &json!({ "id": "3" })).stop.is_none());
    assert_eq!(trial.about("claims", "4"), Err(Why::Budget));
}

fn fill(trial: &mut Trial, attribute: &str, family: &str) {
    for n in 0..MOST_LEARNT {
        trial.history.apply(&Entry::Learnt(Learnt {
            fact: fact(&format!("x{n}"), attribute, family, 0),
            first: trial.now,
            last: trial.now,
            via: "deliveries/old".into(),
            decision: decision(0),
            answers: vec![1],
        }));
    }
}

#[test]
fn a_full_ledger_gives_up_what_may_be_known_anyway() {
    let mut trial = Trial::new().tells("get_zip", "zip");
    fill(&mut trial, "eta", "location");
    let made = trial.call("get_zip", &json!({ "id": "4711" })).unwrap();
    let forgotten = made.entries.iter().filter(|e| matches!(e, Entry::Forgotten(..))).count();
    assert!(forgotten >= 1, "{forgotten}");
    assert!(trial.history.rows() <= MOST_LEARNT);
    assert!(trial.history.knows(&fact("4711", "zip", "location", 0)));
    let made = trial.call("get_zip", &json!({ "id": "4712" })).unwrap();
    assert_eq!(made.entries.len(), 1, "not every call makes room");
}

#[test]
fn a_full_ledger_never_gives_up_what_is_refused_or_leads_there() {
    let mut trial = Trial::new().tells("get_eta", "eta");
    fill(&mut trial, "zip", "location");
    for n in 0..MOST_LEARNT {
        // The zip itself may be known, what it leads to may not.
        trial.refuse(&format!("x{n}"), "identity", 0);
    }
    assert_eq!(trial.about("get_eta", "4711"), Err(Why::Full));
    assert_eq!(trial.history.rows(), MOST_LEARNT);
    trial.settings.ledger = false;
    assert_eq!(trial.about("get_eta", "4711"), Ok(()), "nothing to be kept");
}
