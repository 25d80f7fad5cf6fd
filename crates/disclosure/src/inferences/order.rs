//! The order of attributes in which each comes after all that it follows from.

use std::collections::{HashMap, HashSet};

/// The level of every attribute that is in no circle: 0 for what follows from nothing, otherwise
/// one more than the highest of what it follows from (Kahn's algorithm).
pub(super) fn levels<'r, 'n: 'r>(
    rules: impl Iterator<Item = (&'n str, &'r [&'n str])>,
) -> HashMap<&'n str, usize> {
    let mut waiting: HashMap<&str, usize> = HashMap::new();
    let mut leads_to: HashMap<&str, Vec<&str>> = HashMap::new();
    for (then, premises) in rules {
        for premise in premises.iter().copied() {
            waiting.entry(premise).or_default();
            *waiting.entry(then).or_default() += 1;
            leads_to.entry(premise).or_default().push(then);
        }
    }
    let mut levels = HashMap::new();
    let mut ready: Vec<(&str, usize)> =
        waiting.iter().filter(|(_, count)| **count == 0).map(|(name, _)| (*name, 0)).collect();
    let mut reached: HashMap<&str, usize> = HashMap::new();
    while let Some((name, level)) = ready.pop() {
        levels.insert(name, level);
        for then in leads_to.get(name).into_iter().flatten() {
            let above = reached.entry(then).or_default();
            *above = (*above).max(level + 1);
            let Some(count) = waiting.get_mut(then) else { continue };
            *count = count.saturating_sub(1);
            if *count == 0 {
                ready.push((then, *above));
            }
        }
    }
    levels
}

/// Everything that follows from `start`, over any number of rules, and `start` itself.
pub(super) fn follows<'n>(rules: &[(&'n str, Vec<&'n str>)], start: &'n str) -> HashSet<&'n str> {
    let mut reached = HashSet::from([start]);
    let mut edge = vec![start];
    while let Some(name) = edge.pop() {
        for (then, premises) in rules {
            if premises.contains(&name) && reached.insert(then) {
                edge.push(then);
            }
        }
    }
    reached
}
