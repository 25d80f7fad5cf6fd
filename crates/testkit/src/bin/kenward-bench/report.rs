//! The table, as text.

use std::time::Duration;

use crate::cell::{Cell, Target, Workload};
use crate::house::{CUSTOMERS, House, POLICIES};

/// What is measured, and what does not depend on load.
pub(crate) fn opening(house: &House) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{cores} cores, shared by load, proxy and server; each cell in turn");
    println!(
        "kenward: ES256 token, {POLICIES} Cedar policies, {CUSTOMERS} customers, mapping, disclosure, \
         grant, audit in groups"
    );
    println!("time to ready: {} ms", house.time_to_ready.as_millis());
    println!("resident when idle: {}", mebibytes(house.idle_bytes));
}

/// The head of one kind of request.
pub(crate) fn heading(workload: Workload) {
    println!("\n{}", workload.words());
    println!(
        "{:>11} {:>8} {:>10} {:>9} {:>9} {:>9} {:>11} {:>9}",
        "connections", "way", "requests/s", "of nginx", "p50", "p99", "CPU/request", "of nginx"
    );
}

/// The three ways at one number of connections.
pub(crate) fn row(connections: usize, row: &[(Target, Result<Cell, String>)]) {
    let nginx = row.iter().find(|(target, _)| *target == Target::Nginx);
    let nginx = nginx.and_then(|(_, cell)| cell.as_ref().ok());
    for (target, cell) in row {
        match cell {
            Ok(cell) => println!("{connections:>11} {:>8} {}", target.name(), line(cell, nginx)),
            Err(problem) => println!("{connections:>11} {:>8} FAILED: {problem}", target.name()),
        }
    }
}

/// What the load left behind.
pub(crate) fn closing(house: &House) {
    println!("\nresident after the load: {}", mebibytes(house.resident_bytes()));
}

fn line(cell: &Cell, nginx: Option<&Cell>) -> String {
    let rate = cell.measured.rate();
    let of_rate = nginx.map(|nginx| rate / nginx.measured.rate());
    let processor = cell.processor;
    let of_processor = processor
        .zip(nginx.and_then(|nginx| nginx.processor))
        .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64().max(1e-9));
    format!(
        "{rate:>10.0} {:>9} {:>9} {:>9} {:>11} {:>9}",
        ratio(of_rate),
        time(cell.measured.percentile(50.0)),
        time(cell.measured.percentile(99.0)),
        processor.map_or_else(|| "-".to_owned(), time),
        ratio(of_processor),
    )
}

fn ratio(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}x"))
}

fn time(time: Duration) -> String {
    let micros = time.as_micros();
    if micros < 10_000 { format!("{micros} us") } else { format!("{} ms", time.as_millis()) }
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
