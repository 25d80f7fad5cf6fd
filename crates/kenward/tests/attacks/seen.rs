//! Everything of an answer that a client gets to see, and how the answer ended.

use kenward_testkit::Reply;
use serde_json::Value;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// An answer was delivered.
    Allowed,
    /// The gateway refused.
    Refused,
    /// The gateway wants an approval or the person's own word first.
    Asked,
    /// Anything else: the call failed.
    Failed,
}

/// What came of a step.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) verdict: Verdict,
    /// Every byte, and every text in it with its escapes undone.
    pub(crate) text: String,
    /// The messages that came, for retries.
    pub(crate) message: Value,
}

impl Seen {
    /// What a reply holds.
    pub(crate) fn reply(reply: &Reply) -> Self {
        let mut text = reply.http.text();
        for (name, value) in &reply.http.headers {
            text.extend(["\n", name.as_str(), ": ", value.to_str().unwrap_or_default()]);
        }
        for message in reply.before.iter().chain([&reply.message]) {
            spell_out(message, &mut text);
        }
        Self {
            verdict: verdict(reply),
            text: without_references(&text),
            message: reply.message.clone(),
        }
    }

    /// What a stream held.
    pub(crate) fn stream(verdict: Verdict, raw: &str, messages: &[Value]) -> Self {
        let mut text = raw.to_owned();
        for message in messages {
            spell_out(message, &mut text);
        }
        Self { verdict, text: without_references(&text), message: Value::Null }
    }

    /// Whether `secret` is to be seen.
    pub(crate) fn holds(&self, secret: &str) -> bool {
        self.text.match_indices(secret).any(|(start, found)| {
            let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
            let (before, after) = (&self.text[..start], &self.text[start + found.len()..]);
            // Digits within longer ones, such as a reference, are no secret.
            let begins = is_word(secret.chars().next()) && is_word(before.chars().next_back());
            let ends = is_word(secret.chars().next_back()) && is_word(after.chars().next());
            !begins && !ends
        })
    }
}

/// `text` without decision ids: four of their digits could be anybody's bonus.
fn without_references(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_hexdigit() || c == '-';
    let is_id = |word: &str| word.len() == 36 && word.matches('-').count() == 4;
    let words = text.split_inclusive(|c: char| !is_part(c));
    words.filter(|word| !is_id(word.trim_end_matches(|c| !is_part(c)))).collect()
}

fn verdict(reply: &Reply) -> Verdict {
    let decision = reply.decision();
    let said = decision["verdict"].as_str().unwrap_or_default();
    let wants_input = reply.message["result"]["resultType"] == "input_required";
    if said == "ask" || said == "step_up" || (wants_input && !decision.is_null()) {
        return Verdict::Asked;
    }
    if reply.is_refused() || matches!(reply.error_code(), Some(-31403)) || reply.status() == 403 {
        return Verdict::Refused;
    }
    // What may never be used answers like what does not exist.
    if matches!(reply.error_code(), Some(-32602 | -32002 | -32601)) {
        return Verdict::Refused;
    }
    match reply.message.get("result") {
        Some(_) => Verdict::Allowed,
        None => Verdict::Failed,
    }
}

fn spell_out(value: &Value, text: &mut String) {
    match value {
        Value::String(leaf) => {
            text.push('\n');
            text.push_str(leaf);
        }
        Value::Array(items) => items.iter().for_each(|item| spell_out(item, text)),
        Value::Object(members) => members.iter().for_each(|(name, item)| {
            text.push('\n');
            text.push_str(name);
            spell_out(item, text);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
