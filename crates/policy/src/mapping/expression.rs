//! CEL expressions over `params` and `token`, within bounds.
//!
//! CEL always ends, but nested macros multiply and strings grow by concatenation. The crate that
//! evaluates it has no budget of its own, so that what could become expensive is refused when it
//! is compiled, and large inputs are refused where a macro would walk them.

mod lint;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use cel::objects::{Key, OptionalValue};
use cel::{Context, Env, Program, Value as CelValue};
use serde_json::{Map, Value};

use crate::mapping::MappingError;
use crate::mapping::expression::lint::{Found, PathStep};

/// How many expressions one mapping may have.
const MAX_EXPRESSIONS: usize = 64;
/// How many values one mapping may consist of.
const MAX_NODES: usize = 1_024;
/// How many values `params` or `token` may have when an expression is more than a path.
const MAX_INPUT_NODES: usize = 10_000;
/// How many bytes of text they may have then.
const MAX_INPUT_TEXT: usize = 256 * 1_024;
/// How many items a list may have that a macro could walk.
const MAX_LIST: usize = 1_000;

/// The language: CEL's standard library with optional values, and nothing else.
static LANGUAGE: LazyLock<Arc<Env>> =
    LazyLock::new(|| Arc::new(Env::stdlib().with_optional_support(true)));

/// What is left of a mapping's allowance.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    expressions: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { nodes: MAX_NODES, expressions: MAX_EXPRESSIONS }
    }

    pub(super) fn take_node(&mut self, at: &str) -> Result<(), MappingError> {
        take(&mut self.nodes, at, "the mapping is too large")
    }

    fn take_expression(&mut self, at: &str) -> Result<(), MappingError> {
        take(&mut self.expressions, at, "the mapping has too many expressions")
    }
}

fn take(left: &mut usize, at: &str, problem: &str) -> Result<(), MappingError> {
    *left = left.checked_sub(1).ok_or_else(|| MappingError::malformed(at, problem))?;
    Ok(())
}

/// The inputs of one call. They are brought into CEL's form once, when an expression needs it.
#[derive(Debug)]
pub(super) struct Inputs<'a> {
    params: Input<'a>,
    token: Input<'a>,
}

#[derive(Debug)]
struct Input<'a> {
    json: &'a Value,
    cel: std::cell::OnceCell<Result<(CelValue, usize), &'static str>>,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(params: &'a Value, token: &'a Value) -> Self {
        let input = |json| Input { json, cel: std::cell::OnceCell::new() };
        Self { params: input(params), token: input(token) }
    }

    fn of(&self, root: Root) -> &Input<'a> {
        match root {
            Root::Params => &self.params,
            Root::Token => &self.token,
        }
    }
}

/// The two variables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Root {
    Params,
    Token,
}

impl Root {
    const ALL: [Self; 2] = [Self::Params, Self::Token];

    fn name(self) -> &'static str {
        match self {
            Self::Params => "params",
            Self::Token => "token",
        }
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(super) struct Expression {
    form: Form,
    needs_params: bool,
}

#[derive(Debug)]
enum Form {
    /// A plain selection such as `params.arguments.id`, read from the JSON itself.
    Path { root: Root, steps: Vec<PathStep> },
    /// Anything else.
    Program { program: Box<Program>, roots: Vec<Root>, walks: bool },
}

impl Expression {
    pub(super) fn compile(
        at: &str,
        source: &str,
        budget: &mut Budget,
    ) -> Result<Self, MappingError> {
        budget.take_expression(at)?;
        lint::check_text(source).map_err(|problem| MappingError::malformed(at, problem))?;
        let program = LANGUAGE.compile(source).map_err(|errors| {
            let first = errors.errors.first().map(|error| error.msg.clone());
            let problem = first.unwrap_or_else(|| "it is no CEL expression".to_owned());
            MappingError::malformed(at, crate::diagnostic::tidy(&problem))
        })?;
        let found = lint::check(program.expression())
            .map_err(|problem| MappingError::malformed(at, problem))?;
        let Found { path, walks } = found;
        let references = program.references();
        let roots: Vec<Root> =
            Root::ALL.into_iter().filter(|root| references.has_variable(root.name())).collect();
        let needs_params = roots.contains(&Root::Params);
        drop(references);
        let form = match (path, roots.as_slice()) {
            (Some(steps), [root]) => Form::Path { root: *root, steps },
            (Some(_) | None, _) => Form::Program { program: Box::new(program), roots, walks },
        };
        Ok(Self { form, needs_params })
    }

    pub(super) fn needs_params(&self) -> bool {
        self.needs_params
    }

    /// The value; nothing when it is absent.
    pub(super) fn evaluate(
        &self,
        at: &str,
        inputs: &Inputs<'_>,
    ) -> Result<Option<Value>, MappingError> {
        match &self.form {
            Form::Path { root, steps } => follow(at, *root, steps, inputs.of(*root).json),
            Form::Program { program, roots, walks } => {
                let mut context = Context::with_env(Arc::clone(&LANGUAGE));
                for root in roots {
                    let value = inputs.of(*root).in_cel(at, *root, *walks)?;
                    context.add_variable_from_value(root.name(), value);
                }
                // What the evaluator says may hold values of the call, so that it is not passed on.
                let value = program.execute(&context).map_err(|_| {
                    let problem = "the expression cannot be evaluated on this call";
                    MappingError::unevaluated(at, problem)
                })?;
                from_cel(&value).map_err(|problem| MappingError::unevaluated(at, problem))
            }
        }
    }
}

fn follow(
    at: &str,
    root: Root,
    steps: &[PathStep],
    json: &Value,
) -> Result<Option<Value>, MappingError> {
    let mut current = json;
    for step in steps {
        let members = current.as_object().ok_or_else(|| {
            let problem = format!("`{}` has no `{}`", root.name(), step.name);
            MappingError::unevaluated(at, problem)
        })?;
        match members.get(&step.name) {
            Some(member) => current = member,
            None if step.optional => return Ok(None),
            None => {
                let problem = format!("there is no `{}`", step.name);
                return Err(MappingError::unevaluated(at, problem));
            }
        }
    }
    Ok(Some(current.clone()))
}

impl Input<'_> {
    fn in_cel(&self, at: &str, root: Root, walks: bool) -> Result<CelValue, MappingError> {
        let converted = self.cel.get_or_init(|| {
            let mut size = Size { nodes: MAX_INPUT_NODES, text: MAX_INPUT_TEXT, longest: 0 };
            to_cel(self.json, &mut size).map(|value| (value, size.longest))
        });
        let refuse =
            |problem: &str| MappingError::unevaluated(at, format!("`{}` {problem}", root.name()));
        match converted {
            Ok((_, longest)) if walks && *longest > MAX_LIST => {
                Err(refuse("has a list that is too long for a macro"))
            }
            Ok((value, _)) => Ok(value.clone()),
            Err(problem) => Err(refuse(problem)),
        }
    }
}

struct Size {
    nodes: usize,
    text: usize,
    longest: usize,
}

impl Size {
    fn take(&mut self, text: usize, items: usize) -> Result<(), &'static str> {
        const PROBLEM: &str = "is too large for an expression";
        self.nodes = self.nodes.checked_sub(1).ok_or(PROBLEM)?;
        self.text = self.text.checked_sub(text).ok_or(PROBLEM)?;
        self.longest = self.longest.max(items);
        Ok(())
    }
}

fn to_cel(value: &Value, size: &mut Size) -> Result<CelValue, &'static str> {
    Ok(match value {
        Value::Null => {
            size.take(0, 0)?;
            CelValue::Null
        }
        Value::Bool(truth) => {
            size.take(0, 0)?;
            CelValue::Bool(*truth)
        }
        Value::Number(number) => {
            size.take(0, 0)?;
            match (number.as_i64(), number.as_f64()) {
                (Some(whole), _) => CelValue::Int(whole),
                (None, Some(number)) => CelValue::Float(number),
                (None, None) => return Err("has a number that CEL cannot hold"),
            }
        }
        Value::String(text) => {
            size.take(text.len(), 0)?;
            CelValue::String(Arc::new(text.clone()))
        }
        Value::Array(items) => {
            size.take(0, items.len())?;
            let items =
                items.iter().map(|item| to_cel(item, size)).collect::<Result<Vec<_>, _>>()?;
            CelValue::List(Arc::new(items))
        }
        Value::Object(members) => {
            size.take(0, members.len())?;
            let mut map = HashMap::with_capacity(members.len());
            for (name, member) in members {
                size.take(name.len(), 0)?;
                map.insert(Key::String(Arc::new(name.clone())), to_cel(member, size)?);
            }
            CelValue::Map(cel::objects::Map { map: Arc::new(map) })
        }
    })
}

/// The value in JSON; nothing for an absent optional.
fn from_cel(value: &CelValue) -> Result<Option<Value>, &'static str> {
    let CelValue::Opaque(opaque) = value else { return present_in_json(value).map(Some) };
    match opaque.downcast_ref::<OptionalValue>() {
        Some(optional) => optional.value().map_or(Ok(None), from_cel),
        None => Err("the expression gives a value that JSON cannot hold"),
    }
}

fn present_in_json(value: &CelValue) -> Result<Value, &'static str> {
    const PROBLEM: &str = "the expression gives a value that JSON cannot hold";
    Ok(match value {
        CelValue::Null => Value::Null,
        CelValue::Bool(truth) => Value::Bool(*truth),
        CelValue::Int(number) => Value::from(*number),
        CelValue::UInt(number) => Value::from(*number),
        CelValue::Float(number) => {
            serde_json::Number::from_f64(*number).map(Value::Number).ok_or(PROBLEM)?
        }
        CelValue::String(text) => Value::String(text.as_ref().clone()),
        CelValue::List(items) => {
            Value::Array(items.iter().map(present_in_json).collect::<Result<_, _>>()?)
        }
        CelValue::Map(map) => {
            let mut members = Map::new();
            for (key, member) in map.map.iter() {
                let Key::String(name) = key else { return Err(PROBLEM) };
                members.insert(name.as_ref().clone(), present_in_json(member)?);
            }
            Value::Object(members)
        }
        CelValue::Function(..) | CelValue::Bytes(_) | CelValue::Opaque(_) | CelValue::Struct(_) => {
            return Err(PROBLEM);
        }
    })
}
