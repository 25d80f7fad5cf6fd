//! Families, their scales, and what is wrong with them.

use kenward_model::Precision;

use crate::Inferences;

fn read(text: &str) -> Result<Inferences, Vec<String>> {
    Inferences::read("i.yaml", text)
        .map_err(|findings| findings.iter().map(ToString::to_string).collect())
}

#[test]
fn precisions_are_steps_of_the_familys_scale() {
    let read = read(
        "families: { location: { scale: [exact, street, area], attributes: [address, zip] } }",
    );
    let families = read.unwrap().families;
    assert_eq!(&*families.family_of("zip"), "location");
    assert_eq!(&*families.family_of("pay"), "pay");
    assert_eq!(families.precision("zip", None), Ok(Precision::EXACT));
    assert_eq!(families.precision("zip", Some("area")), Ok(Precision(2)));
    assert_eq!(families.precision("pay", Some("exact")), Ok(Precision::EXACT));
    assert_eq!(families.precision("location", Some("street")), Ok(Precision(1)));
    assert_eq!(families.precision_name("location", Precision(2)), Some("area"));
    assert_eq!(families.precision_name("location", Precision(3)), None);
    assert_eq!(families.precision_name("pay", Precision::EXACT), Some("exact"));

    let error = families.precision("zip", Some("aera")).unwrap_err();
    assert_eq!(error.to_string(), "`location` has no precision `aera`");
    assert!(error.help().contains("`area`"), "{}", error.help());
    let error = families.precision("pay", Some("rough")).unwrap_err();
    assert!(error.help().contains("exact"), "{}", error.help());
}

#[test]
fn everything_that_is_wrong_is_found_at_once() {
    let findings = read(
        "families:\n  a: { scale: [street, exact], attributes: [x] }\n  b: { scale: [exact, exact], attributes: [x, x] }\n  c: { scale: [], attributes: [] }\n",
    )
    .unwrap_err();
    for part in [
        "i.yaml:2:",
        "`a` does not begin with `exact`",
        "`b` has `exact` twice",
        "`x` belongs to the family `a` already",
        "`x` belongs to the family `b` already",
        "`c` does not begin with `exact`",
    ] {
        assert!(findings.iter().any(|finding| finding.contains(part)), "{part}: {findings:#?}");
    }
}

#[test]
fn budgets_are_read_with_their_windows() {
    let text = "families:
  a: { scale: [exact], attributes: [x], budget: { subjects: 20, within: 1d } }
  b: { scale: [exact], attributes: [y], budget: { subjects: 3, within: 90m, then: refuse } }
  c: { scale: [exact], attributes: [z] }
";
    let families = read(text).unwrap().families;
    let budget = families.budget("a").unwrap();
    assert_eq!((budget.subjects, budget.within.as_secs()), (20, 86_400));
    assert_eq!(budget.then, crate::OverBudget::Ask);
    let budget = families.budget("b").unwrap();
    assert_eq!((budget.within.as_secs(), budget.then), (5_400, crate::OverBudget::Refuse));
    assert!(families.budget("c").is_none());
    for within in ["", "d", "1", "1w", "0d", "+1d", "-1d", "1 d", "366d", "99999999999999999999d"] {
        let text = format!(
            "families: {{ a: {{ scale: [exact], attributes: [x], budget: {{ subjects: 1, within: \"{within}\" }} }} }}"
        );
        let findings = read(&text).unwrap_err();
        assert!(findings.iter().any(|f| f.contains("no span")), "{within}: {findings:?}");
    }
    let none =
        "families: { a: { scale: [exact], attributes: [x], budget: { subjects: 0, within: 1d } } }";
    assert!(read(none).unwrap_err().iter().any(|f| f.contains("permits nothing")));
}
