//! Tells one request at a time: sends it, prints it, looks at what came of it.

use std::io::Write;
use std::sync::Arc;

use kenward_mcp::dialect::Era;
use serde_json::Value;

use crate::player::client::{Client, Reply, Role, Tape};
use crate::player::ledger::Ledger;
use crate::player::print::{Page, Verdict};
use crate::player::{Explanation, Stage};

/// The scopes that every program asks for.
const SCOPES: &str = "deliveries:read deliveries:write";
/// What the model reads instead of the reference that differs each time.
const REFERENCE: &str = "(reference)";

/// The one who tells the story.
pub(super) struct Teller<'a> {
    pub(super) stage: &'a Stage<'a>,
    pub(super) page: Page<'a>,
    pub(super) ledger: Ledger,
    /// What came to those who must not know.
    pub(super) tape: Arc<Tape>,
    /// What came to the protection desk.
    desk: Arc<Tape>,
    /// What the model read when it was first refused.
    words: Option<String>,
    /// Whether nothing has been explained yet.
    first: bool,
}

impl std::fmt::Debug for Teller<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Teller").field("ledger", &self.ledger).finish_non_exhaustive()
    }
}

impl<'a> Teller<'a> {
    pub(super) fn new(stage: &'a Stage<'a>, out: &'a mut (dyn Write + Send)) -> Self {
        Self {
            stage,
            page: Page::new(out),
            ledger: Ledger::default(),
            tape: Arc::default(),
            desk: Arc::default(),
            words: None,
            first: true,
        }
    }

    /// Connects a client, with a token from the authorization server.
    pub(super) fn connect(
        &self,
        person: &'static str,
        agent: &'static str,
        era: Era,
    ) -> impl Future<Output = Result<Client, String>> + Send + use<'a> {
        let stage = self.stage;
        let tape = Arc::clone(if person == "priya" { &self.desk } else { &self.tape });
        async move {
            let url = format!("{}/mcp/deliveries", stage.gateway);
            let token = stage.authority.token_for(person, agent, &url, SCOPES).await;
            let token = token.map_err(|error| format!("{person} gets {error}"))?;
            let role = Role { person, agent, era, url, token };
            let connected = Client::connect(role, tape).await;
            connected.map_err(|error| format!("{person} cannot connect with {agent}: {error}"))
        }
    }

    /// Makes a call that has to be refused at `question`, with a reason for the person that the
    /// model does not get.
    pub(super) async fn refused(
        &mut self,
        client: &mut Client,
        tool: &str,
        arguments: Value,
        question: u64,
    ) -> Result<(), String> {
        let asked = spell(tool, &arguments);
        let reply = client.call(tool, &arguments).await.map_err(|why| format!("{asked}: {why}"))?;
        let person = client.role.person;
        self.ledger.check(reply.is_refused(), || {
            format!("{person}'s {asked} should be refused, and gets {}", reply.short())
        });
        let verdict = if reply.is_refused() { Verdict::Refused } else { Verdict::Allowed };
        let answered = reply.question();
        let gist = answered.map(|number| format!("at question {number}")).unwrap_or_default();
        self.page.request(person, &asked, verdict, &gist);
        if !reply.is_refused() {
            return Ok(());
        }
        self.ledger.check(answered == Some(question), || {
            format!("{asked} should be refused at question {question}, not {answered:?}")
        });
        self.words(&asked, &reply);
        self.why(&asked, person, &reply);
        Ok(())
    }

    /// Makes a call that has to be allowed, and gives its structured answer.
    pub(super) async fn allowed(
        &mut self,
        client: &mut Client,
        tool: &str,
        arguments: Value,
        gist: impl FnOnce(&Value) -> String,
    ) -> Result<Value, String> {
        let asked = spell(tool, &arguments);
        let reply = client.call(tool, &arguments).await.map_err(|why| format!("{asked}: {why}"))?;
        let person = client.role.person;
        let content = reply.content().filter(|_| reply.is_answered()).cloned();
        let Some(content) = content else {
            self.page.request(person, &asked, Verdict::Refused, "");
            return Err(format!(
                "{person}'s {asked} should be allowed, and gets {}",
                reply.short()
            ));
        };
        self.ledger.checks += 1;
        self.page.request(person, &asked, Verdict::Allowed, &gist(&content));
        let last = self.stage.deliveries.seen().pop();
        let txn = last.as_ref().and_then(|seen| seen.claims.get("txn")?.as_str());
        let why = txn.and_then(|txn| (self.stage.explain)(txn));
        self.ledger.check(why.is_some(), || format!("there is no record of the allowed {asked}"));
        if let Some(Explanation { policies, .. }) = why.filter(|why| !why.policies.is_empty()) {
            self.page.note("because of", &policies.join(", "));
        }
        Ok(content)
    }

    /// The model reads the same words every time: they tell nothing.
    fn words(&mut self, asked: &str, reply: &Reply) {
        let id = reply.decision_id().unwrap_or_default().to_owned();
        let says = reply.text();
        let words = if id.is_empty() { says.to_owned() } else { says.replace(&id, REFERENCE) };
        match &self.words {
            None => {
                self.page.note("the model reads:", &words);
                self.words = Some(words);
            }
            Some(first) => {
                let same = *first == words;
                self.ledger.check(same, || format!("{asked} tells the model something: `{words}`"));
            }
        }
    }

    /// The person reads why, and the model has not.
    fn why(&mut self, asked: &str, person: &str, reply: &Reply) {
        let id = reply.decision_id().unwrap_or_default();
        let is_first = std::mem::take(&mut self.first);
        let Some(why) = (self.stage.explain)(id) else {
            self.ledger.fail(format!("there is no record of the refused {asked}"));
            return;
        };
        self.ledger.check(why.reasons.iter().any(|reason| !reason.is_empty()), || {
            format!("the refusal of {asked} has no reason that a person can read")
        });
        let told = why.reasons.iter().any(|reason| {
            !reason.is_empty() && reply.text().contains(reason.trim_end_matches('.'))
        });
        self.ledger.check(!told, || format!("the refusal of {asked} tells the model why"));
        if let Some(question) = why.question.as_deref().filter(|_| is_first) {
            self.page.note("the question:", question);
        }
        self.page.reasons(&capital(person), &why);
    }
}

/// A call in a line.
pub(super) fn spell(tool: &str, arguments: &Value) -> String {
    let pairs = arguments.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
    format!("{tool} {}", pairs.join(" ")).trim_end().to_owned()
}

fn capital(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
