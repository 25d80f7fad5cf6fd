//! The kinds of message that carry an answer.

use serde_json::Value;

use crate::filter::Edit;
use crate::path::{Location, STRUCTURED};

use super::document::{Outcome, Reach, settle};
use super::messages::{
    CONTENT, CONTENTS, ERROR_TEXT, MESSAGES, as_document, block, drop_empty_messages, is_error,
    keep_message, key, only_document, opaque, replace_content, set_text, silence, texts, way,
    written,
};
use super::scan::{Covered, Hit, Scan, What};
use super::{Reviewer, Withheld};

impl Reviewer<'_> {
    /// The result of a tool call.
    pub(super) fn tool(&mut self, result: &mut Value) -> Result<(), Withheld> {
        let was_error = is_error(result);
        let done = match result.get_mut(STRUCTURED) {
            Some(structured) => {
                let mut document = std::mem::take(structured);
                let outcome = self.document(&mut document);
                if let Some(structured) = result.get_mut(STRUCTURED) {
                    *structured = document;
                }
                outcome.and_then(|outcome| self.structured(result, outcome))
            }
            None => self.only_text(result, CONTENT),
        };
        match done {
            Err(_) if was_error => {
                self.changed = true;
                silence(result);
                Ok(())
            }
            done => done,
        }
    }

    /// The result of reading an MCP resource: each of its parts is a document.
    pub(super) fn resource(&mut self, result: &mut Value) -> Result<(), Withheld> {
        let mut skipped = Vec::new();
        let parts = result.get_mut(CONTENTS).and_then(Value::as_array_mut);
        if parts.is_none() {
            self.no_document()?;
        }
        for (index, part) in parts.into_iter().flatten().enumerate() {
            if self.part(part)? {
                skipped.push(way(CONTENTS, index, "text"));
            }
            if part.get("uri").and_then(Value::as_str) == Some(self.inquiry.target) {
                skipped.push(way(CONTENTS, index, "uri"));
            }
        }
        self.around(result, skipped)
    }

    /// One part of a resource; true when its text is a document, which has been looked through.
    fn part(&mut self, part: &mut Value) -> Result<bool, Withheld> {
        let text = part.get("text").and_then(Value::as_str);
        let Some((mut document, pretty)) = text.and_then(as_document) else {
            self.no_document()?;
            return Ok(false);
        };
        if self.document(&mut document)? == Outcome::Changed {
            self.changed = true;
            set_text(part, &document, pretty);
        }
        Ok(true)
    }

    /// There is no document where the binding may need one.
    fn no_document(&self) -> Result<(), Withheld> {
        self.needs_document().map_or(Ok(()), |path| Err(Withheld::Shape { path }))
    }

    /// The result of getting a prompt.
    pub(super) fn prompt(&mut self, result: &mut Value) -> Result<(), Withheld> {
        self.only_text(result, MESSAGES)
    }

    /// The error of a JSON-RPC response: it is delivered as an error whatever it says.
    pub(super) fn error(&mut self, error: &mut Value) {
        let hits = self.hits(error, &Covered::default());
        if hits.is_empty() {
            return;
        }
        self.changed = true;
        if let Value::Object(members) = error {
            let in_message = |hit: &Hit| hit.location.first() == Some(&key("message"));
            members.retain(|name, _| name == "code" || name == "message");
            if hits.iter().any(in_message) {
                members.insert("message".to_owned(), Value::from(ERROR_TEXT));
            }
        }
    }

    /// The parameters of a notification: the number of a progress is left of it, or nothing.
    pub(super) fn notification(&mut self, params: &mut Value) -> Result<(), Withheld> {
        let hits = self.hits(params, &Covered::default());
        if hits.is_empty() {
            return Ok(());
        }
        self.changed = true;
        let progress = params.as_object_mut().filter(|members| members.contains_key("progress"));
        let members = progress.ok_or(Withheld::Everything)?;
        members.retain(|name, _| matches!(&**name, "progressToken" | "progress" | "total"));
        Ok(())
    }

    /// A result with structured content.
    fn structured(&mut self, result: &mut Value, outcome: Outcome) -> Result<(), Withheld> {
        if outcome == Outcome::Same {
            self.other_documents(result)?;
            return self.around(result, vec![vec![key(STRUCTURED)]]);
        }
        self.changed = true;
        let pretty = texts(result).any(|text| text.contains('\n') && as_document(text).is_some());
        if let (Some(structured), true) = (result.get(STRUCTURED), result.get(CONTENT).is_some()) {
            let text = written(structured, pretty);
            replace_content(result, &text);
        }
        self.around(result, vec![vec![key(STRUCTURED)], vec![key(CONTENT)]])
    }

    /// The texts that hold another document than the structured content: rows of it leave too.
    fn other_documents(&mut self, result: &mut Value) -> Result<(), Withheld> {
        if self.needs_document().is_none() {
            return Ok(());
        }
        let structured = result.get(STRUCTURED).cloned();
        let blocks = result.get_mut(CONTENT).and_then(Value::as_array_mut);
        for block in blocks.into_iter().flatten() {
            let text = block.get("text").and_then(Value::as_str);
            let Some((mut document, pretty)) = text.and_then(as_document) else { continue };
            if Some(&document) == structured.as_ref() {
                continue;
            }
            match self.document(&mut document) {
                Ok(Outcome::Changed) => {
                    self.changed = true;
                    set_text(block, &document, pretty);
                }
                // It holds something else: names are looked for in it with all the others.
                Ok(Outcome::Same) | Err(Withheld::Shape { .. }) => {}
                Err(why @ (Withheld::Everything | Withheld::Few | Withheld::Full)) => {
                    return Err(why);
                }
            }
        }
        Ok(())
    }

    /// A result of which the only account is a JSON text.
    fn only_text(&mut self, result: &mut Value, list: &str) -> Result<(), Withheld> {
        let only = only_document(result, list);
        let Some((location, mut document, pretty)) = only else {
            self.no_document()?;
            return self.around(result, Vec::new());
        };
        if self.document(&mut document)? == Outcome::Same {
            return self.around(result, vec![location]);
        }
        self.changed = true;
        let text = written(&document, pretty);
        if list == CONTENT {
            replace_content(result, &text);
            return self.around(result, vec![vec![key(CONTENT)]]);
        }
        keep_message(result, &location, text);
        self.around(result, vec![vec![key(MESSAGES)]])
    }

    /// Everything in the message but what is skipped.
    pub(super) fn around(
        &mut self,
        result: &mut Value,
        mut skipped: Vec<Location>,
    ) -> Result<(), Withheld> {
        skipped.extend(opaque(result));
        let covered = Covered { skipped: skipped.into_iter().collect(), ..Covered::default() };
        let hits = self.hits(result, &covered);
        if hits.is_empty() {
            return Ok(());
        }
        self.changed = true;
        let mut edit = Edit::default();
        let mut others = Vec::new();
        let mut takes_block = false;
        for hit in hits {
            match block(result, &hit.location) {
                Some(block) => {
                    takes_block = true;
                    edit.remove(block);
                }
                None => others.push(hit),
            }
        }
        if takes_block {
            opaque(result)
                .into_iter()
                .filter_map(|way| block(result, &way))
                .for_each(|block| edit.remove(block));
        }
        for hit in &mut others {
            // An object about somebody is no more than its parts here: the message stays one.
            hit.what = if hit.what == What::Name { What::Text } else { hit.what };
        }
        if settle(&others, result, true, &mut edit) == Reach::Everything {
            return Err(Withheld::Everything);
        }
        edit.apply(result);
        if takes_block { drop_empty_messages(result) } else { Ok(()) }
    }

    pub(super) fn hits(&mut self, value: &Value, covered: &Covered<'_>) -> Vec<Hit> {
        let mut scan =
            Scan::new(&self.watch, &mut self.bench, &self.about, &self.rest, &mut self.left);
        scan.hits(value, covered)
    }
}
