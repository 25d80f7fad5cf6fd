//! The table, as text.

use std::time::Duration;

use crate::calls;
use crate::deployment::{ATTRIBUTES, INFERENCES, POLICIES};
use crate::measure::Times;
use crate::past::{FACTS, KNOWN, SHADOWS};

/// What disclosure control may add to a call at the 99th percentile, in nanoseconds.
const AIM: u64 = 500_000;

/// What is measured.
pub(crate) fn opening(decisions: usize) {
    println!("What disclosure control adds to a call: processor time of one thread, in process");
    println!(
        "{decisions} decisions a row, {} reviews; arguments of 1 KB with a closed text and a long \
         note; answers of 10 KB with {} rows",
        decisions / 10,
        calls::ROWS,
    );
    println!(
        "{POLICIES} Cedar policies, {INFERENCES} inferences over {ATTRIBUTES} attributes; a history \
         of {} facts and {SHADOWS} refusals",
        KNOWN * FACTS,
    );
    println!(
        "without: the same call of a tool without a binding; facts: how many policy was asked about \
         (of a review: how many were taken out). Times in us"
    );
}

/// The head of the table of one directory.
pub(crate) fn heading(entities: usize, built: Duration, resident: u64) {
    println!(
        "\n{entities} entities, 3 names each: built in {:.1} s, {} MiB more resident ({} bytes each)",
        built.as_secs_f64(),
        resident >> 20,
        resident.checked_div(u64::try_from(entities).unwrap_or(0)).unwrap_or(0),
    );
    println!(
        "{:>40} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8} {:>6} {:>8} {:>6}",
        "", "without", "p99", "with", "p99", "ADDED", "p99", "aim", "allowed", "facts"
    );
}

/// One row.
pub(crate) fn row(name: &str, times: &Times) {
    let count = times.with.len().max(1);
    let [without, with, added] = [&times.without, &times.with, &times.added].map(|all| sorted(all));
    let cells = [&without, &with, &added]
        .map(|all| format!("{:>8} {:>8}", micros(part(all, 50)), micros(part(all, 99))));
    println!(
        "{name:>40} {} {:>6} {:>7}% {:>6}",
        cells.join(" "),
        if part(&added, 99) <= AIM { "met" } else { "MISSED" },
        100 * times.allowed / count,
        times.facts.div_ceil(count),
    );
}

fn sorted(times: &[u64]) -> Vec<u64> {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted
}

/// The smallest value that `percent` of all do not exceed.
fn part(sorted: &[u64], percent: usize) -> u64 {
    let rank = (sorted.len() * percent).div_ceil(100);
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

/// In microseconds, with a tenth.
fn micros(nanos: u64) -> String {
    let tenths = (nanos + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
