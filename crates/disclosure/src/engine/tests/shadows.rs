//! What was refused before, and how long and how far it stands.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::trial::Trial;
use super::super::{Alert, AskReason, Unbound, Why};
use crate::fixtures::customer;
use crate::history::{Entry, Granted, ShadowSource};
use crate::subject::UnresolvedWhy;

const DAY: Duration = Duration::from_hours(24);

/// Tools that tell one thing or the other about a customer, and some that nobody has described.
fn trial() -> Trial {
    let open = json!({
        "parameters": { "q": { "role": "text", "mode": "open" }, "note": { "role": "free" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.q", "attribute": "eta", "precision": "region" }],
    });
    Trial::new()
        .tells("get_address", "address")
        .tells("get_route", "route")
        .tells("get_zip", "zip")
        .tells("get_eta", "eta")
        .tells("get_salary", "salary")
        .bind("search", &open)
        .guessed("find_address_near")
        .guessed("get_home_address")
        .guessed("list_salaries")
        .guessed("weather")
}

/// A trial in which the address of Taylor Swift was refused.
fn refused() -> Trial {
    let mut trial = trial();
    for attribute in ["address", "route"] {
        trial.refuse("4711", attribute, 3);
    }
    assert!(matches!(trial.about("get_address", "4711"), Err(Why::Fact(_))));
    trial
}

fn asks(trial: &mut Trial, tool: &str, arguments: &Value) -> Result<(), Why> {
    trial.call(tool, arguments).map(drop).map_err(|stop| stop.why)
}

fn is_shadow(result: &Result<(), Why>, by: ShadowSource) -> bool {
    matches!(result, Err(Why::Shadow { source, .. }) if *source == by)
}

#[test]
fn a_tool_that_nobody_described_is_no_way_round() {
    let mut trial = refused();
    let mut near = |arguments: Value| asks(&mut trial, "find_address_near", &arguments);
    assert!(is_shadow(&near(json!({ "near": "Taylor Swift's home" })), ShadowSource::Policy));
    assert!(is_shadow(&near(json!({ "near": "somewhere" })), ShadowSource::Policy), "names nobody");
    assert!(is_shadow(&near(json!({})), ShadowSource::Policy), "nobody at all");
    assert!(is_shadow(&near(json!({ "lat": 36.1, "lon": -86.7 })), ShadowSource::Policy));
    assert_eq!(near(json!({ "near": "Ann Lee" })), Ok(()), "names somebody else");
    assert_eq!(asks(&mut trial, "list_salaries", &json!({ "of": "Taylor Swift" })), Ok(()));
    assert_eq!(asks(&mut trial, "weather", &json!({ "of": "Taylor Swift" })), Ok(()));
    trial.settings.shadows = false;
    let without = asks(&mut trial, "find_address_near", &json!({ "near": "Taylor Swift" }));
    assert_eq!(without, Ok(()), "it is the shadow that stops it");
}

#[test]
fn before_anything_was_refused_a_guess_stops_nothing() {
    let mut trial = trial();
    assert_eq!(asks(&mut trial, "find_address_near", &json!({ "near": "Taylor Swift" })), Ok(()));
    trial.settings.unbound = Unbound::Refuse;
    let refused = asks(&mut trial, "find_address_near", &json!({ "near": "Ann Lee" }));
    assert_eq!(refused, Err(Why::Unbound));
    assert_eq!(asks(&mut trial, "weather", &json!({})), Ok(()), "nothing is guessed of it");
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));
}

#[test]
fn a_shadow_ends_with_its_time_or_its_cause() {
    let near = json!({ "near": "Taylor Swift" });
    let mut trial = refused();
    trial.later(29 * DAY);
    assert!(asks(&mut trial, "find_address_near", &near).is_err());
    trial.later(2 * DAY);
    assert_eq!(asks(&mut trial, "find_address_near", &near), Ok(()), "trying does not prolong it");

    let mut trial = refused();
    assert!(asks(&mut trial, "find_address_near", &near).is_err());
    trial.refused.clear();
    assert_eq!(asks(&mut trial, "find_address_near", &near), Ok(()));
    assert_eq!(trial.history.shadows(trial.now).count(), 0, "lifted");
}

#[test]
fn what_policy_permits_explicitly_passes_under_its_own_shadow() {
    let mut trial = refused();
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));
    assert_eq!(trial.about("get_address", "4712"), Ok(()));
    assert!(trial.about("get_route", "4711").is_err());
}

#[test]
fn under_a_shadow_every_word_must_be_accounted_for() {
    let mut trial = trial();
    let search = |q: &str| json!({ "q": q });
    assert_eq!(asks(&mut trial, "search", &search("where is Ann Lee gone")), Ok(()));
    let mut trial = refused();
    let stopped = asks(&mut trial, "search", &search("parcels of the singer from nashville"));
    let Err(Why::Unresolved(unresolved)) = stopped else { panic!("{stopped:?}") };
    assert_eq!(unresolved.why, UnresolvedWhy::Unrecognised);
    assert_eq!(asks(&mut trial, "search", &search("Ann Lee")), Ok(()));
    // In a family of which nothing was refused, words are words.
    assert_eq!(
        asks(&mut trial, "get_salary", &json!({ "id": "4712", "x": "hello there" })),
        Ok(())
    );
}

#[test]
fn under_a_shadow_no_argument_is_too_free_to_be_read() {
    let arguments = |note: &str| json!({ "q": "Ann Lee", "note": note });
    let mut trial = trial();
    trial.refuse("4711", "eta", 4);
    assert_eq!(asks(&mut trial, "search", &arguments("for Taylor Swift")), Ok(()));
    let mut trial = refused();
    trial.refuse("4711", "eta", 4);
    assert!(matches!(
        asks(&mut trial, "search", &arguments("for Taylor Swift")),
        Err(Why::Fact(_))
    ));
    assert_eq!(asks(&mut trial, "search", &arguments("a free remark of many words")), Ok(()));
}

#[test]
fn only_the_server_that_refused_may_be_asked_again() {
    let mut trial = trial();
    let who = json!({ "id": "4711" });
    trial.elsewhere("get_address", &who, ShadowSource::Upstream);
    assert_eq!(trial.about("get_address", "4711"), Ok(()), "the same tool");
    assert!(is_shadow(&trial.about("get_zip", "4711"), ShadowSource::Upstream));
    assert!(is_shadow(&trial.about("get_zip", "4711"), ShadowSource::Upstream), "even twice");
    assert_eq!(trial.about("get_zip", "4712"), Ok(()));
    assert_eq!(trial.about("get_salary", "4711"), Ok(()));
    let near = json!({ "near": "Taylor Swift" });
    assert!(asks(&mut trial, "find_address_near", &near).is_err());
    trial.later(DAY);
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));

    trial.elsewhere("find_address_near", &near, ShadowSource::Upstream);
    assert_eq!(asks(&mut trial, "find_address_near", &near), Ok(()));
    assert!(trial.about("get_zip", "4711").is_err());
}

#[test]
fn a_hidden_tool_casts_a_shadow_that_explicit_permission_passes() {
    let mut trial = trial();
    trial.elsewhere("get_address", &json!({ "id": "4711" }), ShadowSource::Hidden);
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));
    let near = json!({ "near": "Taylor Swift" });
    assert!(is_shadow(&asks(&mut trial, "find_address_near", &near), ShadowSource::Hidden));
    trial.later(30 * DAY);
    assert_eq!(asks(&mut trial, "find_address_near", &near), Ok(()));
}

#[test]
fn a_refused_approval_stands_until_somebody_agrees() {
    let mut trial = trial();
    trial.elsewhere("get_address", &json!({ "id": "4711" }), ShadowSource::Approval);
    for tool in ["get_address", "get_zip"] {
        assert!(is_shadow(&trial.about(tool, "4711"), ShadowSource::Approval));
    }
    let granted = |family: &str, until| Granted {
        subject: customer("4711"),
        family: family.into(),
        until,
        by: "chief".into(),
    };
    let until = trial.now.plus(DAY);
    trial.history.apply(&Entry::Granted(granted("pay", until)));
    assert!(trial.about("get_zip", "4711").is_err(), "something else was agreed to");
    trial.history.apply(&Entry::Granted(granted("location", until)));
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));
}

#[test]
fn a_refusal_of_nobody_in_particular_stops_what_names_nobody() {
    let mut trial = trial();
    trial.elsewhere("find_address_near", &json!({ "near": "somewhere" }), ShadowSource::Hidden);
    assert_eq!(trial.history.shadows(trial.now).next().unwrap().subject, None);
    assert!(asks(&mut trial, "get_home_address", &json!({ "near": "elsewhere" })).is_err());
    assert!(asks(&mut trial, "search", &json!({ "q": "the singer" })).is_err());
    assert_eq!(asks(&mut trial, "get_home_address", &json!({ "near": "Ann Lee" })), Ok(()));
    assert_eq!(asks(&mut trial, "search", &json!({ "q": "Ann Lee" })), Ok(()));
    assert_eq!(trial.about("get_address", "4711"), Ok(()));
    // The tool is not hidden any more: what reaches this point was allowed. What named nobody
    // before is forgotten after an hour.
    trial.later(Duration::from_mins(61));
    assert!(asks(&mut trial, "get_home_address", &json!({ "near": "elsewhere" })).is_err());
    trial.later(Duration::from_mins(61));
    assert_eq!(asks(&mut trial, "find_address_near", &json!({ "near": "elsewhere" })), Ok(()));
    assert_eq!(asks(&mut trial, "get_home_address", &json!({ "near": "elsewhere" })), Ok(()));
}

/// Policy refused a tool for somebody: that it passes with other words says nothing of them.
#[test]
fn a_tool_that_was_refused_for_somebody_is_not_freed_by_naming_nobody() {
    let mut trial = trial();
    let who = json!({ "near": "Taylor Swift" });
    trial.elsewhere("find_address_near", &who, ShadowSource::Policy);
    let disguised = asks(&mut trial, "find_address_near", &json!({ "near": "the singer" }));
    assert!(is_shadow(&disguised, ShadowSource::Policy));
    assert_eq!(asks(&mut trial, "find_address_near", &who), Ok(()), "policy allows it by now");
    assert_eq!(trial.history.shadows(trial.now).count(), 0);
}

#[test]
fn a_refusal_of_a_tool_by_policy_is_lifted_by_what_may_be_learnt() {
    let near = json!({ "near": "Taylor Swift" });
    let mut trial = trial();
    trial.refuse("4711", "address", 0);
    trial.elsewhere("get_address", &json!({ "id": "4711" }), ShadowSource::Policy);
    assert!(asks(&mut trial, "find_address_near", &near).is_err());
    trial.refused.clear();
    assert_eq!(asks(&mut trial, "find_address_near", &near), Ok(()));
}

#[test]
fn words_that_name_nobody_count_for_an_hour() {
    let closed = json!({
        "parameters": { "who": { "role": "text" } },
        "discloses": [{ "of": "Customer", "subject": "$params.arguments.who", "attribute": "address" }],
    });
    let mut trial = trial().bind("closed", &closed);
    let who = json!({ "who": "Tay the singer" });
    assert!(matches!(asks(&mut trial, "closed", &who), Err(Why::Unresolved(_))));
    assert!(asks(&mut trial, "search", &json!({ "q": "that singer" })).is_err());
    assert!(asks(&mut trial, "find_address_near", &json!({ "near": "her" })).is_err());
    assert_eq!(trial.about("get_address", "4711"), Ok(()), "what is said plainly");
    trial.later(Duration::from_mins(61));
    assert_eq!(asks(&mut trial, "search", &json!({ "q": "that singer" })), Ok(()));
}

#[test]
fn ones_own_data_lies_in_no_shadow() {
    let mut trial = trial();
    trial.person = customer("4711");
    trial.elsewhere("get_address", &json!({ "id": "4711" }), ShadowSource::Upstream);
    trial.elsewhere("find_address_near", &json!({ "near": "Taylor Swift" }), ShadowSource::Hidden);
    assert_eq!(trial.about("get_zip", "4711"), Ok(()));
}

/// Three tools at one goal: from then on somebody has to agree; at five, an alert.
#[test]
fn whoever_tries_one_tool_after_the_other_is_asked_and_then_reported() {
    let mut trial = trial();
    for attribute in ["address", "route", "zip", "nearby_places"] {
        trial.refuse("4711", attribute, 4);
    }
    let mut trial = trial.tells("get_places", "nearby_places");
    for tool in ["get_address", "get_route"] {
        assert!(matches!(trial.about(tool, "4711"), Err(Why::Fact(_))));
        assert_eq!(trial.decide("get_eta", &json!({ "id": "4711" })).stop, None);
    }
    assert!(trial.about("get_address", "4711").is_err(), "again the same");
    assert_eq!(trial.about("get_salary", "4711"), Ok(()), "two tools so far");
    assert!(trial.about("get_zip", "4711").is_err());
    let asked = Err(Why::Ask(AskReason::Probes));
    assert_eq!(trial.about("get_eta", "4711"), asked);
    assert_eq!(trial.about("get_salary", "4711"), Ok(()), "what is known needs nobody's word");
    assert_eq!(trial.about("get_salary", "4712"), Ok(()), "nor what is about others");
    trial = trial.tells("get_bonus", "bonus");
    assert_eq!(trial.about("get_bonus", "4711"), asked, "in any family");
    let until = trial.now.plus(DAY);
    let (subject, family, by) = (customer("4711"), "pay".into(), "chief".into());
    trial.history.apply(&Entry::Granted(Granted { subject, family, until, by }));
    assert_eq!(trial.about("get_bonus", "4711"), Ok(()));

    let who = json!({ "id": "4711" });
    assert_eq!(trial.start("get_places", &who).alert, None, "the fourth");
    let near = json!({ "near": "Taylor Swift" });
    let alert = trial.start("find_address_near", &near).alert;
    let Some(Alert { subject, family, tools }) = alert else { panic!("the fifth") };
    assert_eq!((subject, &*family, tools.len()), (Some(customer("4711")), "location", 5));
    assert_eq!(trial.start("find_address_near", &near).alert, None, "once for each tool");
}

#[test]
fn a_refusal_casts_one_shadow_for_each_subject_and_family() {
    let spec = json!({ "discloses": [
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "address" },
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "zip" },
        { "of": "Customer", "subject": "$params.arguments.id", "attribute": "salary" },
    ] });
    let mut trial = Trial::new().bind("all", &spec);
    for attribute in ["address", "zip", "salary"] {
        trial.refuse("4711", attribute, 0);
    }
    assert!(trial.about("all", "4711").is_err());
    let mut families: Vec<String> =
        trial.history.shadows(trial.now).map(|shadow| shadow.family.to_string()).collect();
    families.sort();
    assert_eq!(families, ["location", "pay"]);
    trial.settings.shadows = false;
    assert!(trial.start("all", &json!({ "id": "4711" })).entries.is_empty());
}

#[test]
fn a_note_beside_a_subject_that_is_known_need_not_name_anybody() {
    let mut trial = refused();
    let mut address = |id: &str, note: &str| {
        asks(&mut trial, "get_address", &json!({ "id": id, "note": note, "format": "short" }))
    };
    assert_eq!(address("4712", "please ring twice"), Ok(()));
    for note in ["Taylor Swift", "tay1or swift", "t a y l o r  s w i f t"] {
        assert!(address("4712", note).is_err(), "{note}: somebody who was refused is named");
    }
}
