//! Project Wycheproof's vectors for JSON Web Signatures and Keys, where they are at hand.

use std::path::Path;

use serde_json::{Value, json};

use crate::SignatureAlgorithm;
use crate::jws::Compact;
use crate::keys::KeySet;

/// The vectors, or nothing where the data does not lie beside the repository.
fn vectors(file: &str) -> Option<Value> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data/jose").join(file))
        .find_map(|path| std::fs::read(path).ok());
    if found.is_none() {
        println!("skipped: no shared/data/jose/{file} beside the repository");
    }
    found.map(|bytes| serde_json::from_slice(&bytes).unwrap())
}

/// What a strict verifier of ours makes of one vector.
fn accepts(keys: &Value, token: &Value) -> bool {
    let token = token.as_str().map_or_else(|| token.to_string(), str::to_owned);
    let Ok(keys) = KeySet::parse(keys.to_string().as_bytes()) else { return false };
    Compact::parse(&token).and_then(|token| token.verify(&keys, &SignatureAlgorithm::ALL)).is_ok()
}

/// Valid by the letter of the standards, and refused here on purpose.
fn is_refused_on_purpose(key: &Value, token: &str) -> bool {
    let header = token.split('.').next().unwrap_or_default();
    let header = crate::testing::decode(header);
    let algorithm = header["alg"].as_str().unwrap_or_default();
    let symmetric = algorithm.starts_with("HS");
    let without_library = algorithm == "ES512";
    // RFC 7520's own key says PS256 where its token says PS384.
    let other_than_the_keys = key["alg"].as_str().is_some_and(|own| own != algorithm);
    symmetric || without_library || other_than_the_keys
}

/// Accepted vectors among the valid ones, and how many of all were tried.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    accepted: usize,
    refused_on_purpose: usize,
    invalid: usize,
}

fn try_all(vectors: &Value, set_of: impl Fn(&Value) -> Value) -> Count {
    let mut count = Count::default();
    for group in vectors["testGroups"].as_array().unwrap() {
        // Groups of symmetric keys have no public half: their secret is what an attacker would plant.
        let key = group.get("public").or_else(|| group.get("private")).unwrap();
        for test in group["tests"].as_array().unwrap() {
            let accepted = accepts(&set_of(key), &test["jws"]);
            let name = format!("{} {} {}", group["comment"], test["tcId"], test["comment"]);
            let token = test["jws"].as_str().unwrap_or_default();
            match test["result"].as_str() {
                Some("valid") if accepted => count.accepted += 1,
                Some("valid") => {
                    assert!(is_refused_on_purpose(key, token), "refused although valid: {name}");
                    count.refused_on_purpose += 1;
                }
                _ => {
                    assert!(!accepted, "accepted although invalid: {name}");
                    count.invalid += 1;
                }
            }
        }
    }
    println!("{count:?}");
    count
}

#[test]
fn signatures() {
    let Some(vectors) = vectors("wycheproof_json_web_signature_test.json") else { return };
    let count = try_all(&vectors, |key| json!({ "keys": [key] }));
    assert!(count.accepted >= 30 && count.invalid >= 300, "{count:?}");
}

#[test]
fn keys() {
    let Some(vectors) = vectors("wycheproof_json_web_key_test.json") else { return };
    let count = try_all(&vectors, Value::clone);
    assert!(count.accepted >= 1 && count.invalid >= 20, "{count:?}");
}
