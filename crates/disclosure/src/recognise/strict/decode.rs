//! What a text may say in another encoding.

/// How many encodings may lie in one another.
const DEEPEST: usize = 3;
/// Encoded texts are at least so long, in bytes.
const SHORTEST: usize = 4;

/// Every text that `start`, or a part of it, is an encoding of: percent (RFC 3986), HTML and JSON
/// escapes, base64 and base64url (RFC 4648), hexadecimal, character numbers, ROT13, and backwards.
/// At most eight times as long as the text, all together.
pub(in crate::recognise) fn hidden(start: &str) -> Vec<String> {
    let mut left = start.len().saturating_mul(8).saturating_add(4096);
    let mut all: Vec<String> = Vec::new();
    let mut level = vec![start.to_owned()];
    for _ in 0..DEEPEST {
        let mut next = Vec::new();
        for decoded in level.iter().flat_map(|text| once(text)) {
            let is_known = decoded == start || all.contains(&decoded);
            if !is_known && decoded.len() >= SHORTEST && decoded.len() <= left {
                left -= decoded.len();
                all.push(decoded.clone());
                next.push(decoded);
            }
        }
        level = next;
    }
    all
}

fn once(text: &str) -> Vec<String> {
    let mut decoded = Vec::new();
    if text.contains('%') {
        decoded.push(percent(text));
    }
    if text.contains('&') || text.contains('#') {
        decoded.push(entities(text));
    }
    if text.contains('\\') || (text.contains('+') && (text.contains("U+") || text.contains("u+"))) {
        decoded.push(escapes(text));
    }
    decoded.extend(hexadecimal(text));
    decoded.extend(numbers(text));
    decoded.extend(base64(text));
    decoded.push(rot13(text));
    decoded
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn percent(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%'
            && let Some((code, after)) = after.split_at_checked(2)
            && let Some(byte) = byte_of(code)
        {
            bytes.push(byte);
            rest = after;
            continue;
        }
        bytes.push(*first);
        rest = after;
    }
    lossy(&bytes)
}

fn byte_of(code: &[u8]) -> Option<u8> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    };
    match code {
        [high, low] => Some(nibble(*high)? << 4 | nibble(*low)?),
        _ => None,
    }
}

/// Numeric character references of HTML, and the few names for what could separate words.
fn entities(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("&#") {
        out.push_str(rest.get(..at).unwrap_or_default());
        let body = rest.get(at + 2..).unwrap_or_default();
        let (radix, digits) = match body.strip_prefix(['x', 'X']) {
            Some(digits) => (16, digits),
            None => (10, body),
        };
        let length = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
        let number = digits.get(..length.min(8)).unwrap_or_default();
        let c = u32::from_str_radix(number, radix).ok().and_then(char::from_u32);
        out.push(c.unwrap_or(' '));
        let after = digits.get(length..).unwrap_or_default();
        rest = after.strip_prefix(';').unwrap_or(after);
    }
    out.push_str(rest);
    for name in ["&nbsp;", "&amp;", "&zwnj;", "&zwj;", "&shy;", "&ZeroWidthSpace;"] {
        if out.contains(name) {
            let plain = if matches!(name, "&nbsp;" | "&amp;") { " " } else { "" };
            out = out.replace(name, plain);
        }
    }
    out
}

/// `\u0054`, `\u{54}`, `\x54` and `U+0054`.
fn escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        let marked = match (c, after.chars().next()) {
            ('\\', Some('u' | 'U')) => after.get(1..).map(|code| (code, 4)),
            ('\\', Some('x' | 'X')) => after.get(1..).map(|code| (code, 2)),
            ('U' | 'u', Some('+')) => after.get(1..).map(|code| (code, 4)),
            _ => None,
        };
        if let Some((c, used)) = marked.and_then(|(code, digits)| escaped(code, digits)) {
            out.push(c);
            rest = after.get(1 + used..).unwrap_or_default();
        } else {
            out.push(c);
            rest = after;
        }
    }
    out
}

fn escaped(code: &str, digits: usize) -> Option<(char, usize)> {
    let (number, used) = match code.strip_prefix('{') {
        Some(inside) => {
            let end = inside.find('}')?;
            (inside.get(..end)?, end + 2)
        }
        None => (code.get(..digits)?, digits),
    };
    if !number.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let c = u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?;
    Some((c, used))
}

/// Runs of pairs of hexadecimal digits, with or without something between them.
fn hexadecimal(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut run: Vec<u8> = Vec::new();
    let mut rest = text.as_bytes();
    let mut flush = |run: &mut Vec<u8>| {
        if run.len() >= SHORTEST {
            found.push(lossy(run));
        }
        run.clear();
    };
    while !rest.is_empty() {
        let pair = rest.split_at_checked(2).and_then(|(code, after)| Some((byte_of(code)?, after)));
        let is_prefix = matches!(rest, [b'0' | b'\\', b'x' | b'X', ..]);
        if is_prefix {
            rest = rest.get(2..).unwrap_or_default();
        } else if let Some((byte, after)) = pair {
            run.push(byte);
            rest = after;
        } else {
            let (first, after) = rest.split_first().unwrap_or((&0, &[]));
            if !matches!(first, b' ' | b':' | b'-' | b',' | b'%' | b'\\' | b'_' | b'.') {
                flush(&mut run);
            }
            rest = after;
        }
    }
    flush(&mut run);
    found
}

/// Numbers of characters, one after the other: `84 97 121`.
fn numbers(text: &str) -> Option<String> {
    let mut spelt = String::new();
    for part in text.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()) {
        let number = part.parse::<u8>().ok().filter(|number| (32..127).contains(number));
        spelt.push(number.map_or(' ', char::from));
    }
    (spelt.trim().len() >= SHORTEST).then_some(spelt)
}

fn base64(text: &str) -> Vec<String> {
    let is_symbol = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '-' | '_');
    let mut runs: Vec<&str> = text.split(|c: char| !is_symbol(c)).collect();
    let parted = text.split(|c: char| !c.is_ascii_alphanumeric());
    runs.extend(parted);
    let is_between = |c: char| c.is_whitespace() || c == '=';
    let is_one = text.chars().all(|c| is_symbol(c) || is_between(c)) && text.contains(is_between);
    let joined: String = text.chars().filter(|c| is_one && !is_between(*c)).collect();
    runs.extend(is_one.then_some(&*joined));
    let long = runs.into_iter().filter(|run| run.len() > SHORTEST * 4 / 3);
    let mut decoded: Vec<(&str, String)> =
        long.filter_map(|run| Some((run, sixes(run)?))).collect();
    decoded.sort_unstable();
    decoded.dedup();
    // one text for all, so that names in several pieces meet
    let decoded: Vec<String> = decoded.into_iter().map(|(_, text)| text).collect();
    if decoded.is_empty() { decoded } else { vec![decoded.join(" ")] }
}

/// Six bits for each symbol, of either alphabet.
fn sixes(run: &str) -> Option<String> {
    if !may_begin_text(run) {
        return None;
    }
    let mut bytes = Vec::with_capacity(run.len());
    let (mut held, mut bits) = (0_u32, 0_u32);
    for symbol in run.bytes() {
        let six = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        held = (held << 6) | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).unwrap_or(0));
            held &= (1 << bits) - 1;
        }
    }
    bytes.retain(|byte| *byte != 0); // UTF-16
    says_something(&bytes).then(|| lossy(&bytes))
}

/// Whether the first byte of what the run decodes to may be one of a text: of most words it is not.
fn may_begin_text(run: &str) -> bool {
    // The symbols of 32 to 47 begin bytes from 0x80 to 0xbf, which no text begins with (RFC 3629).
    !matches!(run.bytes().next(), Some(b'g'..=b'v'))
}

/// Whether the bytes are a text, but for an end that was cut off: plain words, taken for base64,
/// are hardly ever one.
fn says_something(bytes: &[u8]) -> bool {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(flaw) => {
            let valid = bytes.get(..flaw.valid_up_to()).unwrap_or_default();
            if valid.len() + 4 < bytes.len() {
                return false;
            }
            std::str::from_utf8(valid).unwrap_or_default()
        }
    };
    text.len() >= SHORTEST && !text.contains(|c: char| c.is_control() && !c.is_whitespace())
}

fn rot13(text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for byte in &mut bytes {
        match byte {
            b'a'..=b'm' | b'A'..=b'M' => *byte += 13,
            b'n'..=b'z' | b'N'..=b'Z' => *byte -= 13,
            _ => {}
        }
    }
    // Letters became letters: it is a text still.
    String::from_utf8(bytes).unwrap_or_default()
}
