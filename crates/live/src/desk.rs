//! The one writer: takes changes in turn, makes them durable, publishes and announces them.

mod definitions;

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use kenward_disclosure::{Bindings, Inferences};
use kenward_model::{Finding, Place, Revision, ServerName};
use kenward_policy::{Compiled, Policies, Sources, Surface, Tool};
use kenward_store::State;
use kenward_world::{Change, EntityRecord, Source, World};
use serde_json::Value;
use tokio::sync::{Mutex, watch};

use crate::{ChangeRefused, Defined, Histories, InForce};

pub use definitions::Judged;

/// What policies are compiled from, beside the definitions that servers declare.
#[derive(Debug, Clone)]
pub struct Desk {
    /// The deployment's Cedar schema and policies.
    pub sources: Sources,
    /// The servers, with their tools as far as they are configured or known.
    pub surface: Surface,
    /// The compiled bindings of the tools.
    pub bindings: Arc<Bindings>,
    /// Families and inferences.
    pub inferences: Arc<Inferences>,
}

impl Desk {
    /// Compiles the policies as they would be in force, with warnings beside them.
    pub fn compile(&self) -> Result<Compiled, Vec<Finding>> {
        Policies::compile(
            &self.sources,
            &self.surface,
            Arc::clone(&self.bindings),
            Arc::clone(&self.inferences),
        )
    }

    /// Whether `tools` of `server` are nothing new; those of a server that is not there never are.
    fn knows(&self, server: &ServerName, tools: &[Tool]) -> bool {
        let Some(surface) = self.surface.servers.get(server) else { return true };
        let known: BTreeMap<&str, &Tool> =
            surface.tools.iter().map(|tool| (&*tool.name, tool)).collect();
        tools.iter().all(|tool| {
            known
                .get(&*tool.name)
                .is_some_and(|old| old.input_schema.as_deref() == tool.input_schema.as_deref())
        })
    }

    /// Takes over the definitions of `other` for every tool that this desk knows less of.
    fn inherit_definitions(&mut self, other: &Surface) {
        for (name, surface) in &mut self.surface.servers {
            if let Some(known) = other.servers.get(name) {
                merge_tools(&mut surface.tools, &known.tools);
            }
        }
    }
}

/// What is in force, shared by the data plane and the control plane.
#[derive(Debug)]
pub struct Live {
    current: ArcSwap<InForce>,
    announcements: watch::Sender<u64>,
    desk: Mutex<Desk>,
    state: State,
    histories: Arc<Histories>,
}

impl Live {
    /// Puts a compiled desk and a directory in force.
    pub fn new(desk: Desk, compiled: Compiled, world: World, state: State) -> Self {
        let defined = defined(&desk.surface);
        let policies = Arc::new(compiled.policies);
        let shelves = Arc::default();
        let first = InForce { world, policies, defined, shelves, generation: 1 };
        Self {
            current: ArcSwap::from_pointee(first),
            announcements: watch::Sender::new(1),
            desk: Mutex::new(desk),
            histories: Arc::new(Histories::new(state.clone())),
            state,
        }
    }

    /// The snapshot in force, for the length of one step.
    pub fn load(&self) -> Guard<Arc<InForce>> {
        self.current.load()
    }

    /// The snapshot in force, to be kept.
    pub fn snapshot(&self) -> Arc<InForce> {
        self.current.load_full()
    }

    /// Tells the generation of each snapshot as it comes into force.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.announcements.subscribe()
    }

    /// The state behind, for what is not part of a snapshot.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the people who call were told and were refused.
    pub fn histories(&self) -> &Arc<Histories> {
        &self.histories
    }

    /// Waits until the directory is at least at `revision`; false when it is not within `limit`.
    pub async fn reached(&self, revision: Revision, limit: impl Future<Output = ()>) -> bool {
        let mut news = self.subscribe();
        tokio::select! {
            arrived = news.wait_for(|_| self.load().world.revision() >= revision) => arrived.is_ok(),
            () = limit => false,
        }
    }

    /// Changes the directory; durable and in force when this returns the new revision.
    pub async fn change(&self, change: &Change) -> Result<Revision, ChangeRefused> {
        let _desk = self.desk.lock().await;
        let now = self.snapshot();
        let world = now.world.apply(change)?;
        if world.revision() == now.world.revision() {
            return Ok(world.revision());
        }
        let revision = world.revision();
        self.persist(change, revision).await?;
        self.publish(InForce { world, ..(*now).clone() });
        Ok(revision)
    }

    /// Puts other policies, bindings or servers in force; on findings nothing changes.
    ///
    /// The warnings of the compilation come back for the operator.
    pub async fn adopt(&self, mut next: Desk) -> Result<Vec<Finding>, ChangeRefused> {
        let mut desk = self.desk.lock().await;
        next.inherit_definitions(&desk.surface);
        let (next, compiled) = compile_aside(next).await?;
        let defined = defined(&next.surface);
        *desk = next;
        let now = self.snapshot();
        if now.policies.epoch() != compiled.policies.epoch() {
            let policies = Arc::new(compiled.policies);
            self.publish(InForce { policies, defined, ..(*now).clone() });
        }
        Ok(compiled.findings)
    }

    /// Takes in definitions that a server declared; true when they were news.
    ///
    /// Definitions that make the policies fail to compile are refused: what was in force stays.
    pub async fn learn(
        &self,
        server: &ServerName,
        tools: Vec<Tool>,
    ) -> Result<bool, ChangeRefused> {
        let mut desk = self.desk.lock().await;
        if desk.knows(server, &tools) {
            return Ok(false);
        }
        let mut next = desk.clone();
        let Some(surface) = next.surface.servers.get_mut(server) else { return Ok(false) };
        overlay_tools(&mut surface.tools, &tools);
        let stored = definitions_json(&surface.tools);
        let (next, compiled) = compile_aside(next).await?;
        self.state.save_definitions(server, &stored).await?;
        let defined = defined(&next.surface);
        *desk = next;
        let now = self.snapshot();
        let policies = Arc::new(compiled.policies);
        self.publish(InForce { policies, defined, ..(*now).clone() });
        Ok(true)
    }

    /// Makes a change durable. Files are durable where they are: only the revision is kept.
    async fn persist(&self, change: &Change, revision: Revision) -> Result<(), ChangeRefused> {
        if is_from_files(change) {
            self.state.save_revision(revision).await?;
        } else {
            self.state.save(change, revision).await?;
        }
        Ok(())
    }

    fn publish(&self, next: InForce) {
        let generation = self.load().generation.saturating_add(1);
        self.current.store(Arc::new(InForce { generation, ..next }));
        self.announcements.send_replace(generation);
    }
}

/// Compiles on a thread of its own: it takes as long as many calls.
async fn compile_aside(desk: Desk) -> Result<(Desk, Compiled), ChangeRefused> {
    let compiling = tokio::task::spawn_blocking(move || desk.compile().map(|done| (desk, done)));
    let broken = |_| Finding::error(Place::whole("policies"), "compiling them broke off");
    let compiled = compiling.await.map_err(|error| ChangeRefused::Policies(vec![broken(error)]))?;
    compiled.map_err(ChangeRefused::Policies)
}

/// The tools whose definitions are known.
fn defined(surface: &Surface) -> Arc<Defined> {
    let known =
        |tool: &Tool| Some((Arc::clone(&tool.name), Arc::clone(tool.input_schema.as_ref()?)));
    let servers = surface.servers.iter();
    let defined = servers.map(|(server, surface)| {
        (server.clone(), surface.tools.iter().filter_map(known).collect())
    });
    Arc::new(defined.collect())
}

fn is_from_files(change: &Change) -> bool {
    match change {
        Change::Put(source, _) | Change::Remove(source, _) | Change::ReplaceAll(source, _) => {
            matches!(source, Source::File(_))
        }
        Change::Standing(..) => false,
        Change::All(changes) => changes.iter().all(is_from_files),
    }
}

/// The change that makes a directory file's content the file's whole say.
pub fn file_change(path: &str, records: Vec<EntityRecord>) -> Change {
    Change::ReplaceAll(Source::File(path.into()), records)
}

/// Adds to `tools` what `known` knows and they do not.
fn merge_tools(tools: &mut Vec<Tool>, known: &[Tool]) {
    for old in known {
        match tools.iter_mut().find(|tool| tool.name == old.name) {
            Some(tool) if tool.input_schema.is_none() => {
                tool.input_schema.clone_from(&old.input_schema);
            }
            Some(_) => {}
            None => tools.push(old.clone()),
        }
    }
}

/// Puts the definitions `news` over what `tools` says.
fn overlay_tools(tools: &mut Vec<Tool>, news: &[Tool]) {
    for new in news {
        match tools.iter_mut().find(|tool| tool.name == new.name) {
            Some(tool) => tool.input_schema.clone_from(&new.input_schema),
            None => tools.push(new.clone()),
        }
    }
}

/// The stored form of definitions: an object from tool name to input schema.
fn definitions_json(tools: &[Tool]) -> Value {
    tools
        .iter()
        .filter_map(|tool| {
            Some((tool.name.as_ref().to_owned(), (**tool.input_schema.as_ref()?).clone()))
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Reads back what [`Live::learn`] stored.
pub fn tools_of(definitions: &Value) -> Vec<Tool> {
    let Some(members) = definitions.as_object() else { return Vec::new() };
    members
        .iter()
        .map(|(name, schema)| Tool {
            name: name.as_str().into(),
            input_schema: Some(Arc::new(schema.clone())),
        })
        .collect()
}
