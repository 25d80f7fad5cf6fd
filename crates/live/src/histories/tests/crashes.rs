//! Whatever the order of keeping, failing and crashing: what is found is what was applied, up to a
//! point that no acknowledgement lies behind.

use proptest::prelude::*;

use super::*;

const FULL: &str = "create trigger full before insert on history \
    begin select raise(fail, 'database or disk is full'); end";

#[derive(Debug, Clone)]
enum Step {
    Apply(usize, u64),
    Keep(usize),
    Flush,
    Tidy,
    Full,
    Room,
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_usize..3, 0_u64..12).prop_map(|(who, what)| Step::Apply(who, what)),
        4 => (0_usize..3).prop_map(Step::Keep),
        1 => Just(Step::Flush),
        1 => Just(Step::Tidy),
        1 => Just(Step::Full),
        2 => Just(Step::Room),
        1 => Just(Step::Crash),
    ]
}

fn entry(what: u64) -> Entry {
    match what % 6 {
        0 => reserved(what),
        1 => Entry::Confirmed(decision(what - 1)),
        2 => refused(what),
        3 => Entry::Lifted {
            subject: Some(fact(what - 1).subject),
            family: "location".into(),
            source: ShadowSource::Policy,
        },
        4 => missed(what),
        _ => learnt(what),
    }
}

/// What one person did, and how much of it was acknowledged.
#[derive(Debug, Default)]
struct Told {
    entries: Vec<Entry>,
    acknowledged: usize,
}

impl Told {
    fn acknowledge(&mut self) {
        self.acknowledged = self.entries.len();
    }
}

async fn play(steps: Vec<Step>) {
    let house = House::new();
    let mut histories = house.histories().await;
    let database = house.database().await;
    let mut told: HashMap<usize, Told> = HashMap::new();
    for step in steps {
        match step {
            Step::Apply(who, what) => {
                let Ok(held) = histories.of(&person(&who.to_string())).await else { continue };
                // Several at once, so that some histories grow long enough to be written anew.
                let entries: Vec<Entry> = (0..40).map(|number| entry(what + number % 2)).collect();
                apply(&held, &entries);
                told.entry(who).or_default().entries.extend(entries);
            }
            Step::Keep(who) => {
                let told = told.entry(who).or_default();
                let last = told.entries.last().cloned();
                let kept = histories.keep(&person(&who.to_string()), last.as_slice()).await;
                if kept.is_ok() && last.is_some() {
                    told.acknowledge();
                }
            }
            Step::Flush | Step::Tidy => {
                let tidy = matches!(step, Step::Tidy);
                let done = if tidy { histories.tidy().await } else { histories.flush().await };
                if done.is_ok() {
                    told.values_mut().for_each(Told::acknowledge);
                }
            }
            Step::Full => drop(database.execute(FULL).await),
            Step::Room => drop(database.execute("drop trigger full").await),
            Step::Crash => {
                histories = house.histories().await;
                for (who, told) in &mut told {
                    check(&histories, *who, told).await;
                }
            }
        }
    }
    for (who, told) in &mut told {
        check(&house.histories().await, *who, told).await;
    }
}

/// What is found is what was applied up to the last acknowledgement, or further.
async fn check(histories: &Histories, who: usize, told: &mut Told) {
    let held = histories.of(&person(&who.to_string())).await.expect("a history");
    let found = held.lock().clone();
    let mut possible = told.acknowledged..=told.entries.len();
    let length = possible.find(|length| of(&told.entries[..*length]) == found);
    told.entries.truncate(length.expect("something acknowledged is lost, or out of order"));
    told.acknowledge();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn nothing_acknowledged_is_lost_and_nothing_is_made_up(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(play(steps));
    }
}
