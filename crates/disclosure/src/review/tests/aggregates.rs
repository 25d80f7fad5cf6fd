//! Figures over many subjects.

use serde_json::{Value, json};

use super::super::trial::Trial;
use super::super::{Carrier, Withheld};
use crate::history::Entry;

fn trial() -> Trial {
    Trial::of(&json!({
        "parameters": { "filter": { "role": "filter" } },
        "aggregate": { "attribute": "salary", "of": "Employee", "filter": "$params.arguments.filter", "count": "$.count", "k": 5 },
    }))
}

/// Asks one question after the other; whether each is answered.
fn asked(questions: &[(Value, u64)]) -> Vec<bool> {
    let mut trial = trial();
    let ask = |(filter, count): &(Value, u64)| {
        trial.arguments = json!({ "filter": filter });
        let mut result = json!({ "structuredContent": { "average": 100, "count": count } });
        let review = trial.refusing(&[], Carrier::Tool, &mut result);
        review.entries.iter().for_each(|entry| trial.history.apply(entry));
        assert_eq!(review.changed, review.withheld.is_some());
        review.withheld.is_none()
    };
    questions.iter().map(ask).collect()
}

#[test]
fn figures_about_few_and_counts_that_are_none_are_withheld() {
    for (count, answered) in [
        (json!(5), true),
        (json!(7.0), true),
        (json!(4), false),
        (json!(0), false),
        (json!(-9), false),
        (json!(7.5), false),
        (json!(1e300), false),
        (json!("9"), false),
        (json!(null), false),
        (json!([9]), false),
        (json!({ "n": 9 }), false),
    ] {
        let mut result = json!({ "structuredContent": { "average": 1, "count": count } });
        let review = trial().refusing(&[], Carrier::Tool, &mut result);
        assert_eq!(review.withheld.is_none(), answered, "{count}");
        let noted = review.entries.iter().any(|entry| matches!(entry, Entry::Answered(_)));
        assert_eq!(noted, answered, "{count}");
    }
    for result in [
        json!({ "structuredContent": { "average": 1 } }),
        json!({ "content": [{ "type": "text", "text": "NaN" }] }),
    ] {
        let review = trial().refusing(&[], Carrier::Tool, &mut result.clone());
        assert!(matches!(review.withheld, Some(Withheld::Shape { .. })), "{result}");
    }
}

#[test]
fn a_difference_is_about_few() {
    assert_eq!(
        asked(&[(json!("dept = sales"), 20), (json!("dept = sales and name != taylor"), 19)]),
        [true, false]
    );
    assert_eq!(
        asked(&[(json!("dept = sales and name != taylor"), 19), (json!("dept = sales"), 20)]),
        [true, false]
    );
    assert_eq!(asked(&[(json!("not name = taylor"), 99), (json!({}), 100)]), [true, false]);
    assert_eq!(
        asked(&[(json!("dept = sales"), 20), (json!("dept = sales and age > 30"), 15)]),
        [true, true]
    );
}

#[test]
fn one_is_swapped_for_another() {
    assert_eq!(asked(&[(json!("name != taylor"), 99), (json!("name != ann"), 99)]), [true, false]);
    assert_eq!(asked(&[(json!("age > 30"), 20), (json!("age > 31"), 20)]), [true, false]);
    assert_eq!(asked(&[(json!("dept = sales"), 20), (json!("region = west"), 20)]), [true, true]);
}

#[test]
fn the_same_question_again_is_no_other() {
    let same = [
        (json!("dept = sales and city = bern"), 20),
        (json!("city = bern and dept = sales"), 20),
        (json!({ "city": "Bern", "dept": "Sales" }), 21),
    ];
    assert_eq!(asked(&same), [true, true, true]);
    assert_eq!(asked(&[(json!("dept = sales"), 20), (json!("dept = legal"), 18)]), [true, true]);
}

#[test]
fn what_is_left_of_the_whole_is_about_few() {
    let parts = [(json!({}), 100), (json!("dept = sales"), 50), (json!("dept = legal"), 47)];
    assert_eq!(asked(&parts), [true, true, false]);
    let whole_last = [(json!("dept = sales"), 50), (json!("dept = legal"), 47), (json!({}), 100)];
    assert_eq!(asked(&whole_last), [true, true, false]);
    let fine = [
        (json!({}), 100),
        (json!("dept = sales"), 50),
        (json!("dept = legal"), 40),
        (json!("dept = it"), 10),
    ];
    assert_eq!(asked(&fine), [true, true, true, true]);
    let nested = [
        (json!("city = bern"), 60),
        (json!("city = bern and dept = sales"), 30),
        (json!("city = bern and dept = legal"), 28),
    ];
    assert_eq!(asked(&nested), [true, true, false]);
}

#[test]
fn groups_must_each_be_large() {
    let spec = json!({ "aggregate": { "attribute": "salary", "of": "Employee", "count": "$.groups[*].n" } });
    let groups = |counts: &[u64]| {
        let groups: Vec<Value> = counts.iter().map(|n| json!({ "n": n, "avg": 1 })).collect();
        let mut result = json!({ "structuredContent": { "groups": groups } });
        Trial::of(&spec).refusing(&[], Carrier::Tool, &mut result).withheld
    };
    assert_eq!(groups(&[5, 9]), None);
    assert_eq!(groups(&[50, 1]), Some(Withheld::Few));
    assert!(groups(&[]).is_some());
}

#[test]
fn a_text_that_is_the_only_account_has_a_count_too() {
    for (count, withheld) in [(9, None), (2, Some(Withheld::Few))] {
        let text = json!({ "average": 3, "count": count }).to_string();
        let mut result = json!({ "content": [{ "type": "text", "text": text }] });
        assert_eq!(trial().refusing(&[], Carrier::Tool, &mut result).withheld, withheld);
    }
}
