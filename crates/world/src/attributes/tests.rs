//! Attributes come out as they went in.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::Attributes;

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,6}|\\PC\n\r\u{2028}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((".{0,3}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn maps() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec((".{0,3}", values()), 0..4)
        .prop_map(|members| members.into_iter().collect())
}

proptest! {
    #[test]
    fn attributes_come_out_as_they_went_in(map in maps()) {
        let attributes = Attributes::from(&map);
        prop_assert_eq!(attributes.len(), map.len());
        for (name, value) in &map {
            let found = attributes.get(name);
            prop_assert_eq!(found.as_ref(), Some(value));
        }
        prop_assert_eq!(attributes.get("absent"), None);
        let names: Vec<&str> = attributes.iter().map(|(name, _)| name).collect();
        prop_assert_eq!(names, map.keys().map(String::as_str).collect::<Vec<_>>());
        prop_assert_eq!(serde_json::to_string(&attributes).unwrap(), serde_json::to_string(&map).unwrap());
    }

    #[test]
    fn attributes_are_equal_as_their_maps_are(one in maps(), other in maps()) {
        prop_assert_eq!(Attributes::from(&one) == Attributes::from(&other), one == other);
        let turned: Map<String, Value> = one.clone().into_iter().rev().collect();
        prop_assert_eq!(Attributes::from(&one), Attributes::from(&turned));
    }
}

#[test]
fn no_attributes_are_no_attributes() {
    let none = Attributes::default();
    assert!(none.is_empty() && none.get("").is_none() && none.values().next().is_none());
    assert_eq!(serde_json::to_value(&none).unwrap(), json!({}));
}
