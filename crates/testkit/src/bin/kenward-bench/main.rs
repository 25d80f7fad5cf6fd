//! Measures Kenward with everything on against a direct connection and a plain reverse proxy, in one
//! run and in turn, so that all three meet the same machine.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a program for developers: it prints, measures and ends by panicking when it cannot"
)]

mod cell;
mod house;
mod nginx;
mod report;
mod server;

use std::process::ExitCode;
use std::time::Duration;

use cell::{Target, Workload};
use house::House;

const USAGE: &str = "\
usage: kenward-bench --kenward FILE [--seconds N]

  --kenward FILE  the binary to measure, a release build
  --seconds N     how long each cell is measured (default 3)
";

/// Connections at once.
const CONNECTIONS: [usize; 3] = [1, 16, 64];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (kenward, seconds) = match words.as_slice() {
        ["serve", port] => return server::run(port),
        ["--kenward", kenward] => (*kenward, 3),
        ["--kenward", kenward, "--seconds", seconds] => (*kenward, seconds.parse().unwrap_or(3)),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let good = runtime.block_on(measure(kenward, Duration::from_secs(seconds)));
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn measure(kenward: &str, duration: Duration) -> bool {
    let house = House::start(kenward).await;
    report::opening(&house);
    let mut good = true;
    for workload in Workload::ALL {
        report::heading(workload);
        for connections in CONNECTIONS {
            let mut row = Vec::new();
            for target in Target::ALL {
                let measured = cell::measure(&house, workload, target, connections, duration).await;
                good &= measured.is_ok();
                row.push((target, measured));
            }
            report::row(connections, &row);
        }
    }
    report::closing(&house);
    good
}
