//! Refuses expressions that could become expensive, and recognises plain paths.

use cel::IdedExpr;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};

/// How long an expression may be, in bytes.
const MAX_LENGTH: usize = 2_048;
/// How many brackets it may open, wherever they stand.
const MAX_BRACKETS: usize = 24;
/// How many operators it may have, wherever they stand.
const MAX_OPERATORS: usize = 64;
/// How many macros one expression may use, one after the other.
const MAX_MACROS: usize = 4;

/// The functions that an expression may call, beside the operators.
const FUNCTIONS: [&str; 16] = [
    "contains",
    "startsWith",
    "endsWith",
    "size",
    "string",
    "int",
    "uint",
    "double",
    "bool",
    "type",
    "dyn",
    "hasValue",
    "value",
    "orValue",
    "or",
    "optional.none",
];

/// The operators; a macro is made of them too.
const OPERATORS: [&str; 20] = [
    operators::CONDITIONAL,
    operators::LOGICAL_AND,
    operators::LOGICAL_OR,
    operators::LOGICAL_NOT,
    operators::SUBSTRACT,
    operators::ADD,
    operators::MULTIPLY,
    operators::DIVIDE,
    operators::MODULO,
    operators::EQUALS,
    operators::NOT_EQUALS,
    operators::GREATER_EQUALS,
    operators::LESS_EQUALS,
    operators::GREATER,
    operators::LESS,
    operators::NEGATE,
    operators::INDEX,
    operators::OPT_INDEX,
    operators::OPT_SELECT,
    operators::IN,
];

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PathStep {
    pub(super) name: String,
    pub(super) optional: bool,
}

/// What is known of an expression that is within bounds.
#[derive(Debug)]
pub(super) struct Found {
    /// The steps, when the expression is a plain path.
    pub(super) path: Option<Vec<PathStep>>,
    /// Whether a macro walks a list or a map.
    pub(super) walks: bool,
}

/// Looks at the text before the parser does. Parser, evaluator and destructor recurse, and their
/// depth is bounded by the brackets and the operators that there are, also those within strings.
pub(super) fn check_text(source: &str) -> Result<(), &'static str> {
    let brackets = source.matches(['(', '[', '{']).count();
    let operators = ['.', '+', '-', '*', '/', '%', '!', '?', '=', '<', '>', '&', '|'];
    let operators = source.matches(operators).count() + source.matches("in").count();
    if source.len() > MAX_LENGTH {
        return Err("the expression is too long");
    }
    if brackets > MAX_BRACKETS {
        return Err("the expression has too many brackets");
    }
    if operators > MAX_OPERATORS {
        return Err("the expression has too many operators");
    }
    Ok(())
}

/// Looks the whole expression over.
pub(super) fn check(expression: &IdedExpr) -> Result<Found, String> {
    let mut lint = Lint { macros: 0, bound: Vec::new() };
    lint.visit(expression, None)?;
    Ok(Found { path: path(expression), walks: lint.macros > 0 })
}

struct Lint {
    macros: usize,
    /// The variables that macros bind.
    bound: Vec<String>,
}

impl Lint {
    /// `accumulator` is the variable that a macro collects in, while its body is looked at.
    fn visit(&mut self, node: &IdedExpr, accumulator: Option<&str>) -> Result<(), String> {
        match &node.expr {
            Expr::Unspecified => Err("the expression is empty".to_owned()),
            Expr::Literal(LiteralValue::Bytes(_)) => Err("bytes have no form in JSON".to_owned()),
            Expr::Literal(_) => Ok(()),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.visit(&select.operand, accumulator),
            Expr::List(list) => self.visit_all(&list.elements, accumulator),
            Expr::Map(map) => {
                map.entries.iter().try_for_each(|entry| self.entry(&entry.expr, accumulator))
            }
            Expr::Struct(_) => Err("messages are not supported".to_owned()),
            Expr::Call(call) => {
                check_call(&call.func_name, &call.args, accumulator)?;
                if let Some(target) = &call.target {
                    self.visit(target, accumulator)?;
                }
                self.visit_all(&call.args, accumulator)
            }
            Expr::Comprehension(comprehension) if accumulator.is_none() => {
                self.comprehension(comprehension)
            }
            Expr::Comprehension(_) => Err("a macro within a macro is not supported".to_owned()),
        }
    }

    fn entry(&mut self, entry: &EntryExpr, accumulator: Option<&str>) -> Result<(), String> {
        match entry {
            EntryExpr::MapEntry(entry) => {
                self.visit(&entry.key, accumulator)?;
                self.visit(&entry.value, accumulator)
            }
            EntryExpr::StructField(field) => self.visit(&field.value, accumulator),
        }
    }

    fn visit_all(&mut self, nodes: &[IdedExpr], accumulator: Option<&str>) -> Result<(), String> {
        nodes.iter().try_for_each(|node| self.visit(node, accumulator))
    }

    fn variable(&self, name: &str) -> Result<(), String> {
        let known = name == "params" || name == "token" || self.bound.iter().any(|one| one == name);
        if known { Ok(()) } else { Err(format!("there is no variable `{name}`")) }
    }

    fn comprehension(&mut self, comprehension: &ComprehensionExpr) -> Result<(), String> {
        self.macros += 1;
        if self.macros > MAX_MACROS {
            return Err("the expression uses too many macros".to_owned());
        }
        self.visit(&comprehension.iter_range, None)?;
        let depth = self.bound.len();
        self.bound.push(comprehension.iter_var.clone());
        self.bound.extend(comprehension.iter_var2.clone());
        self.bound.push(comprehension.accu_var.clone());
        let accumulator = Some(comprehension.accu_var.as_str());
        self.visit(&comprehension.accu_init, accumulator)?;
        self.visit(&comprehension.loop_cond, accumulator)?;
        self.visit(&comprehension.loop_step, accumulator)?;
        self.visit(&comprehension.result, accumulator)?;
        self.bound.truncate(depth);
        Ok(())
    }
}

fn check_call(name: &str, arguments: &[IdedExpr], accumulator: Option<&str>) -> Result<(), String> {
    let supported = FUNCTIONS.contains(&name)
        || OPERATORS.contains(&name)
        || (accumulator.is_some() && name == operators::NOT_STRICTLY_FALSE);
    if !supported {
        return Err(format!("there is no function `{name}`"));
    }
    match accumulator {
        Some(accumulator) if name == operators::ADD && !collects(arguments, accumulator) => {
            Err("a concatenation within a macro is not supported".to_owned())
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether this is a macro's own step: one item, or the number one, added to what it collects.
fn collects(arguments: &[IdedExpr], accumulator: &str) -> bool {
    let [first, second] = arguments else { return false };
    let own = matches!(&first.expr, Expr::Ident(name) if name == accumulator);
    let one = match &second.expr {
        Expr::List(list) => list.elements.len() <= 1,
        Expr::Literal(LiteralValue::Int(_)) => true,
        Expr::Unspecified
        | Expr::Call(_)
        | Expr::Comprehension(_)
        | Expr::Ident(_)
        | Expr::Literal(_)
        | Expr::Map(_)
        | Expr::Select(_)
        | Expr::Struct(_) => false,
    };
    own && one
}

/// The steps of a plain selection from a variable, of which only the last may be optional.
fn path(expression: &IdedExpr) -> Option<Vec<PathStep>> {
    let mut steps = Vec::new();
    let mut current = expression;
    loop {
        match &current.expr {
            Expr::Ident(_) => break,
            Expr::Select(select) if !select.test => {
                steps.push(PathStep { name: select.field.clone(), optional: false });
                current = &select.operand;
            }
            Expr::Call(call) if call.func_name == operators::OPT_SELECT && steps.is_empty() => {
                let [operand, field] = call.args.as_slice() else { return None };
                let Expr::Literal(LiteralValue::String(name)) = &field.expr else { return None };
                steps.push(PathStep { name: name.inner().to_owned(), optional: true });
                current = operand;
            }
            Expr::Call(_)
            | Expr::Unspecified
            | Expr::Comprehension(_)
            | Expr::List(_)
            | Expr::Literal(_)
            | Expr::Map(_)
            | Expr::Select(_)
            | Expr::Struct(_) => return None,
        }
    }
    steps.reverse();
    Some(steps)
}
