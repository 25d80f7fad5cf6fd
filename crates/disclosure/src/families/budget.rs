//! Budgets: about how many different subjects something of a family may become known in a while.

use std::time::Duration;

use kenward_model::{Finding, Place};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest window, in seconds: a year.
const LONGEST: u64 = 365 * 24 * 60 * 60;

/// A budget as `inferences.yaml` writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BudgetSpec {
    /// The number of different subjects.
    pub subjects: u32,
    /// The window: a whole number with `m`, `h` or `d`, for example `1d`.
    pub within: String,
    /// What happens to a call that would go beyond.
    #[serde(default)]
    pub then: OverBudget,
}

/// What happens to a call that would go beyond a budget.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OverBudget {
    /// Somebody has to agree first.
    #[default]
    Ask,
    /// It is refused.
    Refuse,
}

/// About how many different subjects something of a family may become known in a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// The number of different subjects.
    pub subjects: usize,
    /// The window.
    pub within: Duration,
    /// What happens to a call that would go beyond.
    pub then: OverBudget,
}

impl Budget {
    /// Reads the budget and says what is wrong with it; `place` is told the part of it.
    pub(super) fn compile(
        spec: &BudgetSpec,
        place: &dyn Fn(&str) -> Place,
        findings: &mut Vec<Finding>,
    ) -> Option<Self> {
        if spec.subjects == 0 {
            let message = "a budget of no subjects permits nothing";
            findings.push(
                Finding::error(place("/subjects"), message)
                    .with_help("forbid it by a policy, or permit at least one"),
            );
        }
        let Some(within) = window(&spec.within) else {
            let message = format!("`{}` is no span from a minute to a year", spec.within);
            findings.push(
                Finding::error(place("/within"), message)
                    .with_help("write a number with m, h or d, for example 1d"),
            );
            return None;
        };
        Some(Self { subjects: usize::try_from(spec.subjects).ok()?, within, then: spec.then })
    }
}

fn window(text: &str) -> Option<Duration> {
    let (count, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => 60,
        "h" => 60 * 60,
        "d" => 24 * 60 * 60,
        _ => return None,
    };
    let is_plain = count.bytes().all(|b| b.is_ascii_digit());
    let seconds = count.parse::<u64>().ok().filter(|_| is_plain)?.checked_mul(unit)?;
    (1..=LONGEST).contains(&seconds).then(|| Duration::from_secs(seconds))
}
