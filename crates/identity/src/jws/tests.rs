//! What is read from a header, before any signature.

use serde_json::json;

use super::Compact;
use crate::testing::{TestKey, with};

fn kind(written: &str) -> Option<String> {
    let key = TestKey::ed25519("k");
    let header = with(&key.header(), "typ", json!(written)).to_string();
    Compact::parse(&key.sign(&header, "{}")).unwrap().header.kind
}

#[test]
fn the_type_is_compared_as_a_media_type() {
    for same in ["txntoken+jwt", "TxnToken+JWT", "application/txntoken+jwt"] {
        assert_eq!(kind(same).as_deref(), Some("txntoken+jwt"));
    }
    assert_eq!(kind("text/txntoken+jwt").as_deref(), Some("text/txntoken+jwt"));
    assert_eq!(kind("application/x/y").as_deref(), Some("application/x/y"));
}

#[test]
fn the_payload_is_any_bytes_until_it_is_read_as_claims() {
    let key = TestKey::ed25519("k");
    let token = key.sign(&key.header().to_string(), "not json");
    let compact = Compact::parse(&token).unwrap();
    compact.verify(&key.key_set(), &[crate::SignatureAlgorithm::EdDsa]).unwrap();
    assert_eq!(compact.payload, b"not json");
}
