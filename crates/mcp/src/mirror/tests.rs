//! Headers that mirror arguments.

use serde_json::{Value, json};

use super::{MirrorError, Mirrors};

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "region": { "type": "string", "x-mcp-header": "Region" },
            "limit": { "type": "integer", "x-mcp-header": "Limit" },
            "where": { "type": "object", "properties": { "dry": { "type": "boolean", "x-mcp-header": "Dry-Run" } } },
            "free": { "type": "string", "default": { "x-mcp-header": "no schema" } },
        },
    })
}

fn check(arguments: &Value, headers: &[(&str, &str)]) -> Result<(), i32> {
    let find = |name: &str| {
        headers.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    };
    Mirrors::of(&schema()).unwrap().check(arguments, &find).map_err(|error| error.code())
}

#[test]
fn annotated_arguments_become_headers() {
    let arguments =
        json!({ "region": "Zürich", "limit": 42, "where": { "dry": true }, "free": "x" });
    let headers = Mirrors::of(&schema()).unwrap().headers(&arguments);
    let expected = [
        ("Mcp-Param-Region", "=?base64?WsO8cmljaA==?="),
        ("Mcp-Param-Limit", "42"),
        ("Mcp-Param-Dry-Run", "true"),
    ];
    let headers: Vec<_> =
        headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, expected);
    assert_eq!(check(&arguments, &expected), Ok(()));
}

#[test]
fn absent_null_and_unsuitable_arguments_have_no_header() {
    let mirrors = Mirrors::of(&schema()).unwrap();
    let without = [
        json!({}),
        json!({ "region": null, "limit": 1.5, "where": [] }),
        json!({ "region": ["x"], "limit": 9_007_199_254_740_993_i64, "where": "x" }),
        Value::Null,
    ];
    for arguments in without {
        assert_eq!(mirrors.headers(&arguments), [], "{arguments}");
        assert_eq!(check(&arguments, &[]), Ok(()));
        assert_eq!(check(&arguments, &[("mcp-param-region", "x")]), Err(-32020));
    }
    assert!(Mirrors::of(&json!({ "type": "object" })).unwrap().is_empty());
}

#[test]
fn headers_must_say_what_the_arguments_say() {
    let arguments = json!({ "region": "us", "limit": 42 });
    let good = [("mcp-param-region", "us"), ("MCP-PARAM-LIMIT", "42.0")];
    assert_eq!(check(&arguments, &good), Ok(()));
    let bad: [&[(&str, &str)]; 8] = [
        &[],
        &[("mcp-param-region", "us")],
        &[("mcp-param-region", "US"), ("mcp-param-limit", "42")],
        &[("mcp-param-region", "us"), ("mcp-param-limit", "43")],
        &[("mcp-param-region", "us"), ("mcp-param-limit", "42.5")],
        &[("mcp-param-region", "us"), ("mcp-param-limit", "")],
        &[("mcp-param-region", "=?base64?x?="), ("mcp-param-limit", "42")],
        &[("mcp-param-region", "us"), ("mcp-param-limit", "42"), ("mcp-param-dry-run", "true")],
    ];
    for headers in bad {
        assert_eq!(check(&arguments, headers), Err(-32020), "{headers:?}");
    }
}

#[test]
fn malformed_annotations_are_found() {
    let property = |annotated: Value| Mirrors::of(&json!({ "properties": { "p": annotated } }));
    for name in [json!(""), json!("a b"), json!("a:b"), json!("é"), json!("a\r\nb"), json!(7)] {
        let found = property(json!({ "type": "string", "x-mcp-header": name }));
        assert_eq!(found, Err(MirrorError::Name("p".to_owned())), "{name}");
    }
    for kind in [json!("number"), json!("object"), json!("null"), json!(["string"]), Value::Null] {
        let found = property(json!({ "type": kind, "x-mcp-header": "X" }));
        assert_eq!(found, Err(MirrorError::Type("p".to_owned())), "{kind}");
    }
    let twice = json!({ "properties": {
        "p": { "type": "string", "x-mcp-header": "X" }, "q": { "type": "string", "x-mcp-header": "x" } } });
    assert_eq!(Mirrors::of(&twice), Err(MirrorError::Twice("q".to_owned())));
    let annotated = json!({ "type": "string", "x-mcp-header": "X" });
    let unreachable = [
        annotated.clone(),
        json!({ "items": annotated }),
        json!({ "anyOf": [{ "properties": { "p": annotated } }] }),
        json!({ "$defs": { "p": annotated } }),
        json!({ "properties": { "p": { "items": { "properties": { "q": annotated } } } } }),
        json!({ "additionalProperties": annotated }),
    ];
    for schema in unreachable {
        assert!(matches!(Mirrors::of(&schema), Err(MirrorError::Unreachable(_))), "{schema}");
    }
}
