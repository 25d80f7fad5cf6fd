//! Whatever was put in is found, and nearly nothing else.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Keyed, Table};

proptest! {
    #[test]
    fn every_number_is_found_under_its_hash(
        pairs in prop::collection::vec((prop_oneof![any::<u64>(), 0..4_u64, Just(u64::MAX)], 0..50_u32), 0..300)
    ) {
        let table = Table::new(pairs.clone());
        for (hash, _) in &pairs {
            let expected: BTreeSet<u32> =
                pairs.iter().filter(|(other, _)| other == hash).map(|(_, number)| *number).collect();
            let found: BTreeSet<u32> = table.get(*hash).collect();
            prop_assert!(found.is_superset(&expected), "{:?} lacks some of {:?}", found, expected);
        }
    }

    #[test]
    fn what_was_not_put_in_is_hardly_ever_found(hashes in prop::collection::btree_set(any::<u64>(), 2..200)) {
        let mut hashes: Vec<u64> = hashes.into_iter().collect();
        let other = hashes.pop().unwrap_or_default();
        let table = Table::new(hashes.iter().zip(0..).map(|(hash, number)| (*hash, number)).collect());
        let low = |hash: u64| hash & u64::from(u32::MAX);
        prop_assume!(hashes.iter().all(|hash| low(*hash) != low(other)));
        prop_assert_eq!(table.get(other).count(), 0);
    }
}

#[test]
fn an_empty_table_has_nothing() {
    assert_eq!(Table::default().get(7).count(), 0);
    assert_eq!(Table::new(Vec::new()).get(u64::MAX).count(), 0);
}

#[test]
fn keys_differ_from_world_to_world() {
    let (one, other) = (Keyed::default(), Keyed::default());
    assert_eq!(one.text("taylor swift"), one.text("taylor swift"));
    let texts = ["a", "b", "c", "d"];
    assert!(texts.iter().any(|text| one.text(text) != other.text(text)));
}
