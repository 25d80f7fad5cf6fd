//! What is known: one immutable snapshot of people, groups, agents and objects.
//!
//! A [`World`] never changes. [`World::apply`] makes the next one, which shares with the last all
//! that the change does not touch, so that a decision sees one revision from beginning to end and
//! publishing a change costs microseconds however large the directory is. Only when the changes
//! since it was last done amount to a quarter of the directory, all of it is indexed again.

mod attributes;
mod change;
mod derived;
mod directory;
mod entities;
mod entity;
mod names;
mod record;
mod sharing;
mod snapshot;
mod table;
mod texts;
pub mod words;

pub use attributes::Attributes;
pub use change::{Change, ChangeError};
pub use directory::read_directory;
pub use entity::{Entity, Source, Standing};
pub use names::Beginning;
pub use record::{EntityRecord, RecordFlaw};
pub use snapshot::World;
pub use texts::{Iter, Texts};

/// The persistent map of this crate: cheap to clone, shares what two versions have in common.
type Map<K, V> =
    imbl::GenericHashMap<K, V, foldhash::fast::RandomState, imbl::shared_ptr::DefaultSharedPtr>;
