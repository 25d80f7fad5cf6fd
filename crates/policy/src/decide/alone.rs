//! Single questions, for those who reason about policies rather than about calls.

use kenward_model::{Operation, ServerName, Target};
use serde_json::Value;

use crate::case::{Asker, Memory};
use crate::decide::hearing::Hearing;
use crate::decide::route::Route;
use crate::mapping::Evaluation;
use crate::policies::Policies;

impl Policies {
    /// Whether a method of a server as a whole can be allowed although no policy permits it. True
    /// also for what is no such method: nothing may be concluded from the lack of a permit then.
    pub fn needs_no_permit(&self, method: &str) -> bool {
        let Some(server) = self.servers.keys().next() else { return true };
        let params = &Value::Null;
        let operation = Operation { server, method, target: Target::Server, params };
        match Route::of(self, &operation) {
            Route::Item(_) => false,
            Route::Tool(_)
            | Route::Housekeeping(_)
            | Route::Opening(_)
            | Route::Nothing
            | Route::Unknown { .. } => true,
        }
    }

    /// Whether calls of the tool are put to question 1. They are not where a mapping that its
    /// server declares stands in for it, and where it is not known.
    pub fn asks_for_use(&self, server: &ServerName, tool: &str) -> bool {
        let tool = self.servers.get(server).and_then(|server| server.tools.get(tool));
        tool.is_some_and(|tool| tool.mapping.leaves_question_one())
    }

    /// Question 2 alone: whether the asker may act on an object as `evaluation` says.
    pub fn may_act(&self, asker: &Asker<'_>, evaluation: &Evaluation) -> bool {
        let hearing = Hearing::new(self, *asker, Memory::blank());
        hearing.good_standing().is_ok()
            && hearing.ask_object(evaluation).is_ok_and(|answers| answers.is_yes())
    }
}

#[cfg(test)]
mod tests;
