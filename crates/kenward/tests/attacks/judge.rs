//! What came of the cases, counted by family and layer.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::layers::Layer;

/// What came of one case.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Domain, family, name and era.
    pub(crate) place: String,
    pub(crate) family: String,
    pub(crate) kind: Kind,
    /// For attacks: what came out. For twins: what did not go well.
    pub(crate) faults: Vec<String>,
    /// Benign steps: all, refused, asked about.
    pub(crate) steps: [usize; 3],
}

/// What a case is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It must be stopped.
    Attack,
    /// The design does not promise to stop it.
    Limit,
    /// It must go on.
    Twin,
}

/// All outcomes under one layer.
#[derive(Debug)]
pub(crate) struct Tally {
    pub(crate) layer: Layer,
    outcomes: Vec<Outcome>,
}

impl Tally {
    pub(crate) fn new(layer: Layer) -> Self {
        Self { layer, outcomes: Vec::new() }
    }

    pub(crate) fn add(&mut self, outcomes: Vec<Outcome>) {
        self.outcomes.extend(outcomes);
    }

    /// How many cases there are.
    pub(crate) fn cases(&self) -> usize {
        self.outcomes.len()
    }

    /// What came through although it is promised to be stopped: attacks, and the refusals among the
    /// steps of twins.
    pub(crate) fn leaked(&self) -> Vec<&Outcome> {
        let leaked = |outcome: &&Outcome| match outcome.kind {
            Kind::Attack => !outcome.faults.is_empty(),
            Kind::Twin => outcome.faults.len() > outcome.steps[1] + outcome.steps[2],
            Kind::Limit => false,
        };
        self.outcomes.iter().filter(leaked).collect()
    }

    /// How many attacks were stopped, those beyond the promise among them.
    pub(crate) fn stopped(&self) -> usize {
        let attacks = self.outcomes.iter().filter(|outcome| outcome.kind != Kind::Twin);
        attacks.filter(|outcome| outcome.faults.is_empty()).count()
    }

    /// Of the benign steps, how many were refused.
    pub(crate) fn refused_share(&self) -> f64 {
        self.share(1)
    }

    /// Of the benign steps, how many were asked about.
    pub(crate) fn asked_share(&self) -> f64 {
        self.share(2)
    }

    fn share(&self, which: usize) -> f64 {
        let sum = |which: usize| -> u32 {
            let counts = self.of(Kind::Twin).map(|outcome| outcome.steps[which]);
            u32::try_from(counts.sum::<usize>()).unwrap_or(u32::MAX)
        };
        f64::from(sum(which)) / f64::from(sum(0).max(1))
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(move |outcome| outcome.kind == kind)
    }

    /// Every case that did not go as it should.
    pub(crate) fn details(&self) -> String {
        let mut text = String::new();
        for outcome in self.outcomes.iter().filter(|outcome| !outcome.faults.is_empty()) {
            let _infallible = writeln!(text, "{:?} {}", outcome.kind, outcome.place);
            for fault in &outcome.faults {
                let _infallible = writeln!(text, "    {fault}");
            }
        }
        text
    }

    /// By family: attacks, stopped ones, benign steps, refused and asked ones.
    fn families(&self) -> BTreeMap<&str, [usize; 5]> {
        let mut families: BTreeMap<&str, [usize; 5]> = BTreeMap::new();
        for outcome in &self.outcomes {
            let family =
                if outcome.kind == Kind::Limit { "(beyond the promise)" } else { &outcome.family };
            let counts = families.entry(family).or_default();
            if outcome.kind == Kind::Twin {
                for (count, more) in counts[2..].iter_mut().zip(outcome.steps) {
                    *count += more;
                }
            } else {
                counts[0] += 1;
                counts[1] += usize::from(outcome.faults.is_empty());
            }
        }
        families
    }
}

/// Attacks stopped, benign steps refused and asked about, by family and layer.
pub(crate) fn table(tallies: &[Tally]) -> String {
    let mut text = String::from("stopped/attacks  refused+asked/benign steps, by layer\n");
    let all: Vec<BTreeMap<&str, [usize; 5]>> = tallies.iter().map(Tally::families).collect();
    let mut names: Vec<&str> = all.iter().flat_map(BTreeMap::keys).copied().collect();
    names.sort_unstable();
    names.dedup();
    let mut line = |name: &str, cells: Vec<String>| {
        let cells: Vec<String> = cells.into_iter().map(|cell| format!("{cell:>20}")).collect();
        let _infallible = writeln!(text, "{name:<52}{}", cells.concat());
    };
    line("", tallies.iter().map(|tally| tally.layer.name().to_owned()).collect());
    let mut sums = vec![[0; 5]; tallies.len()];
    for name in names {
        let counts = all.iter().map(|families| families.get(name).copied().unwrap_or_default());
        let counts: Vec<[usize; 5]> = counts.collect();
        for (sum, count) in sums.iter_mut().zip(&counts) {
            for (sum, more) in sum.iter_mut().zip(count) {
                *sum += more;
            }
        }
        line(name, counts.iter().map(cell).collect());
    }
    line("all", sums.iter().map(cell).collect());
    text
}

fn cell(counts: &[usize; 5]) -> String {
    let [attacks, stopped, steps, refused, asked] = counts;
    format!("{stopped}/{attacks} {refused}+{asked}/{steps}")
}
