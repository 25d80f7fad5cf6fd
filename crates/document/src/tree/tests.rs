//! The subset of YAML: what is refused, and where it says so.

use super::{Kind, Parsed, parse};

fn findings(text: &str) -> Vec<String> {
    parse("a.yaml", text, None).findings.iter().map(ToString::to_string).collect()
}

#[test]
fn anchors_aliases_tags_and_merge_keys_are_refused_one_by_one() {
    assert_eq!(
        findings("a: &x 1\nb: *x\nc: *nowhere\nd: !!str 5\ne:\n  <<: 3\n"),
        [
            "a.yaml:1:7: error: anchors (`&name`) are not read here",
            "a.yaml:2:4: error: aliases (`*name`) are not read here",
            "a.yaml:3:4: error: aliases (`*name`) are not read here",
            "a.yaml:4:4: error: tags (`!name`) are not read here",
            "a.yaml:6:3: error: merge keys (`<<`) are not read here",
        ]
    );
}

#[test]
fn second_documents_and_directives_are_refused() {
    assert_eq!(
        findings("a: 1\n---\nb: 2\n"),
        ["a.yaml:2:1: error: there is more than one document in this text"]
    );
    assert!(findings("%YAML 1.2\n---\na: 1\n")[0].starts_with("a.yaml:1:1: error: "));
}

#[test]
fn keys_are_text() {
    assert_eq!(
        findings("? [a]\n: 1\n"),
        ["a.yaml:1:3: error: a key must be text, not a collection"]
    );
    assert_eq!(findings(": 1\n"), ["a.yaml:1:1: error: a key is missing here"]);
    assert_eq!(findings("1: a\ntrue: b\n\"\": c\n"), [""; 0]);
}

#[test]
fn every_duplicate_names_the_first() {
    assert_eq!(
        findings("a: 1\na: 2\nb: {c: 1, c: 2}\na: 3\n"),
        [
            "a.yaml:2:1: error: duplicate key `a`\n  help: it is already given on line 1",
            "a.yaml:3:11: error: duplicate key `c`\n  help: it is already given on line 3",
            "a.yaml:4:1: error: duplicate key `a`\n  help: it is already given on line 1",
        ]
    );
}

#[test]
fn a_broken_text_says_where() {
    for (text, place) in
        [("a: [1, 2\n", "a.yaml:1:4"), ("a: 'x\n", "a.yaml:"), ("a: b: c\n", "a.yaml:1:5")]
    {
        let Parsed { findings, complete, .. } = parse("a.yaml", text, None);
        let shown = findings[0].to_string();
        assert!(!complete && shown.starts_with(place), "{text:?}: {shown}");
        assert!(shown.len() > "a.yaml:1:5: error: ".len(), "{text:?} has no message");
    }
}

#[test]
fn columns_count_characters() {
    assert_eq!(
        findings("\"\u{e4}\u{1f600}\": {x: *y}\n"),
        ["a.yaml:1:11: error: aliases (`*name`) are not read here"]
    );
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert_eq!(findings(&deep(63)), [""; 0]);
    assert_eq!(
        findings(&deep(65)),
        ["a.yaml:1:65: error: collections are nested deeper than 64 levels"]
    );
    let lines: Vec<String> = (0..70).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    let block = lines.concat();
    assert!(findings(&block)[0].contains("nested deeper than 64 levels"));
    let long = format!("a: \"{}\"\n", "x".repeat(16 * 1024 * 1024));
    assert_eq!(findings(&long), ["a.yaml: error: the text is longer than 16 MiB"]);
    assert!(parse("a.yaml", &deep(100_000), None).findings[0].is_error());
}

#[test]
fn quoted_scalars_and_blocks_are_text() {
    let parsed = parse("a.yaml", "- \"5\"\n- 'true'\n- |\n  5\n- >-\n  null\n", None);
    let Kind::Sequence(items) = parsed.root.kind else { panic!("no list") };
    for item in items {
        assert!(matches!(item.kind, Kind::Text(_)), "{item:?}");
    }
}

#[test]
fn a_leading_byte_order_mark_is_no_content() {
    let parsed = parse("a.yaml", "\u{feff}a: 1\n", None);
    let Kind::Mapping(entries) = parsed.root.kind else { panic!("no mapping") };
    assert_eq!(entries[0].key, "a");
}
