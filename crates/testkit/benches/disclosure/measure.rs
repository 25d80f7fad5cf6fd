//! Takes the decisions, one after the other, and notes how long each took.

use std::hint::black_box;
use std::time::Instant;

use kenward_disclosure::{Carrier, Expects, Handles, History, Settings};
use kenward_model::{Caller, EntityUid, Operation, ServerName, Target};
use kenward_policy::{Asker, Case, Environment, Memory, Policies, Reviewed};
use kenward_testkit::proc;
use kenward_world::World;
use serde_json::{Value, json};

use crate::clock::Clock;
use crate::random::Random;
use crate::{calls, deployment, directory, past, report};

/// Decisions before anything is noted.
const WARM_UP: usize = 1_000;
/// The families that the tools tell of, and one that no tool tells of.
const TOLD: usize = 0;
const UNTOLD: usize = 9;

/// What a row of the table came to, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Times {
    /// Of the tool without a binding.
    pub(crate) without: Vec<u64>,
    /// Of the tool with one.
    pub(crate) with: Vec<u64>,
    /// Of each call, the difference.
    pub(crate) added: Vec<u64>,
    /// How many were allowed.
    pub(crate) allowed: usize,
    /// How many facts policy was asked about, of all calls.
    pub(crate) facts: usize,
}

/// Which customers the calls are about.
#[derive(Debug, Clone, Copy)]
enum About {
    /// Anybody of the directory.
    Anybody,
    /// Somebody of whom facts are known.
    Known,
}

/// A directory of so many entities, and every row of the table.
pub(crate) fn all(entities: usize, decisions: usize, only: &str) {
    let before = proc::resident_bytes(std::process::id()).unwrap_or_default();
    let started = Instant::now();
    let world = directory::build(entities);
    let built = started.elapsed();
    let resident = proc::resident_bytes(std::process::id()).unwrap_or_default();
    report::heading(entities, built, resident.saturating_sub(before));
    let stage = Stage::new(world, entities);
    let elsewhere = past::history(entities, UNTOLD);
    let here = past::history(entities, TOLD);
    let lines: [(&str, &str, &History, About); 4] = [
        ("anybody", deployment::UNDECLARED, &elsewhere, About::Anybody),
        ("somebody of whom 10 facts are known", deployment::UNDECLARED, &elsewhere, About::Known),
        ("shadows in the family, the note is free", deployment::FREE, &here, About::Anybody),
        ("the same, the note may name anybody", deployment::UNDECLARED, &here, About::Anybody),
    ];
    for (name, tool, history, about) in lines {
        if name.contains(only) {
            report::row(name, &stage.decide(tool, history, about, decisions));
        }
    }
    for (name, history) in
        [("review of an answer", &elsewhere), ("the same, shadows in the family", &here)]
    {
        if name.contains(only) {
            report::row(name, &stage.review(history, decisions / 10));
        }
    }
}

/// Everything that decisions are taken on.
struct Stage {
    clock: Clock,
    policies: Policies,
    world: World,
    entities: usize,
    known: Vec<usize>,
    caller: Caller,
    server: ServerName,
    handles: Handles,
    settings: Settings,
}

impl Stage {
    fn new(world: World, entities: usize) -> Self {
        Self {
            clock: Clock::new(),
            policies: deployment::policies(),
            world,
            entities,
            known: past::known(entities),
            caller: caller(),
            server: deployment::server(),
            handles: Handles::new([7; 32]),
            settings: Settings::default(),
        }
    }

    /// Questions 1 to 4, of a tool without a binding and of `tool`, in turn.
    fn decide(&self, tool: &str, history: &History, about: About, decisions: usize) -> Times {
        let mut random = Random::new(4);
        let mut times = Times::default();
        for number in 0..WARM_UP + decisions {
            let customer = match about {
                About::Anybody => directory::open_customer(&mut random, self.entities),
                About::Known => {
                    self.known.get(random.below(self.known.len())).copied().expect("one")
                }
            };
            let arguments = calls::arguments(customer, &mut random);
            let plain = params(deployment::PLAIN, &arguments);
            let bound = params(tool, &arguments);
            let (_, without) = self.decided(deployment::PLAIN, &plain, history, number);
            let ((allowed, facts), with) = self.decided(tool, &bound, history, number);
            if number >= WARM_UP {
                times.note(without, with, allowed, facts);
            }
        }
        times
    }

    fn decided(
        &self,
        tool: &str,
        params: &Value,
        history: &History,
        number: usize,
    ) -> ((bool, usize), u64) {
        let operation = self.operation(tool, params);
        let case = self.case(&operation, history, number);
        let (verdict, time) = self.clock.time(|| self.policies.decide(black_box(&case)));
        ((verdict.is_allowed(), verdict.basis().facts.len()), time)
    }

    /// Question 5, of an answer with rows about anybody.
    fn review(&self, history: &History, reviews: usize) -> Times {
        let mut random = Random::new(5);
        let mut times = Times::default();
        let params = params(deployment::ROWS, &json!({}));
        let operation = self.operation(deployment::ROWS, &params);
        let warm_up = WARM_UP / 10;
        for number in 0..warm_up + reviews {
            let mut answer = calls::answer(self.entities, &mut random);
            let case = self.case(&operation, history, number);
            let expects = [Expects::default()];
            let review = || self.policies.review(&case, &expects, Carrier::Tool, &mut answer);
            let (reviewed, time) = self.clock.time(review);
            check(&reviewed, &answer);
            if number >= warm_up {
                times.note(0, time, reviewed.withheld.is_none(), reviewed.basis.facts.len());
            }
        }
        times
    }

    fn operation<'o>(&'o self, tool: &str, params: &'o Value) -> Operation<'o> {
        let target = Target::Tool(tool.to_owned().into());
        Operation { server: &self.server, method: "tools/call", target, params }
    }

    fn case<'c>(
        &'c self,
        operation: &'c Operation<'c>,
        history: &'c History,
        number: usize,
    ) -> Case<'c> {
        let environment = Environment { now: past::now(), ip: None, protocol: "2026-07-28" };
        let number = u64::try_from(number).expect("64 bits") + 2;
        let memory = Memory {
            history,
            handles: &self.handles,
            settings: &self.settings,
            decision: past::decision(number),
            answer: number,
            is_away: false,
        };
        let asker = Asker { caller: &self.caller, world: &self.world, environment };
        Case { asker, operation, memory }
    }
}

impl Times {
    fn note(&mut self, without: u64, with: u64, allowed: bool, facts: usize) {
        self.without.push(without);
        self.with.push(with);
        self.added.push(with.saturating_sub(without));
        self.allowed += usize::from(allowed);
        self.facts += facts;
    }
}

/// What is measured must be the review of rows, and not of an answer that is withheld as a whole.
fn check(reviewed: &Reviewed, answer: &Value) {
    assert!(reviewed.withheld.is_none(), "withheld: {:?}", reviewed.withheld);
    let rows = answer.pointer("/structuredContent/customers").and_then(Value::as_array);
    let rows = rows.map_or(0, Vec::len);
    assert!((calls::ROWS / 2..=calls::ROWS).contains(&rows), "{rows} rows are left");
}

fn params(tool: &str, arguments: &Value) -> Value {
    json!({ "name": tool, "arguments": arguments })
}

fn caller() -> Caller {
    Caller {
        user: EntityUid::new("User", "rita"),
        agent: EntityUid::new("Mcp::Agent", "desktop"),
        issuer: "https://idp.example.com".into(),
        subject: "rita".into(),
        groups: Vec::new(),
        scopes: Vec::new(),
        acr: None,
        amr: Vec::new(),
        auth_time: None,
        expires: past::now(),
        claims: json!({ "sub": "rita", "client_id": "desktop" }),
        fingerprint: 17,
    }
}
