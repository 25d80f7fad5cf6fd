//! The texts that name an entity.

use crate::entity::Entity;
use crate::record::MOST_ALIAS_WORDS;
use crate::words::{normalise, tokens};

/// Every text in normal form that names `entity`: its id, its aliases, and those of them that are
/// groups of digits also in one piece. Ids of more words than an alias may have are left out.
pub(crate) fn keys(entity: &Entity) -> Vec<String> {
    let mut keys: Vec<String> = texts(entity).map(normalise).collect();
    let glued: Vec<String> = keys.iter().filter_map(|key| glue_digits(key)).collect();
    keys.extend(glued);
    keys.retain(|key| is_key(key));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Whether the text in normal form names `entity`.
pub(crate) fn is_named(entity: &Entity, normalised: &str) -> bool {
    is_key(normalised)
        && texts(entity).map(normalise).any(|key| {
            key == normalised || glue_digits(&key).is_some_and(|glued| glued == normalised)
        })
}

fn texts(entity: &Entity) -> impl Iterator<Item = &str> {
    std::iter::once(&*entity.uid.id).chain(&entity.aliases)
}

fn is_key(key: &str) -> bool {
    (1..=MOST_ALIAS_WORDS).contains(&tokens(key).len())
}

/// `615 555 0100` as `6155550100`.
fn glue_digits(key: &str) -> Option<String> {
    let digits = |c: char| c.is_ascii_digit() || c == ' ';
    (key.contains(' ') && key.chars().all(digits)).then(|| key.replace(' ', ""))
}
