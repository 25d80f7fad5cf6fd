//! How a decision is explained: the steps from an argument to what would be known.

use std::fmt::Write as _;
use std::sync::Arc;

use kenward_disclosure::{Because, Derived, Disclosed, Families, How};
use kenward_model::Fact;

/// How an argument, or the answer, came to tell a fact.
pub(crate) fn told(disclosed: &Disclosed, families: &Families) -> Arc<str> {
    let Disclosed { fact, because } = disclosed;
    let Because { parameter, span, name: _, how } = because;
    let mut line = format!("{parameter}");
    if let Some((from, to)) = span {
        // A text that cannot fail to be written to.
        let _infallible = write!(line, "[{from}..{to}]");
    }
    format!("{line} names {} {}, tells {}", fact.subject, words(*how), named(fact, families)).into()
}

/// By which inference a fact follows.
pub(crate) fn derived(derived: &Derived, families: &Families) -> Arc<str> {
    let Derived { fact, rule, premises, enforced } = derived;
    let paper = if *enforced { "" } else { ", on paper only" };
    let premises = premises.join(", ");
    let fact = format!("{} of {}", named(fact, families), fact.subject);
    format!("{fact} follows from {premises} by {rule}{paper}").into()
}

/// The attribute of a fact with its precision.
fn named(fact: &Fact, families: &Families) -> String {
    match families.precision_name(&fact.family, fact.precision) {
        Some(precision) => format!("{} ({precision})", fact.attribute),
        None => format!("{} (precision {})", fact.attribute, fact.precision.0),
    }
}

fn words(how: How) -> &'static str {
    match how {
        How::Id => "by id",
        How::Alias => "by name",
        How::Handle => "by a handle that an answer has linked",
        How::Relation => "by what belongs to it",
        How::Joined => "by several arguments together",
        How::Lookalike => "by letters that look alike",
        How::Slip => "by a slip of the pen",
        How::Glued => "by words run together",
        How::SpacedOut => "by letters apart",
        How::Encoded => "by an encoded name",
        How::Initials => "by initials",
        How::InResult => "in the answer",
    }
}
