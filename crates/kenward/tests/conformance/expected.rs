//! What is expected of each scenario, as files that say why where it is not a pass.
//!
//! A line is an ending, a scenario and, unless it is a pass, the reason. Anything else than what is
//! written fails the test: also a scenario that is better than expected, so that the files stay true.

use std::collections::BTreeMap;

use crate::suite::Findings;

/// Compares what was found with the text of a file; prints the table and fails on any difference.
pub(crate) fn judge(title: &str, expected: &str, findings: &Findings) {
    let expected = read(expected);
    eprintln!("{title}\n{findings}");
    let mut wrong = Vec::new();
    for (scenario, (ending, complaints)) in &findings.scenarios {
        let wanted = expected.get(scenario.as_str()).copied().unwrap_or("not in the file");
        if wanted != ending.word() {
            let found = ending.word();
            wrong.push(format!(
                "{scenario}: {found}, expected: {wanted}\n  {}",
                complaints.join("\n  ")
            ));
        }
    }
    let missing = expected.keys().filter(|known| !findings.scenarios.contains_key(**known));
    wrong.extend(missing.map(|scenario| format!("{scenario}: did not run")));
    assert!(wrong.is_empty(), "{title}\n{}\n{}", wrong.join("\n"), findings.said);
}

fn read(text: &str) -> BTreeMap<&str, &str> {
    let lines =
        text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut expected = BTreeMap::new();
    for line in lines {
        let mut words = line.splitn(3, char::is_whitespace);
        let (Some(ending), Some(scenario)) = (words.next(), words.next()) else {
            panic!("`{line}` is no ending and scenario");
        };
        let reason = words.next().map_or("", str::trim);
        assert!(["pass", "warn", "fail", "skip"].contains(&ending), "`{line}` has no ending");
        assert_eq!(ending == "pass", reason.is_empty(), "`{line}`: a reason, unless it is a pass");
        assert!(expected.insert(scenario, ending).is_none(), "{scenario} stands twice");
    }
    expected
}
