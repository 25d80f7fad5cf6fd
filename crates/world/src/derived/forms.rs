//! The texts that are derived from the id and the aliases of an entity.

use super::phone;
use crate::entity::Entity;
use crate::words::{normalise, tokens};

/// A name of a person has at most so many words.
const MOST_NAMES: usize = 4;
/// The part of an e-mail address before the `@` that has fewer letters says too little.
const SHORTEST_LOCAL: usize = 3;

/// Every text in normal form that is derived from `entity`, each once.
pub(super) fn of(entity: &Entity) -> Vec<String> {
    let mut forms: Vec<String> = local_part(&entity.uid.id).into_iter().collect();
    for alias in &entity.aliases {
        if alias.contains('@') {
            forms.extend(local_part(alias));
        } else if alias.bytes().any(|byte| byte.is_ascii_digit()) {
            forms.extend(phone::national(alias));
        } else {
            forms.extend(initial_and_last(alias));
        }
    }
    forms.sort_unstable();
    forms.dedup();
    forms
}

/// The forms under which something that is written as `normalised` is to be looked up.
pub(super) fn spellings(normalised: &str) -> Vec<String> {
    let mut spellings = vec![normalised.to_owned()];
    for number in phone::spellings(normalised) {
        if !spellings.contains(&number) {
            spellings.push(number);
        }
    }
    spellings
}

/// `t swift` of `Taylor Swift`, of `Taylor Alison Swift` and of `Swift, Taylor`.
fn initial_and_last(alias: &str) -> Option<String> {
    let turned = alias.split_once(',').map(|(last, first)| format!("{first} {last}"));
    let normal = normalise(turned.as_deref().unwrap_or(alias));
    let words = tokens(&normal);
    let (first, last) = (words.first()?, words.last()?);
    let is_name = (2..=MOST_NAMES).contains(&words.len())
        && [first, last].iter().all(|word| word.chars().nth(1).is_some())
        && normal.chars().all(|c| c.is_alphabetic() || c == ' ');
    let initial = first.chars().next().filter(|_| is_name)?;
    Some(format!("{initial} {last}"))
}

/// `taylor swift` of `taylor.swift+news@example.com`.
fn local_part(address: &str) -> Option<String> {
    let (local, domain) = address.split_once('@')?;
    if domain.is_empty() || domain.contains('@') {
        return None;
    }
    let local = normalise(local.split_once('+').map_or(local, |(local, _)| local));
    (local.chars().filter(|c| *c != ' ').count() >= SHORTEST_LOCAL).then_some(local)
}
