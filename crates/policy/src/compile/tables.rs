//! Builds the tables of environments: one for each action and each kind of resource.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy_core::ast::{Entity, EntityType, EntityUID};
use cedar_policy_core::validator::{ValidatorActionId, ValidatorSchema};
use kenward_model::{EntityUid, ServerName, Target};

use crate::index::{ArgumentType, Indexer, Pair, Resource};
use crate::policies::ObjectAction;
use crate::rule::Rule;
use crate::schema::Schema;
use crate::schema::kinds::{Kinds, shape_of};
use crate::schema::vocabulary::{
    AGENT, CALL, GET_PROMPT, LEARN, PROMPT, READ, RESOURCE, SERVER, SERVER_METHODS, TEMPLATE, TOOL,
    ToolAction, USER,
};
use crate::shape::Shape;
use crate::slice;

/// The actions of the schema as entities, their groups closed.
pub(super) struct Actions {
    by_name: HashMap<String, Arc<Entity>>,
}

impl Actions {
    pub(super) fn of(schema: &Schema) -> Self {
        let entities = schema.all().action_entities();
        let by_name = entities
            .iter()
            .flat_map(|entities| {
                entities.iter().map(|entity| Arc::new(entity.clone())).collect::<Vec<_>>()
            })
            .map(|entity| (entity.uid().to_string(), entity))
            .collect();
        Self { by_name }
    }

    /// Kenward's own action `id`.
    pub(super) fn mcp(&self, id: &str) -> Option<Arc<Entity>> {
        let kind: EntityType = "Mcp::Action".parse().ok()?;
        let uid = EntityUID::from_components(kind, cedar_policy_core::ast::Eid::new(id), None);
        self.get(&uid)
    }

    fn get(&self, uid: &EntityUID) -> Option<Arc<Entity>> {
        self.by_name.get(&uid.to_string()).cloned()
    }
}

/// All tables.
pub(super) struct Tables {
    pub(super) kinds: Kinds,
    pub(super) tools: HashMap<(ServerName, Arc<str>), ToolTable>,
    pub(super) methods: HashMap<&'static str, Pair>,
    pub(super) unseen_tools: Pair,
    pub(super) prompts: Pair,
    pub(super) resources: Pair,
    pub(super) templates: Pair,
    pub(super) learn: HashMap<Arc<str>, Pair>,
    pub(super) object_actions: HashMap<Arc<str>, ObjectAction>,
}

/// What is made for one tool.
pub(super) struct ToolTable {
    pub(super) uid: EntityUid,
    pub(super) entity: Arc<Entity>,
    pub(super) pair: Pair,
}

/// Builds all tables; nothing only when the schema lacks Kenward's own types.
pub(super) fn build(schema: &Schema, actions: &Actions, rules: &[Arc<Rule>]) -> Option<Tables> {
    let kinds = Kinds::of(schema.all());
    let kind = |name: &str| kinds.get(name).map(|kind| kind.name.clone());
    let mut indexer = Indexer::new(rules, kind(USER)?, kind(AGENT)?);
    let mut on = |action: &str, name: &str| {
        let (action, kind) = (actions.mcp(action)?, kind(name)?);
        Some(indexer.pair(&action, Resource::OfType(&kind), ArgumentType::None))
    };
    let mut methods = HashMap::new();
    for method in SERVER_METHODS {
        methods.insert(method, on(method, SERVER)?);
    }
    let unseen_tools = on(CALL, TOOL)?;
    let prompts = on(GET_PROMPT, PROMPT)?;
    let resources = on(READ, RESOURCE)?;
    let templates = on(READ, TEMPLATE)?;
    let mut learn = HashMap::new();
    for name in schema.learnable() {
        learn.insert(Arc::from(name.as_str()), on(LEARN, &name)?);
    }
    let tools = schema
        .tools()
        .iter()
        .filter_map(|tool| tool_pair(tool, actions, &kinds, &mut indexer))
        .collect();
    let object_actions = object_actions(schema.all(), actions, &kinds, &mut indexer);
    Some(Tables {
        kinds,
        tools,
        methods,
        unseen_tools,
        prompts,
        resources,
        templates,
        learn,
        object_actions,
    })
}

fn tool_pair(
    tool: &ToolAction,
    actions: &Actions,
    kinds: &Kinds,
    indexer: &mut Indexer<'_>,
) -> Option<((ServerName, Arc<str>), ToolTable)> {
    let action = actions.mcp(&tool.id())?;
    let target = Target::Tool(tool.name.as_ref().into());
    let entity = Arc::new(slice::target(kinds, &tool.server, &target)?);
    let arguments = match &tool.arguments {
        Some(arguments) => ArgumentType::Known(&arguments.shape),
        None => ArgumentType::Unknown,
    };
    let pair = indexer.pair(&action, Resource::Known(&entity), arguments);
    let key = (tool.server.clone(), Arc::clone(&tool.name));
    Some((key, ToolTable { uid: target.uid(&tool.server), entity, pair }))
}

/// The deployment's own actions outside of any namespace, which mappings name.
fn object_actions(
    schema: &ValidatorSchema,
    actions: &Actions,
    kinds: &Kinds,
    indexer: &mut Indexer<'_>,
) -> HashMap<Arc<str>, ObjectAction> {
    let mut declared: Vec<&ValidatorActionId> = schema
        .action_ids()
        .filter(|action| action.name().entity_type().to_string() == "Action")
        .collect();
    declared.sort_by_key(|action| action.name().to_string());
    let mut made = HashMap::new();
    for action in declared {
        let for_users = action.principals().any(|kind| kind.to_string() == USER);
        let Some(entity) = actions.get(action.name()).filter(|_| for_users) else { continue };
        let mut pairs = HashMap::new();
        for name in action.resources().map(ToString::to_string) {
            if let Some(kind) = kinds.get(&name) {
                let pair = indexer.pair(&entity, Resource::OfType(&kind.name), ArgumentType::None);
                pairs.insert(Arc::from(name), pair);
            }
        }
        let id: &str = action.name().eid().as_ref();
        let object_action = ObjectAction {
            kinds: pairs,
            mapping: context_member(schema, action, "mapping"),
            claimed: context_member(schema, action, "claimed"),
        };
        made.insert(Arc::from(id), object_action);
    }
    made
}

/// The type of a member of the action's context.
fn context_member(
    schema: &ValidatorSchema,
    action: &ValidatorActionId,
    name: &str,
) -> Option<Shape> {
    let Some(Shape::Record(record)) = shape_of(schema, action.context()?) else { return None };
    record.members.get(name).map(|member| member.shape.clone())
}
