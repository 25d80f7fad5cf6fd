//! The reference server as a program: it prints its URL and serves until it is ended.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for developers: it prints, and reads its arguments"
)]

use std::process::ExitCode;

use kenward_testkit::{Eras, Reference};

const USAGE: &str = "\
usage: kenward-reference-server [--era dual|modern|legacy] [--listen ADDRESS]

  --era ERA         2026-07-28, 2025-11-25 and earlier, or both (default: dual)
  --listen ADDRESS  where to listen, with port 0 for a free one (default: 127.0.0.1:0)
";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((eras, address)) = read(&arguments) else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    match Reference::listen(eras, address).await {
        Ok(server) => {
            println!("{}", server.url());
            server.run().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("kenward-reference-server: `{address}` cannot be listened on: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read(arguments: &[String]) -> Option<(Eras, &str)> {
    let (mut eras, mut address) = (Eras::Dual, "127.0.0.1:0");
    for pair in arguments.chunks(2) {
        match pair {
            [name, value] if name == "--era" => eras = Eras::named(value)?,
            [name, value] if name == "--listen" => address = value,
            _ => return None,
        }
    }
    Some((eras, address))
}
