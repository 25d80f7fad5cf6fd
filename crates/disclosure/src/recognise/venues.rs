//! Places that are named after people.

use super::search::{Found, Search};
use super::spans::Spans;

/// What is named after people, in several languages; sorted. No word is among them that could go
/// on with a sentence about the person, such as `close` or `drive`.
const VENUES: &[&str] = &[
    "academy", "aeroport", "aeropuerto", "airport", "allee", "alley", "arena", "auditorium",
    "av", "avenida", "avenue", "bahnhof", "bahnhofstrasse", "bakery", "basin", "beach",
    "bibliothek", "bibliotheque", "bistro", "bistrot", "blvd", "bookstore", "boulevard",
    "brasserie", "brewery", "bridge", "brucke", "bruecke", "cafe", "calle", "campus", "canal",
    "casino", "cathedral", "cemetery", "center", "centre", "chapel", "chaussee", "church",
    "cinema", "circle", "clinic", "colegio", "college", "concert", "corso", "courthouse",
    "crescent", "damm", "diner", "ecole", "eglise", "escuela", "estacion", "estadio",
    "expressway", "fairground", "festival", "flughafen", "foundation", "freeway", "friedhof",
    "galerie", "gallery", "garden", "gardens", "gasse", "gata", "gedenkstatte", "gymnasium",
    "halle", "harbor", "harbour", "highway", "hochschule", "hopital", "hospital", "hostel",
    "hotel", "hotels", "inn", "institut", "institute", "jardin", "kindergarten", "kino",
    "kirche", "klinik", "krankenhaus", "laan", "lane", "library", "lounge", "lycee", "mall",
    "markt", "memorial", "metro", "monument", "moschee", "mosque", "motel", "motorway", "musee",
    "museo", "museum", "observatory", "oper", "opera", "palace", "parc", "park", "parkway",
    "parque", "paseo", "pavilion", "piazza", "pier", "pinakothek", "platz", "playground",
    "plaza", "plein", "polyclinic", "pont", "praca", "promenade", "pub", "puente", "quay",
    "rathaus", "reservoir", "resort", "restaurant", "restaurante", "rink", "ristorante", "road",
    "rua", "rue", "school", "schools", "schule", "shrine", "shul", "sporthalle", "sportplatz",
    "square", "stadio", "stadion", "stadium", "station", "statue", "steakhouse", "straat",
    "strada", "strasse", "street", "suites", "supermarket", "synagogue", "tavern", "teatro",
    "terminal", "terrace", "theater", "theatre", "tower", "trail", "tunnel", "turnpike",
    "ulica", "universidad", "universitat", "universite", "university", "vagen", "viaduct",
    "way", "weg", "wharf", "winery", "ziekenhuis", "zoo",
];

/// Whether a place is meant that is named after somebody: the word for such a place follows the
/// name directly, in the same phrase. `Taylor Swift's hotel` is where she stays.
pub(super) fn is_venue(search: &Search<'_, '_>, found: &Found, text: &str, spans: &Spans) -> bool {
    let count = search.words.len();
    let is_person = found.is_name() && found.name.chars().all(|c| c.is_alphabetic() || c == ' ');
    let is_followed = search.word(found.end).is_some_and(|word| VENUES.binary_search(&word).is_ok());
    if !is_person || !is_followed || !spans.is_exact(count) {
        return false;
    }
    let (_, end) = spans.between(found.start, found.end, count);
    let (next, _) = spans.between(found.end, found.end + 1, count);
    let between = text.get(end..next).unwrap_or(",");
    let is_one_phrase = |c: char| c.is_whitespace() || matches!(c, '-' | '_' | '+' | '/');
    !is_possessive(text.get(..end).unwrap_or("")) && between.chars().all(is_one_phrase)
}

/// Whether the last word of the text has an `'s`, whatever the apostrophe.
fn is_possessive(text: &str) -> bool {
    let mut end = text.chars().rev();
    end.next().is_some_and(|c| c.eq_ignore_ascii_case(&'s'))
        && end.next().is_some_and(|c| !c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::VENUES;

    #[test]
    fn venues_can_be_searched() {
        assert!(VENUES.is_sorted());
    }
}
