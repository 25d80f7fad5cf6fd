//! The command line as clap sees it.

use clap::{CommandFactory as _, Parser as _};

use super::Cli;

#[test]
fn the_definition_holds() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_has_a_help_text_and_an_example() {
    let cli = Cli::command();
    for command in cli.get_subcommands() {
        let name = command.get_name();
        assert!(command.get_about().is_some(), "{name} says nothing of itself");
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let example = format!("kenward {name}");
        assert!(after.contains(&example), "{name} has no example");
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            assert!(argument.get_help().is_some(), "{name} {} is unexplained", argument.get_id());
        }
        for inner in command.get_subcommands() {
            assert!(inner.get_about().is_some(), "{name} {} says nothing", inner.get_name());
        }
    }
}

/// The words of a call as a shell reads them: what stands in single quotes is one.
fn words(call: &str) -> Vec<String> {
    let parts = call.split('\'').enumerate();
    parts
        .flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        })
        .collect()
}

#[test]
fn the_examples_are_good_calls() {
    let cli = Cli::command();
    let texts = cli.get_subcommands().filter_map(|c| c.get_after_help().map(ToString::to_string));
    let lines: Vec<String> = texts
        .flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
        .filter(|line| line.starts_with("  kenward "))
        .collect();
    assert!(lines.len() >= 7);
    for line in lines {
        let call = line.split(" > ").next().unwrap_or_default();
        let words = words(call);
        assert!(Cli::try_parse_from(&words).is_ok(), "{line}");
    }
}
