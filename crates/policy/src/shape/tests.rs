use proptest::prelude::*;
use serde_json::json;

use super::*;

fn entity(kind: &str) -> Shape {
    let kind = kind.parse().expect("a type");
    Shape::Entity(EntityShape { kind, choices: None })
}

#[test]
fn whole_numbers_are_what_json_schema_calls_integers() {
    for (value, expected) in [
        (json!(3), Some(3)),
        (json!(3.0), Some(3)),
        (json!(-3.0), Some(-3)),
        (json!(3.5), None),
        (json!(1e300), None),
        (json!(9_007_199_254_740_993_u64), Some(9_007_199_254_740_993)),
        (json!(9.007_199_254_740_994e15), None),
        (json!(u64::MAX), None),
        (json!("3"), None),
        (json!(null), None),
    ] {
        assert_eq!(whole_number(&value), expected, "{value}");
    }
}

#[test]
fn a_mismatch_is_an_error_with_its_place_and_never_a_value() {
    let inner = RecordShape {
        members: [(Arc::from("level"), Member { shape: Shape::Long, required: true })].into(),
    };
    let outer = RecordShape {
        members: [(
            Arc::from("clearance"),
            Member { shape: Shape::Record(Arc::new(inner)), required: true },
        )]
        .into(),
    };
    let error = outer.convert(&json!({ "clearance": { "level": "5" } })).expect_err("a string");
    assert_eq!(error.to_string(), "`clearance.level`: expected a whole number of 64 bits");
    let error = outer.convert(&json!({})).expect_err("nothing");
    assert_eq!(error.to_string(), "`clearance`: expected a value");
    let error = outer.convert(&json!({ "clearance": null })).expect_err("null");
    assert_eq!(error.to_string(), "`clearance`: expected an object");
}

#[test]
fn entities_convert_by_type_and_choice() {
    let shape = entity("User");
    for good in
        [json!({"__entity": {"type": "User", "id": "rita"}}), json!({"type": "User", "id": "rita"})]
    {
        assert_eq!(shape.convert(&good).expect("a user").to_string(), "User::\"rita\"");
    }
    for bad in [
        json!("rita"),
        json!({"type": "Group", "id": "rita"}),
        json!({"type": "User"}),
        json!(null),
    ] {
        assert!(shape.convert(&bad).is_err(), "{bad}");
    }
    let listed = Shape::Entity(EntityShape {
        kind: "Tier".parse().expect("a type"),
        choices: Some(Arc::from([Eid::new("gold")])),
    });
    assert!(listed.convert(&json!({"type": "Tier", "id": "gold"})).is_ok());
    assert!(listed.convert(&json!({"type": "Tier", "id": "glod"})).is_err());
}

#[test]
fn extension_values_come_from_their_own_constructor_alone() {
    let time = Shape::Extension(Extension::Time);
    assert!(time.convert(&json!("2026-01-01")).is_ok());
    assert!(
        time.convert(&json!({"__extn": {"fn": "datetime", "arg": "2026-01-01T00:00:00Z"}})).is_ok()
    );
    for bad in [
        json!({"__extn": {"fn": "decimal", "arg": "1.0"}}),
        json!({"__extn": {"fn": "unknown", "arg": "x"}}),
        json!("yesterday"),
        json!(5),
    ] {
        assert!(time.convert(&bad).is_err(), "{bad}");
    }
}

#[test]
fn time_and_addresses_are_exact() {
    let at = kenward_model::Timestamp::from_micros(1_767_225_600_123_456);
    let text = crate::extension::time(at).expect("a time").to_string();
    assert!(text.contains("1767225600123"), "{text}");
    assert!(crate::extension::time(kenward_model::Timestamp::from_micros(-1)).is_some());
    assert!(crate::extension::address("2001:db8::1".parse().expect("an address")).is_some());
}

proptest! {
    #[test]
    fn conversion_never_panics_and_never_changes_a_type(text in ".{0,40}", number in any::<i64>(), flag in any::<bool>()) {
        let values = [json!(text), json!(number), json!(flag), json!([text, number]), json!({ "a": text })];
        let shapes = [Shape::Bool, Shape::Long, Shape::Text, Shape::Set(Arc::new(Shape::Text)), entity("User")];
        for value in &values {
            for shape in &shapes {
                let fits = shape.convert(value).is_ok();
                let same = match shape {
                    Shape::Bool => value.is_boolean(),
                    Shape::Long => value.is_i64(),
                    Shape::Text => value.is_string(),
                    Shape::Opaque | Shape::Entity(_) | Shape::Extension(_) | Shape::Set(_) | Shape::Record(_) => false,
                };
                prop_assert_eq!(fits, same, "{:?} on {}", shape, value);
            }
        }
    }
}
