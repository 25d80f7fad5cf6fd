//! What is true of every request that the gateway makes, written as policies that forbid others.
//!
//! The solver takes every request that the schema admits for possible; the gateway makes fewer.
//! Each condition here is one that the decision keeps to by its own construction.

use cedar_policy::Policy;
use kenward_disclosure::{Families, PotentialFact};
use kenward_model::{EntityUid, Precision};

use crate::Error;
use crate::environment::{Asked, Environment};
use crate::setting::{Setting, tool_uid};
use crate::written;

/// A condition of requests, in Cedar's words.
pub(crate) type Condition = String;

/// What every request of `environment` fulfils, as policies.
pub(crate) fn facts(
    setting: &Setting<'_>,
    environment: &Environment,
) -> Result<Vec<Policy>, Error> {
    only(conditions(setting, environment))
}

/// What every request of `environment` fulfils.
pub(crate) fn conditions(setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
    let mut all = vec!["!context.session_revoked".to_owned()];
    if environment.is_agents() {
        all.push("context.agent == principal".to_owned());
    } else {
        all.extend(groups(setting).map(|group| {
            let id = quoted(&group.id);
            format!("if context.groups.contains({id}) then principal in {} else true", name(group))
        }));
    }
    all.extend(of_question(setting, environment));
    all
}

/// Policies that forbid whatever does not fulfil all of `conditions`.
pub(crate) fn only(conditions: Vec<Condition>) -> Result<Vec<Policy>, Error> {
    let policies = conditions.into_iter().map(|condition| {
        let text = format!("forbid (principal, action, resource) unless {{ {condition} }};");
        written::policy(&format!("only if {condition}"), &text)
    });
    policies.collect()
}

fn of_question(setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
    match &environment.asked {
        Asked::Tool { server, tool, .. } => {
            let tool = tool_uid(server, tool);
            let home = EntityUid::new("Mcp::Server", server.as_str());
            let mut all = vec![format!("resource == {}", name(&tool))];
            all.extend(at_home(setting, "resource", Some(&home)));
            all
        }
        Asked::AnyTool | Asked::Prompt | Asked::Read => in_one_server(setting, environment),
        Asked::Learn => of_facts(setting.deployment.policies.families(), setting),
        Asked::Server { .. } | Asked::Object => Vec::new(),
    }
}

/// `what` is in `home` and in no other server.
fn at_home(setting: &Setting<'_>, what: &str, home: Option<&EntityUid>) -> Vec<Condition> {
    let within = |server: &EntityUid| match home {
        Some(home) if home == server => format!("{what} in {}", name(server)),
        Some(_) | None => format!("!({what} in {})", name(server)),
    };
    setting.servers().map(within).collect()
}

/// A target is in one server; those that are named, in that which their name begins with.
fn in_one_server(setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
    let servers: Vec<&EntityUid> = setting.servers().collect();
    let mut all = Vec::new();
    for (index, one) in servers.iter().enumerate() {
        for other in servers.iter().skip(index + 1) {
            all.push(format!("!(resource in {} && resource in {})", name(one), name(other)));
        }
    }
    let kind = environment.request.resource().to_string();
    for target in setting.named.iter().filter(|uid| *uid.kind == *kind) {
        let home = home_of(target);
        let itself = format!("resource == {}", name(target));
        let there = and(&at_home(setting, "resource", home.as_ref()));
        all.push(format!("if {itself} then {there} else true"));
    }
    all
}

fn and(conditions: &[Condition]) -> Condition {
    if conditions.is_empty() { "true".to_owned() } else { format!("({})", conditions.join(" && ")) }
}

/// The server whose name the id of a target begins with.
pub(crate) fn home_of(target: &EntityUid) -> Option<EntityUid> {
    let (server, _) = target.id.split_once('/')?;
    Some(EntityUid::new("Mcp::Server", server))
}

/// How family, precision and exactness follow from each other.
fn of_facts(families: &Families, setting: &Setting<'_>) -> Vec<Condition> {
    let mut all = vec![
        "context.exact == (context.precision == 0)".to_owned(),
        "context.precision >= 0 && context.precision <= 255".to_owned(),
        family_follows(families),
    ];
    let tools = setting.named.iter().filter(|uid| &*uid.kind == "Mcp::Tool");
    for tool in tools {
        let there = at_home(setting, "context.via", home_of(tool).as_ref());
        all.push(format!("if context.via == {} then {} else true", name(tool), and(&there)));
    }
    all
}

/// The family of an attribute is the one that claims it, or its own name; no precision is beyond
/// the family's scale.
fn family_follows(families: &Families) -> Condition {
    let names: Vec<&str> = families.names().collect();
    let mut taken: Vec<&str> = names.iter().flat_map(|name| families.attributes(name)).collect();
    let mut cases = Vec::new();
    for family in &names {
        let mut own: Vec<&str> = families.attributes(family).collect();
        if !taken.contains(family) {
            own.push(family);
        }
        let known = |step: &u8| families.precision_name(family, Precision(*step)).is_some();
        let steps = (0..=u8::MAX).take_while(known).count();
        cases.push(format!(
            "(context.family == {} && {} && context.precision < {steps})",
            quoted(family),
            one_of("context.attribute", &own)
        ));
    }
    taken.extend(names);
    cases.push(format!(
        "(context.family == context.attribute && !{} && context.precision == 0)",
        one_of("context.attribute", &taken)
    ));
    cases.join(" || ")
}

fn one_of(what: &str, texts: &[&str]) -> String {
    let cases: Vec<String> =
        texts.iter().map(|text| format!("{what} == {}", quoted(text))).collect();
    if cases.is_empty() { "(false)".to_owned() } else { format!("({})", cases.join(" || ")) }
}

/// The fact is this one, and `via` the tool that tells it.
pub(crate) fn pinned(fact: &PotentialFact, via: Option<&EntityUid>) -> Vec<Condition> {
    let mut all = vec![
        format!("context.attribute == {}", quoted(&fact.attribute)),
        format!("context.family == {}", quoted(&fact.family)),
        format!("context.precision == {}", fact.precision.0),
    ];
    all.extend(via.map(|via| format!("context.via == {}", name(via))));
    all
}

/// What a request looks like that can be played: not what must be, only what is looked for first.
pub(crate) fn playable(setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
    let mut all = vec![
        "context.now >= datetime(\"2026-01-01\") && context.now < datetime(\"2036-01-01\")"
            .to_owned(),
        format!("context.protocol == {}", quoted(PROTOCOL)),
    ];
    if !environment.is_agents() {
        all.extend(groups(setting).map(|group| format!("!(context.agent in {})", name(group))));
    }
    match environment.asked {
        Asked::Learn => all.push("!context.inferred".to_owned()),
        Asked::Prompt | Asked::Read => {
            let servers = setting.deployment.surface.servers.keys();
            let known: Vec<String> = servers
                .map(|server| name(&EntityUid::new("Mcp::Server", server.as_str())))
                .map(|server| format!("resource in {server}"))
                .collect();
            all.extend((!known.is_empty()).then(|| known.join(" || ")));
        }
        Asked::Tool { .. } | Asked::AnyTool | Asked::Server { .. } | Asked::Object => {}
    }
    all
}

/// What is left out of a request that is easy to read.
pub(crate) fn tidy(setting: &Setting<'_>, environment: &Environment) -> Vec<Condition> {
    let scopes = match &environment.asked {
        Asked::Tool { server, tool, .. } => setting.deployment.policies.needs_scope(server, tool),
        Asked::AnyTool
        | Asked::Prompt
        | Asked::Read
        | Asked::Learn
        | Asked::Server { .. }
        | Asked::Object => Vec::new(),
    };
    let scopes: Vec<String> = scopes.iter().map(|rule| quoted(&rule.scope)).collect();
    let scopes = if scopes.is_empty() {
        "context.scopes.isEmpty()".to_owned()
    } else {
        format!("context.scopes == [{}]", scopes.join(", "))
    };
    vec![
        scopes,
        "!(context has risk) && !(context has device_compliant)".to_owned(),
        "!(context has acr) && !(context has auth_time) && !(context has ip)".to_owned(),
        "context.groups.isEmpty() && context.amr.isEmpty()".to_owned(),
    ]
}

/// The fact is told by a tool that is known.
pub(crate) fn via_known(setting: &Setting<'_>) -> Option<Condition> {
    let known: Vec<String> = setting
        .tools
        .iter()
        .map(|(server, tool)| format!("context.via == {}", name(&tool_uid(server, tool))))
        .collect();
    (!known.is_empty()).then(|| known.join(" || "))
}

/// The groups that policies name.
pub(crate) fn groups<'s>(setting: &'s Setting<'_>) -> impl Iterator<Item = &'s EntityUid> {
    setting.named.iter().filter(|uid| &*uid.kind == "Group")
}

/// An entity's name in Cedar.
pub(crate) fn name(uid: &EntityUid) -> String {
    format!("{}::{}", uid.kind, quoted(&uid.id))
}

/// A text in Cedar: what would be read otherwise is escaped.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => quoted.extend(c.escape_unicode()),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// The version of MCP that examples speak.
const PROTOCOL: &str = "2026-07-28";
