//! Streams in pieces of any size.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Decoder, Event, SseError, data, encode};
use crate::Limits;

const LIMITS: Limits = Limits { body: 64, depth: 64 };

fn decode(pieces: &[&[u8]]) -> (Vec<Event>, Result<(), SseError>) {
    let mut decoder = Decoder::new();
    let mut events = Vec::new();
    let mut outcome = Ok(());
    for piece in pieces {
        outcome = decoder.push(piece, &LIMITS);
        while let Some(event) = decoder.next() {
            events.push(event);
        }
        if outcome.is_err() {
            break;
        }
    }
    (events, outcome)
}

fn event(data: &str) -> Event {
    Event { data: Bytes::copy_from_slice(data.as_bytes()), ..Event::default() }
}

fn read(text: &str) -> Vec<Event> {
    let (events, outcome) = decode(&[text.as_bytes()]);
    assert_eq!(outcome, Ok(()), "{text:?}");
    events
}

#[test]
fn the_fields_are_read_as_the_standard_says() {
    assert_eq!(read("data: a\n\n"), [event("a")]);
    assert_eq!(read("data:a\r\rdata:  b\r\n\r\n"), [event("a"), event(" b")]);
    assert_eq!(read("data: a\ndata\ndata: b\n\n"), [event("a\n\nb")]);
    assert_eq!(read(": comment\ndata: a\n: comment\n\n"), [event("a")]);
    assert_eq!(read("\u{feff}data: a\n\n"), [event("a")]);
    assert_eq!(read("data: a\n\n\u{feff}data: b\n\n"), [event("a")]);
    assert_eq!(read("Data: a\nunknown: b\n\n"), []);
    assert_eq!(read("event: x\n\ndata: a\n\n"), [event("a")]);
    assert_eq!(read("data: unfinished\n"), []);
    assert_eq!(read("\n\n\n"), []);
    assert_eq!(read("data:\n\n"), [event("")]);
    assert_eq!(read("data: \u{feff}\n\n"), [event("\u{feff}")]);
    let full = Event {
        event: Some("e".to_owned()),
        id: Some("7".to_owned()),
        retry: Some(9),
        ..event("x")
    };
    assert_eq!(read("event:e\nid:7\nretry:9\ndata:x\n\n"), [full]);
}

#[test]
fn a_line_end_of_two_bytes_is_one_line_end() {
    let expected = [Event { id: Some("1".to_owned()), ..event("a\nb") }];
    let text = b"id: 1\r\ndata: a\r\ndata: b\r\n\r\n";
    for cut in 0..=text.len() {
        let (first, second) = text.split_at(cut);
        assert_eq!(decode(&[first, b"", second]), (expected.to_vec(), Ok(())), "{cut}");
    }
}

#[test]
fn ids_and_delays_without_data_are_news_too() {
    assert_eq!(read("id: 1\n\n"), [Event { id: Some("1".to_owned()), ..event("") }]);
    assert_eq!(read("retry: 10\n\n"), [Event { retry: Some(10), ..event("") }]);
    assert_eq!(read("id: a\0b\n\n"), []);
    for retry in ["", "-1", "1.5", "1x", "99999999999999999999999"] {
        assert_eq!(read(&format!("retry: {retry}\ndata: a\n\n")), [event("a")], "{retry}");
    }
}

#[test]
fn what_is_too_long_ends_the_stream() {
    let fits = format!("data: {}\n\n", "x".repeat(58));
    assert_eq!(read(&fits).len(), 1);
    let attacks = [
        format!("data: a\n\ndata: {}\n\n", "x".repeat(59)),
        format!("data: a\n\n{}", "x".repeat(65)),
        format!("data: a\n\n: {}", "x".repeat(65)),
        format!("data: a\n\n{}", "data: x\n".repeat(10)),
        format!("data: a\n\nid: {}\n\n", "1".repeat(70)),
        format!("data: a\n\n{}", "unknown\n".repeat(10)),
    ];
    for text in attacks {
        assert_eq!(
            decode(&[text.as_bytes()]),
            (vec![event("a")], Err(SseError::TooLong)),
            "{text}"
        );
        let mut decoder = Decoder::new();
        assert!(decoder.push(text.as_bytes(), &LIMITS).is_err());
        assert!(decoder.push(b"\n\ndata: b\n\n", &LIMITS).is_err());
        assert_eq!((decoder.next(), decoder.next()), (Some(event("a")), None));
    }
    // Comments keep a stream alive and may do so for ever.
    assert_eq!(read(&format!("{}data: a\n\n", ": alive\n".repeat(100))), [event("a")]);
}

#[test]
fn names_that_are_no_text_end_the_stream() {
    for text in [&b"event: \xff\n\n"[..], b"id: \xff\n\n"] {
        assert_eq!(decode(&[text]).1, Err(SseError::Encoding));
    }
    assert_eq!(decode(&[b"data: \xff\n\n"]).1, Ok(()));
}

#[test]
fn an_event_under_way_is_noticed() {
    let mut decoder = Decoder::new();
    for (piece, is_partial) in [("da", true), ("ta: x\n", true), ("\n", false), ("id: 1\n", true)] {
        decoder.push(piece.as_bytes(), &LIMITS).unwrap();
        assert_eq!(decoder.is_partial(), is_partial, "{piece:?}");
    }
}

#[test]
fn nothing_can_be_smuggled_out_of_a_field() {
    let attack = Event {
        event: Some("a\n\ndata: forged".to_owned()),
        id: Some("1\r\n\r\ndata: forged\0".to_owned()),
        retry: Some(1),
        data: Bytes::from_static(b"{\r\n\r\n}"),
    };
    let mut decoder = Decoder::new();
    decoder.push(&encode(&attack), &Limits::default()).unwrap();
    let decoded = decoder.next().unwrap();
    assert_eq!(decoded.data, "{\n\n}");
    assert_eq!(decoded.event.as_deref(), Some("adata: forged"));
    assert_eq!(decoded.id.as_deref(), Some("1data: forged"));
    assert_eq!(decoder.next(), None);
}

#[test]
fn one_message_is_one_event() {
    assert_eq!(data(b"{}"), "data: {}\n\n");
    assert_eq!(data(b"{\n}\r"), "data: {\ndata: }\ndata: \n\n");
    assert_eq!(encode(&Event { id: Some("1".to_owned()), ..event("") }), "id: 1\ndata: \n\n");
}

#[test]
fn debugging_shows_nothing_of_what_is_said() {
    assert!(!format!("{:?}", event("secret")).contains("secret"));
}

proptest! {
    /// Any chunking gives the same events and ends the same way.
    #[test]
    fn chunking_changes_nothing(
        text in r"((data|event|id|retry|x)?:? ?[a0é]{0,9}(\r|\n|\r\n|\n\n){0,2}){0,12}",
        cuts in proptest::collection::vec(0..200_usize, 0..12),
    ) {
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut % (bytes.len() + 1)).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]).collect();
        let singles: Vec<&[u8]> = bytes.chunks(1).collect();
        let whole = decode(&[bytes]);
        prop_assert_eq!(&decode(&pieces), &whole);
        prop_assert_eq!(&decode(&singles), &whole);
    }

    /// What is encoded is decoded.
    #[test]
    fn events_come_back(
        name in proptest::option::of("[a-z ]{0,5}[a-z]"),
        id in proptest::option::of("[^\r\n\0]{0,6}"),
        retry in proptest::option::of(any::<u64>()),
        text in "[^\r]{0,20}",
    ) {
        let event = Event { event: name, id, retry, data: Bytes::from(text) };
        let limits = Limits { body: 4096, ..LIMITS };
        let mut decoder = Decoder::new();
        decoder.push(&encode(&event), &limits).unwrap();
        prop_assert_eq!(decoder.next(), Some(event));
        prop_assert_eq!(decoder.next(), None);
        prop_assert!(!decoder.is_partial());
    }

    /// Whatever comes in, nothing panics and nothing beyond the limit is kept.
    #[test]
    fn noise_is_bounded(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        for event in decode(&[&noise]).0 {
            prop_assert!(event.data.len() <= LIMITS.body);
        }
    }
}
