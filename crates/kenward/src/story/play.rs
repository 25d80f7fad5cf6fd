//! Plays a story step by step and says where it went otherwise than told.

use std::sync::Arc;

use kenward_disclosure::{Entry, Families, Learnt, Shadow, ShadowSource};
use kenward_model::{DecisionId, EntityUid, Fact, Question, ServerName, Timestamp};
use kenward_policy::Verdict;

use super::stage::{Asked, Given, Heard, Stage};
use super::{Before, Circumstances, Expected, FactFile, GivenFile, Named, Step, Story, told};
use crate::config::measure;

/// What became of a story.
#[derive(Debug, Clone)]
pub(crate) struct Played {
    pub(crate) story: String,
    pub(crate) steps: Vec<Outcome>,
}

/// What became of a step.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// The step in a few words.
    pub(crate) step: String,
    /// What came of it, where something was asked.
    pub(crate) got: Option<Expected>,
    /// What is otherwise than told; nothing when all is as it should be.
    pub(crate) problems: Vec<String>,
    /// Why it was decided so.
    pub(crate) why: Vec<String>,
}

impl Played {
    /// Whether everything went as told.
    pub(crate) fn is_good(&self) -> bool {
        self.steps.iter().all(|step| step.problems.is_empty())
    }
}

/// Plays `story` on `stage`. A step that cannot be played counts as gone wrong.
pub(crate) fn play(story: &Story, mut stage: Stage<'_>, all_scopes: &[String]) -> Played {
    let mut steps = Vec::new();
    let mut given = match begin(&story.given, &mut stage, all_scopes) {
        Ok(given) => given,
        Err(problem) => {
            let step = "given".to_owned();
            steps.push(Outcome { step, got: None, problems: vec![problem], why: Vec::new() });
            return Played { story: story.told.clone(), steps };
        }
    };
    let (user, agent) = (given.user.clone(), given.agent.clone());
    for step in &story.steps {
        given.user = step.user.clone().unwrap_or_else(|| user.clone());
        given.agent = step.agent.clone().unwrap_or_else(|| agent.clone());
        steps.push(take(step, &given, &mut stage));
    }
    Played { story: story.told.clone(), steps }
}

/// Sets the stage.
fn begin(file: &GivenFile, stage: &mut Stage<'_>, all_scopes: &[String]) -> Result<Given, String> {
    let Circumstances { scopes, acr, amr, auth_time, ip, now, protocol, claims } = &file.context;
    if let Some(now) = now {
        stage.now = time(now)?;
    }
    for record in &file.directory {
        stage.put(record.clone()).map_err(|error| error.to_string())?;
    }
    let given = Given {
        user: file.user.clone().unwrap_or_else(|| "somebody".to_owned()),
        agent: file.agent.clone().unwrap_or_else(|| "story".to_owned()),
        groups: file.groups.clone(),
        scopes: scopes.clone().unwrap_or_else(|| all_scopes.to_vec()),
        acr: acr.clone(),
        amr: amr.clone(),
        auth_time: auth_time.as_deref().map(time).transpose()?,
        ip: *ip,
        protocol: protocol.clone().unwrap_or_else(|| "2026-07-28".to_owned()),
        claims: claims.clone(),
    };
    let person = EntityUid::new("User", given.user.as_str());
    for before in &file.history {
        let entry = remembered(before, stage)?;
        stage.remember(&person, &entry);
    }
    Ok(given)
}

fn remembered(before: &Before, stage: &Stage<'_>) -> Result<Entry, String> {
    let (now, decision) = (stage.now, DecisionId::new(stage.now, &[0; 10]));
    match before {
        Before::Learnt(file) => {
            let fact = fact(file, stage.policies.families())?;
            let via = file.via.as_deref().unwrap_or("before/the-story").into();
            let answers = vec![0];
            let learnt = Learnt { fact, first: now, last: now, via, decision, answers };
            Ok(Entry::Learnt(learnt))
        }
        Before::Refused(file) => Ok(Entry::Refused(Shadow {
            subject: Some(uid(&file.subject)),
            family: file.family.as_str().into(),
            fact: None,
            source: ShadowSource::Policy,
            cast: now,
            expires: now.plus(stage.settings.policy_shadow),
            decision,
            tools: vec!["before/the-story".into()],
        })),
    }
}

fn take(step: &Step, given: &Given, stage: &mut Stage<'_>) -> Outcome {
    let words = words_of(step);
    match played(step, given, stage) {
        Ok((got, why, problems)) => Outcome { step: words, got, problems, why },
        Err(problem) => {
            Outcome { step: words, got: None, problems: vec![problem], why: Vec::new() }
        }
    }
}

/// What came of it, why, and what is otherwise than told.
type Taken = (Option<Expected>, Vec<String>, Vec<String>);

fn played(step: &Step, given: &Given, stage: &mut Stage<'_>) -> Result<Taken, String> {
    if let Some(span) = &step.wait {
        let span = measure::duration(span).ok_or_else(|| format!("`{span}` is no duration"))?;
        stage.wait(span);
    }
    for record in &step.put {
        stage.put(record.clone()).map_err(|error| error.to_string())?;
    }
    for named in &step.remove {
        stage.remove(&uid(named)).map_err(|error| error.to_string())?;
    }
    if let Some(asked) = asked(step)? {
        return Ok(called(step, given, &asked, stage));
    }
    if let Some(file) = &step.learn {
        return learnt(step, file, given, stage);
    }
    if let Some(target) = &step.list {
        let (server, tool) = path(target)?;
        let listed = stage.lists(given, &server, tool);
        let got = if listed { Expected::Listed } else { Expected::Hidden };
        return Ok((Some(got), Vec::new(), unexpected(step, got).into_iter().collect()));
    }
    let changes = step.wait.is_some() || !step.put.is_empty() || !step.remove.is_empty();
    if changes {
        return Ok((None, Vec::new(), Vec::new()));
    }
    let help = "it needs call, prompt, read, learn, list, put, remove or wait";
    Err(format!("nothing happens in this step: {help}"))
}

fn called(step: &Step, given: &Given, asked: &Asked, stage: &mut Stage<'_>) -> Taken {
    let heard = stage.hear(given, asked);
    let got = outcome(&heard);
    let mut problems: Vec<String> = unexpected(step, got).into_iter().collect();
    let (question, reasons) = refusal(&heard);
    if let Some(wanted) = step.question
        && question.map(Question::number) != Some(wanted)
    {
        let was = question.map_or_else(|| "none".to_owned(), |q| q.number().to_string());
        problems.push(format!("question {wanted} was to be answered no, and it was {was}"));
    }
    if let Some(policy) = &step.policy
        && !heard.verdict.basis().policies.iter().any(|known| **known == **policy)
    {
        problems.push(format!("the policy `{policy}` did not decide"));
    }
    if let Some(reason) = &step.reason
        && !reasons.iter().any(|known| known.contains(reason.as_str()))
    {
        problems.push(format!("no reason says `{reason}`"));
    }
    problems.extend(misses(step, &heard));
    (Some(got), told::explain(&heard, stage.policies), problems)
}

/// Texts of the answer that are there or missing against what is told.
fn misses(step: &Step, heard: &Heard) -> Vec<String> {
    let text = heard.answer.as_ref().map(ToString::to_string).unwrap_or_default();
    let absent = step.holds.iter().filter(|wanted| !text.contains(wanted.as_str()));
    let present = step.lacks.iter().filter(|wanted| text.contains(wanted.as_str()));
    let absent = absent.map(|wanted| format!("the answer does not hold `{wanted}`"));
    absent.chain(present.map(|found| format!("the answer holds `{found}`"))).collect()
}

fn learnt(step: &Step, file: &FactFile, given: &Given, stage: &Stage<'_>) -> Result<Taken, String> {
    let fact = fact(file, stage.policies.families())?;
    let via = match &file.via {
        Some(via) => EntityUid::new("Mcp::Tool", via.as_str()),
        None => EntityUid::new("Mcp::Tool", ""),
    };
    let answer = stage.may_learn(given, &fact, &via);
    let got = if answer.is_ok() { Expected::Allow } else { Expected::Refuse };
    let reasons = answer.err().unwrap_or_default();
    let why = reasons.iter().map(|reason| format!("policy: {}", reason.policy)).collect();
    let mut problems: Vec<String> = unexpected(step, got).into_iter().collect();
    if let Some(policy) = &step.policy
        && !reasons.iter().any(|reason| *reason.policy == **policy)
    {
        problems.push(format!("the policy `{policy}` did not decide"));
    }
    Ok((Some(got), why, problems))
}

fn unexpected(step: &Step, got: Expected) -> Option<String> {
    let wanted = step.expect.filter(|wanted| *wanted != got)?;
    // What is hidden is refused as well; the other way round it would tell too much.
    let good_enough = wanted == Expected::Refuse && got == Expected::Hidden;
    let problem = || format!("`{}` was expected, and it was `{}`", wanted.word(), got.word());
    (!good_enough).then(problem)
}

fn outcome(heard: &Heard) -> Expected {
    match &heard.verdict {
        Verdict::Refuse(refusal) if refusal.hidden => Expected::Hidden,
        Verdict::Refuse(refusal) if refusal.ask.is_some() => Expected::Ask,
        Verdict::Refuse(_) => Expected::Refuse,
        Verdict::Allow(_) => match &heard.reviewed {
            Some(reviewed) if reviewed.withheld.is_some() => Expected::Refuse,
            Some(reviewed) if reviewed.changed => Expected::Filter,
            Some(_) | None => Expected::Allow,
        },
    }
}

fn refusal(heard: &Heard) -> (Option<Question>, Vec<Arc<str>>) {
    match &heard.verdict {
        Verdict::Refuse(refusal) => {
            let reasons = refusal.reasons.iter().filter_map(|reason| reason.text.clone());
            (Some(refusal.question), reasons.collect())
        }
        Verdict::Allow(_) => {
            let withheld = heard.reviewed.as_ref().is_some_and(|it| it.withheld.is_some());
            (withheld.then_some(Question::Result), Vec::new())
        }
    }
}

fn asked(step: &Step) -> Result<Option<Asked>, String> {
    let arguments = &step.arguments;
    let asked = match (&step.call, &step.prompt, &step.read) {
        (Some(call), None, None) => {
            let (server, tool) = path(call)?;
            Asked::tool(server, tool, arguments)
        }
        (None, Some(prompt), None) => {
            let (server, name) = path(prompt)?;
            Asked::prompt(server, name, arguments)
        }
        (None, None, Some(read)) => {
            let (server, uri) = path(read)?;
            Asked::read(server, uri)
        }
        (None, None, None) => return Ok(None),
        _ => return Err("a step has one of call, prompt and read".to_owned()),
    };
    Ok(Some(asked.answered(step.answer.clone())))
}

/// Server and target of `<server>/<target>`.
pub(crate) fn path(text: &str) -> Result<(ServerName, &str), String> {
    let (server, target) =
        text.split_once('/').ok_or_else(|| format!("`{text}` is not `<server>/<name>`"))?;
    let server = ServerName::try_from(server.to_owned()).map_err(|error| error.to_string())?;
    Ok((server, target))
}

fn fact(file: &FactFile, families: &Families) -> Result<Fact, String> {
    let precision = families
        .precision(&file.attribute, file.precision.as_deref())
        .map_err(|error| format!("{error}; {}", error.help()))?;
    Ok(Fact {
        subject: uid(&file.subject),
        attribute: file.attribute.as_str().into(),
        family: families.family_of(&file.attribute),
        precision,
    })
}

fn uid(named: &Named) -> EntityUid {
    EntityUid::new(named.kind.as_str(), named.id.as_str())
}

fn time(text: &str) -> Result<Timestamp, String> {
    let parsed = text.parse::<jiff::Timestamp>();
    let parsed = parsed.map_err(|_| format!("`{text}` is no time as in 2026-01-31T12:00:00Z"))?;
    Ok(Timestamp::from_micros(parsed.as_microsecond()))
}

/// The step in a few words.
fn words_of(step: &Step) -> String {
    let arguments = || {
        let pairs = step.arguments.iter().map(|(name, value)| format!("{name}: {value}"));
        pairs.collect::<Vec<_>>().join(", ")
    };
    let what = match step {
        Step { call: Some(call), .. } => format!("{call} {{{}}}", arguments()),
        Step { prompt: Some(prompt), .. } => format!("prompt {prompt} {{{}}}", arguments()),
        Step { read: Some(read), .. } => format!("read {read}"),
        Step { learn: Some(fact), .. } => {
            format!("learn {} of {}", fact.attribute, uid(&fact.subject))
        }
        Step { list: Some(list), .. } => format!("list {list}"),
        Step { wait: Some(span), .. } => format!("{span} later"),
        Step { .. } => "the directory changes".to_owned(),
    };
    match &step.user {
        Some(user) => format!("{user}: {what}"),
        None => what,
    }
}
