//! Each condition of a filter, met and not met.

use std::sync::Arc;

use kenward_model::{DecisionId, ServerName, Timestamp};

use crate::{Filter, Kind, Record, Verdict};

fn record() -> Record {
    let time = Timestamp::from_seconds(100);
    Record {
        id: Some(DecisionId::new(time, &[1; 10])),
        user: Some("rita".into()),
        agent: Some("assistant".into()),
        server: Some(ServerName::try_from("deliveries".to_owned()).unwrap()),
        target: Some("track".into()),
        verdict: Some(Verdict::Refuse),
        sequence: Some(9),
        ..Record::new(Kind::Decision, time)
    }
}

#[test]
fn without_conditions_everything_is_wanted() {
    assert!(Filter::default().admits(&record()));
    assert!(Filter::default().admits(&Record::new(Kind::Start, Timestamp::from_micros(0))));
}

#[test]
fn each_condition_counts() {
    let record = record();
    let some = |text: &str| Some(Arc::<str>::from(text));
    let server = |name: &str| ServerName::try_from(name.to_owned()).ok();
    let time = |seconds| Some(Timestamp::from_seconds(seconds));
    let id = record.id.map(|id| id.to_string());
    let cases = [
        (Filter { kind: Some(Kind::Decision), ..Filter::default() }, true),
        (Filter { kind: Some(Kind::Outcome), ..Filter::default() }, false),
        (Filter { id, ..Filter::default() }, true),
        (Filter { id: Some("0".to_owned()), ..Filter::default() }, false),
        (Filter { user: some("rita"), ..Filter::default() }, true),
        (Filter { user: some("rit"), ..Filter::default() }, false),
        (Filter { agent: some("assistant"), ..Filter::default() }, true),
        (Filter { agent: some("rita"), ..Filter::default() }, false),
        (Filter { server: server("deliveries"), ..Filter::default() }, true),
        (Filter { server: server("other"), ..Filter::default() }, false),
        (Filter { target: some("track"), ..Filter::default() }, true),
        (Filter { target: some(""), ..Filter::default() }, false),
        (Filter { verdict: Some(Verdict::Refuse), ..Filter::default() }, true),
        (Filter { verdict: Some(Verdict::Allow), ..Filter::default() }, false),
        (Filter { since: time(100), ..Filter::default() }, true),
        (Filter { since: time(101), ..Filter::default() }, false),
        (Filter { until: time(101), ..Filter::default() }, true),
        (Filter { until: time(100), ..Filter::default() }, false),
        (Filter { before: Some(10), ..Filter::default() }, true),
        (Filter { before: Some(9), ..Filter::default() }, false),
    ];
    for (filter, wanted) in cases {
        assert_eq!(filter.admits(&record), wanted, "{filter:?}");
    }
}

#[test]
fn a_record_that_says_nothing_meets_no_condition() {
    let bare = Record::new(Kind::Start, Timestamp::from_micros(0));
    for filter in [
        Filter { user: Some("rita".into()), ..Filter::default() },
        Filter { id: Some(String::new()), ..Filter::default() },
        Filter { before: Some(u64::MAX), ..Filter::default() },
        Filter { verdict: Some(Verdict::Allow), ..Filter::default() },
    ] {
        assert!(!filter.admits(&bare), "{filter:?}");
    }
}
