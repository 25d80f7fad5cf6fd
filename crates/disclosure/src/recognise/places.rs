//! Forms of places that are nobody's name, and whether every word of a text is accounted for.

mod coordinates;
mod fillers;
mod postcodes;

use super::search::{self, Search};
use super::{Purpose, Scene, signs};

pub(crate) use coordinates::is_pair;
pub(super) use coordinates::without as without_coordinates;

/// The most words of a listed place that are looked up.
const LONGEST_PLACE: usize = 8;
/// The most postcodes in one text: a list of numbers may say something else.
const MOST_POSTCODES: usize = 2;

/// Drops whoever is named only inside the name of a listed place.
pub(super) fn drop_listed(search: &mut Search<'_, '_>) {
    if search.scene.inferences.places().next().is_none() {
        return;
    }
    let mut found = std::mem::take(&mut search.found);
    found.retain(|found| {
        let starts = found.start.saturating_sub(LONGEST_PLACE / 2)..=found.start;
        let mut spans = starts.flat_map(|start| {
            (found.end..=found.end + LONGEST_PLACE / 2).map(move |end| (start, end))
        });
        !spans.any(|(start, end)| {
            (start, end) != (found.start, found.end)
                && search
                    .span(start, end)
                    .is_some_and(|name| search.scene.inferences.is_place(name))
        })
    });
    search.found = found;
}

/// Whether somebody, something or a place is named, and every other word says nothing: a filler,
/// or the type of what is named. `has_place` when a place was taken out of the text before.
pub(super) fn account_for(search: &Search<'_, '_>, purpose: &Purpose<'_>, has_place: bool) -> bool {
    let mut covered = vec![false; search.words.len()];
    // The front of an address may be anybody's: it accounts for nothing.
    let found = || search.found.iter().filter(|found| found.is_name() || found.name.contains(' '));
    for found in found() {
        covered.iter_mut().take(found.end).skip(found.start).for_each(|word| *word = true);
    }
    let named = has_place || found().next().is_some();
    let account = Account { search, purpose, covered, named, postcodes: 0 };
    account.complete()
}

struct Account<'a, 's, 't> {
    search: &'a Search<'s, 't>,
    purpose: &'a Purpose<'a>,
    /// Which words belong to a name.
    covered: Vec<bool>,
    /// Whether anything is named.
    named: bool,
    /// How many postcodes there were.
    postcodes: usize,
}

impl Account<'_, '_, '_> {
    /// Whether nothing is left over.
    fn complete(mut self) -> bool {
        let mut at = 0;
        while let Some(word) = self.search.word(at) {
            at += if self.covered.get(at) == Some(&true) {
                1
            } else if let Some(words) = self.place_at(at) {
                self.named = true;
                words
            } else if self.says_nothing(word) {
                1
            } else {
                return false;
            };
        }
        self.named
    }

    /// How many words the place has that begins with the word `at`, if one does.
    fn place_at(&mut self, at: usize) -> Option<usize> {
        let is_listed = |end: &usize| {
            let name = self.search.span(at, *end);
            name.is_some_and(|name| self.scene().inferences.is_place(name))
        };
        let listed = (at + 1..=at + LONGEST_PLACE).rev().find(is_listed);
        if let Some(end) = listed {
            return Some(end - at);
        }
        let free =
            |at: usize| self.search.word(at).filter(|_| self.covered.get(at) == Some(&false));
        let words = [free(at)?, free(at + 1).unwrap_or(""), free(at + 2).unwrap_or("")];
        let before = self.search.before(at);
        // the number of a customer is no postcode
        let is_id = before.is_some_and(|word| signs::introduces(word) || self.is_kind(word));
        let introduced = self.purpose.is_place || before.is_some_and(postcodes::introduces);
        let length = postcodes::words(&words, introduced, is_id)?;
        // numbers in a row are no postcodes, nor are many
        let is_number = |word: Option<&str>| word.is_some_and(search::is_number);
        let in_row = is_number(before) || is_number(self.search.word(at + length));
        let has_digits_alone = words.iter().take(length).all(|word| search::is_number(word));
        self.postcodes += 1;
        (!(in_row && has_digits_alone) && self.postcodes <= MOST_POSTCODES).then_some(length)
    }

    fn scene(&self) -> &Scene<'_> {
        self.search.scene
    }

    fn says_nothing(&self, word: &str) -> bool {
        fillers::is_filler(word) || postcodes::introduces(word) || self.is_kind(word)
    }

    /// Whether the word is the type of something that is named or asked for.
    fn is_kind(&self, word: &str) -> bool {
        let named = self.search.found.iter().flat_map(|found| found.entities.iter());
        self.purpose.of.is_some_and(|of| signs::is_type(of, word))
            || named.take(64).any(|uid| signs::is_type(&uid.kind, word))
    }
}
