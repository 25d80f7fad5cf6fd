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
