//! Telephone numbers with and without the prefixes that depend on where one calls from (ITU-T E.164).

/// A number without its country's code has so many digits, at the least,
const SHORTEST: usize = 6;
/// and at most so many with it (E.164 section 6).
const LONGEST: usize = 15;

/// The number that `alias` is, as it is called inside of its country, without the leading zero.
pub(super) fn national(alias: &str) -> Option<String> {
    let allowed = |c: char| c.is_ascii_digit() || c.is_whitespace() || "+()-./".contains(c);
    let digits: String = alias.chars().filter(char::is_ascii_digit).collect();
    let is_grouped = digits.len() < alias.trim().len() || digits.starts_with('0');
    if !alias.chars().all(allowed) || !is_grouped {
        return None;
    }
    let abroad = digits.strip_prefix("00");
    let national = match abroad {
        Some(number) => without_country(number)?,
        None if alias.trim().starts_with('+') => without_country(&digits)?,
        // eleven digits with a one in front are a number of North America with its country's code
        None if digits.len() == 11 && digits.starts_with('1') => without_country(&digits)?,
        None => &digits,
    };
    checked(national)
}

/// What `normalised` can be as a number inside of some country, if it is a number at all.
pub(super) fn spellings(normalised: &str) -> Vec<String> {
    let digits = normalised.replace(' ', "");
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    let whole = digits.strip_prefix("00").unwrap_or(&digits);
    let inside = without_country(whole).and_then(checked);
    checked(whole).into_iter().chain(inside).collect()
}

/// The digits without the zero for calls inside of a country, when there are neither too few nor
/// too many.
fn checked(digits: &str) -> Option<String> {
    let digits = digits.strip_prefix('0').unwrap_or(digits);
    (SHORTEST..=LONGEST).contains(&digits.len()).then(|| digits.to_owned())
}

/// The number without the country code that it begins with.
fn without_country(digits: &str) -> Option<&str> {
    let mut all = digits.bytes();
    let length = match (all.next()?, all.next()?) {
        (b'0', _) => return None,
        (b'1' | b'7', _) => 1,
        (b'2', b'0' | b'7')
        | (b'3', b'0'..=b'4' | b'6' | b'9')
        | (b'4', b'0' | b'1' | b'3'..=b'9')
        | (b'5', b'1'..=b'8')
        | (b'6', b'0'..=b'6')
        | (b'8', b'1' | b'2' | b'4' | b'6')
        | (b'9', b'0'..=b'5' | b'8') => 2,
        _ => 3,
    };
    digits.get(length..)
}
