//! Published keys: only sound ones verify, and one bad key does not spoil the rest.

use serde_json::{Value, json};

use super::{KeyProblem, KeySet, KeySetError};
use crate::SignatureAlgorithm;
use crate::testing::{TestKey, base64, changed, key_set, with};

/// What is wrong with the only key of a set.
fn problem(jwk: Value) -> Option<KeyProblem> {
    let set = key_set(&[jwk]);
    let found = set.problems().map(|(_, problem)| problem.clone()).next();
    assert_eq!(set.is_empty(), found.is_some());
    found
}

#[test]
fn sound_keys_of_every_type_have_no_problem() {
    for key in [TestKey::p256("a"), TestKey::p384("a"), TestKey::ed25519("a"), TestKey::rsa("a")] {
        assert_eq!(problem(key.jwk()), None);
        assert_eq!(problem(with(&key.jwk(), "use", json!("sig"))), None);
        assert_eq!(problem(with(&key.jwk(), "key_ops", json!(["verify"]))), None);
        assert!(key.key_set().has("a") && !key.key_set().has("b"));
    }
}

#[test]
fn keys_for_something_else_verify_nothing() {
    let jwk = TestKey::p256("a").jwk();
    for (name, value, expected) in [
        ("use", json!("enc"), KeyProblem::OtherUse),
        ("use", json!(7), KeyProblem::Malformed("use")),
        ("key_ops", json!(["encrypt"]), KeyProblem::OtherUse),
        ("key_ops", json!("verify"), KeyProblem::Malformed("key_ops")),
        ("kty", json!("AKP"), KeyProblem::Unsupported),
        ("kty", json!("oct"), KeyProblem::Symmetric),
        ("kty", json!("RSA"), KeyProblem::Malformed("n")),
        ("kty", Value::Null, KeyProblem::Malformed("kty")),
        ("k", json!("c2VjcmV0"), KeyProblem::Symmetric),
        ("d", json!("c2VjcmV0"), KeyProblem::Private),
        ("crv", json!("P-521"), KeyProblem::Unsupported),
        ("crv", json!("secp256k1"), KeyProblem::Unsupported),
        ("crv", json!("P-384"), KeyProblem::Malformed("x")),
        ("alg", json!("ES384"), KeyProblem::Mismatch),
        ("alg", json!("RS256"), KeyProblem::Mismatch),
        ("alg", json!("HS256"), KeyProblem::Unsupported),
        ("alg", json!("none"), KeyProblem::Unsupported),
        ("alg", json!(7), KeyProblem::Malformed("alg")),
        ("kid", json!(7), KeyProblem::Malformed("kid")),
    ] {
        assert_eq!(problem(with(&jwk, name, value.clone())), Some(expected), "{name}: {value}");
    }
}

#[test]
fn a_point_beside_the_curve_is_no_key() {
    let jwk = TestKey::p256("a").jwk();
    let y = jwk["y"].as_str().unwrap();
    let last = if y.ends_with('A') { "E" } else { "A" };
    let beside = changed(y, y.len() - 1, last);
    assert_eq!(problem(with(&jwk, "y", json!(beside))), Some(KeyProblem::NotOnCurve));
    let zeros = base64(&[0; 32]);
    let infinity = with(&with(&jwk, "x", json!(zeros)), "y", json!(zeros));
    assert_eq!(problem(infinity), Some(KeyProblem::NotOnCurve));
    for bad in ["", "AA", "====", &format!("{y}A"), &format!("A{y}"), &format!(" {y}")] {
        assert_eq!(problem(with(&jwk, "y", json!(bad))), Some(KeyProblem::Malformed("y")), "{bad}");
    }
    let edwards = with(&TestKey::ed25519("a").jwk(), "x", json!(base64(&[1; 31])));
    assert_eq!(problem(edwards), Some(KeyProblem::Malformed("x")));
}

#[test]
fn weak_rsa_keys_verify_nothing() {
    let jwk = TestKey::rsa("a").jwk();
    let modulus = |bytes: usize| {
        let mut modulus = vec![0xA5; bytes];
        modulus[bytes - 1] = 0x11;
        base64(&modulus)
    };
    let sized = |bytes| problem(with(&jwk, "n", json!(modulus(bytes))));
    assert_eq!(sized(128), Some(KeyProblem::Size(1024)));
    assert_eq!(sized(255), Some(KeyProblem::Size(2040)));
    assert_eq!(sized(256), None);
    assert_eq!(sized(1024), None);
    assert_eq!(sized(1025), Some(KeyProblem::Size(8200)));
    let padded = [vec![0; 128], vec![0xA5; 127], vec![1]].concat();
    assert_eq!(problem(with(&jwk, "n", json!(base64(&padded)))), Some(KeyProblem::Size(1024)));
    let even = [vec![0xA5; 255], vec![2]].concat();
    assert_eq!(problem(with(&jwk, "n", json!(base64(&even)))), Some(KeyProblem::Malformed("n")));
    for bad in [&[1][..], &[3], &[1, 0, 0], &[1, 0, 2], &[2, 0, 0, 0, 1], &[1; 9]] {
        let refused = problem(with(&jwk, "e", json!(base64(bad))));
        assert_eq!(refused, Some(KeyProblem::Exponent), "{bad:?}");
    }
    for good in [&[1, 0, 1][..], &[0, 1, 0, 1], &[1, 0, 0, 0, 1]] {
        assert_eq!(problem(with(&jwk, "e", json!(base64(good)))), None, "{good:?}");
    }
    for zero in [&[][..], &[0]] {
        let refused = problem(with(&jwk, "e", json!(base64(zero))));
        assert_eq!(refused, Some(KeyProblem::Malformed("e")));
    }
}

#[test]
fn moduli_of_the_flawed_generator_are_recognised() {
    // 65537 to any power has the form modulo every prime; here 2048 bits of it.
    let mut power = vec![1_u8];
    while power.len() < 256 {
        power = times_65537(&power);
    }
    let excess = power.len() * 8 - usize::try_from(power[0].leading_zeros()).unwrap();
    assert!(excess <= 2064, "{excess}");
    let jwk = with(&TestKey::rsa("a").jwk(), "n", json!(base64(&power)));
    assert_eq!(problem(jwk), Some(KeyProblem::Roca));
}

/// Big-endian `number` times 2^16 + 1.
fn times_65537(number: &[u8]) -> Vec<u8> {
    let shifted = [number, &[0, 0]].concat();
    let mut sum = shifted.clone();
    let mut carry = 0_u16;
    for index in 0..sum.len() {
        let place = sum.len() - 1 - index;
        let own = number.len().checked_sub(1 + index).map_or(0, |at| u16::from(number[at]));
        let total = u16::from(shifted[place]) + own + carry;
        sum[place] = u8::try_from(total % 256).unwrap();
        carry = total / 256;
    }
    if carry > 0 { [&[1][..], &sum].concat() } else { sum }
}

#[test]
fn of_two_signing_keys_with_one_kid_neither_verifies() {
    let (one, two) = (TestKey::p256("a"), TestKey::rsa("a"));
    let set = key_set(&[one.jwk(), two.jwk(), TestKey::p256("b").jwk()]);
    let problems: Vec<_> = set.problems().collect();
    assert_eq!(problems, [(Some("a"), &KeyProblem::Duplicate)]);
    assert!(set.choose(Some("a"), SignatureAlgorithm::Es256).is_err());
    assert!(set.choose(Some("b"), SignatureAlgorithm::Es256).is_ok());
    let thrice = key_set(&[one.jwk(), two.jwk(), one.jwk()]);
    assert!(thrice.is_empty());
}

#[test]
fn an_encryption_key_with_the_same_kid_does_no_harm_in_either_order() {
    let key = TestKey::p256("a");
    let encryption = with(&TestKey::p256("a").jwk(), "use", json!("enc"));
    for order in [[key.jwk(), encryption.clone()], [encryption, key.jwk()]] {
        let set = key_set(&order);
        assert!(set.choose(Some("a"), SignatureAlgorithm::Es256).is_ok());
    }
}

#[test]
fn a_weak_key_cannot_hide_behind_a_sound_one() {
    let sound = TestKey::p256("a");
    let leaked = with(&TestKey::p256("a").jwk(), "d", json!("c2VjcmV0"));
    for order in [[sound.jwk(), leaked.clone()], [leaked, sound.jwk()]] {
        assert!(key_set(&order).is_empty());
    }
}

#[test]
fn what_is_no_key_set_is_refused_as_a_whole() {
    let read = |text: &str| KeySet::parse(text.as_bytes()).map(drop);
    for text in
        ["", "{}", "[]", "{\"keys\":{}}", "{\"keys\":[7]}", "{\"keys\":null}", "{\"Keys\":[]}"]
    {
        assert!(read(text).is_err(), "{text}");
    }
    let twice = read(r#"{"keys":[],"keys":[]}"#).unwrap_err();
    assert!(twice.to_string().contains("duplicate member `keys`"), "{twice}");
    assert!(matches!(read(&" ".repeat(600_000)), Err(KeySetError::TooLarge)));
    let many = json!({ "keys": vec![json!({}); 257] }).to_string();
    assert!(matches!(read(&many), Err(KeySetError::TooMany)));
    assert!(KeySet::parse(b"{\"keys\":[]}").unwrap().is_empty());
}

#[test]
fn the_generation_changes_with_the_content_alone() {
    let (one, two) = (TestKey::p256("a").jwk(), TestKey::p256("b").jwk());
    let generation = |keys: &Value| {
        let text = json!({ "keys": keys }).to_string();
        KeySet::parse(text.as_bytes()).unwrap().generation()
    };
    let first = generation(&json!([one]));
    let spaced = format!("{{ \"keys\" : [ {one} ] }}");
    assert_eq!(first, KeySet::parse(spaced.as_bytes()).unwrap().generation());
    assert_ne!(first, generation(&json!([two])));
    assert_ne!(first, generation(&json!([one, two])));
    assert_ne!(first, generation(&json!([with(&one, "use", json!("enc"))])));
}
