//! A document that was read, with the place of every node.

use kenward_model::Place;

use crate::tree::{Kind, Mark, Node};

/// A value and where each part of it was written.
#[derive(Debug, Clone)]
pub struct Document<T> {
    /// What the text says.
    pub value: T,
    pub(crate) places: Places,
}

impl<T> Document<T> {
    /// Where the node at the JSON Pointer `pointer` (RFC 6901) was written; the nearest ancestor
    /// that exists when there is no such node.
    pub fn place(&self, pointer: &str) -> Place {
        self.places.place(pointer)
    }

    /// The places alone, to look up after the value has gone elsewhere.
    pub fn places(&self) -> &Places {
        &self.places
    }

    /// The value and its places, apart.
    pub fn into_parts(self) -> (T, Places) {
        (self.value, self.places)
    }
}

/// Where each node of a document was written.
#[derive(Debug, Clone)]
pub struct Places {
    source: String,
    root: Spot,
}

#[derive(Debug, Clone)]
struct Spot {
    mark: Mark,
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Leaf,
    Items(Vec<Spot>),
    Keys(Vec<(Box<str>, Spot)>),
}

impl Places {
    pub(crate) fn of(source: &str, root: &Node) -> Self {
        Self { source: source.to_owned(), root: spot(root, root.mark) }
    }

    /// What the text was called when it was read.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// As [`Document::place`].
    pub fn place(&self, pointer: &str) -> Place {
        let mut here = &self.root;
        for token in pointer.split('/').skip(1) {
            match here.child(token) {
                Some(child) => here = child,
                None => break,
            }
        }
        here.mark.in_source(&self.source)
    }
}

impl Spot {
    fn child(&self, token: &str) -> Option<&Self> {
        match &self.inner {
            Inner::Leaf => None,
            Inner::Items(items) => items.get(token.parse::<usize>().ok()?),
            Inner::Keys(keys) => {
                let key = token.replace("~1", "/").replace("~0", "~");
                keys.iter().find(|(name, _)| **name == *key).map(|(_, spot)| spot)
            }
        }
    }
}

/// A scalar is shown where it stands; a collection by the key that introduces it.
fn spot(node: &Node, label: Mark) -> Spot {
    match &node.kind {
        Kind::Sequence(items) => {
            let items = items.iter().map(|item| spot(item, item.mark)).collect();
            Spot { mark: label, inner: Inner::Items(items) }
        }
        Kind::Mapping(entries) => {
            let keys = entries.iter().map(|e| (e.key.as_str().into(), spot(&e.value, e.mark)));
            Spot { mark: label, inner: Inner::Keys(keys.collect()) }
        }
        Kind::Null => Spot { mark: label, inner: Inner::Leaf },
        Kind::Bad | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
            Spot { mark: node.mark, inner: Inner::Leaf }
        }
    }
}
