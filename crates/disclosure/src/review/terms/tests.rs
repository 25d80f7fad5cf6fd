//! The same filter has the same terms however it is written, and another one has others.

use serde_json::{Value, json};

use super::{Condition, Conditions};

fn conditions(name: &str, value: &Value) -> Vec<String> {
    let mut conditions = Conditions::default();
    conditions.value(name, value, 0);
    let mut written: Vec<String> = conditions.0.iter().map(Condition::written).collect();
    written.sort();
    written
}

#[test]
fn one_filter_has_one_meaning() {
    let wanted = conditions("", &json!({ "dept": "sales", "city": "bern" }));
    assert_eq!(wanted.len(), 2);
    for other in [
        json!({ "city": "bern", "dept": "sales" }),
        json!({ "city": "Bern", "dept": " SALES " }),
        json!({ "city": { "eq": "bern" }, "dept": ["sales"] }),
        json!({ "$and": [{ "dept": "sales" }, { "city": { "$eq": "bern" } }] }),
        json!([{ "field": "dept", "op": "=", "value": "sales" }, { "field": "city", "value": "bern" }]),
        json!("dept = sales and city = bern"),
        json!("city='bern' && dept == \"sales\""),
        json!("city:bern; dept:sales"),
        json!("City is Bern, dept equals sales"),
    ] {
        let name = if other.is_string() { "filter" } else { "" };
        assert_eq!(conditions(name, &other), wanted, "{other}");
    }
}

#[test]
fn other_filters_have_other_terms() {
    let all = [
        json!("pay > 100"),
        json!("pay < 100"),
        json!("pay >= 100"),
        json!("pay = 100"),
        json!("pay != 100"),
        json!("pay = 1.00"),
        json!("pay > 10.0"),
        json!("not pay > 100"),
        json!("pay > 100 or dept = sales"),
        json!({ "pay": { "gt": 100 } }),
        json!({ "not": { "pay": 100 } }),
    ];
    for (index, one) in all.iter().enumerate() {
        for other in &all[..index] {
            assert_ne!(conditions("", one), conditions("", other), "{one} {other}");
        }
    }
}

#[test]
fn only_a_demand_for_one_value_is_one() {
    for (filter, equals) in [
        (json!("dept = sales"), true),
        (json!("dept != sales"), false),
        (json!("dept not in sales"), false),
        (json!("not dept = sales"), false),
        (json!("(dept = sales)"), false),
        (json!("dept = sales or dept = legal"), false),
        (json!("pay > 100"), false),
        (json!({ "dept": ["sales", "legal"] }), false),
        (json!({ "not": { "dept": "sales" } }), false),
        (json!({ "dept": { "ne": "sales" } }), false),
    ] {
        let mut conditions = Conditions::default();
        conditions.value("filter", &filter, 0);
        let says = conditions.0.iter().any(|condition| condition.operator == "=");
        assert_eq!(says, equals, "{filter}");
    }
}
