//! The schema that policies are checked against: the namespace `Mcp` beside the deployment's own.

pub(crate) mod arguments;
pub(crate) mod deployment;
pub(crate) mod kinds;
pub(crate) mod vocabulary;

use cedar_policy_core::extensions::Extensions;
use cedar_policy_core::validator::json_schema::Fragment;
use cedar_policy_core::validator::{RawName, ValidatorSchema};
use kenward_model::{Finding, Place};
use serde_json::{Map, Value};

use crate::diagnostic;
use crate::schema::deployment::{Deployment, place_among};
use crate::schema::vocabulary::{Scope, ToolAction};
use crate::source::SourceFile;

/// The whole schema and what it is made from.
#[derive(Debug)]
pub(crate) struct Schema {
    deployment: Deployment,
    tools: Vec<ToolAction>,
    all: ValidatorSchema,
}

impl Schema {
    /// Reads the deployment's schema and adds the namespace `Mcp` with `tools`.
    ///
    /// # Errors
    /// Findings with their places: syntax, undeclared types, declarations that collide.
    pub(crate) fn read(files: &[SourceFile], tools: Vec<ToolAction>) -> Result<Self, Vec<Finding>> {
        let deployment = Deployment::read(files)?;
        let document = document(&deployment, &tools, Scope::ALL);
        match ValidatorSchema::from_json_value(document, Extensions::all_available()) {
            Ok(all) => Ok(Self { deployment, tools, all }),
            Err(error) => Err(vec![unplaced(&error, &deployment, files)]),
        }
    }

    /// The schema of every request that can happen.
    pub(crate) fn all(&self) -> &ValidatorSchema {
        &self.all
    }

    /// The schema of the requests within `scope` alone.
    pub(crate) fn within(&self, scope: Scope) -> Option<ValidatorSchema> {
        let document = document(&self.deployment, &self.tools, scope);
        ValidatorSchema::from_json_value(document, Extensions::all_available()).ok()
    }

    /// The tools that it declares.
    pub(crate) fn tools(&self) -> &[ToolAction] {
        &self.tools
    }

    /// The deployment's own entity types.
    pub(crate) fn learnable(&self) -> Vec<String> {
        self.deployment.kinds()
    }

    /// The schema in Cedar's human syntax.
    pub(crate) fn text(&self) -> String {
        let document = document(&self.deployment, &self.tools, Scope::ALL);
        Fragment::<RawName>::from_json_value(document)
            .map_err(|error| error.to_string())
            .and_then(|fragment| fragment.to_cedarschema().map_err(|error| error.to_string()))
            .unwrap_or_else(|error| {
                format!("// the schema cannot be written in this syntax: {error}\n")
            })
    }
}

fn document(deployment: &Deployment, tools: &[ToolAction], scope: Scope) -> Value {
    let mut namespaces: Map<String, Value> = deployment.namespaces(scope);
    let kinds = deployment.kinds();
    namespaces.insert("Mcp".to_owned(), vocabulary::namespace(tools, &kinds, scope));
    Value::Object(namespaces)
}

/// An error about the merged schema, placed at the first name in it that a file mentions.
fn unplaced(
    error: &cedar_policy_core::validator::SchemaError,
    deployment: &Deployment,
    files: &[SourceFile],
) -> Finding {
    let message = diagnostic::tidy(&error.to_string());
    let help = diagnostic::help(error);
    let texts = [Some(message.as_str()), help.as_deref()];
    let quoted = texts.into_iter().flatten().flat_map(|text| text.split('`').skip(1).step_by(2));
    let listed = message.rsplit(": ").next().into_iter().flat_map(|names| names.split(", "));
    let mut words = quoted.chain(listed).map(|word| word.rsplit("::").next().unwrap_or(word));
    let found = words.find_map(|word| {
        Some((word, place_among(files, word))).filter(|(_, place)| place.line > 0)
    });
    let kinds = deployment.kinds();
    let known = kinds.iter().map(String::as_str);
    let meant = found.as_ref().and_then(|(word, _)| diagnostic::nearest(word, known));
    let meant = meant.map(|meant| format!("did you mean `{meant}`?"));
    let nowhere = || Place::whole(files.first().map_or("schema", |file| file.path.as_str()));
    let place = found.map_or_else(nowhere, |(_, place)| place);
    let finding = Finding::error(place, message.as_str());
    meant.or_else(|| help.clone()).into_iter().fold(finding, Finding::with_help)
}

#[cfg(test)]
mod tests;
