use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::as_line;

proptest! {
    /// However a text is laid out, it is one line, and says what it said.
    #[test]
    fn any_layout_becomes_one_line_that_says_the_same(text in ".*", gaps in prop::collection::vec("[ \t\r\n]{0,3}", 5)) {
        let quoted = Value::from(text).to_string();
        let json = format!("{}{{{}\"a\"{}:{}{quoted}{}}}", gaps[0], gaps[1], gaps[2], gaps[3], gaps[4]);
        let line = as_line(&Bytes::from(json.clone()));
        let (last, rest) = line.split_last().expect("a line");
        prop_assert_eq!(*last, b'\n');
        prop_assert!(!rest.iter().any(|byte| matches!(byte, b'\n' | b'\r')));
        prop_assert_eq!(rest.len(), json.len());
        let (said, meant): (Value, Value) =
            (serde_json::from_slice(rest).expect("JSON"), serde_json::from_str(&json).expect("JSON"));
        prop_assert_eq!(said, meant);
    }
}
