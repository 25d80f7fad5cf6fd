//! Plays a request that the solver found on the compiled policies, as the gateway would decide it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kenward_model::{
    Caller, EntityUid, Fact, Operation, Precision, Question, Revision, ServerName, Target,
    Timestamp,
};
use kenward_policy::mapping::Evaluation;
use kenward_policy::{Asker, Case, Cause, Environment as Circumstances, Memory, Policies, Verdict};
use kenward_world::{Change, EntityRecord, Source, Standing, World};
use serde_json::{Map, Value, json};

use crate::environment::{Asked, Environment};
use crate::example::Example;

/// A request made into what the gateway knows: a caller, a directory and circumstances.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    pub(crate) caller: Caller,
    pub(crate) directory: Vec<EntityRecord>,
    pub(crate) standing: Standing,
    pub(crate) now: Timestamp,
    pub(crate) ip: Option<IpAddr>,
    pub(crate) protocol: String,
}

/// What became of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Replayed {
    /// The question is answered yes.
    Allowed,
    /// It is answered yes, and the call is refused at another one.
    AllowedThere(u8),
    /// It is answered no.
    Refused,
}

impl Scene {
    /// The scene of `example`, in which `user` acts through the agent of its context.
    ///
    /// # Errors
    /// Why no call can look like that.
    pub(crate) fn of(example: &Example, user: &EntityUid) -> Result<Self, String> {
        let agent = example.reference("agent").ok_or("no agent is named")?;
        let texts = |member: &str| -> Vec<Arc<str>> {
            let items = example.context.get(member).and_then(Value::as_array);
            items.into_iter().flatten().filter_map(Value::as_str).map(Arc::from).collect()
        };
        let ip = match example.text("ip") {
            None => None,
            Some(text) => Some(address(text)?),
        };
        let caller = Caller {
            user: user.clone(),
            agent: agent.clone(),
            issuer: "proof".into(),
            subject: Arc::clone(&user.id),
            groups: texts("groups"),
            scopes: texts("scopes"),
            acr: example.text("acr").map(Arc::from),
            amr: texts("amr"),
            auth_time: example.text("auth_time").map(time).transpose()?,
            expires: Timestamp::from_micros(i64::MAX),
            claims: json!({ "sub": user.id, "client_id": agent.id }),
            // Nothing that was remembered for another scene may answer for this one.
            fingerprint: next(),
        };
        Ok(Self {
            caller,
            directory: directory(example, user, &agent),
            standing: Standing {
                risk: example.text("risk").map(Arc::from),
                device_compliant: example.context.get("device_compliant").and_then(Value::as_bool),
                ..Standing::default()
            },
            now: example.text("now").map_or(Ok(Timestamp::from_micros(0)), time)?,
            ip,
            protocol: example.text("protocol").unwrap_or_default().to_owned(),
        })
    }

    fn world(&self) -> Result<World, String> {
        let source = Source::File("proof".into());
        let stated = Change::ReplaceAll(source, self.directory.clone());
        let standing = Change::Standing(self.caller.user.clone(), self.standing.clone());
        let world = World::empty().apply(&stated).and_then(|world| world.apply(&standing));
        let world = world.map_err(|error| error.to_string())?;
        Ok(world.at_least(Revision(next())))
    }

    /// Asks the compiled policies.
    ///
    /// # Errors
    /// Why it cannot be asked.
    pub(crate) fn replay(
        &self,
        example: &Example,
        environment: &Environment,
        policies: &Policies,
    ) -> Result<Replayed, String> {
        let world = self.world()?;
        let circumstances = Circumstances { now: self.now, ip: self.ip, protocol: &self.protocol };
        let asker = Asker { caller: &self.caller, world: &world, environment: circumstances };
        match &environment.asked {
            Asked::Learn => {
                let via = example.reference("via").ok_or("the fact is told by nothing")?;
                let inferred = example.context.get("inferred") == Some(&Value::Bool(true));
                let answer = policies.may_learn(&asker, &fact(example)?, &via, inferred);
                Ok(if answer.is_ok() { Replayed::Allowed } else { Replayed::Refused })
            }
            Asked::Object => {
                let evaluation = Evaluation {
                    action: example.action.id.to_string(),
                    resource: example.resource.clone(),
                    context: example.context.get("mapping").cloned(),
                    claimed: example.context.get("claimed").cloned(),
                };
                let yes = policies.may_act(&asker, &evaluation);
                Ok(if yes { Replayed::Allowed } else { Replayed::Refused })
            }
            Asked::Tool { .. }
            | Asked::AnyTool
            | Asked::Prompt
            | Asked::Read
            | Asked::Server { .. } => {
                let asked = operation(example, environment)?;
                Ok(asked.put(policies, asker))
            }
        }
    }
}

/// The fact that the request is about.
pub(crate) fn fact(example: &Example) -> Result<Fact, String> {
    let missing = || "the request states no fact".to_owned();
    let precision = example.context.get("precision").and_then(Value::as_u64).ok_or_else(missing)?;
    Ok(Fact {
        subject: example.resource.clone(),
        attribute: example.text("attribute").ok_or_else(missing)?.into(),
        family: example.text("family").ok_or_else(missing)?.into(),
        precision: Precision(u8::try_from(precision).map_err(|_| missing())?),
    })
}

/// A message that asks what the request asks.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) server: ServerName,
    pub(crate) method: String,
    pub(crate) target: Target<'static>,
    pub(crate) params: Value,
}

/// The message of a request.
///
/// # Errors
/// Why there is none.
pub(crate) fn operation(example: &Example, environment: &Environment) -> Result<Message, String> {
    let nameless = || format!("`{}` is in no server", example.resource);
    let of_server = |name: &str| ServerName::try_from(name.to_owned()).map_err(|_| nameless());
    if let Asked::Server { method, .. } = &environment.asked {
        let server = of_server(&example.resource.id)?;
        let (method, target) = (method.clone(), Target::Server);
        return Ok(Message { server, method, target, params: json!({}) });
    }
    let (server, name) = example.resource.id.split_once('/').ok_or_else(nameless)?;
    let server = of_server(server)?;
    let name = name.to_owned();
    let (method, target, params) = match &*example.resource.kind {
        "Mcp::Tool" => {
            let arguments = example.context.get("arguments").cloned();
            let arguments = arguments.unwrap_or_else(|| Value::Object(Map::new()));
            let params = json!({ "name": name, "arguments": arguments });
            ("tools/call", Target::Tool(name.into()), params)
        }
        "Mcp::Prompt" => {
            let params = json!({ "name": name, "arguments": {} });
            ("prompts/get", Target::Prompt(name.into()), params)
        }
        "Mcp::Resource" => {
            let params = json!({ "uri": name });
            ("resources/read", Target::Resource(name.into()), params)
        }
        "Mcp::ResourceTemplate" => {
            let params = json!({ "uri": name });
            ("resources/read", Target::ResourceTemplate(name.into()), params)
        }
        _ => return Err(nameless()),
    };
    Ok(Message { server, method: method.to_owned(), target, params })
}

impl Message {
    fn put(&self, policies: &Policies, asker: Asker<'_>) -> Replayed {
        let operation = Operation {
            server: &self.server,
            method: &self.method,
            target: self.target.clone(),
            params: &self.params,
        };
        let case = Case { asker, operation: &operation, memory: Memory::blank() };
        match policies.decide(&case) {
            Verdict::Allow(_) => Replayed::Allowed,
            Verdict::Refuse(refusal) => match (refusal.question, &refusal.cause) {
                (Question::Operation, Cause::Scope) => Replayed::AllowedThere(1),
                (Question::Operation, _) => Replayed::Refused,
                (question, _) => Replayed::AllowedThere(question.number()),
            },
        }
    }
}

/// The entities of the deployment that a request is about: those of the gateway itself it makes.
fn directory(example: &Example, user: &EntityUid, agent: &EntityUid) -> Vec<EntityRecord> {
    let matters = |uid: &EntityUid| {
        let known = example.entities.get(uid);
        let empty =
            known.is_none_or(|known| known.attributes.is_empty() && known.parents.is_empty());
        let principal = *uid == example.principal;
        match &*uid.kind {
            // An agent that the directory knows needs rights of its own.
            "Mcp::Agent" => *uid == *agent && (principal || !empty),
            kind if kind.starts_with("Mcp::") || kind == "Action" => false,
            _ => uid == user || *uid == example.resource || !empty,
        }
    };
    let mut uids: Vec<EntityUid> = example.entities.keys().cloned().collect();
    for needed in [user, agent, &example.resource] {
        if !uids.contains(needed) {
            uids.push(needed.clone());
        }
    }
    uids.retain(matters);
    uids.into_iter()
        .map(|uid| {
            let known = example.entities.get(&uid).cloned().unwrap_or_default();
            EntityRecord {
                kind: uid.kind.to_string(),
                id: uid.id.to_string(),
                attributes: known.attributes,
                parents: known.parents.into_iter().collect(),
                aliases: Vec::new(),
            }
        })
        .collect()
}

/// One address; of a range, its first.
fn address(text: &str) -> Result<IpAddr, String> {
    let first = text.split('/').next().unwrap_or(text);
    first.parse().map_err(|_| format!("`{text}` is no address"))
}

/// A point in time as Cedar writes it, and what is added to it.
fn time(text: &str) -> Result<Timestamp, String> {
    let no_time = || format!("`{text}` is no time that the gateway could meet");
    let (date, span) = text.split_once(" + ").unwrap_or((text, "0ms"));
    let date = if date.contains('T') { date.to_owned() } else { format!("{date}T00:00:00Z") };
    let start: jiff::Timestamp = date.parse().map_err(|_| no_time())?;
    let millis: i64 = span.strip_suffix("ms").and_then(|n| n.parse().ok()).ok_or_else(no_time)?;
    let micros = millis.checked_mul(1000).and_then(|span| start.as_microsecond().checked_add(span));
    Ok(Timestamp::from_micros(micros.ok_or_else(no_time)?))
}

fn next() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
