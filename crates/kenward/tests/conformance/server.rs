//! The suite as a client: of the reference server itself, and of the gateway before it.

use kenward_testkit::{Eras, Reference};

use crate::expected::judge;
use crate::house::House;
use crate::suite::{Ending, Suite};

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// The scenarios of the extension for skills, which are in no list of requirements.
const SKILLS: [&str; 3] =
    ["sep-2640-skills-directory", "sep-2640-skills-enumeration", "sep-2640-skills-manifest"];

#[tokio::test]
async fn the_reference_server_passes_2025_11_25() {
    let Some(suite) = Suite::find() else { return };
    let reference = Reference::start(Eras::Dual).await;
    let findings = suite.server(reference.url(), LEGACY).await;
    judge(
        "the reference server, 2025-11-25",
        include_str!("expected/reference-legacy.txt"),
        &findings,
    );
    assert!(findings.succeeded, "{}", findings.said);
}

#[tokio::test]
async fn the_reference_server_passes_2026_07_28() {
    let Some(suite) = Suite::find() else { return };
    let reference = Reference::start(Eras::Dual).await;
    let findings = suite.server(reference.url(), MODERN).await;
    judge(
        "the reference server, 2026-07-28",
        include_str!("expected/reference-modern.txt"),
        &findings,
    );
    assert!(findings.succeeded, "{}", findings.said);
}

#[tokio::test]
async fn the_reference_server_of_one_era_passes_its_own() {
    let Some(suite) = Suite::find() else { return };
    for (eras, revision) in [(Eras::Legacy, LEGACY), (Eras::Modern, MODERN)] {
        let reference = Reference::start(eras).await;
        let findings = suite.server(reference.url(), revision).await;
        assert!(findings.succeeded, "{eras:?}: {}", findings.said);
    }
}

#[tokio::test]
async fn the_reference_server_passes_the_scenarios_of_skills() {
    let Some(suite) = Suite::find() else { return };
    let reference = Reference::start(Eras::Dual).await;
    for scenario in SKILLS {
        let findings = suite.scenario(reference.url(), scenario).await;
        let ending = findings.scenarios.get(scenario).map(|(ending, _)| *ending);
        assert_eq!(ending, Some(Ending::Pass), "{scenario}: {}", findings.said);
    }
}

#[tokio::test]
async fn the_gateway_before_a_server_of_both_eras_2025_11_25() {
    through(Eras::Dual, LEGACY, include_str!("expected/dual-legacy.txt")).await;
}

#[tokio::test]
async fn the_gateway_before_a_server_of_both_eras_2026_07_28() {
    through(Eras::Dual, MODERN, include_str!("expected/dual-modern.txt")).await;
}

#[tokio::test]
async fn the_gateway_before_a_modern_server_2025_11_25() {
    through(Eras::Modern, LEGACY, include_str!("expected/modern-legacy.txt")).await;
}

#[tokio::test]
async fn the_gateway_before_a_legacy_server_2026_07_28() {
    through(Eras::Legacy, MODERN, include_str!("expected/legacy-modern.txt")).await;
}

/// Runs the suite of `revision` against the gateway before a reference server of `eras`.
async fn through(eras: Eras, revision: &str, expected: &str) {
    let Some(suite) = Suite::find() else { return };
    let house = House::start(eras).await;
    let findings = suite.server(&house.url(), revision).await;
    judge(&format!("the gateway before {eras:?}, {revision}"), expected, &findings);
}
