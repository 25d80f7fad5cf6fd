//! Lists are cut by item and by nothing else.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Item, ListError, ListKind, filter, items};
use crate::dialect::Era;

const KINDS: [ListKind; 4] =
    [ListKind::Tools, ListKind::Prompts, ListKind::Resources, ListKind::Templates];

fn response(result: &str) -> Bytes {
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","id":1,"result":{result}}}"#))
}

fn kept(response: &Bytes, era: Era, keep: &[&str]) -> Result<String, ListError> {
    let mut keep = |item: &Item<'_>| keep.contains(&item.name);
    let bytes = filter(response, ListKind::Tools, era, 1000, &mut keep)?;
    Ok(String::from_utf8(bytes.to_vec()).unwrap())
}

#[test]
fn what_stays_is_byte_exact() {
    let list = response(
        r#"{ "tools" : [ {"name":"a", "x":1.10e0} , {"n\u0061me":"b\u0062"},{ "name":"c"}
 ] , "nextCursor":"","y":12345678901234567890123}"#,
    );
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{ "tools" : [ {"name":"a", "x":1.10e0},{ "name":"c"}
 ] , "nextCursor":"","y":12345678901234567890123}}"#;
    assert_eq!(kept(&list, Era::Legacy, &["a", "c"]).unwrap(), expected);
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{ "tools" : [ {"n\u0061me":"b\u0062"}
 ] , "nextCursor":"","y":12345678901234567890123}}"#;
    assert_eq!(kept(&list, Era::Legacy, &["bb"]).unwrap(), expected);
    let expected = r#"{"jsonrpc":"2.0","id":1,"result":{ "tools" : [ 
 ] , "nextCursor":"","y":12345678901234567890123}}"#;
    assert_eq!(kept(&list, Era::Legacy, &[]).unwrap(), expected);
    assert_eq!(kept(&list, Era::Legacy, &["a", "bb", "c"]).unwrap().as_bytes(), list);
}

#[test]
fn each_kind_has_its_own_member_and_key() {
    for kind in KINDS {
        let (member, key) = (kind.member(), kind.key());
        let list = json!({ member: [{ key: "secret" }, { key: "open" }], "other": [{ key: "x" }] });
        let mut keep = |item: &Item<'_>| item.name == "open";
        let bytes = filter(&response(&list.to_string()), kind, Era::Legacy, 0, &mut keep).unwrap();
        let result = &serde_json::from_slice::<Value>(&bytes).unwrap()["result"];
        assert_eq!(result, &json!({ member: [{ key: "open" }], "other": [{ key: "x" }] }));
    }
}

#[test]
fn a_modern_list_is_private_and_short_lived() {
    let cases = [
        (
            r#"{"tools":[],"ttlMs":500,"cacheScope":"private"}"#,
            r#"{"tools":[],"ttlMs":500,"cacheScope":"private"}"#,
        ),
        (
            r#"{"tools":[],"ttlMs":5000,"cacheScope":"public"}"#,
            r#"{"tools":[],"ttlMs":1000,"cacheScope":"private"}"#,
        ),
        (
            r#"{"cacheScope":"public","tools":[]}"#,
            r#"{"ttlMs":0,"cacheScope":"private","tools":[]}"#,
        ),
        (r#"{ "tools":[]}"#, r#"{"cacheScope":"private","ttlMs":0, "tools":[]}"#),
        (
            r#"{"tools":[],"ttlMs":-1,"cacheScope":7}"#,
            r#"{"tools":[],"ttlMs":0,"cacheScope":"private"}"#,
        ),
        (
            r#"{"tools":[],"ttlMs":"9","cacheScope":"Private"}"#,
            r#"{"tools":[],"ttlMs":0,"cacheScope":"private"}"#,
        ),
        (
            r#"{"tools":[],"ttlMs":1e9,"cacheScope":"\u0070rivate"}"#,
            r#"{"tools":[],"ttlMs":0,"cacheScope":"private"}"#,
        ),
        (
            r#"{"ttlMs":99999999999999999999,"tools":[{"name":"a"},{"name":"b"}],"cacheScope":"public","resultType":"complete"}"#,
            r#"{"ttlMs":0,"tools":[{"name":"b"}],"cacheScope":"private","resultType":"complete"}"#,
        ),
    ];
    for (before, after) in cases {
        let filtered = kept(&response(before), Era::Modern, &["b"]).unwrap();
        assert_eq!(filtered.as_bytes(), response(after), "{before}");
        let legacy = kept(&response(before), Era::Legacy, &["a", "b"]).unwrap();
        assert_eq!(legacy.as_bytes(), response(before));
    }
}

#[test]
fn an_error_is_no_list_and_passes() {
    let error =
        Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"x"}}"#);
    assert_eq!(kept(&error, Era::Modern, &[]).unwrap().as_bytes(), error);
    assert!(items(&error, ListKind::Tools).is_err());
}

#[test]
fn malformed_lists_are_refused() {
    let results = [
        "{}",
        "[]",
        "null",
        r#"{"tools":null}"#,
        r#"{"tools":{}}"#,
        r#"{"tools":[1]}"#,
        r#"{"tools":[{}]}"#,
        r#"{"tools":[{"name":1}]}"#,
        r#"{"tools":[[{"name":"a"}]]}"#,
        r#"{"prompts":[]}"#,
        r#"{"tools":[],"tools":[{"name":"secret"}]}"#,
        r#"{"tools":[],"t\u006fols":[{"name":"secret"}]}"#,
        r#"{"tools":[],"Tools":[{"name":"secret"}]}"#,
        r#"{"tools":[],"cacheScope":"private","cacheScope":"public"}"#,
        r#"{"tools":[],"CacheScope":"public"}"#,
        r#"{"tools":[],"TTLMS":99999}"#,
        r#"{"tools":[],"nextCursor":7}"#,
        r#"{"tools":[],"resultType":"input_required"}"#,
        r#"{"tools":[{"name":"open","name":"secret"}]}"#,
        r#"{"tools":[{"name":"open","n\u0061me":"secret"}]}"#,
        r#"{"tools":[{"name":"open","Name":"secret"}]}"#,
        r#"{"tools":[{"name":"open","inputSchema":{"type":"object","type":"string"}}]}"#,
        r#"{"tools":[],"x":{"a":1,"a":2}}"#,
        r#"{"tools":[],"x":1,"x":2}"#,
    ];
    for result in results {
        assert!(kept(&response(result), Era::Modern, &["open"]).is_err(), "{result}");
    }
    let deep =
        format!(r#"{{"tools":[{{"name":"open","x":{}{}}}]}}"#, "[".repeat(70), "]".repeat(70));
    assert!(kept(&response(&deep), Era::Legacy, &["open"]).is_err());
    let responses = [
        "",
        "[]",
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}]"#,
        r#"{"id":1,"result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[{"name":"x"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"Result":{"tools":[{"name":"x"}]}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"error":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","result":{"tools":[]}}"#,
        r#"{"jsonrpc":"2.0","id":1}"#,
    ];
    for text in responses {
        let bytes = Bytes::copy_from_slice(text.as_bytes());
        assert!(kept(&bytes, Era::Modern, &[]).is_err(), "{text}");
        assert!(items(&bytes, ListKind::Tools).is_err(), "{text}");
    }
    let latin = Bytes::from_static(
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[],\"x\":\"\xE9\"}}",
    );
    assert!(kept(&latin, Era::Legacy, &[]).is_err());
}

#[test]
fn the_items_of_a_page_are_taken_out() {
    let list =
        response(r#"{"tools":[{"name":"a" , "x":1},{"name":"b\n"}],"nextCursor":"n\u0031"}"#);
    let (found, cursor) = items(&list, ListKind::Tools).unwrap();
    let found: Vec<_> = found.iter().map(|item| (item.name.as_str(), item.json.get())).collect();
    assert_eq!(found, [("a", r#"{"name":"a" , "x":1}"#), ("b\n", r#"{"name":"b\n"}"#)]);
    assert_eq!(cursor.as_deref(), Some("n1"));
    for end in [r#"{"tools":[]}"#, r#"{"tools":[],"nextCursor":null}"#] {
        assert_eq!(items(&response(end), ListKind::Tools).unwrap().1, None);
    }
    // An empty cursor is a cursor.
    let (_, cursor) = items(&response(r#"{"tools":[],"nextCursor":""}"#), ListKind::Tools).unwrap();
    assert_eq!(cursor.as_deref(), Some(""));
}

proptest! {
    /// A filtered list is the list of what was kept, in both eras, however it is laid out.
    #[test]
    fn filtering_is_deciding_each(
        entries in proptest::collection::vec((".{0,6}", any::<bool>(), any::<i64>()), 0..12),
        pretty: bool,
        modern: bool,
        ttl in proptest::option::of(any::<u64>()),
    ) {
        let tool = |(name, _, extra): &(String, bool, i64)| json!({ "x": [extra], "name": name });
        let mut result = json!({ "_meta": {}, "tools": entries.iter().map(tool).collect::<Vec<_>>() });
        if let Some(ttl) = ttl {
            result["ttlMs"] = json!(ttl);
        }
        let list = json!({ "jsonrpc": "2.0", "id": "x", "result": result });
        let text = if pretty { format!("{list:#}") } else { list.to_string() };
        let era = if modern { Era::Modern } else { Era::Legacy };
        let mut decisions = entries.iter().map(|(_, keep, _)| *keep);
        let mut keep = |_: &Item<'_>| decisions.next().unwrap();
        let bytes = filter(&Bytes::from(text), ListKind::Tools, era, 1000, &mut keep).unwrap();

        let mut expected = list;
        expected["result"]["tools"] = entries.iter().filter(|entry| entry.1).map(tool).collect();
        if modern {
            expected["result"]["cacheScope"] = json!("private");
            expected["result"]["ttlMs"] = json!(ttl.unwrap_or(0).min(1000));
        }
        prop_assert_eq!(serde_json::from_slice::<Value>(&bytes).unwrap(), expected);
        prop_assert!(crate::tree::check(&bytes, 64).is_ok());
    }
}
