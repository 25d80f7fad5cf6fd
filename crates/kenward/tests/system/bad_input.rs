//! Promise: everything that is wrong is reported at once, with its place, and nothing is started.

use kenward_testkit::{Deployment, Exited, Gateway, Issuer, Upstream, run};
use serde_json::json;

use crate::KENWARD;

#[tokio::test]
async fn check_finds_nothing_wrong_with_a_good_configuration() {
    let (deployment, _issuer, _upstream) = good().await;
    let checked = check(&deployment).await;
    assert_eq!(checked.code, Some(0), "{}", checked.said());
}

#[tokio::test]
async fn all_mistakes_of_all_files_are_reported_together() {
    let (deployment, _issuer, _upstream) = good().await;
    let config = "listen: 127.0.0.1:0\n\
                  publik_url: http://127.0.0.1:1\n\
                  issuers:\n  - issuer: https://idp.example.com\n    algoritms: [ES256]\n\
                  servers:\n  deliveries:\n    url: http://127.0.0.1:9/mcp\n    grant: maybe\n\
                  policies: policies/\n\
                  directory: directory.yaml\n";
    deployment.write("kenward.yaml", config);
    deployment.write("policies/deliveries.cedar", "permit (principal, action, resource)\n");
    deployment.write("directory.yaml", "- { type: User }\n- { typ: User, id: x }\n");
    for checked in [check(&deployment).await, serve(&deployment).await] {
        assert_eq!(checked.code, Some(1), "{}", checked.said());
        let said = checked.said();
        for wanted in [
            "kenward.yaml:2:1",
            "publik_url",
            "public_url",
            "kenward.yaml:5:5",
            "algorithms",
            "kenward.yaml:9:12",
            "deliveries.cedar:",
            "directory.yaml:1:",
            "directory.yaml:2:",
        ] {
            assert!(said.contains(wanted), "`{wanted}` in:\n{said}");
        }
    }
}

#[tokio::test]
async fn serve_refuses_what_check_refuses_and_leaves_nothing_behind() {
    let (mut deployment, _issuer, _upstream) = good().await;
    deployment.config["servers"]["deliveries"]["tools"]["purge_records"] =
        json!({ "discloses": 7 });
    let refused = Gateway::start_in_vain(KENWARD, &deployment).await;
    assert_eq!(refused.code, Some(1), "{}", refused.said());
    assert!(!deployment.path("kenward.db").exists(), "a database was made");
    assert!(!deployment.path("audit").exists(), "a log was made");
}

#[tokio::test]
async fn mistakes_in_policies_are_shown_where_they_are() {
    let (deployment, _issuer, _upstream) = good().await;
    deployment.write_config();
    for (policy, wanted) in [
        ("permit (principal, action, resource)", vec!["more.cedar:1:"]),
        (
            "\n\npermit (principal in Grup::\"x\", action, resource);",
            vec!["more.cedar:3:", "Group"],
        ),
        (
            "permit (principal, action == Mcp::Action::\"learn\", resource is Customer)\n\
             when { resource.protectd };",
            vec!["more.cedar:2:", "protected"],
        ),
        (
            "@id(\"purging\") permit (principal, action, resource);",
            vec!["more.cedar:1:", "purging"],
        ),
        ("permit (principal == ?principal, action, resource);", vec!["more.cedar:1:"]),
    ] {
        deployment.write("policies/more.cedar", policy);
        let checked = check(&deployment).await;
        assert_eq!(checked.code, Some(1), "{policy}: {}", checked.said());
        for wanted in wanted {
            assert!(
                checked.said().contains(wanted),
                "{policy}: `{wanted}` in:\n{}",
                checked.said()
            );
        }
    }
}

#[tokio::test]
async fn a_tool_that_nobody_has_seen_is_doubted_and_the_nearest_one_named() {
    let (deployment, _issuer, _upstream) = good().await;
    deployment.write_config();
    let misspelt =
        "permit (principal, action == Mcp::Action::\"deliveries/purge_recods\", resource);";
    deployment.write("policies/more.cedar", misspelt);
    let checked = check(&deployment).await;
    for wanted in ["more.cedar:1:", "purge_recods", "purge_records"] {
        assert!(checked.said().contains(wanted), "`{wanted}` in:\n{}", checked.said());
    }
}

#[tokio::test]
async fn what_cannot_be_meant_is_a_mistake() {
    let bend: Vec<(&str, Bend, &str)> = vec![
        ("neither url nor command", |d| d.config["servers"]["x"] = json!({}), "url"),
        (
            "url and command",
            |d| {
                d.config["servers"]["x"] =
                    json!({ "url": "http://127.0.0.1:1/", "command": ["a"] });
            },
            "command",
        ),
        (
            "a server's name",
            |d| d.config["servers"]["Bad__Name"] = json!({ "command": ["true"] }),
            "Bad__Name",
        ),
        (
            "a url that is none",
            |d| d.config["servers"]["deliveries"]["url"] = json!("nonsense"),
            "nonsense",
        ),
        ("a lifetime", |d| d.config["grants"]["lifetime"] = json!("forever"), "forever"),
        ("a lifetime too long", |d| d.config["grants"]["lifetime"] = json!("1h"), "lifetime"),
        ("no issuer", |d| d.config["issuers"] = json!([]), "issuers"),
        (
            "a listener twice",
            |d| d.config["admin"]["listen"] = d.config["listen"].clone(),
            "listen",
        ),
        ("an address", |d| d.config["listen"] = json!("here"), "here"),
        (
            "an unset variable",
            |d| d.config["admin"]["token"] = json!("${KENWARD_NOT_SET}"),
            "KENWARD_NOT_SET",
        ),
        ("no policies", |d| d.config["policies"] = json!("nowhere/"), "nowhere"),
        ("no directory", |d| d.config["directory"] = json!("nowhere.yaml"), "nowhere.yaml"),
        (
            "an attribute of no family's scale",
            |d| {
                d.config["servers"]["deliveries"]["tools"]["get_dropoff_locations"]["discloses"]
                    [0]["precision"] = json!("galaxy");
            },
            "galaxy",
        ),
        ("what is not built yet", |d| d.config["scim"] = json!({ "token": "x" }), "scim"),
        (
            "definitions that are held in no known way",
            |d| d.config["servers"]["deliveries"]["definitions"] = json!("pinned"),
            "pinned",
        ),
    ];
    for (kind, bend, wanted) in bend {
        let (mut deployment, _issuer, _upstream) = good().await;
        bend(&mut deployment);
        deployment.write_config();
        let checked = check(&deployment).await;
        assert_eq!(checked.code, Some(1), "{kind}: {}", checked.said());
        assert!(checked.said().contains(wanted), "{kind}: `{wanted}` in:\n{}", checked.said());
        assert!(
            checked.said().contains("kenward.yaml:"),
            "{kind}: no place in:\n{}",
            checked.said()
        );
    }
}

#[tokio::test]
async fn secrets_do_not_stand_in_reports() {
    let (mut deployment, _issuer, _upstream) = good().await;
    let server = &mut deployment.config["servers"]["deliveries"];
    server["credential"] = json!({ "bearer": "swordfish", "berer": "swordfish" });
    deployment.config["admin"]["token"] = json!(["swordfish"]);
    deployment.write_config();
    for said in [check(&deployment).await.said(), serve(&deployment).await.said()] {
        assert!(!said.contains("swordfish"), "{said}");
    }
}

#[tokio::test]
async fn mistakes_in_the_call_have_a_status_of_their_own() {
    let (deployment, _issuer, _upstream) = good().await;
    let missing = deployment.path("missing.yaml");
    let missing = missing.to_str().expect("a path");
    for (arguments, code) in [
        (vec!["nonsense"], 2),
        (vec!["serve", "--colour", "red"], 2),
        (vec!["check", "--format", "xml"], 2),
        (vec!["serve", "--config", missing], 2),
        (vec!["check", missing], 2),
        (vec!["audit", "verify", "--directory", missing], 2),
        (vec!["--version"], 0),
        (vec!["--help"], 0),
        (vec!["serve", "--help"], 0),
    ] {
        let ended = run(KENWARD, &arguments).await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.said());
        assert!(ended.said().trim().len() > 5, "{arguments:?} says nothing");
    }
}

#[tokio::test]
async fn check_speaks_to_machines_too() {
    let (mut deployment, _issuer, _upstream) = good().await;
    deployment.config["publik_url"] = json!("x");
    deployment.write_config();
    let path = deployment.config_path();
    let checked =
        run(KENWARD, &["check", path.to_str().expect("a path"), "--format", "json"]).await;
    assert_eq!(checked.code, Some(1), "{}", checked.said());
    let found: serde_json::Value = serde_json::from_str(&checked.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", checked.stdout));
    assert!(found.to_string().contains("publik_url"), "{found}");
}

/// Makes a mistake.
type Bend = fn(&mut Deployment);

async fn good() -> (Deployment, Issuer, Upstream) {
    let issuer = Issuer::start().await;
    let upstream = Upstream::start().await;
    let deployment = Deployment::deliveries(&issuer, &upstream);
    deployment.write_config();
    (deployment, issuer, upstream)
}

async fn check(deployment: &Deployment) -> Exited {
    let path = deployment.config_path();
    run(KENWARD, &["check", path.to_str().expect("a path")]).await
}

/// `serve` with the file as it is.
async fn serve(deployment: &Deployment) -> Exited {
    let path = deployment.config_path();
    run(KENWARD, &["serve", "--config", path.to_str().expect("a path")]).await
}
