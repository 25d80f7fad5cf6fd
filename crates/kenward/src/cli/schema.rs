//! `kenward schema`: the schemas of the files that Kenward reads.

use std::io::{self, Write as _};
use std::path::PathBuf;

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;

use kenward_disclosure::InferencesFile;
use kenward_world::EntityRecord;

use super::{Outcome, check};
use crate::config::{self, ConfigFile};
use crate::report::{self, Format};

pub(crate) const EXAMPLES: &str = "Examples:\n  kenward schema config > kenward.schema.json\n  \
                                   kenward schema policies --config kenward.yaml";

/// What `kenward schema` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which file's schema.
    #[arg(value_enum)]
    what: What,
    /// The configuration whose servers and tools the schema of policies speaks of.
    #[arg(long, value_name = "FILE", default_value = "kenward.yaml")]
    config: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum What {
    /// The configuration, as JSON Schema.
    Config,
    /// The policies, as a Cedar schema.
    Policies,
    /// The directory, as JSON Schema.
    Directory,
    /// The inferences, as JSON Schema.
    Inferences,
}

/// Prints the schema.
pub(crate) fn run(args: &Args) -> io::Result<Outcome> {
    match args.what {
        What::Config => json_schema::<ConfigFile>(),
        What::Directory => json_schema::<Vec<EntityRecord>>(),
        What::Inferences => json_schema::<InferencesFile>(),
        What::Policies => policies(&args.config),
    }
}

fn json_schema<T: JsonSchema>() -> io::Result<Outcome> {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let text = serde_json::to_string_pretty(&schema)?;
    writeln!(io::stdout(), "{text}")?;
    Ok(Outcome::Good)
}

fn policies(path: &std::path::Path) -> io::Result<Outcome> {
    match config::load(path, Some(&config::environment), &check::stored_definitions) {
        Ok(loaded) => {
            write!(io::stdout(), "{}", loaded.compiled.policies.schema_text())?;
            Ok(Outcome::Good)
        }
        Err(findings) => {
            report::print(&mut anstream::stderr(), &findings, Format::Text)?;
            Ok(check::outcome(path, &findings))
        }
    }
}
