use super::Outcome;
use crate::fixture::{Company, GOOD, SECRET, has_solver};
use crate::{Invariant, Proof};

fn is_proven(proof: &Proof) -> bool {
    matches!(proof.outcome, Outcome::Proven)
}

fn stories(proof: &Proof) -> Vec<&str> {
    match &proof.outcome {
        Outcome::Violated { examples, .. } => {
            examples.iter().map(|one| one.story.as_str()).collect()
        }
        Outcome::Proven => panic!("proven: {proof:?}"),
        Outcome::NotProven(why) => panic!("not proven: {why:?}"),
    }
}

fn doubts(proof: &Proof) -> String {
    match &proof.outcome {
        Outcome::NotProven(why) => why.join("\n"),
        Outcome::Proven | Outcome::Violated { .. } => panic!("{proof:?}"),
    }
}

#[test]
fn what_one_forbid_closes_is_proven_through_every_tool() {
    if !has_solver() {
        return;
    }
    let proven = Company::with(GOOD).prove_all(SECRET);
    let proof = &proven.proofs[0];
    assert!(is_proven(proof), "{proof:?}");
    let told: Vec<(&str, usize)> =
        proof.coverage.iter().map(|one| (one.target.as_str(), one.facts.len())).collect();
    assert_eq!(told, [("deliveries/get_address", 1), ("deliveries/get_dropoffs", 1)]);
    assert!(proof.coverage.iter().flat_map(|one| &one.facts).all(|told| !told.violated));
    assert_eq!(proven.unbound, ["deliveries/untold"]);
    // Users and agents of their own rights.
    assert_eq!(proof.environments.len(), 2, "{:?}", proof.environments);
}

#[test]
fn a_leak_through_one_tool_by_its_name_is_found_there_and_nowhere_else() {
    if !has_solver() {
        return;
    }
    let by_name = GOOD.replace(
        "context.precision < 4 }",
        "context.precision < 4 && context.via != Mcp::Tool::\"deliveries/get_dropoffs\" }",
    );
    let proof = Company::with(&by_name).prove(SECRET);
    let stories = stories(&proof);
    assert!(stories[0].contains("\"via\":\"deliveries/get_dropoffs\""), "{}", stories[0]);
    assert!(stories[0].contains("\"attribute\":\"nearby_places\""), "{}", stories[0]);
    assert!(stories[0].contains("\"precision\":\"area\""), "{}", stories[0]);
    let violated: Vec<&str> = proof
        .coverage
        .iter()
        .filter(|one| one.facts.iter().any(|told| told.violated))
        .map(|one| one.target.as_str())
        .collect();
    assert_eq!(violated, ["deliveries/get_dropoffs"]);
}

#[test]
fn a_leak_to_agents_alone_is_found_with_the_user_who_may_do_it_too() {
    if !has_solver() {
        return;
    }
    let users_only =
        GOOD.replace("forbid (principal, action", "forbid (principal is User, action").replace(
            "unless { principal in Group::\"protection-desk\" }",
            "unless { principal in Group::\"protection-desk\" || principal in Group::\"seniors\" }",
        );
    let agents = r#"
        @invariant("no agent learns it")
        forbid (principal is Mcp::Agent, action == Mcp::Action::"learn", resource is Customer)
        when { resource.protected && context.family == "location" };
    "#;
    let company = Company::with(&users_only);
    let proof = company.prove(agents);
    let stories = stories(&proof);
    assert_eq!(stories.len(), 1);
    assert!(stories[0].contains("\"type\":\"Mcp::Agent\""), "{}", stories[0]);
    assert!(stories[0].contains("representatives"), "{}", stories[0]);
    // What users may do is not an agent's matter.
    let users = agents.replace("is Mcp::Agent", "is User");
    assert!(stories_or_none(&company.prove(&users)) > 0);
    assert!(is_proven(
        &Company::with(GOOD).prove(&SECRET.replace("(principal,", "(principal is User,"))
    ));
}

fn stories_or_none(proof: &Proof) -> usize {
    match &proof.outcome {
        Outcome::Violated { examples, .. } => examples.len(),
        Outcome::Proven | Outcome::NotProven(_) => 0,
    }
}

#[test]
fn a_leak_through_membership_of_a_group_is_found() {
    if !has_solver() {
        return;
    }
    let seniors = GOOD.replace(
        "unless { principal in Group::\"protection-desk\" }",
        "unless { principal in Group::\"protection-desk\" || principal in Group::\"seniors\" }",
    );
    let proof = Company::with(&seniors).prove(SECRET);
    let stories = stories(&proof);
    assert!(stories[0].contains("\"id\":\"seniors\""), "{}", stories[0]);
    assert!(!stories[0].contains("protection-desk\""), "{}", stories[0]);
}

#[test]
fn a_leak_at_one_precision_alone_is_found_at_that_precision() {
    if !has_solver() {
        return;
    }
    let hole = GOOD
        .replace("context.precision < 4 }", "context.precision < 4 && context.precision != 2 }");
    let proof = Company::with(&hole).prove(SECRET);
    for story in stories(&proof) {
        assert!(story.contains("\"precision\":\"area\""), "{story}");
    }
}

#[test]
fn the_words_for_exactness_agree() {
    if !has_solver() {
        return;
    }
    let exact = r#"
        permit (principal, action == Mcp::Action::"learn", resource is Customer)
        when { !context.exact && context.family == "location" };
    "#;
    let company = Company::with(exact);
    let by_number = r#"
        @invariant("nothing exact")
        forbid (principal, action == Mcp::Action::"learn", resource is Customer)
        when { context.precision == 0 };
    "#;
    assert!(is_proven(&company.prove(by_number)));
    let by_attribute = r#"
        @invariant("no names")
        forbid (principal, action == Mcp::Action::"learn", resource is Customer)
        when { context.attribute == "name" };
    "#;
    assert!(is_proven(&company.prove(by_attribute)));
    let address = by_attribute.replace("name", "address");
    assert!(!is_proven(&company.prove(&address)));
}

#[test]
fn a_forbid_on_paper_does_not_count() {
    if !has_solver() {
        return;
    }
    let on_paper = GOOD.replace("forbid (", "@mode(\"shadow\") forbid (");
    let proof = Company::with(&on_paper).prove(SECRET);
    assert!(!stories(&proof).is_empty());
    let permit_on_paper = "@mode(\"shadow\") permit (principal, action, resource);";
    assert!(is_proven(&Company::with(permit_on_paper).prove(SECRET)));
}

#[test]
fn an_agent_is_no_user() {
    if !has_solver() {
        return;
    }
    let own = r#"
        permit (principal, action == Mcp::Action::"learn", resource is Customer)
        when { resource.assigned_to == principal };
    "#;
    let agents = r#"
        @invariant("no agent learns anything by its own rights")
        forbid (principal is Mcp::Agent, action == Mcp::Action::"learn", resource is Customer);
    "#;
    assert!(is_proven(&Company::with(own).prove(agents)));
    let others =
        own.replace("==  principal", "!= principal").replace("== principal", "!= principal");
    let proof = Company::with(&others).prove(agents);
    assert!(!stories(&proof).is_empty());
    // What cannot be told apart is not proven.
    let failing = r#"
        permit (principal, action == Mcp::Action::"learn", resource is Customer)
        when { principal.department == "care" };
    "#;
    let failing = Company::with(&failing.replace("when {", "when { principal has department &&"));
    let proof = failing.prove(agents);
    assert!(is_proven(&proof) || doubts(&proof).contains("agent"), "{proof:?}");
}

#[test]
fn one_tool_of_a_group_of_actions_is_found() {
    if !has_solver() {
        return;
    }
    let calls = r#"
        @invariant("only representatives call the deliveries")
        forbid (principal, action in Mcp::Action::"tools/call", resource in Mcp::Server::"deliveries")
        unless { principal in Group::"representatives" };
    "#;
    assert!(is_proven(&Company::with(GOOD).prove(calls)));
    let hole = format!(
        "{GOOD} permit (principal in Group::\"guests\", action == Mcp::Action::\"deliveries/get_dropoffs\", resource)
         when {{ context.arguments has limit && context.arguments.limit < 3 }};"
    );
    let proof = Company::with(&hole).prove(calls);
    let stories = stories(&proof);
    assert!(stories[0].contains("- call: \"deliveries/get_dropoffs\""), "{}", stories[0]);
    assert!(stories[0].contains("\"limit\""), "{}", stories[0]);
    assert_eq!(proof.later_tools, Some(true), "no policy lets guests call what comes later");
}

#[test]
fn arguments_of_a_tool_that_was_never_seen_permit_nothing() {
    if !has_solver() {
        return;
    }
    let by_argument = r#"
        permit (principal, action == Mcp::Action::"deliveries/untold", resource)
        when { context.arguments.limit < 3 };
    "#;
    let company = Company::made(by_argument, &["untold"]);
    let calls = r#"
        @invariant("nobody calls anything")
        forbid (principal, action in Mcp::Action::"tools/call", resource);
    "#;
    assert!(is_proven(&company.prove(calls)));
    // A forbid refuses there wherever its scope fits.
    let forbids = format!(
        "permit (principal, action == Mcp::Action::\"deliveries/untold\", resource); {}",
        by_argument.replace("permit", "forbid")
    );
    assert!(is_proven(&Company::made(&forbids, &["untold"]).prove(calls)));
    let free = "permit (principal, action == Mcp::Action::\"deliveries/untold\", resource);";
    assert!(!stories(&Company::made(free, &["untold"]).prove(calls)).is_empty());
}

#[test]
fn lists_are_allowed_without_a_permit() {
    if !has_solver() {
        return;
    }
    let nobody = r#"
        @invariant("nobody lists")
        forbid (principal, action == Mcp::Action::"tools/list", resource);
    "#;
    let proof = Company::with(GOOD).prove(nobody);
    assert!(!is_proven(&proof), "{proof:?}");
    let closed =
        format!("{GOOD} forbid (principal, action == Mcp::Action::\"tools/list\", resource);");
    assert!(is_proven(&Company::with(&closed).prove(nobody)));
}

#[test]
fn acting_on_objects_is_proven_as_well() {
    if !has_solver() {
        return;
    }
    let others = r#"
        @invariant("only their own")
        forbid (principal is User, action == Action::"read", resource is Customer)
        unless { resource.assigned_to == principal };
    "#;
    assert!(is_proven(&Company::with(GOOD).prove(others)));
    let hole =
        GOOD.replace("when { resource.assigned_to == principal }", "when { !resource.protected }");
    let proof = Company::with(&hole).prove(others);
    assert!(stories(&proof)[0].contains("assigned_to"), "{:?}", stories(&proof));
}

#[test]
fn an_invariant_that_forbids_nothing_is_not_proven() {
    if !has_solver() {
        return;
    }
    for nothing in [
        r#"@invariant("x") forbid (principal, action == Mcp::Action::"learn", resource is Customer)
           when { context.precision < 0 };"#,
        r#"@invariant("x") forbid (principal, action == Mcp::Action::"learn", resource is Customer)
           when { context.family == "address" };"#,
        r#"@invariant("x") forbid (principal, action == Mcp::Action::"no-such", resource);"#,
    ] {
        let proof = Company::with(GOOD).prove(nothing);
        assert!(doubts(&proof).contains("says nothing"), "{proof:?}");
    }
}

#[test]
fn an_invariant_that_has_no_meaning_is_not_proven() {
    if !has_solver() {
        return;
    }
    let wrong = r#"@invariant("x") forbid (principal, action == Mcp::Action::"learn", resource)
                   when { resource.protected };"#;
    let proof = Company::with("").prove(wrong);
    assert!(doubts(&proof).contains("no meaning"), "{proof:?}");
}

#[test]
fn groups_of_the_token_are_groups_of_the_user() {
    if !has_solver() {
        return;
    }
    let by_token = r#"
        permit (principal is User, action == Mcp::Action::"learn", resource is Customer)
        when { context.groups.contains("protection-desk") };
    "#;
    assert!(is_proven(&Company::with(by_token).prove(SECRET)));
}

#[test]
fn what_is_no_invariant_is_said_to_be_none() {
    let file = |text: &str| crate::fixture::file("a.invariants.cedar", text);
    for (text, said) in [
        ("forbid (principal, action, resource);", "needs a name"),
        ("@invariant(\"\") forbid (principal, action, resource);", "needs a name"),
        ("@invariant(\"x\") permit (principal, action, resource);", "permits"),
        ("@invariant(\"x\") @mode(\"shadow\") forbid (principal, action, resource);", "has a mode"),
        (
            "@invariant(\"x\") forbid (principal, action, resource);
             @invariant(\"x\") forbid (principal, action, resource);",
            "stands twice",
        ),
        ("forbid (", "cannot be read"),
    ] {
        let findings = Invariant::read(&[file(text)]).expect_err(text);
        assert!(findings[0].message.contains(said), "{text}: {}", findings[0].message);
    }
}

#[test]
fn a_request_that_needs_a_strange_context_is_found_and_played() {
    if !has_solver() {
        return;
    }
    let hole = GOOD.replace(
        "context.precision < 4 }",
        "context.precision < 4 &&
         !(context has acr && context has ip && context.now < datetime(\"2027-01-01\") &&
           context.scopes.contains(\"night\") && context.groups.contains(\"seniors\")) }",
    );
    let proof = Company::with(&hole).prove(&SECRET.replace("(principal,", "(principal is User,"));
    let stories = stories(&proof);
    for said in ["\"acr\":", "\"ip\":", "\"now\":\"2026-", "\"night\"", "groups: [", "\"seniors\""]
    {
        assert!(stories[0].contains(said), "{said}: {}", stories[0]);
    }
}

#[test]
fn what_only_a_server_tells_is_found_there() {
    if !has_solver() {
        return;
    }
    let elsewhere = GOOD.replace(
        "context.precision < 4 }",
        "context.precision < 4 && context.via in Mcp::Server::\"deliveries\" }",
    );
    let here = SECRET.replace(
        "resource.protected &&",
        "resource.protected && context.via == Mcp::Tool::\"deliveries/get_address\" &&",
    );
    assert!(is_proven(&Company::with(&elsewhere).prove(&here)));
    assert!(!is_proven(&Company::with(&elsewhere).prove(SECRET)));
}

#[test]
fn a_forbid_that_has_no_form_is_not_counted_as_kept() {
    if !has_solver() {
        return;
    }
    // To an agent the condition fails, which refuses; that is more than can be shown.
    let fails = GOOD.replace(
        "unless { principal in Group::\"protection-desk\" }",
        "unless { principal in Group::\"protection-desk\" || (principal has department && principal.department == \"desk\") }",
    );
    let agents = SECRET.replace("(principal,", "(principal is Mcp::Agent,");
    let proof = Company::with(&fails).prove(&agents);
    assert!(is_proven(&proof) || doubts(&proof).contains("refuse"), "{proof:?}");
    let users = Company::with(&fails).prove(&SECRET.replace("(principal,", "(principal is User,"));
    assert!(stories(&users)[0].contains("\"department\":\"desk\""), "{:?}", stories(&users));
}

#[test]
fn where_a_mapping_stands_in_for_the_question_no_policy_on_the_call_counts() {
    if !has_solver() {
        return;
    }
    let never = r#"
        forbid (principal, action in Mcp::Action::"tools/call", resource);
        permit (principal is User, action == Action::"read", resource is Customer);
    "#;
    let calls = r#"
        @invariant("nobody calls anything")
        forbid (principal is User, action in Mcp::Action::"tools/call", resource);
    "#;
    assert!(is_proven(&Company::made(never, &["get_address"]).prove(calls)));
    let proof = Company::made(never, &["get_address", "mapped"]).prove(calls);
    let stories = stories(&proof);
    assert_eq!(stories.len(), 1);
    assert!(stories[0].contains("- call: \"deliveries/mapped\""), "{}", stories[0]);
}
