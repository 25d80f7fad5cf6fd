//! Directory files in both shapes, and what is wrong in them.

use super::read_directory;

const LIST: &str = "
- type: Customer
  id: '4711'
  attributes: { protected: true }
  parents: [ { type: Group, id: customers } ]
  aliases: [Taylor Swift]
- { type: Group, id: customers }
";

const LINES: &str = concat!(
    r#"{"type":"Customer","id":"4711","attributes":{"protected":true},"parents":[{"type":"Group","id":"customers"}],"aliases":["Taylor Swift"]}"#,
    "\n\n",
    r#"{"type":"Group","id":"customers"}"#,
    "\n"
);

#[test]
fn both_shapes_say_the_same() {
    let list = read_directory("directory.yaml", LIST).unwrap();
    assert_eq!(list.len(), 2);
    assert_eq!(list, read_directory("directory.jsonl", LINES).unwrap());
}

#[test]
fn an_entity_that_is_stated_twice_is_found_with_both_places() {
    let text = "- { type: A, id: one }\n- { type: A, id: two }\n- { type: A, id: one }\n";
    let findings = read_directory("d.yaml", text).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].place.line, 3);
    assert!(findings[0].help.as_ref().unwrap().contains("d.yaml:1:"), "{findings:?}");

    let text = "{\"type\":\"A\",\"id\":\"one\"}\n{\"type\":\"A\",\"id\":\"one\"}\n";
    let findings = read_directory("d.jsonl", text).unwrap_err();
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].place.line, 2);
    assert!(findings[0].help.as_ref().unwrap().contains("d.jsonl:1:"), "{findings:?}");
}

#[test]
fn flaws_are_found_where_they_stand() {
    let text = "- type: A\n  id: one\n  attributes:\n    good: 1\n    bad: 0.5\n";
    let findings = read_directory("d.yaml", text).unwrap_err();
    assert_eq!((findings.len(), findings[0].place.line), (1, 5), "{findings:?}");
}

#[test]
fn every_bad_line_is_reported_with_its_number() {
    let text = concat!(
        "{\"type\":\"A\",\"id\":\"1\"}\n",
        "{\"type\":\"A\",\"id\":\"2\",\"aliasses\":[]}\n",
        "not json\n",
        "{\"type\":\"A\",\"id\":\"3\",\"attributes\":{\"a\":1,\"a\":2}}\n",
        "{\"type\":\"A\",\"id\":\"4\"} {\"type\":\"A\",\"id\":\"5\"}\n",
        "{type: A, id: x}\n",
        "[1]\n",
    );
    let findings = read_directory("d.JSONL", text).unwrap_err();
    let mut lines: Vec<usize> = findings.iter().map(|finding| finding.place.line).collect();
    lines.dedup();
    assert_eq!(lines, [2, 3, 4, 5, 6, 7], "{findings:#?}");
}

#[test]
fn a_flood_of_findings_is_cut_off() {
    let findings = read_directory("d.jsonl", &"x\n".repeat(10_000)).unwrap_err();
    assert!(findings.len() < 500, "{}", findings.len());
}
