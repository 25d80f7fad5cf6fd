//! Tells a name from words that stand there by chance.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kenward_model::EntityUid;
use kenward_world::words;

use super::How;
use super::search::{Found, Search};
use super::spans::Lazy;
use super::venues;

/// A name of fewer letters and digits is met by chance too often to mean somebody by itself.
pub(super) const SHORTEST_ALONE: usize = 4;
/// Of so many bearers of a slight name the other names are looked for; where there are more, it
/// counts.
const MOST_BEARERS: usize = 64;
/// The longest part of the name of an id, as in `CUST4711`.
const SHORTEST_PREFIX: usize = 3;

/// Words that say that the name of somebody follows; sorted.
const INTRODUCTIONS: &[&str] = &[
    "account",
    "acct",
    "client",
    "cliente",
    "clients",
    "cust",
    "customer",
    "customers",
    "dr",
    "dra",
    "employee",
    "employees",
    "frau",
    "fraulein",
    "guest",
    "herr",
    "id",
    "kunde",
    "kundennummer",
    "kundin",
    "lady",
    "lord",
    "madame",
    "member",
    "miss",
    "mister",
    "mlle",
    "mme",
    "monsieur",
    "mr",
    "mrs",
    "ms",
    "named",
    "no",
    "nr",
    "num",
    "number",
    "numero",
    "patient",
    "person",
    "prof",
    "professor",
    "senor",
    "senora",
    "sir",
    "staff",
    "user",
    "users",
];
/// Ways to shorten what an id is an id of.
const PREFIXES: &[&str] =
    &["a", "ac", "acc", "acct", "c", "cid", "cust", "id", "k", "kd", "no", "nr"];

/// Whether the word is the name of the type, without its namespace; one or several of it.
pub(crate) fn is_type(kind: &str, word: &str) -> bool {
    kind.rsplit("::").next().is_some_and(|name| {
        name.eq_ignore_ascii_case(word)
            || word.strip_suffix('s').is_some_and(|one| name.eq_ignore_ascii_case(one))
    })
}

/// Whether `letters` say of which of the entities the digits behind them are an id.
pub(super) fn is_prefix_of(letters: &str, entities: &[EntityUid]) -> bool {
    let begins = |uid: &EntityUid| {
        let name = uid.kind.rsplit("::").next().unwrap_or_default().to_lowercase();
        letters.len() >= SHORTEST_PREFIX && name.starts_with(letters)
    };
    PREFIXES.contains(&letters) || entities.iter().any(begins)
}

/// Keeps the names that mean somebody: not those after whom only a place is named, and those that
/// stand there by chance as likely as not only where a second sign points to their bearer.
pub(super) fn retain(
    search: &Search<'_, '_>,
    found: &mut Vec<Found>,
    text: &str,
    spans: &Lazy<'_>,
) {
    found.retain(|found| !venues::is_venue(search, found, text, spans));
    if !found.iter().any(|found| found.is_slight) {
        return;
    }
    let sure: HashSet<EntityUid> = found
        .iter()
        .filter(|found| !found.is_slight)
        .flat_map(|found| found.entities.iter().cloned())
        .collect();
    let mut signs = Signs { search, sure, places: None, told: HashMap::new() };
    found.retain(|found| !found.is_slight || signs.point_to(found));
}

struct Signs<'s, 't> {
    search: &'s Search<'s, 't>,
    /// Who is named for sure.
    sure: HashSet<EntityUid>,
    /// Where each word of the text stands first and last.
    places: Option<HashMap<&'t str, (usize, usize)>>,
    /// What was found out about a name.
    told: HashMap<Arc<str>, bool>,
}

impl Signs<'_, '_> {
    fn point_to(&mut self, found: &Found) -> bool {
        if self.is_introduced(found) {
            return true;
        }
        if let Some(told) = self.told.get(&found.name) {
            return *told;
        }
        let told = found.entities.len() > MOST_BEARERS
            || found.entities.iter().any(|uid| self.sure.contains(uid) || self.is_near(uid, found));
        self.told.insert(Arc::clone(&found.name), told);
        told
    }

    /// Whether the word before says that somebody follows, or the word behind what it was.
    fn is_introduced(&self, found: &Found) -> bool {
        let of_type = |word: &str| found.entities.iter().any(|uid| is_type(&uid.kind, word));
        let before = self.search.before(found.start);
        let is_number = found.name.bytes().all(|b| b.is_ascii_digit());
        before.is_some_and(|word| introduces(word) || of_type(word))
            || (!is_number && self.search.word(found.end).is_some_and(of_type))
    }

    /// Whether another word of the entity's names stands in the text.
    fn is_near(&mut self, uid: &EntityUid, found: &Found) -> bool {
        let names = self.search.scene.world.aliases_normal(uid);
        let places = self.places.get_or_insert_with(|| {
            let mut places = HashMap::new();
            for (at, word) in self.search.words.iter().copied().enumerate() {
                places.entry(word).or_insert((at, at)).1 = at;
            }
            places
        });
        let is_own = |at: usize| (found.start..found.end).contains(&at);
        let mut tokens = names.iter().flat_map(|name| words::tokens(name));
        tokens.any(|token| {
            let is_telling =
                token.chars().count() > 1 && !found.name.split(' ').any(|w| w == token);
            let place = places.get(token).filter(|_| is_telling);
            place.is_some_and(|(first, last)| !is_own(*first) || !is_own(*last))
                && !super::common::is_common(token)
        })
    }
}

/// Whether the word says that the name of somebody follows.
pub(crate) fn introduces(word: &str) -> bool {
    INTRODUCTIONS.binary_search(&word).is_ok()
}

impl Found {
    /// Whether this is more than a likeness.
    pub(super) fn is_name(&self) -> bool {
        self.how != How::Initials
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn introductions_can_be_searched() {
        assert!(super::INTRODUCTIONS.is_sorted());
    }
}
