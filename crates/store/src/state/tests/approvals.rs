//! A question waits once, is answered once, and nobody can bury the approver in them.

use super::*;

fn question(id: &str, subject: &str) -> Approval {
    Approval {
        id: id.to_owned(),
        person: EntityUid::new("User", "rita"),
        subject: EntityUid::new("Customer", subject),
        family: "location".to_owned(),
        tool: "deliveries/track".to_owned(),
        asked: Timestamp::from_seconds(1),
        answer: None,
    }
}

fn answer(verdict: ApprovalVerdict, by: &str) -> ApprovalAnswer {
    let (at, until) = (Timestamp::from_seconds(2), Timestamp::from_seconds(3));
    ApprovalAnswer { verdict, at, by: by.to_owned(), until }
}

#[tokio::test]
async fn a_question_waits_and_is_answered_once() {
    let (directory, state) = fresh().await;
    let asked = question("1", "4711");
    assert_eq!(state.ask_approval(&asked).await.unwrap().as_deref(), Some("1"));
    let state = reopen(&directory, state).await;
    assert_eq!(state.approvals().await.unwrap(), std::slice::from_ref(&asked));
    let yes = answer(ApprovalVerdict::Approve, "boss");
    assert!(!state.answer_approval("2", &yes).await.unwrap(), "nobody asked that");
    assert!(state.answer_approval("1", &yes).await.unwrap());
    let no = answer(ApprovalVerdict::Refuse, "other");
    assert!(!state.answer_approval("1", &no).await.unwrap(), "it was answered");
    let state = reopen(&directory, state).await;
    let answered = Approval { answer: Some(yes), ..asked };
    assert_eq!(state.approvals().await.unwrap(), std::slice::from_ref(&answered));
    assert_eq!(state.approval("1").await.unwrap(), Some(answered));
    assert_eq!(state.approval("3").await.unwrap(), None);
}

#[tokio::test]
async fn asking_again_adds_no_second_question_until_the_first_is_answered() {
    let (_directory, state) = fresh().await;
    state.ask_approval(&question("1", "4711")).await.unwrap();
    for id in ["2", "3"] {
        let waiting = state.ask_approval(&question(id, "4711")).await.unwrap();
        assert_eq!(waiting.as_deref(), Some("1"));
    }
    assert_eq!(state.ask_approval(&question("4", "4712")).await.unwrap().as_deref(), Some("4"));
    let other = Approval { family: "contact".to_owned(), ..question("5", "4711") };
    assert_eq!(state.ask_approval(&other).await.unwrap().as_deref(), Some("5"));
    let other = Approval { person: EntityUid::new("User", "bob"), ..question("6", "4711") };
    assert_eq!(state.ask_approval(&other).await.unwrap().as_deref(), Some("6"));
    state.answer_approval("1", &answer(ApprovalVerdict::Refuse, "boss")).await.unwrap();
    assert_eq!(state.ask_approval(&question("7", "4711")).await.unwrap().as_deref(), Some("7"));
    assert_eq!(state.approvals().await.unwrap().len(), 5);
}

#[tokio::test]
async fn the_questions_of_one_person_are_bounded_and_others_still_ask() {
    let (_directory, state) = fresh().await;
    for number in 0..MOST_PENDING {
        let id = number.to_string();
        assert!(state.ask_approval(&question(&id, &id)).await.unwrap().is_some());
    }
    assert_eq!(state.ask_approval(&question("more", "more")).await.unwrap(), None);
    assert_eq!(state.ask_approval(&question("again", "7")).await.unwrap().as_deref(), Some("7"));
    let other = Approval { person: EntityUid::new("User", "bob"), ..question("bob", "7") };
    assert_eq!(state.ask_approval(&other).await.unwrap().as_deref(), Some("bob"));
    state.answer_approval("7", &answer(ApprovalVerdict::Refuse, "boss")).await.unwrap();
    let room = state.ask_approval(&question("more", "more")).await.unwrap();
    assert_eq!(room.as_deref(), Some("more"));
}

#[tokio::test]
async fn a_damaged_question_is_said_and_not_left_out() {
    let (_directory, state) = fresh().await;
    state.ask_approval(&question("1", "4711")).await.unwrap();
    state.pool.execute("update approvals set state = 'agreed'").await.unwrap();
    assert!(matches!(state.approvals().await, Err(StateError::Row("approval"))));
    assert!(matches!(state.approval("1").await, Err(StateError::Row("approval"))));
    let yes = answer(ApprovalVerdict::Approve, "boss");
    assert!(!state.answer_approval("1", &yes).await.unwrap());
}
