//! Finds the entities that a text names.
//!
//! A text is read as it stands, and once more for each disguise that its letters could wear. Where
//! something was refused before, it is read strictly too: see [`Shadows`].

mod common;
mod disguise;
mod edges;
mod places;
mod search;
mod shadow;
mod signs;
mod slip;
mod spans;
#[cfg(test)]
pub(crate) mod stage;
mod strict;
mod venues;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use kenward_model::{EntityUid, ServerName};
use kenward_world::{World, words};
use serde::Serialize;

use crate::handles::Handles;
use crate::inferences::Inferences;
use search::{Found, Search};
use spans::Lazy;

pub(crate) use places::is_pair;
pub(crate) use shadow::{Shadowed, Shadows};
pub(crate) use signs::{introduces, is_type};

/// Against what texts are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene<'a> {
    /// The directory.
    pub(crate) world: &'a World,
    /// The handles that results have linked.
    pub(crate) handles: &'a Handles,
    /// The server that would answer.
    pub(crate) server: &'a ServerName,
    /// Whose places are nobody's.
    pub(crate) inferences: &'a Inferences,
    /// Whom to look for strictly.
    pub(crate) shadowed: &'a Shadows,
}

/// Somebody is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mention {
    /// Where the name begins in the text, in bytes; best effort where it was disguised.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
    /// The name that was met, in normal form.
    pub(crate) name: String,
    /// Everybody who has it.
    pub(crate) entities: Vec<EntityUid>,
    /// How it was recognised.
    pub(crate) how: How,
}

/// How somebody was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// By the exact id.
    Id,
    /// By a name, in normal form.
    Alias,
    /// By a handle that a result had linked.
    Handle,
    /// By something that belongs to them.
    Relation,
    /// By several arguments together.
    Joined,
    /// By a name in letters that look like others.
    Lookalike,
    /// By a name with a slip of the pen.
    Slip,
    /// By a name whose words were run together or taken apart, forwards or backwards.
    Glued,
    /// By a name with something between its letters.
    SpacedOut,
    /// By a name that was encoded.
    Encoded,
    /// By initials, or by a part of a name where another sign points to it.
    Initials,
    /// By what the result says.
    InResult,
}

/// Everybody whom the text names, as far as can be told; each name once, where it stands first.
///
/// Names that stand there by chance as likely as not are left out unless a second sign points to
/// somebody, and so is a person after whom a place is named. Whoever is shadowed is looked for
/// strictly.
pub(crate) fn mentions(scene: &Scene<'_>, text: &str) -> Vec<Mention> {
    read(scene, text, &Purpose::default()).mentions
}

/// For what a text is read.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Purpose<'p> {
    /// What belongs to the text and may say what it is, such as the name of its member.
    pub(crate) introduction: &'p str,
    /// The type of those who are looked for.
    pub(crate) of: Option<&'p str>,
    /// Whether it is there to name a place.
    pub(crate) is_place: bool,
    /// Whether it is there to name somebody: a name needs no second sign, and no place is named
    /// after anybody.
    pub(crate) is_name: bool,
}

/// One text, read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// Everybody whom it names.
    pub(crate) mentions: Vec<Mention>,
    /// Whether every word is accounted for, in the same spelling of the whole text.
    pub(crate) is_accounted_for: bool,
}

/// Reads a text as it stands and, where letters of it may be disguised, without the disguise.
pub(crate) fn read(scene: &Scene<'_>, text: &str, purpose: &Purpose<'_>) -> Reading {
    let mut reader = Reader { length: text.len(), ..Reader::new(scene, purpose) };
    let mut is_accounted_for = reader.spelling(text, None);
    let thorough = purpose.is_name || !scene.shadowed.is_empty();
    for plain in disguise::without(text, thorough) {
        is_accounted_for |= reader.spelling(&plain, Some(How::Lookalike));
    }
    if !scene.shadowed.is_empty() {
        reader.hidden(text);
    }
    Reading { mentions: reader.mentions, is_accounted_for }
}

struct Reader<'a> {
    scene: &'a Scene<'a>,
    purpose: &'a Purpose<'a>,
    /// Of the text as it stands.
    length: usize,
    mentions: Vec<Mention>,
    /// The names that were noted.
    noted: HashSet<(Arc<str>, bool)>,
}

impl<'a> Reader<'a> {
    fn new(scene: &'a Scene<'a>, purpose: &'a Purpose<'a>) -> Self {
        Self { scene, purpose, length: 0, mentions: Vec::new(), noted: HashSet::new() }
    }

    /// Reads one spelling of the text: as it stands, or without the disguise `how`. Whether every
    /// word is accounted for.
    fn spelling(&mut self, text: &str, how: Option<How>) -> bool {
        let plain = places::without_coordinates(text, &|form| self.is_nobody(form));
        let normal = words::normalise(&plain);
        let mut search = Search::new(self.scene, &normal, self.purpose);
        search.run();
        places::drop_listed(&mut search);
        let has_place = matches!(plain, Cow::Owned(_));
        let is_accounted_for = places::account_for(&search, self.purpose, has_place);
        let spans = Lazy::of(&plain);
        if !self.scene.shadowed.is_empty() {
            for mention in strict::in_search(&search, &plain, &spans) {
                self.note_strict(mention, how);
            }
        }
        let mut found = std::mem::take(&mut search.found);
        if !self.purpose.is_name {
            signs::retain(&search, &mut found, &plain, &spans);
        }
        if how.is_some() {
            // a1 is no disguise of Al
            found.retain(|found| found.name.len() >= signs::SHORTEST_ALONE);
        }
        for found in found {
            self.note(&found, search.words.len(), &spans, how);
        }
        is_accounted_for
    }

    /// Whether the digits of a coordinate are nobody's number.
    fn is_nobody(&self, form: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let parts = form.split(|c: char| !c.is_ascii_digit() && c != '.');
        let mut numbers = parts.map(digits).chain([digits(form)]);
        !numbers.any(|number| !self.scene.world.named(&number).is_empty())
    }

    fn note(&mut self, found: &Found, count: usize, spans: &Lazy<'_>, how: Option<How>) {
        if !self.noted.insert((Arc::clone(&found.name), found.how == How::Handle)) {
            return;
        }
        let (start, end) = match how {
            None => spans.get().between(found.start, found.end, count),
            Some(_) => (0, self.length),
        };
        self.mentions.push(Mention {
            start,
            end,
            name: (*found.name).to_owned(),
            entities: found.entities.to_vec(),
            how: how.unwrap_or(found.how),
        });
    }

    fn note_strict(&mut self, mention: Mention, how: Option<How>) {
        let is_known = |known: &Mention| {
            known.name == mention.name
                && mention.entities.iter().all(|uid| known.entities.contains(uid))
        };
        if self.mentions.iter().any(is_known) {
            return;
        }
        let mention = match how {
            None => mention,
            Some(how) => Mention { start: 0, end: self.length, how, ..mention },
        };
        self.mentions.push(mention);
    }

    /// Looks for whoever is shadowed in what the text may say in another encoding.
    fn hidden(&mut self, text: &str) {
        for hidden in strict::decode::hidden(text) {
            let spellings = disguise::without(&hidden, false);
            let spellings = std::iter::once(hidden).chain(spellings);
            spellings.for_each(|spelling| self.hidden_spelling(&spelling));
        }
    }

    fn hidden_spelling(&mut self, text: &str) {
        let normal = words::normalise(text);
        if !strict::may_name(self.scene.shadowed, &normal) {
            return;
        }
        let mut search = Search::new(self.scene, &normal, &Purpose::default());
        search.run();
        places::drop_listed(&mut search);
        for mention in strict::in_search(&search, text, &Lazy::of(text)) {
            self.note_strict(mention, Some(How::Encoded));
        }
    }
}

#[cfg(test)]
mod tests;
