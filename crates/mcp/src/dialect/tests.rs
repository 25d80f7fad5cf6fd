//! Every way in which headers and body can disagree.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    Dialect, Era, HeaderView, SUPPORTED, VERSIONS, classify, decode_header_value,
    encode_header_value, mirrored_name, negotiate, supported,
};
use crate::{EnvelopeError, Limits, Message};

const MODERN: &str = "2026-07-28";

fn message(method: &str, params: &Value) -> Message {
    let mut text = json!({ "jsonrpc": "2.0", "method": method, "params": params });
    if !method.starts_with("notifications/") {
        text["id"] = json!(42);
    }
    Message::parse(Bytes::from(text.to_string()), &Limits::default()).unwrap()
}

fn modern(method: &str, mut params: Value) -> Message {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    message(method, &params)
}

fn headers<'a>(method: &'a str, name: Option<&'a str>) -> HeaderView<'a> {
    HeaderView { version: Some(MODERN), method: Some(method), name, session: None }
}

fn with_version(version: &str) -> HeaderView<'_> {
    HeaderView { version: Some(version), ..HeaderView::default() }
}

fn code(result: Result<Dialect, EnvelopeError>) -> (i32, u16) {
    let error = result.unwrap_err();
    (error.code(), error.status())
}

#[test]
fn the_supported_versions_are_listed_newest_first() {
    let names: Vec<&str> = SUPPORTED.iter().map(|dialect| dialect.version).collect();
    assert_eq!(names, VERSIONS);
    assert!(names.is_sorted_by(|a, b| a > b));
    assert_eq!(supported("2024-11-05"), None);
}

#[test]
fn a_modern_call_whose_headers_agree_is_modern() {
    let call = modern("tools/call", json!({ "name": "get" }));
    let expected = Dialect { era: Era::Modern, version: MODERN };
    assert_eq!(classify(&headers("tools/call", Some("get")), &call), Ok(expected));
    let session = HeaderView { session: Some("x"), ..headers("tools/call", Some("get")) };
    assert_eq!(classify(&session, &call), Ok(expected));
    let list = modern("tools/list", json!({}));
    assert_eq!(classify(&headers("tools/list", None), &list), Ok(expected));
}

#[test]
fn headers_of_a_modern_call_must_agree_with_the_body() {
    let call = modern("tools/call", json!({ "name": "get" }));
    let good = headers("tools/call", Some("get"));
    let bad = [
        HeaderView { version: None, ..good },
        HeaderView { version: Some("2025-11-25"), ..good },
        HeaderView { version: Some("nonsense"), ..good },
        HeaderView { method: None, ..good },
        HeaderView { method: Some("tools/list"), ..good },
        HeaderView { method: Some("Tools/call"), ..good },
        HeaderView { method: Some(""), ..good },
        HeaderView { name: None, ..good },
        HeaderView { name: Some("other"), ..good },
        HeaderView { name: Some("GET"), ..good },
        HeaderView { name: Some("get "), ..good },
        HeaderView { name: Some("gét"), ..good },
        HeaderView { name: Some("=?base64?!?="), ..good },
        HeaderView { name: Some("=?base64?Z2V0?"), ..good },
        HeaderView { name: Some("=?BASE64?Z2V0?="), ..good },
    ];
    for view in bad {
        assert_eq!(code(classify(&view, &call)), (-32020, 400), "{view:?}");
    }
    let encoded = HeaderView { name: Some("=?base64?Z2V0?="), ..good };
    assert!(classify(&encoded, &call).is_ok());
}

#[test]
fn the_name_header_mirrors_the_right_member() {
    let read = modern("resources/read", json!({ "uri": "file:///ä", "name": "decoy" }));
    assert_eq!(mirrored_name(&read), Some("file:///ä"));
    let encoded = encode_header_value("file:///ä");
    assert!(classify(&headers("resources/read", Some(&encoded)), &read).is_ok());
    assert!(classify(&headers("resources/read", Some("decoy")), &read).is_err());
    let task = modern("tasks/get", json!({ "taskId": "t1" }));
    assert!(classify(&headers("tasks/get", Some("t1")), &task).is_ok());
    assert!(classify(&headers("tasks/get", None), &task).is_err());
    assert_eq!(mirrored_name(&modern("tools/list", json!({ "name": "x" }))), None);
    // A name in the header and none in the body, where a name belongs.
    let nameless = modern("tools/call", json!({}));
    assert_eq!(code(classify(&headers("tools/call", Some("get")), &nameless)), (-32020, 400));
}

#[test]
fn metadata_of_a_modern_request_is_complete() {
    let capabilities = "io.modelcontextprotocol/clientCapabilities";
    let version = "io.modelcontextprotocol/protocolVersion";
    let incomplete = [
        json!({ "_meta": { version: MODERN } }),
        json!({ "_meta": { version: MODERN, capabilities: [] } }),
        json!({ "_meta": { version: 20_260_728, capabilities: {} } }),
        json!({ "_meta": { capabilities: {} } }),
        json!({}),
    ];
    for params in incomplete {
        let result = classify(&headers("tools/list", None), &message("tools/list", &params));
        assert_eq!(code(result), (-32602, 400), "{params}");
    }
    let nameless = classify(&HeaderView::default(), &message("server/discover", &json!({})));
    assert_eq!(code(nameless), (-32602, 400));
}

#[test]
fn an_unsupported_version_is_answered_with_those_that_are() {
    let version = "io.modelcontextprotocol/protocolVersion";
    for unsupported in ["2099-01-01", "2025-11-25", ""] {
        let params = json!({ "_meta": { version: unsupported } });
        let message = message("tools/list", &params);
        let mismatched = classify(&headers("tools/list", None), &message);
        assert_eq!(code(mismatched), (-32020, 400), "the header says {MODERN}");
        let same = HeaderView { version: Some(unsupported), ..headers("ping", None) };
        let error = classify(&same, &message).unwrap_err();
        assert_eq!((error.code(), error.status()), (-32022, 400));
        let data = json!({ "supported": VERSIONS, "requested": unsupported });
        assert_eq!((error.data(), error.id()), (Some(data), Some(&b"42"[..])));
    }
    let result = classify(&with_version("1999-01-01"), &message("tools/list", &json!({})));
    assert_eq!(code(result), (-32022, 400));
}

#[test]
fn legacy_messages_are_known_by_what_they_lack() {
    let list = message("tools/list", &json!({}));
    for version in ["2025-03-26", "2025-06-18", "2025-11-25"] {
        let dialect = classify(&with_version(version), &list).unwrap();
        assert_eq!(
            dialect,
            Dialect { era: Era::Legacy, version: supported(version).unwrap().version }
        );
    }
    let silent = HeaderView { session: Some("s"), ..HeaderView::default() };
    assert_eq!(classify(&silent, &list).unwrap().version, "2025-03-26");
    let progress = message("tools/list", &json!({ "_meta": { "progressToken": 1 } }));
    assert_eq!(classify(&with_version("2025-11-25"), &progress).unwrap().era, Era::Legacy);
}

#[test]
fn initialize_negotiates() {
    let initialize = |version: &str| message("initialize", &json!({ "protocolVersion": version }));
    let classified = |version| classify(&HeaderView::default(), &initialize(version)).unwrap();
    assert_eq!(classified("2025-06-18"), Dialect { era: Era::Legacy, version: "2025-06-18" });
    for other in ["2024-11-05", MODERN, "2099-01-01"] {
        assert_eq!(classified(other), Dialect { era: Era::Legacy, version: "2025-11-25" });
        assert_eq!(negotiate(other).version, "2025-11-25");
    }
    let bare = classify(&HeaderView::default(), &message("initialize", &json!({})));
    assert_eq!(code(bare), (-32602, 200));
}

#[test]
fn posted_responses_are_legacy() {
    let text = Bytes::from_static(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    let response = Message::parse(text, &Limits::default()).unwrap();
    assert_eq!(classify(&with_version("2025-11-25"), &response).unwrap().era, Era::Legacy);
    assert_eq!(code(classify(&with_version(MODERN), &response)), (-32600, 400));
}

#[test]
fn headers_of_a_modern_notification_may_be_absent_but_not_false() {
    let notification = message("notifications/cancelled", &json!({ "requestId": 1 }));
    assert_eq!(classify(&with_version(MODERN), &notification).unwrap().era, Era::Modern);
    let good = headers("notifications/cancelled", None);
    assert!(classify(&good, &notification).is_ok());
    let bad = headers("tools/call", None);
    assert_eq!(code(classify(&bad, &notification)), (-32020, 400));
}

#[test]
fn plain_values_stay_and_others_are_encoded() {
    for plain in ["", "get_weather", "a b\tc", "=?base", "?=", "~!"] {
        assert_eq!(encode_header_value(plain), plain);
    }
    for odd in
        [" a", "a ", "\t", "ä", "a\nb", "a\rb", "\0", "\u{7f}", "=?base64?QQ==?=", "=?base64?"]
    {
        let encoded = encode_header_value(odd);
        assert!(encoded.starts_with("=?base64?") && encoded.ends_with("?="), "{odd:?}");
        assert_eq!(decode_header_value(&encoded).unwrap(), odd);
    }
    assert_eq!(encode_header_value("=?base64?literal?="), "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?=");
}

#[test]
fn malformed_values_are_refused() {
    let bad = [
        "a\nb",
        "ä",
        "\u{7f}",
        "\0",
        "=?base64?Z2V0!?=",
        "=?base64?Z2V?=",
        "=?base64?Z2V0Z?=",
        "=?base64?/w==?=",
        // Bits that say nothing, and the alphabet of URLs.
        "=?base64?QR==?=",
        "=?base64?_w==?=",
        "=?base64? Z2V0?=",
    ];
    for header in bad {
        assert!(decode_header_value(header).is_err(), "{header:?}");
    }
}

proptest! {
    #[test]
    fn any_value_comes_back(value in any::<String>()) {
        let header = encode_header_value(&value);
        prop_assert!(header.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)));
        prop_assert_eq!(header.trim(), header.as_str());
        prop_assert_eq!(decode_header_value(&header).unwrap(), value);
    }

    #[test]
    fn a_name_is_accepted_exactly_when_it_is_the_bodys(body in ".{1,6}", header in "[ -~]{0,6}") {
        let call = modern("tools/call", json!({ "name": body }));
        let encoded = encode_header_value(&body);
        prop_assert!(classify(&headers("tools/call", Some(&encoded)), &call).is_ok());
        let accepted = classify(&headers("tools/call", Some(&header)), &call).is_ok();
        prop_assert_eq!(accepted, header == body);
    }
}
