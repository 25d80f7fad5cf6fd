//! Whole documents: what is read, and everything that is wrong at once.

use std::collections::BTreeMap;

use proptest::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::read;

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Settings {
    /// Where to listen.
    listen: String,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    port: u16,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    limits: Option<Limits>,
    #[serde(default)]
    servers: BTreeMap<String, Server>,
    #[serde(default)]
    files: Files,
    #[serde(default)]
    shape: Option<Shape>,
    #[serde(default)]
    rule: Option<Rule>,
    #[serde(default)]
    anything: Value,
}

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Mode {
    /// Narrow.
    #[default]
    Narrow,
    /// Strict.
    Strict,
    /// Ignore.
    Ignore,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Limits {
    depth: u8,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Server {
    url: String,
    #[serde(default)]
    command: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
enum Files {
    One(String),
    Many(Vec<String>),
}

impl Default for Files {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Shape {
    Circle { radius: u32 },
    Square { side: u32 },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Rule {
    Evaluation { id: String },
    Evaluations(Vec<String>),
}

fn wrong(text: &str) -> Vec<String> {
    let findings = read::<Settings>("a.yaml", text, Some(&environment)).unwrap_err();
    findings.iter().map(ToString::to_string).collect()
}

fn good(text: &str) -> Settings {
    read::<Settings>("a.yaml", text, Some(&environment)).unwrap().value
}

fn environment(name: &str) -> Option<String> {
    (name == "SECRET").then(|| "hunter2-hunter2".to_owned())
}

#[test]
fn a_good_document_becomes_its_value() {
    let settings = good(
        "listen: 127.0.0.1:80 # here\nmode: strict\nport: 0x50\nenabled: true\n\
         limits: { depth: 3 }\nservers:\n  a: { url: '${SECRET}' }\nfiles: [x, y]\n\
         shape: { kind: circle, radius: 2 }\nrule:\n  evaluation:\n    id: q\nanything: [1, { b: ~ }]\n",
    );
    assert_eq!(settings.listen, "127.0.0.1:80");
    assert_eq!(settings.mode, Mode::Strict);
    assert_eq!((settings.port, settings.enabled), (80, true));
    assert_eq!(settings.limits, Some(Limits { depth: 3 }));
    assert_eq!(settings.servers["a"].url, "hunter2-hunter2");
    assert_eq!(settings.files, Files::Many(vec!["x".to_owned(), "y".to_owned()]));
    assert_eq!(settings.shape, Some(Shape::Circle { radius: 2 }));
    assert_eq!(settings.rule, Some(Rule::Evaluation { id: "q".to_owned() }));
    assert_eq!(settings.anything, serde_json::json!([1, { "b": null }]));
}

#[test]
fn json_is_read_too() {
    let settings =
        good("{\n\t\"listen\": \"x\\u00e9\\/\",\n\t\"port\": 5, \"files\": \"one\"\n}\n");
    assert_eq!(settings.listen, "x\u{e9}/");
    assert_eq!(settings.files, Files::One("one".to_owned()));
}

#[test]
fn everything_wrong_is_said_at_once_in_order() {
    let found = wrong(
        "lisen: 127.0.0.1\nmode: strcit\nport: eighty\nenabled: yes\nlimits: { depth: 300, deep: 1 }\n\
         servers:\n  a:\n    url: 5\n    comand: [x]\n  b: {}\nport: 81\n",
    );
    assert_eq!(
        found,
        [
            "a.yaml:1:1: error: missing key `listen`\n  help: `listen`: Where to listen",
            "a.yaml:1:1: error: unknown key `lisen`\n  help: did you mean `listen`?",
            "a.yaml:2:7: error: expected `narrow`, `strict` or `ignore`, found `strcit`\n  help: did you mean `strict`?",
            "a.yaml:3:7: error: expected a whole number, found `eighty`",
            "a.yaml:4:10: error: expected true or false, found `yes`",
            "a.yaml:5:18: error: the number `300` must be at most 255",
            "a.yaml:5:23: error: unknown key `deep`\n  help: known here: `depth`",
            "a.yaml:8:10: error: expected text, found the number `5`\n  help: put it in quotes: \"5\"",
            "a.yaml:9:5: error: unknown key `comand`\n  help: did you mean `command`?",
            "a.yaml:10:3: error: missing key `url`",
            "a.yaml:11:1: error: duplicate key `port`\n  help: it is already given on line 3",
        ]
    );
}

#[test]
fn choices_are_judged_by_the_one_that_was_meant() {
    assert_eq!(
        wrong("listen: x\nfiles: 5\n"),
        [
            "a.yaml:2:8: error: expected text or a list, found the number `5`\n  help: put it in quotes: \"5\""
        ]
    );
    assert_eq!(
        wrong("listen: x\nfiles: [a, 7]\n"),
        [
            "a.yaml:2:12: error: expected text, found the number `7`\n  help: put it in quotes: \"7\""
        ]
    );
    assert_eq!(
        wrong("listen: x\nshape: { kind: square, radius: 2 }\n"),
        [
            "a.yaml:2:1: error: missing key `side`",
            "a.yaml:2:24: error: unknown key `radius`\n  help: known here: `kind` and `side`",
        ]
    );
    assert_eq!(
        wrong("listen: x\nshape: { kind: sqare, side: 2 }\n"),
        [
            "a.yaml:2:16: error: expected `circle` or `square`, found `sqare`\n  help: did you mean `square`?"
        ]
    );
    assert_eq!(wrong("listen: x\nshape: { side: 2 }\n"), ["a.yaml:2:1: error: missing key `kind`"]);
    assert_eq!(
        wrong("listen: x\nrule: { evaluation: { id: 5 } }\n"),
        [
            "a.yaml:2:27: error: expected text, found the number `5`\n  help: put it in quotes: \"5\""
        ]
    );
    assert_eq!(
        wrong("listen: x\nrule: { evalution: { id: a } }\n"),
        ["a.yaml:2:9: error: unknown key `evalution`\n  help: did you mean `evaluation`?"]
    );
    assert_eq!(
        wrong("listen: x\nlimits: 5\n"),
        ["a.yaml:2:9: error: expected a mapping, found the number `5`"]
    );
}

#[test]
fn an_empty_document_misses_its_mapping() {
    for text in ["", "\n\n", "# only a comment\n"] {
        assert_eq!(
            wrong(text),
            ["a.yaml:1:1: error: expected a mapping, found nothing"],
            "{text:?}"
        );
    }
}

#[test]
fn variables_that_are_not_set_are_findings() {
    assert_eq!(
        wrong("listen: \"${KENWARD_NOWHERE}\"\nport: \"${SECRET}\"\n"),
        [
            "a.yaml:1:9: error: the environment variable `KENWARD_NOWHERE` is not set\n  \
             help: set KENWARD_NOWHERE, or write $${KENWARD_NOWHERE} for the text itself",
            "a.yaml:2:7: error: expected a whole number, found `${SECRET}`",
        ]
    );
    let kept = read::<Settings>("a.yaml", "listen: ${ANY}\n", None).unwrap();
    assert_eq!(kept.value.listen, "${ANY}");
}

#[test]
fn secrets_of_the_environment_are_never_shown() {
    #[derive(Debug, Deserialize, JsonSchema)]
    struct Named {
        #[schemars(with = "Vec<String>")]
        #[expect(dead_code, reason = "only read to be refused")]
        servers: Vec<kenward_model::ServerName>,
    }
    let refused =
        read::<Named>("a.yaml", "servers:\n- a\n- \"x-${SECRET}!\"\n", Some(&environment));
    let shown = refused.unwrap_err()[0].to_string();
    assert!(shown.starts_with("a.yaml:3:3: error: `x-${SECRET}!` cannot name a server"), "{shown}");
    for text in ["listen: [\"${SECRET}\"]", "mode: \"${SECRET}\"", "files: { a: \"${SECRET}\" }"] {
        let shown = wrong(text).join("\n");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn places_lead_back_to_what_was_written() {
    let text = "listen: x\nservers:\n  a/b:\n    url: y\n    command:\n    - one\n    - two\n";
    let document = read::<Settings>("a.yaml", text, None).unwrap();
    let at = |pointer: &str| document.place(pointer).to_string();
    assert_eq!(at(""), "a.yaml:1:1");
    assert_eq!(at("/listen"), "a.yaml:1:9");
    assert_eq!(at("/servers"), "a.yaml:2:1");
    assert_eq!(at("/servers/a~1b"), "a.yaml:3:3");
    assert_eq!(at("/servers/a~1b/url"), "a.yaml:4:10");
    assert_eq!(at("/servers/a~1b/command/1"), "a.yaml:7:7");
    assert_eq!(at("/servers/a~1b/nothing/there"), "a.yaml:3:3");
    assert_eq!(at("/nowhere"), "a.yaml:1:1");
}

#[test]
fn a_refused_key_says_why_and_is_never_proposed() {
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Later {
        #[serde(default)]
        #[schemars(with = "Refused")]
        #[expect(dead_code, reason = "only read to be refused")]
        signals: Option<Value>,
    }
    struct Refused;
    impl JsonSchema for Refused {
        fn schema_name() -> std::borrow::Cow<'static, str> {
            "Refused".into()
        }
        fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
            schemars::json_schema!({ "not": {}, "x-refused": "is not available yet" })
        }
    }
    let found = read::<Later>("a.yaml", "signals: { a: 1 }\n", None).unwrap_err();
    assert_eq!(found[0].to_string(), "a.yaml:1:1: error: `signals` is not available yet");
    let found = read::<Later>("a.yaml", "signal: { a: 1 }\n", None).unwrap_err();
    assert_eq!(
        found[0].to_string(),
        "a.yaml:1:1: error: unknown key `signal`\n  help: no keys are allowed here"
    );
}

#[test]
fn endless_findings_are_cut_with_a_word_about_the_rest() {
    let many = "- 1\n".repeat(5_000);
    let found = read::<Vec<String>>("a.yaml", &many, None).unwrap_err();
    assert_eq!(found.len(), 1_001);
    assert_eq!(found[1_000].to_string(), "a.yaml: error: 4000 further problems are not shown");
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Sample {
    text: String,
    number: i64,
    #[serde(default)]
    list: Vec<Option<bool>>,
    map: BTreeMap<String, String>,
}

proptest! {
    #[test]
    fn any_json_reads_as_serde_json_reads_it(
        text in "\\PC{0,30}", number: i64, list: Vec<Option<bool>>,
        map in prop::collection::btree_map("[ -~\u{e4}\u{1f600}]{1,20}", "\\PC{0,20}", 0..5),
    ) {
        let sample = Sample { text, number, list, map };
        let written = serde_json::to_string_pretty(&sample).unwrap();
        let document = read::<Sample>("a.json", &written, None);
        prop_assert_eq!(document.map(|d| d.value), Ok(sample));
    }

    #[test]
    fn no_text_is_too_strange(text in "[-:{}\\[\\]&*!|>'\"%@`#,? \n\ta-c0-9$~<]{0,80}") {
        drop(read::<Settings>("a.yaml", &text, Some(&environment)));
        drop(read::<Value>("a.yaml", &text, Some(&environment)));
    }
}
