//! The order of the questions, and what becomes of the first that is not answered yes.

mod alone;
pub(crate) mod facts;
pub(crate) mod hearing;
mod mentioned;
mod route;

use std::sync::Arc;

use kenward_model::{Operation, Question};

use crate::context::Detail;
use crate::decide::hearing::{Hearing, No};
use crate::decide::route::Route;
use crate::listing;
use crate::mapping::Evaluation;
use crate::policies::{Tool, ToolMapping};
use crate::verdict::{Basis, Cause, Effects, Permit, Refusal, Verdict};

impl Hearing<'_> {
    /// Decides the operation: allowed only if no question is answered no.
    pub(crate) fn decide(&self, operation: &Operation<'_>) -> Verdict {
        let mut basis = Basis { revision: self.asker.world.revision(), ..Basis::default() };
        let mut effects = Effects::default();
        match self.hear(operation, &mut basis, &mut effects) {
            Ok(()) => Verdict::Allow(Permit::new(basis, effects)),
            Err(no) => {
                let hidden = no.cause != Cause::Standing
                    && operation.target != kenward_model::Target::Server
                    && !listing::may_list(self, operation);
                if no.casts_a_shadow() {
                    effects.entries = self.shadow_of(operation, hidden);
                }
                Verdict::Refuse(Refusal {
                    question: no.question,
                    hidden: hidden || no.unknown,
                    reasons: no.reasons,
                    missing_scopes: no.missing_scopes,
                    cause: no.cause,
                    ask: no.ask,
                    basis,
                    effects,
                })
            }
        }
    }

    fn hear(
        &self,
        operation: &Operation<'_>,
        basis: &mut Basis,
        effects: &mut Effects,
    ) -> Result<(), No> {
        self.good_standing()?;
        match Route::of(self.policies, operation) {
            Route::Tool(tool) => self.hear_tool(tool, operation, basis, effects),
            Route::Item(pair) => {
                let uid = operation.target.uid(operation.server);
                let answer = self.ask(pair, &uid, &|| self.target(operation), Detail::None);
                answer.settle(Question::Operation, basis)?;
                self.hear_facts(operation, basis, effects)
            }
            Route::Housekeeping(pair) => self.hear_forbids(pair, operation, basis),
            Route::Opening(pair) => self.hear_opening(pair, operation, basis),
            Route::Nothing => Ok(()),
            Route::Unknown { server } => Err(No::unknown(server)),
        }
    }

    fn hear_tool(
        &self,
        tool: &Tool,
        operation: &Operation<'_>,
        basis: &mut Basis,
        effects: &mut Effects,
    ) -> Result<(), No> {
        if tool.mapping.leaves_question_one() {
            let answer = self.ask_operation(tool, operation);
            answer.settle(Question::Operation, basis)?;
        }
        self.hold_scopes(tool)?;
        self.hear_objects(tool, operation, basis)?;
        self.hear_facts(operation, basis, effects)
    }

    fn ask_operation(&self, tool: &Tool, operation: &Operation<'_>) -> hearing::Answers {
        let detail = match &tool.pair.user.arguments {
            Some(shape) => Detail::Arguments { shape, arguments: operation.arguments() },
            None => Detail::None,
        };
        self.ask(&tool.pair, &tool.uid, &|| Some(Arc::clone(&tool.entity)), detail)
    }

    /// Question 1's counterpart in OAuth: the token must carry the scopes that the tool needs.
    fn hold_scopes(&self, tool: &Tool) -> Result<(), No> {
        let missing = tool.scopes.iter().filter(|rule| !self.asker.caller.has_scope(&rule.scope));
        let missing: Vec<Arc<str>> = missing.map(|rule| Arc::clone(&rule.scope)).collect();
        if missing.is_empty() { Ok(()) } else { Err(No::scopes(missing)) }
    }

    /// Question 2, for each entry of the mapping.
    fn hear_objects(
        &self,
        tool: &Tool,
        operation: &Operation<'_>,
        basis: &mut Basis,
    ) -> Result<(), No> {
        let mapping = match &tool.mapping {
            ToolMapping::None => return Ok(()),
            ToolMapping::Beside(mapping) | ToolMapping::Instead(mapping) => mapping,
            ToolMapping::Broken(problem) => {
                return Err(No::new(Question::Object, Cause::Mapping(problem.clone())));
            }
        };
        let evaluations = mapping
            .evaluate(operation.params, self.asker.caller)
            .map_err(|error| No::new(Question::Object, Cause::Mapping(error.to_string())))?;
        for evaluation in &evaluations {
            basis.note_object(&evaluation.resource);
            let answer = self.ask_object(evaluation)?;
            answer.settle(Question::Object, basis)?;
        }
        Ok(())
    }

    fn ask_object(&self, evaluation: &Evaluation) -> Result<hearing::Answers, No> {
        let refuse = |problem: String| No::new(Question::Object, Cause::Mapping(problem));
        let name = &evaluation.action;
        let action = self.policies.object_actions.get(name.as_str());
        let action =
            action.ok_or_else(|| refuse(format!("the schema declares no action `{name}`")))?;
        let kind = &evaluation.resource.kind;
        let pair = action.kinds.get(kind);
        let pair = pair.ok_or_else(|| refuse(format!("`{name}` does not apply to `{kind}`")))?;
        let typed = |member: &str,
                     shape: Option<&crate::shape::Shape>,
                     value: Option<&serde_json::Value>| {
            let Some((shape, value)) = shape.zip(value) else { return Ok(None) };
            let converted = shape.convert(value).map(Some);
            converted.map_err(|error| refuse(error.under(member).to_string()))
        };
        let said = typed("context", action.mapping.as_ref(), evaluation.context.as_ref())?;
        let claimed = typed("claimed", action.claimed.as_ref(), evaluation.claimed.as_ref())?;
        let detail = Detail::Mapping { said: said.as_ref(), claimed: claimed.as_ref() };
        let resource = &evaluation.resource;
        Ok(self.ask(pair, resource, &|| self.object(resource), detail))
    }

    /// What every caller in good standing may do, unless a policy forbids it.
    fn hear_forbids(
        &self,
        pair: &crate::index::Pair,
        operation: &Operation<'_>,
        basis: &mut Basis,
    ) -> Result<(), No> {
        let uid = operation.target.uid(operation.server);
        let answer = self.ask(pair, &uid, &|| self.target(operation), Detail::None);
        if answer.merely_unpermitted() {
            return Ok(());
        }
        answer.settle(Question::Operation, basis)
    }

    /// What is allowed by a policy, and also to whoever may use anything of the server.
    fn hear_opening(
        &self,
        pair: &crate::index::Pair,
        operation: &Operation<'_>,
        basis: &mut Basis,
    ) -> Result<(), No> {
        let uid = operation.target.uid(operation.server);
        let answer = self.ask(pair, &uid, &|| self.target(operation), Detail::None);
        if answer.merely_unpermitted() && listing::may_use_anything(self, operation.server) {
            return Ok(());
        }
        answer.settle(Question::Operation, basis)
    }
}

impl Basis {
    fn note_object(&mut self, object: &kenward_model::EntityUid) {
        if !self.objects.contains(object) {
            self.objects.push(object.clone());
        }
    }
}

#[cfg(test)]
mod tests;
