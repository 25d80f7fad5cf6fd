//! Splits a path (RFC 9535) into its segments.

/// What a segment does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Segment {
    /// Goes to one member by its name.
    Member,
    /// Picks among members: a wildcard, an index, a slice, a filter, a union.
    Choice,
    /// Goes down to any depth.
    Descendant,
}

/// Where each segment of the well-formed path `text` ends, in bytes, and what it does.
pub(super) fn split(text: &str) -> Vec<(usize, Segment)> {
    let mut rest = Rest { text, at: 1 };
    let mut segments = Vec::new();
    while let Some(segment) = rest.segment() {
        segments.push((rest.at, segment));
    }
    segments
}

/// The names in the well-formed path `text` when it only goes from member to member, as in
/// `$.customer.id`.
pub(super) fn plain_members(text: &str) -> Option<Vec<Box<str>>> {
    let rest = text.strip_prefix("$.")?;
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    rest.split('.').map(|name| is_name(name).then(|| name.into())).collect()
}

struct Rest<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Rest<'t> {
    fn segment(&mut self) -> Option<Segment> {
        let blank = self.left().len() - self.left().trim_start().len();
        self.at += blank;
        if self.left().starts_with("..") {
            self.at += 2;
            self.selector();
            return Some(Segment::Descendant);
        }
        match self.left().chars().next()? {
            '.' => {
                self.at += 1;
                Some(self.selector())
            }
            '[' => Some(self.selector()),
            _ => None,
        }
    }

    fn left(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes a name, a wildcard or a bracketed selection.
    fn selector(&mut self) -> Segment {
        if self.left().starts_with('[') {
            return self.bracket();
        }
        let left = self.left();
        let length = left.find(['.', '[', ' ', '\t', '\r', '\n']).unwrap_or(left.len());
        self.at += length;
        if left.starts_with('*') { Segment::Choice } else { Segment::Member }
    }

    fn bracket(&mut self) -> Segment {
        let left = self.left();
        let mut bracket = Bracket::default();
        for (offset, c) in left.char_indices() {
            if bracket.closes_with(c) {
                self.at += offset + 1;
                return bracket.segment();
            }
        }
        self.at = self.text.len();
        Segment::Choice
    }
}

/// What has been seen of a bracketed selection.
#[derive(Default)]
struct Bracket {
    quote: Option<char>,
    escaped: bool,
    depth: usize,
    strings: usize,
    others: bool,
}

impl Bracket {
    /// Takes the next character and says whether it is the closing bracket.
    fn closes_with(&mut self, c: char) -> bool {
        match (self.quote, c) {
            (Some(_), _) if self.escaped => self.escaped = false,
            (Some(_), '\\') => self.escaped = true,
            (Some(open), _) if open == c => self.quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => {
                self.quote = Some(c);
                self.strings += 1;
            }
            (None, '[') => self.depth += 1,
            (None, ']') => self.depth = self.depth.saturating_sub(1),
            (None, _) => self.others |= !c.is_whitespace(),
        }
        self.depth == 0
    }

    fn segment(&self) -> Segment {
        if self.strings == 1 && !self.others { Segment::Member } else { Segment::Choice }
    }
}
