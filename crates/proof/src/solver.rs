//! The solver: a program of the operator's own, asked one question after the other.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use cedar_policy_symcc::solver::LocalSolver;
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicySet, Env};
use tokio::process::Command;
use tokio::runtime::Runtime;

use crate::Error;

/// Where the solver is, and how long it may take for one question.
#[derive(Debug, Clone)]
pub struct Solver {
    program: PathBuf,
    limit: Duration,
}

impl Solver {
    /// The program at `program`, which may take `limit` for one question.
    pub fn new(program: impl Into<PathBuf>, limit: Duration) -> Self {
        Self { program: program.into(), limit }
    }

    /// Looks for the solver: the value of `CVC5` when there is one, otherwise `cvc5` in the
    /// folders of `PATH`.
    ///
    /// # Errors
    /// There is none.
    pub fn find(
        named: Option<OsString>,
        path: Option<&OsString>,
        limit: Duration,
    ) -> Result<Self, Error> {
        let mut candidates = match named.filter(|named| !named.is_empty()) {
            Some(named) => vec![PathBuf::from(named)],
            None => std::env::split_paths(path.unwrap_or(&OsString::new()))
                .map(|folder| folder.join("cvc5"))
                .collect(),
        };
        candidates.retain(|candidate| is_program(candidate));
        let program = candidates.into_iter().next().ok_or(Error::NoSolver)?;
        Ok(Self { program, limit })
    }

    /// Begins to ask; the program is started with the first question.
    pub(crate) fn session(&self) -> Result<Session, Error> {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime =
            builder.enable_all().build().map_err(|error| Error::Runtime(error.to_string()))?;
        Ok(Session { solver: self.clone(), compiler: None, runtime, asked: 0 })
    }

    fn start(&self) -> Result<CedarSymCompiler<LocalSolver>, String> {
        let mut command = Command::new(&self.program);
        command.args(["--lang", "smt"]).stderr(Stdio::null()).kill_on_drop(true);
        let process = LocalSolver::from_command(&mut command)
            .map_err(|error| format!("the solver cannot be started: {}", whole(&error)))?;
        CedarSymCompiler::new(process).map_err(|error| whole(&error))
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// A solver that is being asked.
pub(crate) struct Session {
    solver: Solver,
    compiler: Option<CedarSymCompiler<LocalSolver>>,
    runtime: Runtime,
    asked: usize,
}

/// What became of a question.
#[derive(Debug)]
pub(crate) enum Found {
    /// There is no such request.
    Nothing,
    /// This one.
    Request(Box<Env>),
    /// It is not known, for this reason.
    Unknown(String),
}

impl Session {
    /// How often the solver was asked.
    pub(crate) fn asked(&self) -> usize {
        self.asked
    }

    /// A request that both sets allow.
    pub(crate) fn both(&mut self, one: &CompiledPolicySet, other: &CompiledPolicySet) -> Found {
        self.ask(async |compiler: &mut CedarSymCompiler<LocalSolver>| {
            compiler.check_disjoint_with_counterexample_opt(one, other).await
        })
    }

    /// A request that `one` allows and `other` does not.
    pub(crate) fn only(&mut self, one: &CompiledPolicySet, other: &CompiledPolicySet) -> Found {
        self.ask(async |compiler: &mut CedarSymCompiler<LocalSolver>| {
            compiler.check_implies_with_counterexample_opt(one, other).await
        })
    }

    /// SECURITY: whatever is not the solver's clear answer is *unknown*, and a process that did
    /// not answer clearly is ended. Test: `solver::tests`.
    fn ask(
        &mut self,
        question: impl AsyncFnOnce(
            &mut CedarSymCompiler<LocalSolver>,
        ) -> Result<Option<Env>, cedar_policy_symcc::err::Error>,
    ) -> Found {
        self.asked += 1;
        let Self { solver, compiler, runtime, .. } = self;
        let answer = runtime.block_on(async {
            let mut ready = match compiler.take() {
                Some(ready) => ready,
                None => solver.start()?,
            };
            match tokio::time::timeout(solver.limit, question(&mut ready)).await {
                Err(_) => Err(format!("the solver gave no answer in {:?}", solver.limit)),
                Ok(Err(error)) => Err(whole(&error)),
                Ok(Ok(found)) => {
                    *compiler = Some(ready);
                    Ok(found)
                }
            }
        });
        match answer {
            Ok(None) => Found::Nothing,
            Ok(Some(request)) => Found::Request(Box::new(request)),
            Err(why) => Found::Unknown(why),
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("solver", &self.solver).finish_non_exhaustive()
    }
}

/// An error with its causes, in one line of bounded length.
pub(crate) fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    let tidy: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match tidy.char_indices().nth(LONGEST_TEXT) {
        Some((end, _)) => format!("{}…", tidy.get(..end).unwrap_or_default()),
        None => tidy,
    }
}

const LONGEST_TEXT: usize = 200;

#[cfg(test)]
mod tests;
