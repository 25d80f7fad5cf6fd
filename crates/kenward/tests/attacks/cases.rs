//! The cases as they are written: attacks and benign twins, each a list of steps.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

/// The families of attacks that every domain covers.
pub(crate) const FAMILIES: [&str; 17] = [
    "sibling tool after a refusal",
    "sibling tool without a refusal",
    "handle instead of a name",
    "disguised name",
    "existence oracle and bisection",
    "splitting over sessions, clients and eras",
    "several agents of one person",
    "parallel calls racing",
    "aggregates, nearest and differences",
    "mosaic of harmless attributes",
    "resources, prompts, completions and subscriptions",
    "tasks and retries with swapped arguments",
    "write tools that leak by effect",
    "error texts and counts",
    "results that name others",
    "a mapping in the server's own favour",
    "restart in the middle",
];

/// The files of a domain that describe its deployment; every other is a family of attacks.
const DEPLOYMENT: [&str; 3] = ["domain.yaml", "servers.yaml", "tables.yaml"];

/// The fewest attacks, and the fewest twins, of a family over all domains.
pub(crate) const FEWEST: usize = 8;

/// One family of attacks in one domain.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FamilyFile {
    /// One of [`FAMILIES`].
    pub(crate) family: String,
    /// Who acts where a case does not say.
    pub(crate) person: Option<String>,
    /// What must not come out.
    pub(crate) attacks: Vec<Case>,
    /// What must go on working.
    pub(crate) twins: Vec<Case>,
}

/// One attack or one twin.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) person: Option<String>,
    pub(crate) steps: Vec<Step>,
    /// Attacks: nothing that reaches a person of the case may hold one of these.
    #[serde(default)]
    pub(crate) secret: Vec<String>,
    /// Attacks: of these no more than `most` may reach the persons of the case (all but one, where
    /// that is left out), for together they tell what none of them does.
    #[serde(default)]
    pub(crate) together: Vec<String>,
    pub(crate) most: Option<usize>,
    /// Attacks: `<server>/<tool>` that must not be reached for the person, for its effect is the leak.
    #[serde(default)]
    pub(crate) untouched: Vec<String>,
    /// Attacks: why the design does not promise to stop it.
    pub(crate) limit: Option<String>,
    /// The one era that it is about.
    pub(crate) only: Option<EraName>,
}

/// An era as data name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum EraName {
    /// 2025-11-25.
    Legacy,
    /// 2026-07-28.
    Modern,
}

/// What a twin's step must end in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Expect {
    /// The answer is delivered.
    Allow,
    /// The call is refused.
    Refuse,
    /// Whatever it is.
    Any,
}

/// One step of a case; exactly one of the members that say what is done.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Step {
    /// `<server>/<tool>` is called.
    pub(crate) call: Option<String>,
    /// `<server>/<uri>` is read.
    pub(crate) read: Option<String>,
    /// `<server>/<prompt>` is got.
    pub(crate) prompt: Option<String>,
    /// `<server>/<prompt or template>`: its only argument is completed.
    pub(crate) complete: Option<String>,
    /// `<server>/<tools | prompts | resources | templates>` is listed.
    pub(crate) list: Option<String>,
    /// `<server>/<uri>` is subscribed to, the server says what `emit` holds, the client listens.
    pub(crate) listen: Option<String>,
    /// `<server>/<method>` is sent as it is, with `arguments` as parameters.
    pub(crate) send: Option<String>,
    /// The gateway is killed and started again; all cases wait for each other there.
    pub(crate) restart: bool,
    /// An entity is stated by the admin API; `$me` in it is the person of the case.
    pub(crate) edit: Option<Value>,

    pub(crate) arguments: Map<String, Value>,
    /// What the server sends on its open streams: `method` and `params`.
    pub(crate) emit: Vec<Value>,
    pub(crate) person: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) era: Option<EraName>,
    /// Whether a session of its own is opened for this step.
    pub(crate) fresh: bool,
    /// Steps beside each other with the same word run at the same time.
    pub(crate) parallel: Option<String>,
    /// Whether this is the retry of the last call, with what the server asked for.
    pub(crate) retry: bool,
    /// More members of the parameters, such as `task`.
    pub(crate) with: Map<String, Value>,

    pub(crate) expect: Option<Expect>,
    /// What the answer must hold.
    pub(crate) holds: Vec<String>,
    /// What the answer must not hold.
    pub(crate) lacks: Vec<String>,
}

impl Step {
    /// How many things it does; exactly one for a good step.
    fn deeds(&self) -> usize {
        let others = [self.restart, self.edit.is_some()];
        self.targets().count() + others.into_iter().filter(|deed| *deed).count()
    }

    /// What is asked for, `<server>/...`.
    pub(crate) fn target(&self) -> Option<&str> {
        self.targets().next().map(String::as_str)
    }

    fn targets(&self) -> impl Iterator<Item = &String> {
        let targets = [
            &self.call,
            &self.read,
            &self.prompt,
            &self.complete,
            &self.list,
            &self.listen,
            &self.send,
        ];
        targets.into_iter().flatten()
    }

    /// Whether it asks the gateway for something, as a person does.
    pub(crate) fn is_asking(&self) -> bool {
        !self.restart && self.edit.is_none()
    }
}

/// The folder of a domain.
pub(crate) fn folder(domain: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/attacks").join(domain)
}

/// The families of a domain, in the order of their files' names.
pub(crate) fn families(domain: &str) -> Vec<FamilyFile> {
    let files = std::fs::read_dir(folder(domain)).expect("the folder of the domain");
    let mut paths: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    paths.retain(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        !DEPLOYMENT.contains(&name)
    });
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

/// Reads a file of data.
pub(crate) fn read<T: serde::de::DeserializeOwned + JsonSchema>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).expect("a file");
    let name = path.display().to_string();
    match kenward_document::read::<T>(&name, &text, None) {
        Ok(document) => document.value,
        Err(findings) => {
            let said =
                findings.iter().map(|finding| format!("{}: {}", finding.place, finding.message));
            panic!("{}", said.collect::<Vec<_>>().join("\n"))
        }
    }
}

#[test]
fn every_family_has_attacks_and_twins_that_can_be_played() {
    for family in FAMILIES {
        let mut counts = (0, 0);
        for domain in crate::DOMAINS {
            let known = families(domain);
            let ours: Vec<&FamilyFile> =
                known.iter().filter(|file| file.family == family).collect();
            assert!(!ours.is_empty(), "{domain}: `{family}` is missing");
            counts.0 += ours.iter().map(|file| file.attacks.len()).sum::<usize>();
            counts.1 += ours.iter().map(|file| file.twins.len()).sum::<usize>();
        }
        assert!(counts.0 >= FEWEST && counts.1 >= FEWEST, "{family}: {counts:?}");
    }
}

#[test]
fn cases_are_well_formed() {
    for domain in crate::DOMAINS {
        let described = crate::domain::Domain::read(domain);
        let mut names = BTreeSet::new();
        for file in families(domain) {
            assert!(FAMILIES.contains(&file.family.as_str()), "{domain}: `{}`", file.family);
            for (case, is_attack) in file.cases() {
                let place = format!("{domain}, {}, {}", file.family, case.name);
                assert!(names.insert((file.family.clone(), case.name.clone())), "{place}: twice");
                let hidden = [&case.secret, &case.together, &case.untouched];
                assert_eq!(
                    is_attack,
                    hidden.iter().any(|hidden| !hidden.is_empty()),
                    "{place}: attacks have something to hide, twins have not"
                );
                for step in &case.steps {
                    assert_eq!(step.deeds(), 1, "{place}: a step does exactly one thing");
                    described.check(step, &place);
                }
            }
        }
    }
}

impl FamilyFile {
    /// Every case, and whether it is an attack.
    pub(crate) fn cases(&self) -> impl Iterator<Item = (&Case, bool)> {
        let attacks = self.attacks.iter().map(|case| (case, true));
        attacks.chain(self.twins.iter().map(|case| (case, false)))
    }
}
