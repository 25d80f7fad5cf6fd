//! What is printed.

use kenward_model::{Finding, Place};

use super::{Format, print, window};

fn printed(findings: &[Finding], format: Format) -> String {
    let mut out = anstream::StripStream::new(Vec::new());
    print(&mut out, findings, format).unwrap();
    String::from_utf8(out.into_inner()).unwrap()
}

#[test]
fn a_finding_shows_its_line_and_a_caret() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("k.yaml");
    std::fs::write(&path, "a: 1\nlisen: 127.0.0.1:80 # x\n").unwrap();
    let source = path.display().to_string();
    let finding =
        Finding::error(Place { source: source.clone(), line: 2, column: 8 }, "no such thing")
            .with_help("did you mean `listen`?");
    assert_eq!(
        printed(&[finding], Format::Text),
        format!(
            "error: no such thing\n --> {source}:2:8\n  |\n2 | lisen: 127.0.0.1:80 # x\n  |        \
             ^^^^^^^^^^^^\n  = help: did you mean `listen`?\n\n1 error, 0 warnings\n"
        )
    );
}

#[test]
fn a_finding_without_a_line_shows_its_source_alone() {
    let findings =
        [Finding::warning(Place::whole("x/"), "empty"), Finding::note(Place::whole("y"), "so")];
    assert_eq!(
        printed(&findings, Format::Text),
        "warning: empty\n --> x/\n\nnote: so\n --> y\n\n0 errors, 1 warning\n"
    );
}

#[test]
fn programs_get_json() {
    let place = Place { source: "k".to_owned(), line: 3, column: 4 };
    let text = printed(&[Finding::error(place, "bad")], Format::Json);
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        json,
        serde_json::json!({
            "findings": [{
                "place": { "source": "k", "line": 3, "column": 4 },
                "severity": "error", "message": "bad", "help": null
            }],
            "errors": 1, "warnings": 0
        })
    );
}

#[test]
fn nothing_found_is_said() {
    assert_eq!(printed(&[], Format::Text), "0 errors, 0 warnings\n");
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let line = format!("{}here{}", "x ".repeat(500), " y".repeat(500));
    let (shown, start, width) = window(&line, 1_001);
    assert_eq!(shown.chars().count(), 120);
    assert_eq!(shown.chars().skip(start).take(width).collect::<String>(), "here");
}

#[test]
fn a_line_cannot_write_escapes() {
    let (shown, ..) = window("a: \u{1b}[31mred\u{9b}x", 1);
    assert!(!shown.contains(['\u{1b}', '\u{9b}']), "{shown:?}");
}

#[test]
fn a_place_beyond_the_line_is_its_end() {
    assert_eq!(window("abc", 90), ("abc".to_owned(), 3, 1));
    assert_eq!(window("", 1), (String::new(), 0, 1));
}
