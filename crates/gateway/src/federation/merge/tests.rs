//! Merged answers hold what the servers said, in order, and nothing more.

use super::*;
use crate::tests::named;

#[test]
fn a_page_holds_the_items_byte_for_byte_in_order() {
    let items =
        [Bytes::from_static(b"{ \"name\":\"b__x\" }"), Bytes::from_static(b"{\"name\":\"a__y\"}")];
    let page = page(b"\"7\"", Era::Legacy, ListKind::Tools, &items, Some("next"));
    assert_eq!(
        page,
        r#"{"jsonrpc":"2.0","id":"7","result":{"tools":[{ "name":"b__x" },{"name":"a__y"}],"nextCursor":"next"}}"#
    );
    let page = super::page(b"1", Era::Modern, ListKind::Prompts, &[], None);
    let page: Value = serde_json::from_slice(&page).unwrap();
    assert_eq!(
        page["result"],
        json!({
            "prompts": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
        })
    );
}

#[test]
fn each_server_is_asked_for_its_own_uris_alone() {
    let wanted = json!({ URIS: ["kenward:a:u", "kenward:b:u", "u", "kenward:ab:u"] });
    assert_eq!(subscription(&wanted, &named("a")), Some(vec!["u".to_owned()]));
    assert_eq!(subscription(&wanted, &named("c")), None);
    let wanted = json!({ "toolsListChanged": true });
    assert_eq!(subscription(&wanted, &named("c")), Some(Vec::new()));
    assert_eq!(subscription(&json!({ "toolsListChanged": false }), &named("c")), None);
    assert_eq!(subscription(&Value::Null, &named("c")), None);
}

#[test]
fn what_one_of_them_honours_is_honoured() {
    let parts = [
        (named("a"), json!({ "toolsListChanged": true, URIS: ["u"] })),
        (named("b"), json!({ "promptsListChanged": true, URIS: ["u"] })),
        (named("c"), Value::Null),
    ];
    let expected = json!({
        "toolsListChanged": true, "promptsListChanged": true,
        URIS: ["kenward:a:u", "kenward:b:u"],
    });
    assert_eq!(honoured(&parts), expected);
    assert_eq!(honoured(&[]), json!({}));
}
