use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::fixture::caller;

fn rita() -> Caller {
    let mut rita = caller("rita");
    rita.claims = json!({ "sub": "rita", "client_id": "desktop", "aud": ["a", "b"], "nested": { "x": null } });
    rita
}

fn one(id: &str) -> Value {
    json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": id } } })
}

fn evaluate(mapping: &Value, params: &Value) -> Result<Vec<Evaluation>, MappingError> {
    Mapping::compile(mapping)?.evaluate(params, &rita())
}

/// The id that an expression gives, or why it gives none.
fn id(expression: &str, params: &Value) -> Result<String, String> {
    let found = evaluate(&one(expression), params).map_err(|error| error.to_string())?;
    Ok(found[0].resource.id.as_ref().to_owned())
}

fn params() -> Value {
    json!({ "name": "act", "arguments": {
        "id": "4711", "number": 4711, "ratio": 1.5, "flag": true, "nothing": null, "empty": "",
        "list": ["4711"], "object": { "id": "1" }, "items": [{ "id": "1", "kind": "x" }, { "id": "2", "kind": "y" }],
    } })
}

#[test]
fn expressions_give_what_they_say() {
    for (expression, expected) in [
        ("$params.arguments.id", "4711"),
        ("$params.arguments.number", "4711"),
        ("$params['arguments']['id']", "4711"),
        ("$params.arguments.object.id", "1"),
        ("$token.sub", "rita"),
        ("$token.?client_id", "desktop"),
        ("$token.?missing.orValue('none')", "none"),
        ("$'c-' + params.arguments.id", "c-4711"),
        ("$params.arguments.flag ? params.arguments.id : 'x'", "4711"),
        ("$params.arguments.items[1].id", "2"),
        ("$params.arguments.items.filter(i, i.kind == 'y')[0].id", "2"),
        ("$params.arguments.items.exists(i, i.id == '2') ? 'yes' : 'no'", "yes"),
        ("$has(params.arguments.id) ? 'yes' : 'no'", "yes"),
        ("$string(params.arguments.number + 1)", "4712"),
        ("$$params.arguments.id", "$params.arguments.id"),
        ("a $token.sub", "a $token.sub"),
        ("literal", "literal"),
    ] {
        assert_eq!(id(expression, &params()).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_is_no_name_is_refused() {
    for expression in [
        "$params.arguments.nothing",
        "$params.arguments.missing",
        "$params.arguments.?missing",
        "$params.missing.id",
        "$params.arguments.id.deeper",
        "$params.arguments.list",
        "$params.arguments.object",
        "$params.arguments.ratio",
        "$params.arguments.flag",
        "$params.arguments.empty",
        "$params.arguments.list[7]",
        "$params.arguments.items.map(i, i.id)",
        "$token.aud",
        "$token.nested.x",
        "$token.?missing",
        "$1 / 0",
        "$params.arguments.number + 'x'",
        "",
    ] {
        assert!(id(expression, &params()).is_err(), "{expression}");
    }
    for params in [
        Value::Null,
        json!([]),
        json!("x"),
        json!({ "arguments": null }),
        json!({ "arguments": "id" }),
        json!({ "arguments": ["id"] }),
    ] {
        assert!(id("$params.arguments.id", &params).is_err(), "{params}");
    }
}

#[test]
fn errors_name_the_place_and_hold_no_value_of_the_call() {
    let secret = json!({ "arguments": { "id": ["SECRET-1"], "name": "SECRET-2" } });
    for expression in [
        "$params.arguments.id",
        "$params.arguments[params.arguments.name]",
        "$params.arguments.name + 1",
        "$int(params.arguments.name)",
    ] {
        let error = id(expression, &secret).expect_err(expression);
        assert!(error.contains("resource.id") && !error.contains("SECRET"), "{error}");
    }
}

#[test]
fn envelopes_have_exactly_one_member() {
    let body =
        json!({ "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1" } });
    for bad in [
        json!({}),
        json!([]),
        json!("evaluation"),
        json!(null),
        json!({ "evaluation": body, "evaluations": { "evaluations": [body] } }),
        json!({ "evaluation": body, "note": 1 }),
        json!({ "Evaluation": body }),
        json!({ "evaluation": [body] }),
        json!({ "evaluation": {} }),
        json!({ "evaluation": { "action": { "name": "read" } } }),
        json!({ "evaluation": { "action": "read", "resource": { "type": "Customer", "id": "1" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1", "idd": "2" } } }),
        json!({ "evaluation": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1" }, "evaluations": [] } }),
        json!({ "evaluations": { "evaluations": [{ "resource": { "type": "Customer", "id": "1" } }] } }),
        json!({ "evaluations": { "evaluations": [7] } }),
        json!({ "evaluations": { "evaluations": [] } }),
    ] {
        assert!(Mapping::compile(&bad).is_err(), "{bad}");
    }
}

#[test]
fn entries_override_whole_members_and_an_empty_list_is_a_single_evaluation() {
    let many = json!({ "evaluations": {
        "action": { "name": "read" },
        "resource": { "type": "Customer", "id": "1" },
        "context": { "a": 1, "b": 2 },
        "evaluations": [{}, { "action": { "name": "write" }, "context": { "c": 3 } }, { "resource": { "type": "Depot", "id": "2" } }],
    } });
    let found = evaluate(&many, &params()).expect("evaluations");
    let seen: Vec<(&str, String, Option<Value>)> = found
        .iter()
        .map(|one| (one.action.as_str(), one.resource.to_string(), one.context.clone()))
        .collect();
    assert_eq!(
        seen,
        [
            ("read", "Customer::\"1\"".to_owned(), Some(json!({ "a": 1, "b": 2 }))),
            ("write", "Customer::\"1\"".to_owned(), Some(json!({ "c": 3 }))),
            ("read", "Depot::\"2\"".to_owned(), Some(json!({ "a": 1, "b": 2 }))),
        ]
    );
    for empty in [json!([]), json!(null)] {
        let mut single = json!({ "evaluations": { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1" } } });
        if !empty.is_null() {
            single["evaluations"]["evaluations"] = empty;
        }
        assert_eq!(evaluate(&single, &params()).expect("an evaluation").len(), 1);
    }
}

#[test]
fn a_subject_is_verified_and_never_believed() {
    let with = |subject: Value| {
        let mut mapping = one("1");
        mapping["evaluation"]["subject"] = subject;
        evaluate(&mapping, &params())
    };
    assert!(with(json!({ "type": "identity", "id": "$token.sub" })).is_ok());
    assert!(with(json!({ "type": "identity" })).is_ok(), "a missing id is supplied");
    for id in [
        json!("omar"),
        json!("$params.arguments.id"),
        json!("$token.client_id"),
        json!("$token.?missing"),
        json!(["rita"]),
        json!({ "sub": "rita" }),
        json!(null),
        json!("Rita"),
        json!(""),
    ] {
        assert_eq!(with(json!({ "id": id })), Err(MappingError::ForeignSubject), "{id}");
    }
    assert!(with(json!({ "id": "$token.sub", "name": "omar" })).is_err());
    let inside = json!({ "evaluations": { "evaluations": [
        { "subject": { "id": "$token.sub" }, "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1" } },
    ] } });
    assert!(Mapping::compile(&inside).is_err(), "inside an entry");
    let claims = with(json!({ "id": "$token.sub", "properties": { "admin": true } }))
        .expect("an evaluation");
    assert_eq!(
        claims[0].claimed,
        Some(json!({ "subject": { "admin": true } })),
        "untrusted, and apart"
    );
}

#[test]
fn absent_members_of_the_context_are_left_out() {
    let mut mapping = one("1");
    mapping["evaluation"]["context"] = json!({ "agent": "$token.?client_id", "case": "$params.arguments.?case", "deep": { "x": "$token.?y", "z": [1, "$token.sub"] } });
    let found = evaluate(&mapping, &params()).expect("an evaluation");
    assert_eq!(found[0].context, Some(json!({ "agent": "desktop", "deep": { "z": [1, "rita"] } })));
    mapping["evaluation"]["context"] = json!({ "list": ["$token.?missing"] });
    assert!(evaluate(&mapping, &params()).is_err(), "an item cannot be left out of a list");
}

#[test]
fn expressions_are_bounded() {
    let long = format!("$'{}'", "x".repeat(3_000));
    let deep = format!("${}1{}", "(".repeat(200), ")".repeat(200));
    for expression in [
        "$params.arguments.list.map(a, params.arguments.list.map(b, a + b))[0]",
        "$params.arguments.list.exists(a, params.arguments.list.exists(b, a == b))",
        "$params.arguments.list.all(a, a.all(b, b))",
        "$params.arguments.list.map(a, a + a)[0]",
        "$params.arguments.list.filter(a, a + a == 'x')[0]",
        "$[1].map(a, a).map(a, a).map(a, a).map(a, a).map(a, a)[0]",
        "$undefined.x",
        "$matches(params.name, '(a+)+$') ? 'x' : 'y'",
        "$params.name.matches('(a+)+$')",
        "$duration('1h')",
        "$b'abc'",
        "$params.",
        "$",
        "$ ",
        "$1 +",
        &long,
        &deep,
        &format!("$1{}", " + 1".repeat(200)),
        &format!("$params{}", ".a".repeat(200)),
        &format!("${}true", "!".repeat(500)),
        &format!("${}1", "-".repeat(500)),
        &format!("$1{}", " in 1".repeat(200)),
        &format!("$true{}", " ? true : true".repeat(100)),
        &format!("${}1{}", "[".repeat(500), "]".repeat(500)),
    ] {
        assert!(Mapping::compile(&one(expression)).is_err(), "{expression:.60}");
    }
    assert!(
        Mapping::compile(&one("$[1].map(a, a).filter(a, a == 1).map(a, string(a))[0]")).is_ok(),
        "one after the other"
    );
}

#[test]
fn mappings_are_bounded() {
    let mut wide = one("1");
    wide["evaluation"]["context"] = (0..2_000).map(Value::from).collect();
    assert!(Mapping::compile(&wide).is_err());
    let mut deep = one("1");
    let nested = (0..40).fold(json!(1), |inner, _| json!([inner]));
    deep["evaluation"]["context"] = nested;
    assert!(Mapping::compile(&deep).is_err());
    let mut busy = one("1");
    busy["evaluation"]["context"] = (0..80).map(|_| json!("$token.sub")).collect();
    assert!(Mapping::compile(&busy).is_err());
    let entry =
        json!({ "action": { "name": "read" }, "resource": { "type": "Customer", "id": "1" } });
    let many: Vec<Value> = (0..17).map(|_| entry.clone()).collect();
    assert!(Mapping::compile(&json!({ "evaluations": { "evaluations": many } })).is_err());
}

#[test]
fn large_arguments_are_refused_where_they_would_have_to_be_walked() {
    let long: Vec<Value> = (0..2_000).map(|n| json!(n.to_string())).collect();
    let list = json!({ "arguments": { "list": long, "id": "1" } });
    assert!(id("$params.arguments.list.exists(a, a == '1') ? 'y' : 'n'", &list).is_err());
    assert_eq!(id("$params.arguments.list[0] + ''", &list).as_deref(), Ok("0"), "without a macro");
    let huge: Vec<Value> = (0..20_000).map(Value::from).collect();
    let huge = json!({ "arguments": { "list": huge, "id": "1" } });
    assert!(id("$params.arguments.id + ''", &huge).is_err());
    assert_eq!(id("$params.arguments.id", &huge).as_deref(), Ok("1"), "a path walks nothing");
    let text = json!({ "arguments": { "id": "x".repeat(300_000) } });
    assert!(id("$params.arguments.id + ''", &text).is_err());
}

#[test]
fn outlines_say_what_the_arguments_do_not_decide() {
    let mapping = json!({ "evaluations": { "evaluations": [
        { "action": { "name": "read" }, "resource": { "type": "Customer", "id": "$params.arguments.id" } },
        { "action": { "name": "$params.name" }, "resource": { "type": "User", "id": "$token.sub" } },
    ] } });
    let mapping = Mapping::compile(&mapping).expect("a mapping");
    let outline = mapping.outline(&rita());
    assert_eq!(
        outline[0],
        Outline { action: Some("read".to_owned()), kind: Some("Customer".to_owned()), id: None }
    );
    assert_eq!(
        outline[1],
        Outline { action: None, kind: Some("User".to_owned()), id: Some("rita".to_owned()) }
    );
    assert!(mapping.outline_reads_token());
    assert_eq!(mapping.named(), [(Some("read"), Some("Customer")), (None, Some("User"))]);
}

proptest! {
    /// No expression and no arguments bring the process down.
    #[test]
    fn expressions_never_panic(
        source in "[a-z\\.\\[\\]\\(\\)'?:+=&|!<>{}, 0-9$\"\\\\]{0,40}",
        text in ".{0,20}",
        number in any::<i64>(),
    ) {
        let params = json!({ "name": text, "arguments": { "a": text, "n": number, "l": [number, text] } });
        if let Ok(mapping) = Mapping::compile(&one(&format!("${source}"))) {
            drop(mapping.evaluate(&params, &rita()));
        }
    }

    /// The same from the words of the language.
    #[test]
    fn well_formed_expressions_never_panic(
        words in prop::collection::vec(prop::sample::select(&[
            "params", "token", ".arguments", ".a", ".n", ".l", "[0]", "[-1]", ".?a", " + ", " - ", " * ", " / ", " % ", " == ", " < ",
            " in ", "size(", "int(", "uint(", "double(", "string(", ")", "(", "1", "0", "-1", "9223372036854775807", "'x'", "'9e99'",
            ".map(i, ", ".filter(i, ", ".exists(i, ", ".all(i, ", "i", " ? ", " : ", "!", "-", ".contains(", ".startsWith(", ".endsWith(", ".orValue(", ".hasValue()", ".value()", "{'a': ", "}", "[", "]", "has(", "1u", "1.5", "null", "true", "type(", "dyn(", "bool(", "optional.none()",
        ][..]), 1..12),
        text in ".{0,20}",
        number in any::<i64>(),
    ) {
        let params = json!({ "name": text, "arguments": { "a": text, "n": number, "l": [number, text] } });
        if let Ok(mapping) = Mapping::compile(&one(&format!("${}", words.concat()))) {
            drop(mapping.evaluate(&params, &rita()));
        }
    }
}
