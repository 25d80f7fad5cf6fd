//! Coordinates in texts: decimal degrees, degrees with minutes and seconds, `geo:` URIs (RFC 5870)
//! and plus codes (Open Location Code).

use std::borrow::Cow;

/// The letters and digits of plus codes.
const PLUS: &str = "23456789CFGHJMPQRVWX";
/// Words between the two angles.
const LABELS: &[&str] = &["lat", "latitude", "lng", "lon", "long", "longitude"];

/// The text with blanks in place of its coordinates, provided that `may_go` says of the digits of
/// each that they are nothing else. Whoever gives a coordinate has it already, and it is nobody's
/// name.
pub(in crate::recognise) fn without<'t>(
    text: &'t str,
    may_go: &dyn Fn(&str) -> bool,
) -> Cow<'t, str> {
    if !may_have_any(text) {
        return Cow::Borrowed(text);
    }
    let mut plain = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let found = if begins_word(text, at) { form_at(text, at) } else { None };
        match found {
            Some(end) if ends_word(text, end) && text.get(at..end).is_some_and(may_go) => {
                plain.push_str(text.get(copied..at).unwrap_or_default());
                plain.extend(std::iter::repeat_n(' ', end - at));
                copied = end;
                at = end;
            }
            Some(_) | None => at += c.len_utf8(),
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(plain)
}

/// Whether the two numbers can be the latitude and the longitude of a place.
pub(crate) fn is_pair(latitude: f64, longitude: f64) -> bool {
    latitude.abs() <= 90.0 && longitude.abs() <= 180.0
}

/// Whether there is a decimal, a degree sign or the sign of a plus code anywhere.
fn may_have_any(text: &str) -> bool {
    let is_decimal = |window: &[u8]| match window {
        [before, b'.', after] => before.is_ascii_digit() && after.is_ascii_digit(),
        _ => false,
    };
    text.as_bytes().windows(3).any(is_decimal)
        || text.contains(['\u{b0}', '\u{ba}', '\u{2da}'])
        || text.bytes().any(|b| b == b'+')
        || text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("geo:"))
}

fn begins_word(text: &str, at: usize) -> bool {
    let before = text.get(..at).and_then(|before| before.chars().next_back());
    before.is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '+'))
}

fn ends_word(text: &str, end: usize) -> bool {
    let mut after = text.get(end..).unwrap_or_default().chars();
    let next = after.next();
    let is_decimal = next == Some('.') && after.next().is_some_and(|c| c.is_ascii_digit());
    next.is_none_or(|c| !c.is_alphanumeric()) && !is_decimal
}

/// Where the coordinate ends that begins at `at`, if one does.
fn form_at(text: &str, at: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let scheme = rest.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("geo:"));
    if scheme.is_some() {
        return uri(text, at + 4);
    }
    plus_code(rest).map(|length| at + length).or_else(|| pair(text, at))
}

/// `geo:36.1627,-86.7816;u=35`
fn uri(text: &str, at: usize) -> Option<usize> {
    let mut cursor = Cursor { text, at };
    let latitude = cursor.number()?;
    cursor.take(',')?;
    let longitude = cursor.number()?;
    if cursor.take(',').is_some() {
        cursor.number()?;
    }
    for parameter in [";crs=wgs84", ";u="] {
        let rest = text.get(cursor.at..)?;
        if rest.get(..parameter.len()).is_some_and(|head| head.eq_ignore_ascii_case(parameter)) {
            cursor.at += parameter.len();
            if parameter == ";u=" {
                cursor.number()?;
            }
        }
    }
    is_pair(latitude.value, longitude.value).then_some(cursor.at)
}

/// The length of a plus code: `868JGQ2M+2V`, or a short one, `GQ2M+2V`.
fn plus_code(rest: &str) -> Option<usize> {
    let is_symbol = |c: char| PLUS.contains(c.to_ascii_uppercase());
    let plus = rest.get(..9).unwrap_or(rest).find('+')?;
    let (front, back) = (rest.get(..plus)?, rest.get(plus + 1..)?);
    let tail = back.find(|c| !is_symbol(c)).unwrap_or(back.len());
    let has_letter = |text: &str| text.contains(|c: char| c.is_ascii_alphabetic());
    let fits = matches!(plus, 4 | 6 | 8)
        && matches!(tail, 2 | 3)
        && front.chars().all(is_symbol)
        && (has_letter(front) || back.get(..tail).is_some_and(has_letter));
    fits.then_some(plus + 1 + tail)
}

/// Two angles, each with a decimal point, a degree sign or a direction.
fn pair(text: &str, at: usize) -> Option<usize> {
    let mut cursor = Cursor { text, at };
    let first = cursor.angle()?;
    cursor.between();
    let second = cursor.angle()?;
    let is_swapped = first.is_along || second.is_across;
    let (latitude, longitude) = if is_swapped { (second, first) } else { (first, second) };
    (is_pair(latitude.value, longitude.value) && !latitude.is_along).then_some(cursor.at)
}

struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

struct Number {
    value: f64,
    is_decimal: bool,
}

struct Angle {
    value: f64,
    /// North or south of the equator.
    is_across: bool,
    /// East or west.
    is_along: bool,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        self.take_if(|c| c == wanted).map(drop)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        let c = self.peek().filter(|c| wanted(*c))?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn blanks(&mut self) {
        while self.take_if(char::is_whitespace).is_some() {}
    }

    /// A number of at most three digits before the point.
    fn number(&mut self) -> Option<Number> {
        let start = self.at;
        self.take_if(|c| matches!(c, '+' | '-' | '\u{2212}'));
        let digits = self.digits();
        let before_point = self.at;
        let mut is_decimal = false;
        if self.take('.').is_some() {
            is_decimal = self.digits() > 0;
            if !is_decimal {
                self.at = before_point;
            }
        }
        let text = self.text.get(start..self.at)?.replace('\u{2212}', "-");
        let value = text.parse::<f64>().ok().filter(|_| (1..=3).contains(&digits))?;
        Some(Number { value, is_decimal })
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.at - start < 20 && self.take_if(|c| c.is_ascii_digit()).is_some() {}
        self.at - start
    }

    fn angle(&mut self) -> Option<Angle> {
        let mut direction = self.direction();
        let number = self.number()?;
        let mut value = number.value;
        let has_sign = self.take_if(|c| matches!(c, '\u{b0}' | '\u{ba}' | '\u{2da}')).is_some();
        if has_sign {
            let sign = if value.is_sign_negative() { -1.0 } else { 1.0 };
            value += sign * self.part(&['\'', '\u{2032}', '\u{2019}', '\u{b4}'], 60.0);
            value += sign * self.part(&['"', '\u{2033}', '\u{201d}', '\''], 3600.0);
        }
        let before = self.at;
        self.blanks();
        if direction.is_none() {
            direction = self.direction();
        }
        if direction.is_none() || !matches!(direction, Some('N' | 'S' | 'E' | 'W')) {
            self.at = before;
        }
        let is_explicit = number.is_decimal || has_sign || direction.is_some();
        is_explicit.then_some(Angle {
            value,
            is_across: matches!(direction, Some('N' | 'S')),
            is_along: matches!(direction, Some('E' | 'W')),
        })
    }

    /// Minutes or seconds, in degrees; nothing of them takes nothing.
    fn part(&mut self, signs: &[char], per_degree: f64) -> f64 {
        let start = self.at;
        self.blanks();
        let number = self.number().filter(|number| (0.0..60.0).contains(&number.value));
        let signed = self.take_if(|c| signs.contains(&c)).is_some();
        // '' for "
        self.take_if(|c| c == '\'');
        match number {
            Some(number) if signed => number.value / per_degree,
            Some(_) | None => {
                self.at = start;
                0.0
            }
        }
    }

    /// One letter for a direction, standing alone or at a number.
    fn direction(&mut self) -> Option<char> {
        let start = self.at;
        let c = self.take_if(|c| matches!(c.to_ascii_uppercase(), 'N' | 'S' | 'E' | 'W'))?;
        if self.peek().is_some_and(char::is_alphabetic) {
            self.at = start;
            return None;
        }
        self.blanks();
        Some(c.to_ascii_uppercase())
    }

    /// What may stand between two angles.
    fn between(&mut self) {
        loop {
            let start = self.at;
            while self
                .take_if(|c| c.is_whitespace() || matches!(c, ',' | ';' | '/' | ':' | '='))
                .is_some()
            {}
            let rest = self.text.get(self.at..).unwrap_or_default();
            let length = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
            let word = rest.get(..length).unwrap_or_default();
            if LABELS.iter().any(|label| label.eq_ignore_ascii_case(word)) {
                self.at += length;
            }
            if self.at == start {
                return;
            }
        }
    }
}
