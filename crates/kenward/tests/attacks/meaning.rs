//! A search that understands everything: whom a text means, however it is disguised.
//!
//! Servers behind the gateway are naive and helpful, and some ask a model. The scripted ones are at
//! least as clever as any of them, so that no attack fails for want of understanding.

/// What a letter is read as; nothing when it is not read at all.
type Fold = fn(char) -> Option<char>;

/// The rows whose names `text` means: those that match best, and none when nothing does.
pub(crate) fn meant(text: &str, names: &[Vec<String>]) -> Vec<usize> {
    for reading in readings(text) {
        let scores: Vec<u32> = names
            .iter()
            .map(|names| names.iter().map(|name| score(&reading, name)).max().unwrap_or(0))
            .collect();
        let best = scores.iter().copied().max().unwrap_or(0);
        if best > 0 {
            return (0..scores.len()).filter(|row| scores[*row] == best).collect();
        }
    }
    Vec::new()
}

/// The text as it is, and as it is once some encoding is undone.
fn readings(text: &str) -> Vec<String> {
    let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let reversed = text.chars().rev().collect();
    let decoded = [
        percent(text),
        hex(&squeezed),
        unwrap_base64(&squeezed),
        Some(rot13(text)),
        Some(reversed),
    ];
    std::iter::once(text.to_owned()).chain(decoded.into_iter().flatten()).collect()
}

/// How well `text` means `name`: longer names and truer spellings count more.
fn score(text: &str, name: &str) -> u32 {
    let length = u32::try_from(name.chars().count()).unwrap_or(u32::MAX).min(99);
    let folds: [(u32, Fold); 2] = [(400, plain), (300, leet)];
    for (weight, fold) in folds {
        let (text, name) = (tokens(text, fold), tokens(name, fold));
        if has_run(&text, &name) {
            return weight + length;
        }
        let turned: Vec<String> = name.iter().rev().cloned().collect();
        if name.len() > 1 && has_run(&text, &turned) {
            return weight + length - 1;
        }
        let (glued, whole) = (text.concat(), name.concat());
        if whole.len() >= 6 && (glued.contains(&whole) || glued.contains(&turned.concat())) {
            return weight - 50 + length;
        }
        if has_slipped(&text, &name) || has_initial(&text, &name) {
            return weight - 150 + length;
        }
    }
    0
}

fn tokens(text: &str, fold: Fold) -> Vec<String> {
    let folded = text.chars().filter_map(fold).flat_map(char::to_lowercase).collect::<String>();
    let folded = folded.replace("'s ", " ");
    folded
        .split(|c: char| !c.is_alphanumeric())
        .filter(|token| !token.is_empty())
        .map(str::to_owned)
        .collect()
}

fn has_run(text: &[String], name: &[String]) -> bool {
    !name.is_empty() && text.windows(name.len()).any(|run| run == name)
}

fn has_slipped(text: &[String], name: &[String]) -> bool {
    let same = |a: &String, b: &String| a == b || (a.len() >= 3 && b.len() >= 3 && is_slip(a, b));
    name.len() > 1 && name.iter().all(|word| text.iter().any(|token| same(token, word)))
}

fn has_initial(text: &[String], name: &[String]) -> bool {
    let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
    let is_initial =
        |token: &String| token.chars().count() == 1 && first.starts_with(token.as_str());
    name.len() > 1
        && text.windows(2).any(|pair| {
            (is_initial(&pair[0]) && pair[1] == *last) || (is_initial(&pair[1]) && pair[0] == *last)
        })
}

/// Whether one insertion, deletion, substitution or transposition makes `b` of `a`.
fn is_slip(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let front = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let room = a.len().min(b.len()) - front;
    let back = a.iter().rev().zip(b.iter().rev()).take_while(|(x, y)| x == y).count().min(room);
    let (left_a, left_b) = (&a[front..a.len() - back], &b[front..b.len() - back]);
    let is_swap =
        left_a.len() == 2 && left_b.len() == 2 && left_a[0] == left_b[1] && left_a[1] == left_b[0];
    is_swap || (left_a.len() <= 1 && left_b.len() <= 1)
}

/// Letters as a reader sees them: full width, accents and other scripts come to Latin.
fn plain(c: char) -> Option<char> {
    let known = match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{1d400}'..='\u{1d433}' => {
            let place = (u32::from(c) - 0x1d400) % 26;
            char::from_u32(u32::from('a') + place).unwrap_or(c)
        }
        '\u{200b}'..='\u{200f}'
        | '\u{ad}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{300}'..='\u{36f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{e0000}'..='\u{e007f}' => {
            return None;
        }
        _ => match LOOKALIKES.iter().find(|(letters, _)| letters.contains(c)) {
            Some((_, latin)) => *latin,
            None => c,
        },
    };
    Some(known)
}

/// The same with digits and signs for letters.
fn leet(c: char) -> Option<char> {
    let c = plain(c)?;
    let digits = [
        ('0', 'o'),
        ('1', 'l'),
        ('3', 'e'),
        ('4', 'a'),
        ('5', 's'),
        ('7', 't'),
        ('@', 'a'),
        ('$', 's'),
        ('!', 'i'),
        ('8', 'b'),
    ];
    let known = digits.iter().find(|(digit, _)| *digit == c);
    Some(known.map_or(c, |(_, letter)| *letter))
}

/// Letters that look like a Latin one, or are one with an accent.
const LOOKALIKES: [(&str, char); 22] = [
    ("\u{430}\u{410}\u{391}\u{3b1}àáâãäåÀÁÂÃÄÅāă", 'a'),
    ("\u{432}\u{412}\u{392}", 'b'),
    ("\u{441}\u{421}\u{3f2}çÇćč", 'c'),
    ("\u{435}\u{415}\u{395}\u{454}èéêëÈÉÊËēė", 'e'),
    ("\u{4bb}\u{41d}\u{397}", 'h'),
    ("\u{456}\u{406}\u{399}\u{131}ìíîïÌÍÎÏ", 'i'),
    ("\u{458}\u{408}", 'j'),
    ("\u{43a}\u{41a}\u{39a}\u{3ba}", 'k'),
    ("\u{4cf}ł", 'l'),
    ("\u{43c}\u{41c}\u{39c}", 'm'),
    ("\u{39d}\u{578}ñÑń", 'n'),
    ("\u{43e}\u{41e}\u{39f}\u{3bf}òóôõöøÒÓÔÕÖØō", 'o'),
    ("\u{440}\u{420}\u{3a1}\u{3c1}", 'p'),
    ("\u{455}\u{405}śšŠ", 's'),
    ("\u{442}\u{422}\u{3a4}", 't'),
    ("ùúûüÙÚÛÜū", 'u'),
    ("\u{3bd}\u{475}", 'v'),
    ("\u{51d}", 'w'),
    ("\u{445}\u{425}\u{3a7}", 'x'),
    ("\u{443}\u{423}\u{3a5}ýÿ", 'y'),
    ("\u{396}žźż", 'z'),
    ("\u{261}", 'g'),
];

fn percent(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail
            .get(..2)
            .filter(|_| *first == b'%')
            .and_then(|code| std::str::from_utf8(code).ok());
        let byte = code.and_then(|code| u8::from_str_radix(code, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    text.contains('%').then(|| String::from_utf8_lossy(&bytes).into_owned())
}

fn hex(text: &str) -> Option<String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() < 8 || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes = digits.chunks(2).map(|pair| {
        std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok())
    });
    String::from_utf8(bytes.collect::<Option<Vec<u8>>>()?).ok()
}

pub(crate) fn unwrap_base64(text: &str) -> Option<String> {
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut held, mut bytes) = (0_u32, 0_u32, Vec::new());
    for letter in text.trim_end_matches('=').replace('-', "+").replace('_', "/").bytes() {
        let value = letters.iter().position(|known| *known == letter)?;
        held = (held << 6) | u32::try_from(value).ok()?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    String::from_utf8(bytes).ok().filter(|text| text.len() >= 5)
}

fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| {
        let place = u8::try_from(u32::from(c)).unwrap_or(base) - base;
        char::from((place + 13) % 26 + base)
    };
    let turned = text.chars().map(|c| match c {
        'a'..='z' => turn(c, b'a'),
        'A'..='Z' => turn(c, b'A'),
        _ => c,
    });
    turned.collect()
}

#[test]
fn disguises_are_understood() {
    let names =
        vec![vec!["Ada King".to_owned(), "E-1001".to_owned()], vec!["Noor Rahal".to_owned()]];
    let disguises = [
        "ada king",
        "King, Ada",
        "Ada\u{200b} King's pay",
        "\u{410}da King",
        "Ad4 King",
        "adaking",
        "a d a k i n g",
        "A. King",
        "Adda King",
        "QWRhIEtpbmc=",
        "416461204b696e67",
        "Nqn Xvat",
        "gniK adA",
        "%41da%20King",
        "e 1001",
        "\u{ff21}\u{ff44}\u{ff41} King",
        "Ada Kinng",
    ];
    for disguise in disguises {
        assert_eq!(meant(disguise, &names), [0], "{disguise}");
    }
    assert!(meant("somebody else", &names).is_empty());
}
