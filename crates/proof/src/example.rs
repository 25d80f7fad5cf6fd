//! A request that the solver found, in our own words.

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy_symcc::Env;
use kenward_model::EntityUid;
use serde_json::{Map, Value, json};

use crate::domain::{self, Condition};
use crate::environment::Environment;
use crate::setting::{self, Setting};

/// A concrete request with the entities that it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Example {
    /// Who asks: a user or an agent.
    pub principal: EntityUid,
    /// The action, for example `Mcp::Action::"learn"`.
    pub action: EntityUid,
    /// On what.
    pub resource: EntityUid,
    /// The context, as Cedar's JSON writes it.
    pub context: Map<String, Value>,
    /// The entities, by name.
    pub entities: BTreeMap<EntityUid, Known>,
}

/// What is known of an entity.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Its attributes: references as `{ "type": …, "id": … }`, values of extensions as texts.
    pub attributes: Map<String, Value>,
    /// Everything that it is in.
    pub parents: BTreeSet<EntityUid>,
}

impl Example {
    /// Reads what the solver found. Ids that no policy names are replaced by ones that can be read.
    /// Those in `kept` stay as they are.
    pub(crate) fn of(
        found: &Env,
        setting: &Setting<'_>,
        kept: &BTreeSet<EntityUid>,
    ) -> Option<Self> {
        let request = &found.request;
        let context = request.context()?.to_json_value().ok()?;
        let mut entities = BTreeMap::new();
        for entity in found.entities.iter() {
            let json = entity.to_json_value().ok()?;
            let attributes = json.get("attrs").and_then(Value::as_object).cloned();
            let uid = setting::uid(&entity.uid());
            if is_action(&uid) {
                continue;
            }
            let above = found.entities.ancestors(&entity.uid()).into_iter().flatten();
            let parents = above.map(setting::uid).collect();
            let known = Known { attributes: attributes.unwrap_or_default(), parents };
            entities.insert(uid, known);
        }
        let raw = Self {
            principal: setting::uid(request.principal()?),
            action: setting::uid(request.action()?),
            resource: setting::uid(request.resource()?),
            context: context.as_object()?.clone(),
            entities,
        };
        Some(raw.readable(setting, kept))
    }

    fn readable(self, setting: &Setting<'_>, kept: &BTreeSet<EntityUid>) -> Self {
        let kept: BTreeSet<EntityUid> = setting.named.union(kept).cloned().collect();
        let mut names = Names { given: BTreeMap::new(), taken: kept.clone(), kept };
        let home = |uid: &EntityUid| {
            let above = self.entities.get(uid).map(|known| &known.parents);
            above?.iter().find(|above| &*above.kind == "Mcp::Server").cloned()
        };
        let principal = names.of(&self.principal, home(&self.principal));
        let resource = names.of(&self.resource, home(&self.resource));
        let context = names.members(&self.context);
        let entities = self
            .entities
            .iter()
            .map(|(uid, known)| {
                let parents = known.parents.iter().map(|above| names.of(above, None)).collect();
                let attributes = names.members(&known.attributes);
                (names.of(uid, home(uid)), Known { attributes, parents })
            })
            .collect();
        Self { principal, action: self.action.clone(), resource, context, entities }
    }

    /// Conditions that fix the request's resource and context, for a request of somebody else in
    /// `environment`.
    pub(crate) fn fixed(&self, setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
        let mut all = vec![format!("resource == {}", domain::name(&self.resource))];
        let known = self.entities.get(&self.resource).cloned().unwrap_or_default();
        let attributes = known.attributes.iter().map(|(name, value)| ("resource", name, value));
        let members = self.context.iter().map(|(name, value)| ("context", name, value));
        for (of, name, value) in attributes.chain(members) {
            // What a text stands for depends on the type that the schema gives it.
            let mut readings = equal(of, name, value).into_iter();
            all.extend(readings.find(|condition| {
                let policies = domain::only(vec![condition.clone()]);
                policies.is_ok_and(|policies| setting.compile(&policies, environment).is_ok())
            }));
        }
        all.extend(self.membership(setting, "resource", &self.resource));
        if let Some(agent) = self.reference("agent") {
            all.extend(self.membership(setting, "context.agent", &agent));
        }
        all
    }

    fn membership(
        &self,
        setting: &Setting<'_>,
        what: &str,
        uid: &EntityUid,
    ) -> impl Iterator<Item = Condition> {
        let above = self.entities.get(uid).map(|known| known.parents.clone()).unwrap_or_default();
        let groups: Vec<EntityUid> = domain::groups(setting).cloned().collect();
        groups.into_iter().map(move |group| {
            let no = if above.contains(&group) { "" } else { "!" };
            format!("{no}({what} in {})", domain::name(&group))
        })
    }

    /// The entity that the context names as `member`.
    pub(crate) fn reference(&self, member: &str) -> Option<EntityUid> {
        let value = self.context.get(member)?;
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        Some(EntityUid::new(text("type")?, text("id")?))
    }

    /// A text of the context.
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.context.get(member).and_then(Value::as_str)
    }

    /// Takes over the entities of `other` that are not known here.
    pub(crate) fn with_entities_of(mut self, other: &Self) -> Self {
        for (uid, known) in &other.entities {
            self.entities.entry(uid.clone()).or_insert_with(|| known.clone());
        }
        self
    }

    /// The request in a few lines for people.
    pub fn lines(&self) -> Vec<String> {
        let told = |uid: &EntityUid| {
            let known = self.entities.get(uid).cloned().unwrap_or_default();
            let mut text = uid.to_string();
            if !known.parents.is_empty() {
                let above: Vec<String> = known.parents.iter().map(ToString::to_string).collect();
                text = format!("{text} in {}", above.join(", "));
            }
            if !known.attributes.is_empty() {
                text = format!("{text} {}", Value::Object(known.attributes));
            }
            text
        };
        let context = Value::Object(self.context.clone());
        vec![
            format!("principal {}", told(&self.principal)),
            format!("action    {}", self.action),
            format!("resource  {}", told(&self.resource)),
            format!("context   {context}"),
        ]
    }

    /// The request as JSON.
    pub fn json(&self) -> Value {
        let known = self.entities.iter();
        let entities: Vec<Value> = known
            .filter(|(_, known)| !known.attributes.is_empty() || !known.parents.is_empty())
            .map(|(uid, known)| {
                json!({ "type": uid.kind, "id": uid.id, "attributes": known.attributes,
                        "parents": known.parents })
            })
            .collect();
        json!({ "principal": self.principal, "action": self.action, "resource": self.resource,
                "context": self.context, "entities": entities })
    }
}

/// The conditions of which one says that a member is what it is.
fn equal(of: &str, name: &str, value: &Value) -> Vec<Condition> {
    let name = domain::quoted(name);
    let mut values: Vec<String> = literal(value).into_iter().collect();
    if let Value::String(text) = value {
        let (start, span) = text.split_once(" + ").unwrap_or((text, ""));
        let (start, text) = (domain::quoted(start), domain::quoted(text));
        values.push(match span {
            "" => format!("datetime({start})"),
            span => format!("datetime({start}).offset(duration({}))", domain::quoted(span)),
        });
        values.extend(["ip", "decimal", "duration"].map(|read| format!("{read}({text})")));
    }
    values.iter().map(|value| format!("{of} has {name} && {of}[{name}] == {value}")).collect()
}

/// A value in Cedar's words; nothing for those of extensions, which are texts here, and empty sets.
fn literal(value: &Value) -> Option<String> {
    match value {
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(domain::quoted(text)),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(literal).collect();
            Some(format!("[{}]", items?.join(", ")))
        }
        Value::Object(members) => {
            let text = |key: &str| members.get(key).and_then(Value::as_str);
            let is_reference = members.len() == 2;
            let uid = EntityUid::new(text("type")?, text("id")?);
            is_reference.then(|| domain::name(&uid))
        }
        Value::Null => None,
    }
}

/// New names for entities that no policy names: which ids they have changes no decision.
struct Names {
    kept: BTreeSet<EntityUid>,
    given: BTreeMap<EntityUid, EntityUid>,
    taken: BTreeSet<EntityUid>,
}

impl Names {
    fn of(&mut self, uid: &EntityUid, home: Option<EntityUid>) -> EntityUid {
        if self.kept.contains(uid) || is_fixed(uid) {
            return uid.clone();
        }
        if let Some(given) = self.given.get(uid) {
            return given.clone();
        }
        let word = uid.kind.rsplit("::").next().unwrap_or(&uid.kind).to_lowercase();
        let home = home.map(|home| format!("{}/", home.id)).unwrap_or_default();
        let names = (1_u32..).map(|n| EntityUid::new(&*uid.kind, format!("{home}{word}-{n}")));
        let mut free = names.filter(|name| !self.taken.contains(name));
        let name = free.next().unwrap_or_else(|| uid.clone());
        self.taken.insert(name.clone());
        self.given.insert(uid.clone(), name.clone());
        name
    }

    fn members(&mut self, members: &Map<String, Value>) -> Map<String, Value> {
        members.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
    }

    fn value(&mut self, value: &Value) -> Value {
        if let Some(reference) = value.get("__entity") {
            let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default();
            let uid = self.of(&EntityUid::new(text("type"), text("id")), None);
            return json!({ "type": uid.kind, "id": uid.id });
        }
        if let Some(call) = value.get("__extn") {
            return extension(call);
        }
        match value {
            Value::Array(items) => {
                Value::Array(items.iter().map(|item| self.value(item)).collect())
            }
            Value::Object(members) => Value::Object(self.members(members)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
        }
    }
}

/// Whether an entity has the only id that it can have.
fn is_fixed(uid: &EntityUid) -> bool {
    &*uid.kind == "Mcp::Server" || is_action(uid)
}

fn is_action(uid: &EntityUid) -> bool {
    &*uid.kind == "Action" || uid.kind.ends_with("::Action")
}

/// A value of an extension as the text that makes it.
fn extension(call: &Value) -> Value {
    if let Some(text) = call.get("arg").and_then(Value::as_str) {
        return json!(text);
    }
    let arguments = call.get("args").and_then(Value::as_array);
    let texts = arguments.into_iter().flatten().filter_map(|argument| {
        let call = argument.get("__extn")?;
        call.get("arg").and_then(Value::as_str)
    });
    let texts: Vec<&str> = texts.collect();
    json!(texts.join(" + "))
}
