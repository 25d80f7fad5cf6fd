//! Questions 3 and 4: what the call would tell and what follows, put to policy fact by fact.

use std::borrow::Cow;
use std::collections::HashSet;

use kenward_disclosure::{
    AskReason, Before, CompiledBinding, Guess, Inquiry, Judge, Opinion, Rules, ShadowSource, Stop,
    Why, before, refused_elsewhere,
};
use kenward_model::{EntityUid, Fact, Operation, Question, Target};
use serde_json::Value;

use crate::decide::hearing::{Hearing, No};
use crate::verdict::{Ask, Basis, Cause, Effects};

/// The method by which values of arguments are proposed.
const COMPLETE: &str = "completion/complete";

/// What is known of what an operation tells, and the arguments that say about whom.
pub(crate) struct Telling<'h> {
    pub(crate) binding: Option<&'h CompiledBinding>,
    pub(crate) guess: Cow<'h, Guess>,
    pub(crate) arguments: Cow<'h, Value>,
}

impl Hearing<'_> {
    /// Every fact that the operation discloses, and every one that follows with the history.
    pub(crate) fn hear_facts(
        &self,
        operation: &Operation<'_>,
        basis: &mut Basis,
        effects: &mut Effects,
    ) -> Result<(), No> {
        if operation.method == COMPLETE {
            // What is completed is no call yet: its values are looked at one by one.
            return Ok(());
        }
        let via = operation.target.uid(operation.server);
        for telling in self.tellings(operation) {
            if self.memory.is_away && telling.tells() {
                let away = Cause::History("the history cannot be read".to_owned());
                return Err(No::new(Question::Inference, away));
            }
            let mut judge = FactJudge::new(self, &via, basis);
            let found =
                before(&self.inquiry(operation, &telling.arguments), telling.rules(), &mut judge);
            let refused = judge.refused;
            let Before { disclosed, inferred, stop, entries, notes, alert, expects } = found;
            basis.shadows.extend(notes.into_iter().map(Into::into));
            basis.disclosed.extend(disclosed);
            basis.inferred.extend(inferred);
            effects.alert = alert.or_else(|| effects.alert.take());
            if let Some(stop) = stop {
                // What an earlier binding would have reserved is not told after all.
                effects.entries = entries;
                return Err(No::stopped(stop, refused));
            }
            if tells_at_once(operation.method) {
                effects.entries.extend(entries);
            }
            effects.expects.push(expects);
        }
        Ok(())
    }

    /// Whether the facts that the operation names by itself may be learnt, whatever was before.
    pub(crate) fn could_tell(&self, operation: &Operation<'_>) -> bool {
        let (mut basis, mut effects) = (Basis::default(), Effects::default());
        self.hear_facts(operation, &mut basis, &mut effects).is_ok()
    }

    /// The shadow of a refusal that rests on something else than the facts.
    pub(crate) fn shadow_of(
        &self,
        operation: &Operation<'_>,
        hidden: bool,
    ) -> Vec<kenward_disclosure::Entry> {
        let source = if hidden { ShadowSource::Hidden } else { ShadowSource::Policy };
        self.refused_elsewhere(operation, source)
    }

    /// What a refusal of the operation by `source` casts.
    pub(crate) fn refused_elsewhere(
        &self,
        operation: &Operation<'_>,
        source: ShadowSource,
    ) -> Vec<kenward_disclosure::Entry> {
        let cast = |telling: Telling<'_>| {
            let inquiry = self.inquiry(operation, &telling.arguments);
            refused_elsewhere(&inquiry, telling.rules(), source)
        };
        self.tellings(operation).into_iter().flat_map(cast).collect()
    }

    pub(crate) fn inquiry<'i>(
        &'i self,
        operation: &'i Operation<'_>,
        arguments: &'i Value,
    ) -> Inquiry<'i> {
        let memory = self.memory;
        Inquiry {
            world: self.asker.world,
            handles: memory.handles,
            history: memory.history,
            settings: memory.settings,
            inferences: &self.policies.inferences,
            person: &self.asker.caller.user,
            server: operation.server,
            target: operation.target.name().unwrap_or_default(),
            arguments,
            now: self.asker.environment.now,
            decision: memory.decision,
            answer: memory.answer,
        }
    }

    /// What is known of what the operation tells: several things where several templates match a URI.
    pub(crate) fn tellings<'h>(&'h self, operation: &'h Operation<'_>) -> Vec<Telling<'h>> {
        let (policies, server) = (self.policies, operation.server);
        match (&operation.target, operation.method) {
            (Target::Tool(name), "tools/call") => {
                let tool = policies.servers.get(server).and_then(|found| found.tools.get(&**name));
                tool.into_iter()
                    .map(|tool| Telling {
                        binding: tool.binding.as_deref(),
                        guess: Cow::Borrowed(&tool.guess),
                        arguments: Cow::Borrowed(operation.arguments()),
                    })
                    .collect()
            }
            (Target::Prompt(name), COMPLETE) => {
                let binding = policies.bindings.prompt(server, name).map(AsRef::as_ref);
                vec![self.completion(operation, name, binding)]
            }
            (Target::ResourceTemplate(text), COMPLETE) => {
                let binding = policies.bindings.template(server, text).map(AsRef::as_ref);
                vec![self.completion(operation, text, binding)]
            }
            (Target::Prompt(name), "prompts/get") => vec![Telling {
                binding: policies.bindings.prompt(server, name).map(AsRef::as_ref),
                guess: Cow::Owned(policies.vocabulary.guess([&**name])),
                arguments: Cow::Borrowed(operation.arguments()),
            }],
            (
                Target::Resource(uri),
                "resources/read" | "resources/subscribe" | "resources/list",
            ) => self.tellings_of_uri(server, uri),
            (
                Target::Server
                | Target::Tool(_)
                | Target::Prompt(_)
                | Target::Resource(_)
                | Target::ResourceTemplate(_),
                _,
            ) => Vec::new(),
        }
    }

    /// A completion: what is read is the request itself.
    fn completion<'h>(
        &self,
        operation: &'h Operation<'_>,
        name: &str,
        binding: Option<&'h CompiledBinding>,
    ) -> Telling<'h> {
        let guess = Cow::Owned(self.policies.vocabulary.guess([name]));
        Telling { binding, guess, arguments: Cow::Borrowed(operation.params) }
    }

    fn tellings_of_uri<'h>(
        &'h self,
        server: &kenward_model::ServerName,
        uri: &str,
    ) -> Vec<Telling<'h>> {
        let guess = || Cow::Owned(self.policies.vocabulary.guess([uri]));
        let mut bound: Vec<Telling<'h>> = Vec::new();
        for (binding, variables) in self.policies.bindings.resource(server, uri) {
            let (binding, arguments) = (Some(&**binding), Cow::Owned(variables));
            bound.push(Telling { binding, guess: Cow::Owned(Guess::none()), arguments });
        }
        if bound.is_empty() {
            let arguments = Cow::Owned(serde_json::json!({ "uri": uri }));
            bound.push(Telling { binding: None, guess: guess(), arguments });
        }
        bound
    }
}

impl Telling<'_> {
    /// Whether anything is known or guessed of it.
    fn tells(&self) -> bool {
        self.binding.is_some_and(|binding| !binding.possible().is_empty())
            || !self.guess.families().is_empty()
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules { binding: self.binding, guess: &self.guess }
    }
}

/// Whether the answer to the method holds the facts, rather than the news that they have changed.
fn tells_at_once(method: &str) -> bool {
    matches!(method, "tools/call" | "prompts/get" | "resources/read")
}

/// Policy before the engine: every fact is asked as an operation of its own.
pub(crate) struct FactJudge<'j, 'a> {
    hearing: &'j Hearing<'a>,
    via: &'j EntityUid,
    basis: &'j mut Basis,
    /// The question that is put, where it is not the third or the fourth.
    question: Option<Question>,
    /// The facts that the basis has: it may be asked about very many.
    noted: HashSet<Fact>,
    /// The facts that were answered no, and how.
    refused: Vec<(Fact, No)>,
}

impl<'j, 'a> FactJudge<'j, 'a> {
    pub(crate) fn new(hearing: &'j Hearing<'a>, via: &'j EntityUid, basis: &'j mut Basis) -> Self {
        let noted = basis.facts.iter().cloned().collect();
        Self { hearing, via, basis, question: None, noted, refused: Vec::new() }
    }

    /// The same judge, putting `question`.
    pub(crate) fn asking(self, question: Question) -> Self {
        Self { question: Some(question), ..self }
    }
}

impl Judge for FactJudge<'_, '_> {
    fn may_learn(&mut self, fact: &Fact, inferred: bool) -> Opinion {
        if self.noted.insert(fact.clone()) {
            self.basis.note_object(&fact.subject);
            self.basis.facts.push(fact.clone());
        }
        let answer = self.hearing.ask_fact(fact, self.via, inferred);
        let usual = if inferred { Question::Inference } else { Question::Fact };
        let question = self.question.unwrap_or(usual);
        match answer.settle(question, self.basis) {
            Ok(()) => Opinion::Yes,
            Err(no) => {
                self.refused.push((fact.clone(), no));
                if answer.merely_unpermitted() { Opinion::Silent } else { Opinion::No }
            }
        }
    }
}

impl No {
    /// The engine's no, with policy's own words where it was policy's.
    fn stopped(stop: Stop, refused: Vec<(Fact, Self)>) -> Self {
        let Stop { why, inferred, subject, family } = stop;
        let question = if inferred { Question::Inference } else { Question::Fact };
        match why {
            Why::Fact(fact) => {
                let no = refused.into_iter().find(|(asked, _)| *asked == fact);
                no.map_or_else(|| Self::new(question, Cause::Policy), |(_, no)| no)
            }
            Why::Unresolved(why) => Self::new(question, Cause::Unresolved(why.to_string())),
            Why::Ask(reason) => {
                let ask = subject.zip(family);
                let ask = ask.map(|(subject, family)| Box::new(Ask { subject, family, reason }));
                let words = format!("somebody has to agree first: {}", words_of(reason));
                Self { ask, ..Self::new(Question::Inference, Cause::History(words)) }
            }
            Why::Shadow { .. }
            | Why::Misses
            | Why::Filter
            | Why::Budget
            | Why::Full
            | Why::Unbound => Self::new(question, Cause::History(words(&why))),
        }
    }

    /// Whether a shadow falls on what the operation was about. What the engine refuses casts its
    /// own; more scope or a better standing would help; what cannot be read is about nobody.
    pub(crate) fn casts_a_shadow(&self) -> bool {
        let by_policy = match self.cause {
            Cause::Policy => true,
            Cause::Scope
            | Cause::Unresolved(_)
            | Cause::Mapping(_)
            | Cause::Arguments(_)
            | Cause::PolicyError(_)
            | Cause::Standing
            | Cause::History(_)
            | Cause::Definition(_) => false,
        };
        by_policy && !self.unknown && self.question <= Question::Object
    }
}

/// What stands against the call, for records and people.
fn words(why: &Why) -> String {
    let plain = match why {
        Why::Shadow { source, cast_by } => {
            return format!("the same was refused before, {}: {cast_by}", by(*source));
        }
        Why::Fact(fact) => return format!("`{}` may not be learnt", fact.attribute),
        Why::Unresolved(why) => return why.to_string(),
        Why::Ask(reason) => words_of(*reason),
        Why::Misses => "too many guesses were wrong",
        Why::Filter => "the figure would be about one person",
        Why::Budget => "too many people were asked about in this time",
        Why::Full => "the history has no room for what would be learnt",
        Why::Unbound => "nobody has described what the tool reveals",
    };
    plain.to_owned()
}

fn by(source: ShadowSource) -> &'static str {
    match source {
        ShadowSource::Policy => "by policy",
        ShadowSource::Upstream => "by the server",
        ShadowSource::Hidden => "as the tool is not for this person",
        ShadowSource::Approval => "by whoever was asked",
        ShadowSource::Unresolved => "as nobody could tell whom it was about",
    }
}

fn words_of(reason: AskReason) -> &'static str {
    match reason {
        AskReason::Probes => "several tools were tried at something that was refused",
        AskReason::Budget => "many people were asked about in this time",
    }
}
