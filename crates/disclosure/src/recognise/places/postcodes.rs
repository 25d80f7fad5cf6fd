//! Postcodes, as far as their form tells them from other words.

/// Words that say that a postcode follows, or stand around one.
const INTRODUCTIONS: &[&str] = &[
    "cap",
    "code",
    "codigo",
    "cp",
    "npa",
    "plz",
    "postal",
    "postcode",
    "postleitzahl",
    "zip",
    "zipcode",
];
/// Codes of countries that are written before postcodes, of cars and of ISO 3166.
const COUNTRIES: &[&str] = &[
    "a", "at", "au", "b", "be", "ch", "cz", "d", "de", "dk", "es", "f", "fi", "fr", "gr", "hr",
    "hu", "it", "l", "li", "lt", "lu", "lv", "nl", "nz", "pl", "pt", "ro", "se", "si", "sk", "us",
];

/// Whether the word says that a postcode follows.
pub(super) fn introduces(word: &str) -> bool {
    INTRODUCTIONS.contains(&word)
}

/// How many of the words are a postcode, if they begin with one. One of digits that could be a
/// telephone number or an id as well must be `introduced`; one of digits alone is none where the number of somebody is expected.
pub(super) fn words(words: &[&str; 3], introduced: bool, is_id: bool) -> Option<usize> {
    let [first, second, _] = words;
    if let Some(words) = lettered(first, second) {
        return Some(words);
    }
    if is_id {
        return None;
    }
    let two = (shape(first), shape(second));
    match two {
        // ZIP+4; Poland; Czechia, Greece, Slovakia, Sweden
        (Some(5), Some(4)) | (Some(2), Some(3)) | (Some(3), Some(2)) => Some(2),
        // Brazil; Portugal; India, Japan
        (Some(4 | 5), Some(3)) | (Some(3), Some(3 | 4)) if introduced => Some(2),
        (Some(5), _) => Some(1),
        (Some(4 | 6), _) if introduced => Some(1),
        (Some(_) | None, _) => None,
    }
}

/// Postcodes with letters in them.
fn lettered(first: &str, second: &str) -> Option<usize> {
    let glued = format!("{first}{second}");
    let pieces = [(first, 1), (glued.as_str(), 2)];
    let fits = |(text, words): &(&str, usize)| {
        let apart = *words == 2 && !second.is_empty();
        (*words == 1 || apart) && is_lettered(text, if apart { Some(first.len()) } else { None })
    };
    pieces.iter().rev().find(|piece| fits(piece)).map(|(_, words)| *words)
}

/// Whether `text` is a postcode with letters, apart at `gap` or in one piece.
fn is_lettered(text: &str, gap: Option<usize>) -> bool {
    if !text.is_ascii() || text.len() > 9 {
        return false;
    }
    let pattern: String =
        text.bytes().map(|b| if b.is_ascii_digit() { '9' } else { 'a' }).collect();
    let gap_before = |tail: usize| gap.is_none_or(|gap| gap + tail == text.len());
    match pattern.as_str() {
        // the United Kingdom; Canada
        "a99aa" | "aa99aa" | "a999aa" | "aa999aa" | "a9a9aa" | "aa9a9aa" | "a9a9a9" => {
            gap_before(3)
        }
        // the Netherlands
        "9999aa" => gap_before(2),
        // Ireland
        "a99aa99" | "a99a999" | "a999aa9" | "a99a9a9" | "a99aaaa" => gap_before(4),
        _ => {
            let digits = text.bytes().position(|b| b.is_ascii_digit());
            let parts = digits.and_then(|at| text.split_at_checked(at));
            parts.is_some_and(|(country, digits)| {
                COUNTRIES.binary_search(&country).is_ok()
                    && shape(digits).is_some_and(|length| (4..=6).contains(&length))
                    && gap_before(digits.len())
            })
        }
    }
}

/// The number of digits of a word that has nothing else.
fn shape(word: &str) -> Option<usize> {
    (!word.is_empty() && word.bytes().all(|b| b.is_ascii_digit())).then_some(word.len())
}
