//! An approver's answer is in force for the next call, counts once, and survives.

use kenward_store::ApprovalVerdict::{self, Approve, Refuse};

use super::*;

fn asked<'a>(person: &'a EntityUid, subject: &'a EntityUid, number: u64) -> Asked<'a> {
    Asked {
        decision: decision(number),
        person,
        subject,
        family: "location",
        tool: "desk/find",
        now: at(10),
    }
}

/// Long after these tests were run: what has ended by the clock may be gone.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(1_000_000_000_000 + seconds)
}

fn verdict(verdict: ApprovalVerdict) -> Verdict {
    Verdict { verdict, by: "boss".into(), now: at(20), until: at(100) }
}

fn approval_shadows(history: &History, now: Timestamp) -> usize {
    history.shadows(now).filter(|shadow| shadow.source == ShadowSource::Approval).count()
}

/// Asks about customer 1 for Ann; the id of the question.
async fn ask(histories: &Histories, number: u64) -> String {
    let (ann, subject) = (person("ann"), fact(1).subject);
    let id = histories.ask_approval(asked(&ann, &subject, number)).await.expect("the state");
    id.expect("room")
}

#[tokio::test]
async fn what_was_approved_is_granted_to_that_person_for_that_subject_and_time() {
    let house = House::new();
    let histories = house.histories().await;
    let id = ask(&histories, 1).await;
    assert_eq!(id, decision(1).to_string());
    let held = histories.of(&person("ann")).await.expect("a history");
    let answered = histories.answer_approval(&id, &verdict(Approve)).await.expect("the state");
    let (who, entry) = answered.expect("it waited");
    assert!(who == person("ann") && matches!(entry, Entry::Granted(_)));
    let subject = fact(1).subject;
    for history in [held.lock().clone(), house.found("ann").await] {
        assert!(history.is_granted(&subject, "location", at(99)));
        assert!(!history.is_granted(&subject, "location", at(100)));
        assert!(!history.is_granted(&subject, "contact", at(99)));
        assert!(!history.is_granted(&fact(2).subject, "location", at(99)));
    }
    assert!(house.found("bob").await.is_empty());
}

#[tokio::test]
async fn what_was_refused_casts_a_shadow_until_then() {
    let house = House::new();
    let histories = house.histories().await;
    let id = ask(&histories, 1).await;
    histories.answer_approval(&id, &verdict(Refuse)).await.expect("the state").expect("it waited");
    let found = house.found("ann").await;
    assert!(!found.is_granted(&fact(1).subject, "location", at(20)));
    assert_eq!((approval_shadows(&found, at(99)), approval_shadows(&found, at(100))), (1, 0));
    let shadow = found.shadows(at(99)).next().expect("a shadow").clone();
    assert_eq!((shadow.decision, shadow.subject), (decision(1), Some(fact(1).subject)));
}

#[tokio::test]
async fn of_two_answers_to_one_question_the_first_counts() {
    for (first, second) in [(Approve, Refuse), (Refuse, Approve)] {
        let house = House::new();
        let histories = house.histories().await;
        let id = ask(&histories, 1).await;
        let (one, other) = (verdict(first), verdict(second));
        let (one, other) = tokio::join!(
            histories.answer_approval(&id, &one),
            histories.answer_approval(&id, &other)
        );
        assert!(one.expect("the state").is_some() && other.expect("the state").is_none());
        let found = house.found("ann").await;
        assert_eq!(found.is_granted(&fact(1).subject, "location", at(50)), first == Approve);
        assert_eq!(approval_shadows(&found, at(50)), usize::from(first == Refuse));
    }
}

#[tokio::test]
async fn a_later_answer_takes_the_place_of_the_one_before() {
    let house = House::new();
    let histories = house.histories().await;
    for (number, answer) in [(1, Refuse), (2, Approve), (3, Refuse), (4, Approve)] {
        let id = ask(&histories, number).await;
        histories.answer_approval(&id, &verdict(answer)).await.expect("the state").expect("new");
        let found = histories.cached(&person("ann")).expect("in memory").lock().clone();
        assert_eq!(found.is_granted(&fact(1).subject, "location", at(50)), answer == Approve);
        assert_eq!(approval_shadows(&found, at(50)), usize::from(answer == Refuse));
    }
}

#[tokio::test]
async fn an_approval_lifts_nobody_elses_shadow() {
    let house = House::new();
    let histories = house.histories().await;
    add(&histories, "ann", &[refused(1), refused(2)]).await.expect("kept");
    let id = ask(&histories, 1).await;
    histories.answer_approval(&id, &verdict(Approve)).await.expect("the state").expect("new");
    assert_eq!(house.found("ann").await.shadows(at(50)).count(), 2);
}

#[tokio::test]
async fn questions_that_nobody_asked_have_no_answer() {
    let house = House::new();
    let histories = house.histories().await;
    let id = ask(&histories, 1).await;
    for wrong in ["", "1", &id.to_uppercase().replace('0', "O"), &decision(2).to_string()] {
        let answer = histories.answer_approval(wrong, &verdict(Approve)).await;
        assert_eq!(answer.expect("the state"), None, "{wrong}");
    }
    assert!(house.found("ann").await.is_empty());
}

#[tokio::test]
async fn what_was_made_easier_and_cannot_be_kept_is_taken_back() {
    let house = House::new();
    let histories = house.histories().await;
    let id = ask(&histories, 1).await;
    histories.answer_approval(&id, &verdict(Refuse)).await.expect("the state").expect("new");
    add(&histories, "ann", &[refused(1), refused(2), learnt(3)]).await.expect("kept");
    let held = histories.of(&person("ann")).await.expect("a history");
    let before = held.lock().clone();
    let id = ask(&histories, 2).await;
    let database = house.database().await;
    let full = "create trigger full before insert on history begin select raise(fail, 'full'); end";
    database.execute(full).await.expect("a trigger");
    assert_eq!(histories.answer_approval(&id, &verdict(Approve)).await, Err(Away));
    assert_eq!(histories.lift(&person("ann"), |_| true, at(30)).await, Err(Away));
    assert!(!held.lock().is_granted(&fact(1).subject, "location", at(30)));
    let standing = |history: &History| {
        let mut shadows: Vec<String> =
            history.shadows(at(30)).map(|shadow| format!("{shadow:?}")).collect();
        shadows.sort();
        shadows
    };
    assert_eq!(standing(&held.lock()), standing(&before));
    database.execute("drop trigger full").await.expect("no trigger");
    histories.flush().await.expect("flushed");
    let found = house.found("ann").await;
    assert_eq!(standing(&found), standing(&before));
    assert!(!found.is_granted(&fact(1).subject, "location", at(30)));
}

#[tokio::test]
async fn what_is_lifted_is_gone_for_the_next_call_and_process_and_nothing_else() {
    let house = House::new();
    let histories = house.histories().await;
    add(&histories, "ann", &[refused(1), refused(2), learnt(3)]).await.expect("kept");
    let subject = Some(fact(1).subject);
    let lifted = histories.lift(&person("ann"), |shadow| shadow.subject == subject, at(1)).await;
    assert_eq!(lifted.expect("kept").len(), 1);
    let here = histories.cached(&person("ann")).expect("in memory").lock().clone();
    assert_eq!(here, of(&[refused(2), learnt(3)]));
    assert_eq!(house.found("ann").await, here);
    let histories = house.histories().await;
    let none = histories.lift(&person("ann"), |shadow| shadow.subject == subject, at(1)).await;
    assert!(none.expect("nothing to keep").is_empty());
}

#[tokio::test]
async fn an_answer_without_effect_is_not_given() {
    let house = House::new();
    let histories = house.histories().await;
    let id = ask(&histories, 1).await;
    let database = house.database().await;
    let full = "create trigger full before insert on history begin select raise(fail, 'full'); end";
    database.execute(full).await.expect("a trigger");
    assert_eq!(histories.answer_approval(&id, &verdict(Refuse)).await, Err(Away));
    database.execute("drop trigger full").await.expect("no trigger");
    let waiting = histories.approvals().await.expect("the state");
    assert!(waiting.iter().all(|question| question.answer.is_none()), "it waits still");
    histories.answer_approval(&id, &verdict(Refuse)).await.expect("the state").expect("new");
    assert_eq!(approval_shadows(&house.found("ann").await, at(50)), 1);
    histories.state.close().await;
    assert_eq!(histories.approvals().await, Err(Away));
    let (ann, subject) = (person("ann"), fact(1).subject);
    assert_eq!(histories.ask_approval(asked(&ann, &subject, 9)).await, Err(Away));
}
