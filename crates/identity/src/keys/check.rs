//! What a published key must be before it verifies anything.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, ParsedPublicKey,
    VerificationAlgorithm,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde_json::{Map, Value};

use super::{Key, KeyProblem, roca};
use crate::SignatureAlgorithm;

/// Modulus sizes in bits: the least of RFC 7518 section 3.3, and the most that the library takes.
const MODULUS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// FIPS 186-5 section A.1.1 wants more than 2^16.
const SMALLEST_EXPONENT: u64 = 65_537;
/// The library takes no more than 33 bits.
const LARGEST_EXPONENT: u64 = (1 << 33) - 1;

/// The members that only a private or a symmetric key has (RFC 7518 sections 6.2.2, 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Checks `jwk` and binds it to the algorithms that its own members allow.
pub(super) fn check(jwk: &Map<String, Value>) -> Result<Key, KeyProblem> {
    let kind = text(jwk, "kty")?;
    if kind == "oct" || jwk.contains_key("k") {
        return Err(KeyProblem::Symmetric);
    }
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err(KeyProblem::Private);
    }
    if !is_for_verifying(jwk)? {
        return Err(KeyProblem::OtherUse);
    }
    let (possible, material) = match kind {
        "EC" => elliptic(jwk)?,
        "OKP" => edwards(jwk)?,
        "RSA" => rsa(jwk)?,
        _ => return Err(KeyProblem::Unsupported),
    };
    let algorithms = match jwk.get("alg") {
        None => possible.to_vec(),
        Some(_) => vec![declared(jwk, possible)?],
    };
    Ok(Key { algorithms, material })
}

type Checked = (&'static [SignatureAlgorithm], DecodingKey);

fn elliptic(jwk: &Map<String, Value>) -> Result<Checked, KeyProblem> {
    let (possible, curve, size): (&[_], &dyn VerificationAlgorithm, usize) = match text(jwk, "crv")?
    {
        "P-256" => (&[SignatureAlgorithm::Es256], &ECDSA_P256_SHA256_FIXED, 32),
        "P-384" => (&[SignatureAlgorithm::Es384], &ECDSA_P384_SHA384_FIXED, 48),
        _ => return Err(KeyProblem::Unsupported),
    };
    let x = octets(jwk, "x", size)?;
    let y = octets(jwk, "y", size)?;
    let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
    on_curve(curve, &point)?;
    Ok((possible, DecodingKey::from_ec_der(&point)))
}

fn edwards(jwk: &Map<String, Value>) -> Result<Checked, KeyProblem> {
    if text(jwk, "crv")? != "Ed25519" {
        return Err(KeyProblem::Unsupported);
    }
    let x = octets(jwk, "x", 32)?;
    on_curve(&ED25519, &x)?;
    Ok((&[SignatureAlgorithm::EdDsa], DecodingKey::from_ed_der(&x)))
}

fn rsa(jwk: &Map<String, Value>) -> Result<Checked, KeyProblem> {
    let modulus = number(jwk, "n")?;
    let exponent = number(jwk, "e")?;
    let bits = bits(&modulus);
    if !MODULUS.contains(&bits) {
        return Err(KeyProblem::Size(bits));
    }
    if modulus.last().is_none_or(|low| low % 2 == 0) {
        return Err(KeyProblem::Malformed("n"));
    }
    if !is_good_exponent(&exponent) {
        return Err(KeyProblem::Exponent);
    }
    if roca::is_weak(&modulus) {
        return Err(KeyProblem::Roca);
    }
    Ok((&SignatureAlgorithm::RSA, DecodingKey::from_rsa_raw_components(&modulus, &exponent)))
}

/// RFC 8725 section 3.1: a key that names its algorithm is used with that one alone.
fn declared(
    jwk: &Map<String, Value>,
    possible: &[SignatureAlgorithm],
) -> Result<SignatureAlgorithm, KeyProblem> {
    let algorithm = SignatureAlgorithm::named(text(jwk, "alg")?).ok_or(KeyProblem::Unsupported)?;
    if possible.contains(&algorithm) { Ok(algorithm) } else { Err(KeyProblem::Mismatch) }
}

fn is_for_verifying(jwk: &Map<String, Value>) -> Result<bool, KeyProblem> {
    let by_use = match jwk.get("use") {
        None => true,
        Some(_) => text(jwk, "use")? == "sig",
    };
    let by_operations = match jwk.get("key_ops") {
        None => true,
        Some(Value::Array(operations)) => operations.iter().any(|one| one == "verify"),
        Some(_) => return Err(KeyProblem::Malformed("key_ops")),
    };
    Ok(by_use && by_operations)
}

fn on_curve(curve: &'static dyn VerificationAlgorithm, point: &[u8]) -> Result<(), KeyProblem> {
    ParsedPublicKey::new(curve, point).map(drop).map_err(|_| KeyProblem::NotOnCurve)
}

fn is_good_exponent(exponent: &[u8]) -> bool {
    if exponent.len() > size_of::<u64>() {
        return false;
    }
    let value = exponent.iter().fold(0_u64, |value, byte| (value << 8) | u64::from(*byte));
    (SMALLEST_EXPONENT..=LARGEST_EXPONENT).contains(&value) && value % 2 == 1
}

fn bits(number: &[u8]) -> usize {
    let leading = number.first().map_or(0, |high| high.leading_zeros());
    (number.len() * 8).saturating_sub(usize::try_from(leading).unwrap_or(0))
}

/// A big-endian number without the leading zeros that some issuers write.
fn number(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyProblem> {
    let mut bytes = decoded(jwk, member)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.drain(..zeros);
    if bytes.is_empty() { Err(KeyProblem::Malformed(member)) } else { Ok(bytes) }
}

fn octets(
    jwk: &Map<String, Value>,
    member: &'static str,
    size: usize,
) -> Result<Vec<u8>, KeyProblem> {
    let bytes = decoded(jwk, member)?;
    if bytes.len() == size { Ok(bytes) } else { Err(KeyProblem::Malformed(member)) }
}

fn decoded(jwk: &Map<String, Value>, member: &'static str) -> Result<Vec<u8>, KeyProblem> {
    URL_SAFE_NO_PAD.decode(text(jwk, member)?).map_err(|_| KeyProblem::Malformed(member))
}

fn text<'j>(jwk: &'j Map<String, Value>, member: &'static str) -> Result<&'j str, KeyProblem> {
    jwk.get(member).and_then(Value::as_str).ok_or(KeyProblem::Malformed(member))
}
