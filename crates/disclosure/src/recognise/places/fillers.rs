//! Words that say nothing about who or what is meant.

/// Sorted.
const FILLERS: &[&str] = &[
    "a",
    "account",
    "address",
    "an",
    "and",
    "apartment",
    "area",
    "around",
    "at",
    "by",
    "close",
    "closest",
    "coordinates",
    "flat",
    "for",
    "from",
    "geo",
    "home",
    "house",
    "id",
    "in",
    "is",
    "lat",
    "latitude",
    "lives",
    "living",
    "lng",
    "location",
    "lon",
    "longitude",
    "me",
    "my",
    "near",
    "nearby",
    "nearest",
    "next",
    "no",
    "number",
    "of",
    "on",
    "or",
    "our",
    "place",
    "please",
    "residence",
    "s",
    "show",
    "the",
    "this",
    "to",
    "what",
    "where",
    "with",
];

/// Whether the word, in normal form, says nothing.
pub(super) fn is_filler(word: &str) -> bool {
    FILLERS.binary_search(&word).is_ok()
}

#[cfg(test)]
mod tests {
    #[test]
    fn fillers_can_be_searched() {
        assert!(super::FILLERS.is_sorted());
    }
}
