//! Signatures, keys, headers and the form of the token.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::{unverified_issuer, unverified_kid};
use super::{ISSUER, check, check_as, claims};
use crate::testing::{TestKey, base64, changed, key_set, with};
use crate::{IssuerSpec, SignatureAlgorithm, TokenError};

#[test]
fn every_algorithm_that_a_key_is_for_is_accepted() {
    let keys = [TestKey::p256("a"), TestKey::p384("b"), TestKey::ed25519("c"), TestKey::rsa("d")];
    let set = key_set(&keys.each_ref().map(TestKey::jwk));
    for key in &keys {
        assert_eq!(check(&key.token(&claims()), &set).unwrap().subject.as_ref(), "rita");
    }
    let pss = with(&keys[3].header(), "alg", json!("PS256"));
    check(&keys[3].sign(&pss.to_string(), &claims().to_string()), &set).unwrap();
    let named_anew = with(&keys[2].header(), "alg", json!("Ed25519"));
    check(&keys[2].sign(&named_anew.to_string(), &claims().to_string()), &set).unwrap();
}

#[test]
fn an_algorithm_beside_the_list_of_the_issuer_is_refused() {
    let key = TestKey::p256("k1");
    let mut spec = IssuerSpec::new(ISSUER);
    spec.algorithms = vec![SignatureAlgorithm::Rs256, SignatureAlgorithm::EdDsa];
    let refused = check_as(&key.token(&claims()), &spec, &key.key_set());
    assert_eq!(refused.unwrap_err(), TokenError::AlgorithmRefused);
    spec.algorithms.clear();
    let refused = check_as(&key.token(&claims()), &spec, &key.key_set());
    assert_eq!(refused.unwrap_err(), TokenError::AlgorithmRefused);
}

#[test]
fn a_key_that_names_its_algorithm_is_used_with_no_other() {
    let key = TestKey::rsa("k1");
    let pss_only = key_set(&[with(&key.jwk(), "alg", json!("PS256"))]);
    let token = key.token(&claims());
    check(&token, &key.key_set()).unwrap();
    assert_eq!(check(&token, &pss_only).unwrap_err(), TokenError::AlgorithmRefused);
}

#[test]
fn no_signature_and_symmetric_signatures_are_refused() {
    let key = TestKey::rsa("k1");
    let set = key.key_set();
    let modulus = key.jwk()["n"].as_str().unwrap().to_owned();
    for algorithm in ["none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "rs256"] {
        let header = with(&key.header(), "alg", json!(algorithm)).to_string();
        let signed =
            format!("{}.{}", base64(header.as_bytes()), base64(claims().to_string().as_bytes()));
        // The public key as the secret of an HMAC, RFC 8725 section 2.1.
        let secret = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, modulus.as_bytes());
        let forged = base64(aws_lc_rs::hmac::sign(&secret, signed.as_bytes()).as_ref());
        for signature in ["", "AA", &forged] {
            let refused = check(&format!("{signed}.{signature}"), &set).unwrap_err();
            assert_eq!(refused, TokenError::AlgorithmRefused, "{algorithm}");
        }
    }
}

#[test]
fn another_curve_or_type_than_the_keys_is_refused() {
    let keys = [TestKey::p256("a"), TestKey::p384("b"), TestKey::ed25519("c")];
    let set = key_set(&keys.each_ref().map(TestKey::jwk));
    for (key, algorithms) in keys.iter().zip([
        ["ES384", "EdDSA", "RS256"],
        ["ES256", "EdDSA", "PS256"],
        ["ES256", "ES384", "RS512"],
    ]) {
        for algorithm in algorithms {
            let header = with(&key.header(), "alg", json!(algorithm)).to_string();
            let refused = check(&key.sign(&header, &claims().to_string()), &set).unwrap_err();
            assert_eq!(refused, TokenError::AlgorithmRefused, "{algorithm}");
        }
    }
}

#[test]
fn only_an_unknown_key_asks_for_newer_keys() {
    let (key, other) = (TestKey::p256("k1"), TestKey::p256("k2"));
    let unknown = check(&other.token(&claims()), &key.key_set()).unwrap_err();
    assert_eq!(unknown, TokenError::KeyUnknown);
    assert!(unknown.is_unknown_key());
    let impostor = TestKey::p256("k1");
    let wrong = check(&impostor.token(&claims()), &key.key_set()).unwrap_err();
    assert_eq!(wrong, TokenError::SignatureWrong);
    assert!(!wrong.is_unknown_key());
    let twice = key_set(&[key.jwk(), impostor.jwk()]);
    let refused = check(&key.token(&claims()), &twice).unwrap_err();
    assert_eq!(refused, TokenError::KeyRefused);
    assert!(!refused.is_unknown_key());
}

#[test]
fn without_a_kid_only_one_key_may_come_into_question() {
    let (one, two, rsa) = (TestKey::p256("k1"), TestKey::p256("k2"), TestKey::rsa("k3"));
    let header = with(&one.header(), "kid", Value::Null).to_string();
    let token = one.sign(&header, &claims().to_string());
    check(&token, &key_set(&[one.jwk(), rsa.jwk()])).unwrap();
    check(&token, &key_set(&[with(&one.jwk(), "kid", Value::Null)])).unwrap();
    let both = check(&token, &key_set(&[one.jwk(), two.jwk()]));
    assert_eq!(both.unwrap_err(), TokenError::KeyAmbiguous);
    let rotated = check(&token, &two.key_set()).unwrap_err();
    assert!(rotated.is_unknown_key());
    assert!(check(&token, &rsa.key_set()).unwrap_err().is_unknown_key());
}

#[test]
fn a_header_that_brings_a_key_or_changes_the_meaning_is_refused() {
    let key = TestKey::p256("k1");
    for (name, value) in [
        ("crit", json!(["exp"])),
        ("crit", json!([])),
        ("jku", json!("https://idp.example.com/jwks")),
        ("x5u", json!("https://idp.example.com/cert")),
        ("x5c", json!(["MIIB"])),
        ("jwk", key.jwk()),
        ("b64", json!(true)),
        ("enc", json!("A256GCM")),
        ("zip", json!("DEF")),
    ] {
        let header = with(&key.header(), name, value).to_string();
        let refused = check(&key.sign(&header, &claims().to_string()), &key.key_set());
        assert_eq!(refused.unwrap_err(), TokenError::HeaderRefused, "{name}");
    }
}

#[test]
fn only_access_token_types_are_accepted() {
    let key = TestKey::p256("k1");
    let typed = |kind: Value| {
        let header = with(&key.header(), "typ", kind).to_string();
        check(&key.sign(&header, &claims().to_string()), &key.key_set())
    };
    for good in ["at+jwt", "application/at+jwt", "AT+JWT", "Application/AT+JWT", "JWT", "jwt"] {
        typed(json!(good)).unwrap();
    }
    typed(Value::Null).unwrap();
    for bad in [
        "",
        "txntoken+jwt",
        "secevent+jwt",
        "logout+jwt",
        "dpop+jwt",
        "oauth-id-jag+jwt",
        "id+jwt",
        "JOSE",
        "application/application/at+jwt",
        "x/at+jwt",
        "at+jwt ",
        "at jwt",
    ] {
        assert_eq!(typed(json!(bad)).unwrap_err(), TokenError::TypeRefused, "{bad}");
    }
    assert_eq!(typed(json!(["at+jwt"])).unwrap_err(), TokenError::Malformed);
}

#[test]
fn a_member_twice_is_refused_in_header_and_claims() {
    let key = TestKey::p256("k1");
    let payload = claims().to_string();
    for header in [
        r#"{"alg":"ES256","kid":"k1","alg":"ES256"}"#,
        r#"{"alg":"ES256","kid":"k1","kid":"k2"}"#,
        r#"{"alg":"ES256","kid":"k1","typ":"JWT","t\u0079p":"dpop+jwt"}"#,
    ] {
        let refused = check(&key.sign(header, &payload), &key.key_set());
        assert_eq!(refused.unwrap_err(), TokenError::Malformed, "{header}");
    }
    let header = key.header().to_string();
    for more in [r#","sub":"root"}"#, r#","x":{"a":1,"a":2}}"#, r#","a\u0075d":"other"}"#] {
        let payload = format!("{}{more}", payload.strip_suffix('}').unwrap());
        let refused = check(&key.sign(&header, &payload), &key.key_set());
        assert_eq!(refused.unwrap_err(), TokenError::Malformed, "{more}");
    }
}

#[test]
fn the_form_of_a_token_is_exact() {
    let key = TestKey::p256("k1");
    let good = key.token(&claims());
    let set = key.key_set();
    check(&good, &set).unwrap();
    let mut parts = good.split('.');
    let (header, payload, signature) =
        (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    for bad in [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        format!("{header}.{payload}"),
        format!("{header}.{payload}."),
        format!("{good}.AAAA"),
        format!("{good}.AAAA.AAAA"),
        format!("{good}="),
        format!("{good}=="),
        format!("{good} "),
        format!(" {good}"),
        format!("{good}\n"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}=.{signature}"),
        format!("{header}.{payload}.{signature}A"),
        format!("{header}..{signature}"),
        format!(".{payload}.{signature}"),
        good.replace('.', ".\n"),
        format!("\u{e9}{good}"),
        "A".repeat(40_000),
    ] {
        let refused = check(&bad, &set).unwrap_err();
        assert!(matches!(refused, TokenError::Malformed | TokenError::SignatureWrong), "{bad}");
    }
    for payload in ["", "null", "[]", "\"x\"", "7", "[{\"iss\":1}]", "{", "{}x"] {
        let token = key.sign(&key.header().to_string(), payload);
        assert_eq!(check(&token, &set).unwrap_err(), TokenError::Malformed, "{payload}");
        assert!(unverified_issuer(&token).is_err(), "{payload}");
    }
    for header in ["", "null", "[]", "{}", r#"{"alg":7}"#, r#"{"alg":"ES256","kid":7}"#] {
        let token = key.sign(header, &claims().to_string());
        assert_eq!(check(&token, &set).unwrap_err(), TokenError::Malformed, "{header}");
    }
}

#[test]
fn what_is_read_before_verifying_is_the_issuer_and_the_kid() {
    let key = TestKey::p256("k1");
    let token = key.token(&claims());
    assert_eq!(unverified_issuer(&token).unwrap(), ISSUER);
    assert_eq!(unverified_kid(&token).unwrap().as_deref(), Some("k1"));
    for issuer in [json!(""), json!(["a"]), Value::Null] {
        assert!(unverified_issuer(&key.token(&with(&claims(), "iss", issuer))).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_character_of_a_token_can_be_changed(place in any::<prop::sample::Index>(), new in "[A-Za-z0-9_.-]") {
        let key = TestKey::ed25519("k1");
        let token = key.token(&claims());
        let changed = changed(&token, place.index(token.len()), &new);
        prop_assume!(changed != token);
        prop_assert!(check(&changed, &key.key_set()).is_err());
    }

    #[test]
    fn no_text_makes_it_panic(text in "[ -~]{0,60}\\.[ -~]{0,60}\\.[ -~]{0,60}", any in any::<String>()) {
        let key = TestKey::ed25519("k1");
        prop_assert!(check(&text, &key.key_set()).is_err());
        prop_assert!(check(&any, &key.key_set()).is_err());
    }
}
