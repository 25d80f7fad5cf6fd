//! Lines in pieces of any size.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Decoder, encode};

fn decode(pieces: &[&[u8]], limit: usize) -> (Vec<Bytes>, bool) {
    let mut decoder = Decoder::new(limit);
    let mut lines = Vec::new();
    let mut is_good = true;
    for piece in pieces {
        is_good = decoder.push(piece).is_ok();
        while let Some(line) = decoder.next() {
            lines.push(line);
        }
        if !is_good {
            break;
        }
    }
    (lines, is_good)
}

#[test]
fn lines_are_given_when_they_are_whole() {
    let mut decoder = Decoder::new(64);
    decoder.push(b"{\"a\":").unwrap();
    assert_eq!(decoder.next(), None);
    decoder.push(b"1}\n\n  \r\n{}\r\nrest").unwrap();
    assert_eq!(decoder.next().unwrap(), "{\"a\":1}");
    assert_eq!(decoder.next().unwrap(), "{}\r");
    assert_eq!(decoder.next(), None);
}

#[test]
fn a_line_that_is_too_long_ends_the_stream() {
    assert_eq!(decode(&[b"12345678\n12345678\n"], 8).0.len(), 2);
    assert_eq!(decode(&[b"1\n123456789"], 8), (vec![Bytes::from("1")], false));
    let mut decoder = Decoder::new(8);
    assert!(decoder.push(b"123456789").is_err());
    let error = decoder.push(b"\n1\n").unwrap_err();
    assert_eq!((error.to_string().as_str(), decoder.next()), ("line is longer than 8 bytes", None));
}

#[test]
fn a_message_is_one_line() {
    assert_eq!(encode(b"{\r\n \"a\": 1\n}"), "{   \"a\": 1 }\n");
}

proptest! {
    #[test]
    fn chunking_changes_nothing(
        bytes in proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..60),
        size in 1..9_usize,
    ) {
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(decode(&pieces, 8), decode(&[&bytes], 8));
    }

    #[test]
    fn messages_come_back(messages in proptest::collection::vec("\\{[a-z\r\n ]{0,9}\\}", 0..6)) {
        let stream: Vec<u8> = messages.iter().flat_map(|text| encode(text.as_bytes())).collect();
        let expected: Vec<String> = messages.iter().map(|text| text.replace(['\r', '\n'], " ")).collect();
        prop_assert_eq!(decode(&[&stream], 64).0, expected);
    }
}
