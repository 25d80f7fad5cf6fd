//! The repository's own commands: `cargo xtask test`, `check`, `layers`, `bench`, `peers` and
//! `conformance`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a command for developers: it prints, measures and looks at the environment"
)]

mod bench;
mod check;
mod command;
mod conformance;
mod counts;
mod layers;
mod peers;
mod size;
mod test;

use std::process::ExitCode;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  test    installs what the tests need into target/peers, builds, and runs every test
  check   formatting, lints, layers and sizes
  layers  whether the crates depend on each other only as the layers allow
  peers   installs the peers alone; `conformance` the official conformance suite alone
  bench   measures against a direct connection and nginx, and what disclosure control adds to a
          decision (`bench disclosure` that alone), in a release build
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test::run(),
        ["check"] => check::run(),
        ["layers"] => layers::run(),
        ["peers"] => peers::install().map(|_| true),
        ["conformance"] => conformance::install().map(|_| true),
        ["bench", rest @ ..] => bench::run(rest),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("xtask: {problem}");
            ExitCode::FAILURE
        }
    }
}
