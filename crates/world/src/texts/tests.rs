//! Texts come out as they went in.

use proptest::prelude::*;

use super::Texts;

proptest! {
    #[test]
    fn texts_come_out_as_they_went_in(texts in prop::collection::vec(prop_oneof![".{0,8}", ".{60,70}", "a{4090,4100}"], 0..6)) {
        let list: Texts = texts.iter().map(String::as_str).collect();
        let found: Vec<&str> = list.iter().collect();
        prop_assert_eq!(list.len(), texts.len());
        prop_assert_eq!(list.is_empty(), texts.is_empty());
        prop_assert_eq!(serde_json::to_value(&list).unwrap(), serde_json::to_value(&texts).unwrap());
        prop_assert_eq!(found, texts);
    }

    #[test]
    fn lists_are_equal_when_their_texts_are(
        one in prop::collection::vec("[ab]{0,2}", 0..4), other in prop::collection::vec("[ab]{0,2}", 0..4)
    ) {
        let pack = |texts: &[String]| texts.iter().map(String::as_str).collect::<Texts>();
        prop_assert_eq!(pack(&one) == pack(&other), one == other);
    }
}
