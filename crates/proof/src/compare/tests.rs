use super::Change;
use crate::fixture::{Company, GOOD, changes, has_solver};
use crate::{Compared, Difference, Error, compare};

fn of<'c>(compared: &'c Compared, words: &str) -> &'c Difference {
    compared.differences.iter().find(|one| one.words == words).expect(words)
}

fn others_are_unchanged(compared: &Compared, words: &[&str]) {
    let others = compared.differences.iter().filter(|one| !words.contains(&one.words.as_str()));
    for other in others {
        assert_eq!(other.change, Change::Unchanged, "{}", other.words);
    }
}

#[test]
fn what_is_written_the_same_needs_no_solver() {
    let old = Company::with(GOOD);
    let new = Company::with(&format!("// a comment\n@id(\"first\")\n{}", GOOD.trim_start()));
    let none = Err(Error::NoSolver);
    let compared = compare(old.deployment(), new.deployment(), &none, &mut |_| {});
    let compared = compared.expect("no solver is needed");
    assert!(!compared.widened());
    assert_eq!(compared.questions, 0);
    others_are_unchanged(&compared, &[]);
}

#[test]
fn without_a_solver_a_difference_is_no_answer() {
    let (old, new) = (Company::with(GOOD), Company::with(&GOOD.replace("< 4", "< 3")));
    let none = Err(Error::NoSolver);
    let compared = compare(old.deployment(), new.deployment(), &none, &mut |_| {});
    assert_eq!(compared.expect_err("a difference"), Error::NoSolver);
}

#[test]
fn wider_narrower_both_and_the_same_in_other_words() {
    if !has_solver() {
        return;
    }
    let good = Company::with(GOOD);
    let wider = Company::with(&GOOD.replace("context.precision < 4", "context.precision < 3"));
    let (learn, agent) =
        ("learn about Customer", "learn about Customer, by an agent of its own rights");
    let compared = changes(&good, &wider);
    assert!(compared.widened());
    assert_eq!(of(&compared, learn).change, Change::Wider);
    let gained = of(&compared, learn).gained.as_ref().expect("an example");
    assert_eq!(gained.context["precision"], 3);
    assert_eq!(gained.context["family"], "location");
    others_are_unchanged(&compared, &[learn, agent]);

    let compared = changes(&wider, &good);
    assert!(!compared.widened());
    assert_eq!(of(&compared, learn).change, Change::Narrower);
    assert!(of(&compared, learn).lost.is_some());

    let moved = GOOD.replace("Group::\"protection-desk\"", "Group::\"night-desk\"");
    let compared = changes(&good, &Company::with(&moved));
    assert_eq!(of(&compared, learn).change, Change::Both);

    let other_words = GOOD.replace("context.precision < 4", "!(context.precision >= 4)");
    let compared = changes(&good, &Company::with(&other_words));
    assert!(compared.questions > 0);
    assert!(!compared.widened());
    others_are_unchanged(&compared, &[]);
}

#[test]
fn a_tool_more_or_less_is_wider_or_narrower() {
    if !has_solver() {
        return;
    }
    let one = Company::made(GOOD, &["get_address"]);
    let two = Company::made(GOOD, &["get_address", "get_dropoffs"]);
    let call = "call deliveries/get_dropoffs";
    let compared = changes(&one, &two);
    assert_eq!(of(&compared, call).change, Change::Wider);
    let gained = of(&compared, call).gained.as_ref().expect("an example");
    assert_eq!(&*gained.resource.id, "deliveries/get_dropoffs");
    assert_eq!(of(&changes(&two, &one), call).change, Change::Narrower);
    assert!(!changes(&two, &one).widened());
}

#[test]
fn on_paper_nothing_changes() {
    let old = Company::with(GOOD);
    let new = format!("{GOOD} @mode(\"shadow\") permit (principal, action, resource);");
    let none = Err(Error::NoSolver);
    let compared = compare(old.deployment(), Company::with(&new).deployment(), &none, &mut |_| {});
    assert!(!compared.expect("no solver is needed").widened());
}

#[test]
fn what_an_agent_gains_is_seen() {
    if !has_solver() {
        return;
    }
    let old = Company::with(&GOOD.replace("forbid (principal,", "forbid (principal is User,"));
    let compared = changes(&Company::with(GOOD), &old);
    assert_eq!(of(&compared, "learn about Customer").change, Change::Unchanged);
    let agent = of(&compared, "learn about Customer, by an agent of its own rights");
    assert_eq!(agent.change, Change::Wider);
    assert!(compared.widened());
}
