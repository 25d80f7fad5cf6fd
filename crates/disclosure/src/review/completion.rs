//! Completions: no value that names somebody who may not be asked about, and no count of those.

use kenward_model::EntityUid;
use serde_json::Value;

use crate::engine::{self, Inquiry};

use super::scan::Covered;
use super::{Reviewer, Withheld};

/// The member of the result that holds the values and their counts.
const COMPLETION: &str = "completion";

impl Reviewer<'_> {
    /// The result of completing an argument.
    pub(super) fn completion(&mut self, result: &mut Value) -> Result<(), Withheld> {
        let mut completion = result.get_mut(COMPLETION).map(std::mem::take);
        if let Some(completion) = &mut completion {
            let values = completion.get_mut("values").and_then(Value::as_array_mut);
            let removed = values.map_or((0, 0), |values| {
                let before = values.len();
                values.retain(|value| self.may_be_completed(value));
                (before - values.len(), values.len())
            });
            if removed.0 > 0 {
                self.changed = true;
                correct(completion, removed.0, removed.1);
            }
        }
        let around = self.around(result, Vec::new());
        if let (Some(completion), Some(place)) = (completion, result.get_mut(COMPLETION)) {
            *place = completion;
        }
        around
    }

    /// Whether nobody is named who may not be asked about, and a call with the value could pass.
    fn may_be_completed(&mut self, value: &Value) -> bool {
        let Value::String(text) = value else { return value.is_number() };
        if !self.hits(value, &Covered::default()).is_empty() {
            return false;
        }
        // A short id is a name here: nothing else stands in the place.
        let ids: Vec<EntityUid> = self.watch.with_id(text);
        let may_be_named = ids.iter().all(|subject| {
            self.about.contains(subject) || !self.watch.refuses(subject, &mut self.bench)
        });
        may_be_named && self.could_be_asked(text)
    }

    fn could_be_asked(&mut self, value: &str) -> bool {
        let params = self.inquiry.arguments;
        let name = params.get("argument").and_then(|argument| argument.get("name")?.as_str());
        let Some(name) = name else { return true };
        let given = params.get("context").and_then(|context| context.get("arguments"));
        let inquiry = Inquiry { arguments: given.unwrap_or(&Value::Null), ..*self.inquiry };
        engine::could_be_asked(&inquiry, self.rules, self.bench.judge(), name, value)
    }
}

/// The counts after `removed` values left and `kept` stayed.
fn correct(completion: &mut Value, removed: usize, kept: usize) {
    let Value::Object(members) = completion else { return };
    let total = members.get("total").and_then(Value::as_u64);
    if let Some(total) = total {
        let removed = u64::try_from(removed).unwrap_or(u64::MAX);
        let total = if kept == 0 { 0 } else { total.saturating_sub(removed) };
        members.insert("total".to_owned(), Value::from(total));
    }
    if kept == 0 && members.contains_key("hasMore") {
        members.insert("hasMore".to_owned(), Value::Bool(false));
    }
}
