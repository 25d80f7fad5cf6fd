//! Where a story is played: policies, a directory and histories that change as it goes on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use kenward_disclosure::{Carrier, Entry, Handles, History, Settings};
use kenward_model::{
    Caller, DecisionId, EntityUid, Fact, Operation, ServerName, Target, Timestamp,
};
use kenward_policy::{
    Asker, Case, Environment, Memory, Policies, Reason, Reviewed, Verdict, answer_digest,
};
use kenward_world::{Change, ChangeError, EntityRecord, Source, World};
use serde_json::{Map, Value, json};

use super::Histories;

/// Who calls, and in which circumstances.
#[derive(Debug, Clone, Default)]
pub(crate) struct Given {
    pub(crate) user: String,
    pub(crate) agent: String,
    pub(crate) groups: Vec<String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) protocol: String,
    pub(crate) claims: Map<String, Value>,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) server: ServerName,
    pub(crate) method: &'static str,
    pub(crate) target: Target<'static>,
    pub(crate) params: Value,
    pub(crate) answer: Option<Value>,
}

impl Asked {
    /// A tool is called.
    pub(crate) fn tool(server: ServerName, tool: &str, arguments: &Map<String, Value>) -> Self {
        let params = json!({ "name": tool, "arguments": arguments });
        let target = Target::Tool(tool.to_owned().into());
        Self { server, method: "tools/call", target, params, answer: None }
    }

    /// A prompt is fetched.
    pub(crate) fn prompt(server: ServerName, name: &str, arguments: &Map<String, Value>) -> Self {
        let params = json!({ "name": name, "arguments": arguments });
        let target = Target::Prompt(name.to_owned().into());
        Self { server, method: "prompts/get", target, params, answer: None }
    }

    /// An MCP resource is read.
    pub(crate) fn read(server: ServerName, uri: &str) -> Self {
        let target = Target::Resource(uri.to_owned().into());
        let params = json!({ "uri": uri });
        Self { server, method: "resources/read", target, params, answer: None }
    }

    /// The same with what the server would answer.
    pub(crate) fn answered(self, answer: Option<Value>) -> Self {
        Self { answer, ..self }
    }

    fn carrier(&self) -> Carrier {
        match &self.target {
            Target::Prompt(_) => Carrier::Prompt,
            Target::Resource(_) => Carrier::Resource,
            Target::Server | Target::Tool(_) | Target::ResourceTemplate(_) => Carrier::Tool,
        }
    }
}

/// What was decided.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) verdict: Verdict,
    /// The answer as it would be released, where it was given and anything of it is.
    pub(crate) answer: Option<Value>,
    /// What became of the answer, where it was given.
    pub(crate) reviewed: Option<Reviewed>,
}

/// Where a story is played.
#[derive(Debug)]
pub(crate) struct Stage<'p> {
    pub(crate) policies: &'p Policies,
    pub(crate) world: World,
    pub(crate) settings: Settings,
    pub(crate) now: Timestamp,
    histories: Histories,
    handles: Handles,
    decisions: u64,
}

impl<'p> Stage<'p> {
    /// A stage on which nothing has happened.
    pub(crate) fn new(
        policies: &'p Policies,
        world: World,
        settings: Settings,
        now: Timestamp,
    ) -> Self {
        let (histories, handles) = (Histories::new(), Handles::new([0; 32]));
        Self { policies, world, settings, now, histories, handles, decisions: 0 }
    }

    /// What is known of handles.
    pub(crate) fn with_handles(self, handles: Handles) -> Self {
        Self { handles, ..self }
    }

    /// Adds to what somebody was told or refused.
    pub(crate) fn remember(&mut self, person: &EntityUid, entry: &Entry) {
        self.histories.entry(person.clone()).or_default().apply(entry);
    }

    /// Time passes.
    pub(crate) fn wait(&mut self, span: Duration) {
        self.now = self.now.plus(span);
    }

    /// Puts an entity into the directory, whoever had it there before.
    pub(crate) fn put(&mut self, record: EntityRecord) -> Result<(), ChangeError> {
        let uid = record.uid();
        let source = self.world.entity(&uid).map(|known| known.source.clone());
        let change = Change::Put(source.unwrap_or(Source::Admin), record);
        self.world = self.world.apply(&change)?;
        Ok(())
    }

    /// Takes an entity out of the directory.
    pub(crate) fn remove(&mut self, uid: &EntityUid) -> Result<(), ChangeError> {
        if let Some(source) = self.world.entity(uid).map(|known| known.source.clone()) {
            self.world = self.world.apply(&Change::Remove(source, uid.clone()))?;
        }
        Ok(())
    }

    /// Decides, and lets the answer pass if there is one: as the gateway does it.
    pub(crate) fn hear(&mut self, given: &Given, asked: &Asked) -> Heard {
        let caller = caller(given);
        let history = self.histories.remove(&caller.user).unwrap_or_default();
        let (heard, history) = self.heard(given, &caller, asked, history);
        self.histories.insert(caller.user, history);
        heard
    }

    fn heard(
        &mut self,
        given: &Given,
        caller: &Caller,
        asked: &Asked,
        mut history: History,
    ) -> (Heard, History) {
        self.decisions += 1;
        let decision = decision(self.now, self.decisions);
        let operation = Operation {
            server: &asked.server,
            method: asked.method,
            target: asked.target.clone(),
            params: &asked.params,
        };
        let asker = self.asker(given, caller);
        let case =
            Case { asker, operation: &operation, memory: self.memory(&history, decision, asked) };
        let verdict = self.policies.decide(&case);
        apply(&mut history, &verdict.effects().entries);
        let expects = verdict.effects().expects.clone();
        let Some(mut answer) = asked.answer.clone().filter(|_| verdict.is_allowed()) else {
            history.apply(&Entry::Confirmed(decision));
            return (Heard { verdict, answer: None, reviewed: None }, history);
        };
        let case =
            Case { asker, operation: &operation, memory: self.memory(&history, decision, asked) };
        let reviewed = self.policies.review(&case, &expects, asked.carrier(), &mut answer);
        apply(&mut history, &reviewed.entries);
        history.apply(&Entry::Confirmed(decision));
        for link in &reviewed.links {
            self.handles.insert(link.handle, link.owner.clone());
        }
        let answer = reviewed.withheld.is_none().then_some(answer);
        (Heard { verdict, answer, reviewed: Some(reviewed) }, history)
    }

    fn memory<'m>(
        &'m self,
        history: &'m History,
        decision: DecisionId,
        asked: &Asked,
    ) -> Memory<'m> {
        Memory {
            history,
            handles: &self.handles,
            settings: &self.settings,
            decision,
            answer: digest(asked),
            is_away: false,
        }
    }

    /// Whether one fact may be learnt, and the policies that forbid it.
    pub(crate) fn may_learn(
        &self,
        given: &Given,
        fact: &Fact,
        via: &EntityUid,
    ) -> Result<(), Vec<Reason>> {
        let caller = caller(given);
        self.policies.may_learn(&self.asker(given, &caller), fact, via, false)
    }

    /// Whether a tool is on the caller's list.
    pub(crate) fn lists(&self, given: &Given, server: &ServerName, tool: &str) -> bool {
        let caller = caller(given);
        let target = Target::Tool(tool.into());
        let operation = Operation { server, method: "tools/list", target, params: &Value::Null };
        let asker = self.asker(given, &caller);
        self.policies.may_list(&Case { asker, operation: &operation, memory: Memory::blank() })
    }

    fn asker<'a>(&'a self, given: &'a Given, caller: &'a Caller) -> Asker<'a> {
        let environment =
            Environment { now: self.now, ip: given.ip, protocol: given.protocol.as_str() };
        Asker { caller, world: &self.world, environment }
    }
}

fn apply(history: &mut History, entries: &[Entry]) {
    for entry in entries {
        history.apply(entry);
    }
}

/// The caller that a verified token would have made.
fn caller(given: &Given) -> Caller {
    let shared = |texts: &[String]| texts.iter().map(|text| Arc::from(text.as_str())).collect();
    let mut claims = given.claims.clone();
    claims.insert("sub".to_owned(), Value::from(given.user.as_str()));
    claims.insert("client_id".to_owned(), Value::from(given.agent.as_str()));
    let mut caller = Caller {
        user: EntityUid::new("User", given.user.as_str()),
        agent: EntityUid::new("Mcp::Agent", given.agent.as_str()),
        issuer: "story".into(),
        subject: given.user.as_str().into(),
        groups: shared(&given.groups),
        scopes: shared(&given.scopes),
        acr: given.acr.as_deref().map(Arc::from),
        amr: shared(&given.amr),
        auth_time: given.auth_time,
        expires: Timestamp::from_micros(i64::MAX),
        claims: Value::Object(claims),
        fingerprint: 0,
    };
    caller.fingerprint = kenward_identity::fingerprint(&caller);
    caller
}

/// The number of a decision as its id.
fn decision(now: Timestamp, number: u64) -> DecisionId {
    let mut entropy = [0; 10];
    entropy.iter_mut().rev().zip(number.to_le_bytes()).for_each(|(to, byte)| *to = byte);
    DecisionId::new(now, &entropy)
}

/// Equal for calls that get the same answer, and the same as in the gateway.
fn digest(asked: &Asked) -> u64 {
    let arguments = asked.params.get("arguments").unwrap_or(&Value::Null);
    // What has no digest is refused by the gateway before it is decided.
    let arguments = kenward_identity::grant::arguments_sha256(arguments).unwrap_or([0; 32]);
    answer_digest(&asked.server, &asked.target, &arguments)
}
