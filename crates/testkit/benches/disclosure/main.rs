//! Measures what disclosure control adds to a call: decisions in process, in processor time of the
//! one thread that takes them.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a program for developers: it prints, measures and ends by panicking when it cannot"
)]

mod calls;
mod clock;
mod deployment;
mod directory;
mod measure;
mod past;
mod random;
mod report;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "\
usage: disclosure [--large | --entities N] [--decisions N] [--only WORDS]

  --large        also with 1,000,000 and 3,000,000 entities
  --entities N   with a directory of N entities alone
  --decisions N  decisions for each line of the table (default 20,000)
  --only WORDS   the lines alone that have WORDS in their names
";

/// The usual size of the directory, and those that show whether it matters.
const USUAL: usize = 100_000;
const LARGE: [usize; 3] = [USUAL, 1_000_000, 3_000_000];

/// What is to be measured.
#[derive(Debug)]
struct Wanted {
    entities: Vec<usize>,
    decisions: usize,
    only: String,
}

fn main() -> ExitCode {
    // Cargo adds `--bench`.
    let arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let arguments: Vec<String> = arguments.collect();
    let Some(wanted) = Wanted::read(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    report::opening(wanted.decisions);
    for entities in &wanted.entities {
        measure::all(*entities, wanted.decisions, &wanted.only);
    }
    ExitCode::SUCCESS
}

impl Wanted {
    fn read(arguments: &[String]) -> Option<Self> {
        let mut wanted = Self { entities: vec![USUAL], decisions: 20_000, only: String::new() };
        let mut rest = arguments.iter().map(String::as_str);
        while let Some(argument) = rest.next() {
            match argument {
                "--large" => wanted.entities = LARGE.to_vec(),
                "--entities" => wanted.entities = vec![rest.next()?.parse().ok()?],
                "--decisions" => wanted.decisions = rest.next()?.parse().ok()?,
                "--only" => rest.next()?.clone_into(&mut wanted.only),
                _ => return None,
            }
        }
        Some(wanted)
    }
}
