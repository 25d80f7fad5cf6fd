//! What keeping costs.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
#[ignore = "a measurement; run it in a release build"]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock")]
async fn keeping() {
    let house = House::new();
    let histories = house.histories().await;
    let names: Vec<String> = (0..1_000).map(|number| format!("u{number}")).collect();
    for name in &names {
        histories.of(&person(name)).await.expect("a history");
    }
    let (begin, processor) = (Instant::now(), processor_time());
    for number in 0..1_000 {
        add(&histories, &names[0], &[reserved(number)]).await.expect("kept");
    }
    println!("one after the other: {} each, {:?} in all", spent(processor, 1_000), begin.elapsed());
    let (begin, processor) = (Instant::now(), processor_time());
    for number in 0..10 {
        let entry = [reserved(number)];
        let burst = names.iter().map(|name| add(&histories, name, &entry));
        for kept in futures_util::future::join_all(burst).await {
            kept.expect("kept");
        }
    }
    println!("bursts of 1,000: {} each, {:?} in all", spent(processor, 10_000), begin.elapsed());
    let begin = Instant::now();
    for number in 0..100_000 {
        let person = person(&names[number % 1_000]);
        assert!(histories.cached(&person).is_some_and(|held| held.lock().rows() < 10));
    }
    println!("from memory: {:?} each", begin.elapsed() / 100_000);
    let many: Vec<Entry> = (0..5_000).map(learnt).collect();
    let begin = Instant::now();
    add(&histories, "much", &many).await.expect("kept");
    println!("5,000 rows at once: {:?}", begin.elapsed());
    let begin = Instant::now();
    house.found("much").await;
    println!("read again: {:?}", begin.elapsed());
}

/// The processor time of this process so far: its own, and that of the system for it.
fn processor_time() -> [Duration; 2] {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    [11, 12].map(|at| Duration::from_millis(fields[at].parse::<u64>().expect("ticks") * 10))
}

/// What was spent since `before`, for each of `count`.
fn spent(before: [Duration; 2], count: u32) -> String {
    let [own, system] = processor_time();
    let each = |now: Duration, before| now.saturating_sub(before) / count;
    format!("{:?} and {:?} of the system", each(own, before[0]), each(system, before[1]))
}
