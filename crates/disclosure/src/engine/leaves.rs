//! The texts and whole numbers in the arguments of a call, and what is read in each.

use std::borrow::Cow;

use serde_json::Value;

use crate::bindings::{CompiledBinding, DeclaredReading};

/// The most leaves that are looked at.
const MOST: usize = 512;
/// The most text that is looked at, in bytes.
const MOST_BYTES: usize = 64 * 1024;
/// The longest text that may be the part of a name, in bytes.
const LONGEST_PART: usize = 64;
/// Among how many leaves the parts of a name are looked for.
const MOST_PARTS: usize = 8;

/// How a leaf is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// By a rule of the binding.
    Subject,
    /// By nothing, unless something was refused before.
    Nothing,
    /// As open text: nothing is said of it.
    Open,
}

/// A text or a whole number in the arguments.
#[derive(Debug)]
pub(super) struct Leaf<'v> {
    /// The members that lead to it, joined by points.
    pub(super) path: String,
    /// Whether it is one of several: it stands in a list, or is the name of a member.
    pub(super) is_listed: bool,
    pub(super) text: Cow<'v, str>,
    pub(super) is_text: bool,
    pub(super) reading: Reading,
}

/// The leaves of the arguments of one call.
#[derive(Debug, Default)]
pub(super) struct Leaves<'v> {
    pub(super) all: Vec<Leaf<'v>>,
    /// The path of a leaf that was too much to be looked at.
    pub(super) too_much: Option<String>,
    bytes: usize,
    /// Whether all leaves are looked at, rather than those alone of which nothing is said.
    strict: bool,
    /// How many lists are walked through.
    lists: usize,
}

impl<'v> Leaves<'v> {
    /// The leaves of which nothing is said; all of them when it is looked strictly.
    pub(super) fn of(
        arguments: &'v Value,
        binding: Option<&CompiledBinding>,
        strict: bool,
    ) -> Self {
        let mut leaves = Self { strict, ..Self::default() };
        leaves.walk(arguments, &mut Vec::new(), binding);
        leaves
    }

    fn walk(
        &mut self,
        value: &'v Value,
        path: &mut Vec<&'v str>,
        binding: Option<&CompiledBinding>,
    ) {
        match value {
            Value::Null | Value::Bool(_) => {}
            Value::Number(number) => {
                if number.is_i64() || number.is_u64() {
                    self.add(path, Cow::Owned(number.to_string()), false, binding);
                }
            }
            Value::String(text) => self.add(path, Cow::Borrowed(text), true, binding),
            Value::Array(items) => {
                self.lists += 1;
                for item in items {
                    self.walk(item, path, binding);
                }
                self.lists -= 1;
            }
            Value::Object(members) => {
                for (name, member) in members {
                    self.member(name, member, path, binding);
                }
            }
        }
    }

    fn member(
        &mut self,
        name: &'v str,
        member: &'v Value,
        path: &mut Vec<&'v str>,
        binding: Option<&CompiledBinding>,
    ) {
        // The names of arguments are the tool's, those further down may be anybody's.
        if !path.is_empty() {
            self.lists += 1;
            self.add(path, Cow::Borrowed(name), false, binding);
            self.lists -= 1;
        }
        path.push(name);
        let lists = std::mem::take(&mut self.lists);
        self.walk(member, path, binding);
        self.lists = lists;
        path.pop();
    }

    fn add(
        &mut self,
        path: &[&str],
        text: Cow<'v, str>,
        is_text: bool,
        binding: Option<&CompiledBinding>,
    ) {
        let reading = binding.map_or(Reading::Open, |binding| reading(binding, path));
        if reading != Reading::Open && !self.strict {
            return;
        }
        self.bytes = self.bytes.saturating_add(text.len());
        let path = path.join(".");
        if self.all.len() >= MOST || self.bytes > MOST_BYTES {
            self.too_much.get_or_insert(path);
            return;
        }
        let is_listed = self.lists > 0;
        self.all.push(Leaf { path, is_listed, text, is_text, reading });
    }

    /// Every two short texts next to each other, both ways: a name may be split over them. `wanted`
    /// says which leaves are looked at.
    pub(super) fn joined(
        &self,
        wanted: impl Fn(&Leaf<'_>) -> bool,
    ) -> impl Iterator<Item = (&Leaf<'v>, String)> {
        let is_part = |leaf: &&Leaf<'_>| {
            leaf.is_text && leaf.text.len() <= LONGEST_PART && !leaf.text.trim().is_empty()
        };
        let parts = self.all.iter().filter(is_part).filter(|leaf| wanted(leaf));
        let parts: Vec<&Leaf<'v>> = parts.take(MOST_PARTS).collect();
        let others = parts.clone();
        parts.into_iter().enumerate().flat_map(move |(index, one)| {
            let others = others.iter().enumerate().filter(|(at, _)| *at != index);
            let joined = others.map(|(_, other)| (one, format!("{} {}", one.text, other.text)));
            joined.collect::<Vec<_>>()
        })
    }
}

/// How the binding reads the argument at `path`.
fn reading(binding: &CompiledBinding, path: &[&str]) -> Reading {
    let leads_to = |declared: &[Box<str>]| {
        declared.len() <= path.len()
            && declared.iter().zip(path).all(|(declared, member)| **declared == **member)
    };
    let declared = binding.declared.iter().filter(|declared| leads_to(&declared.path));
    match declared.max_by_key(|declared| declared.path.len()).map(|declared| declared.reading) {
        Some(DeclaredReading::Subject) => Reading::Subject,
        Some(DeclaredReading::Nothing) => Reading::Nothing,
        None if binding.unread_rest => Reading::Nothing,
        None => Reading::Open,
    }
}

#[cfg(test)]
mod tests;
