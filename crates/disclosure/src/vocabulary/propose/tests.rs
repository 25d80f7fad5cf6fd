//! What is proposed of servers of many kinds, and what is not.

use serde_json::{Value, json};

use super::{Outline, propose};

/// What is proposed of one tool, as it would be written.
fn of(name: &str, arguments: &Value, output: &Value) -> Value {
    let input = json!({ "type": "object", "properties": arguments });
    let output = (!output.is_null()).then_some(output);
    let proposed = propose(&[Outline::tool(name, &input, output)]);
    proposed.bindings.tools.get(name).map_or(Value::Null, |binding| json!(binding))
}

fn rows(list: &str, fields: &Value) -> Value {
    let all: Vec<&String> = fields.as_object().unwrap().keys().collect();
    json!({ "properties": { list: { "items": { "properties": fields, "required": all } } }, "required": [list] })
}

fn told(of: &str, argument: &str, attribute: &str) -> Value {
    json!({ "of": of, "subject": format!("$params.arguments.{argument}"), "attribute": attribute })
}

#[test]
fn a_person_by_id_is_a_subject() {
    for (name, argument, kind, attribute) in [
        ("get_customer_address", "customer_id", "Customer", "address"),
        ("getCustomerAddress", "customerId", "Customer", "address"),
        ("get_diagnosis", "patient_id", "Patient", "diagnosis"),
        ("employee_salary", "employee_number", "Employee", "salary"),
        ("get_balance", "account_holder_id", "AccountHolder", "balance"),
    ] {
        let binding = of(name, &json!({ argument: { "type": "string" } }), &Value::Null);
        assert_eq!(binding["discloses"], json!([told(kind, argument, attribute)]), "{name}");
        assert_eq!(binding["parameters"][argument]["role"], "id", "{name}");
    }
}

#[test]
fn what_is_near_somebody_is_coarser() {
    let output = rows("locations", &json!({ "name": {}, "distance_km": { "type": "number" } }));
    let binding = of("get_dropoff_locations", &json!({ "near": { "type": "string" } }), &output);
    let mut nearby = told("Person", "near", "nearby_places");
    nearby["precision"] = json!("area");
    assert_eq!(
        binding,
        json!({
            "parameters": { "near": { "role": "text", "mode": "closed" } },
            "discloses": [nearby],
            "strip": ["$.locations[*].distance_km"],
        })
    );
}

#[test]
fn numbers_of_things_are_handles_whose_owner_the_answer_may_say() {
    let binding = of("get_lab_result", &json!({ "sample": {} }), &Value::Null);
    assert_eq!(
        binding["parameters"]["sample"],
        json!({ "role": "handle", "mode": "closed", "type": "Sample" })
    );
    let output = json!({
        "properties": { "customer": { "$ref": "#/$defs/C" }, "address": { "type": "string" } },
        "required": ["customer"],
        "$defs": { "C": { "properties": { "id": { "type": "string" } }, "required": ["id"] } },
    });
    let binding = of("get_order_delivery", &json!({ "order_id": {} }), &output);
    assert_eq!(binding["discloses"][0]["subject"], "$params.arguments.order_id", "{binding}");
    assert_eq!(binding["discloses"][1]["in_result"], "$.customer.id", "{binding}");
}

#[test]
fn rows_of_people_are_told_row_by_row() {
    let fields = json!({ "id": {}, "name": {}, "diagnosis": {}, "bed": {}, "zip": {} });
    let binding = of("list_ward", &json!({ "ward": {} }), &rows("patients", &fields));
    let expected = json!([{
        "each": "$.patients[*]", "of": "Patient", "id": "$.id",
        "attributes": {
            "diagnosis": "$.diagnosis", "name": "$.name",
            "zip": { "path": "$.zip", "precision": "area" },
        },
    }]);
    assert_eq!(binding["results"], expected);
}

#[test]
fn lists_of_things_say_whose_they_are() {
    let fields = json!({ "id": {}, "customer_id": {} });
    let binding = of("list_orders", &json!({}), &rows("orders", &fields));
    let link = json!({
        "handle": "$.orders[*].id", "owner": "$.orders[*].customer_id", "of": "Customer", "type": "Order",
    });
    assert_eq!(binding, json!({ "links": [link] }));
}

#[test]
fn comparing_is_guessing() {
    let output = json!({ "properties": { "valid": { "type": "boolean" } }, "required": ["valid"] });
    let binding = of("verify_pin", &json!({ "customer": {}, "pin": {} }), &output);
    let expected = json!({
        "key": ["customer"], "attribute": "pin", "of": "Customer", "misses": 3, "hit": "$.valid",
    });
    assert_eq!(binding["oracle"], expected);
    assert_eq!(binding["parameters"]["pin"]["role"], "value");
    let binding = of("find_customer", &json!({ "name": {}, "zip": {}, "limit": {} }), &Value::Null);
    assert_eq!(binding["oracle"]["attribute"], "zip");
    assert_eq!(binding["parameters"].get("limit"), None);
    // Nothing is guessed here.
    let binding = of("check_balance", &json!({ "customer_id": {} }), &Value::Null);
    assert_eq!(binding["discloses"], json!([told("Customer", "customer_id", "balance")]));
}

#[test]
fn figures_need_a_count() {
    let counted = json!({ "properties": { "average": { "type": "number" }, "count": { "type": "integer" } } });
    let arguments = json!({ "department": { "type": "string" } });
    let binding = of("average_employee_salary", &arguments, &counted);
    let expected = json!({
        "attribute": "salary", "of": "Employee", "filter": "$params.arguments.department",
        "count": "$.count", "k": 5,
    });
    assert_eq!(binding["aggregate"], expected);
    let uncounted = json!({ "properties": { "average": { "type": "number" } } });
    assert_eq!(of("average_employee_salary", &arguments, &uncounted), Value::Null);
}

#[test]
fn what_has_an_effect_writes() {
    let binding = of("share_location", &json!({ "customer_id": {} }), &Value::Null);
    assert_eq!(binding["writes"], true);
    let binding = of("get_location", &json!({ "customer_id": {} }), &Value::Null);
    assert_eq!(binding.get("writes"), None);
}

#[test]
fn first_and_last_name_are_one_name() {
    let arguments = json!({ "first_name": {}, "last_name": {} });
    let binding = of("get_customer_phone", &arguments, &Value::Null);
    let subject = json!(["$params.arguments.first_name", "$params.arguments.last_name"]);
    assert_eq!(binding["discloses"][0]["subject"], subject);
}

#[test]
fn where_nothing_is_sure_nothing_is_proposed() {
    for (name, arguments) in [
        ("ping", json!({})),
        ("list_depots", json!({ "region": {} })),
        ("free_beds", json!({ "ward": {} })),
        ("search_products", json!({ "query": {} })),
        ("get_weather", json!({ "city": {} })),
        ("geocode", json!({ "a b": {}, "$x": {}, "c.d": {} })),
        ("", json!({ "": {} })),
    ] {
        assert_eq!(of(name, &arguments, &Value::Null), Value::Null, "{name}");
    }
}

#[test]
fn what_is_unsure_is_named() {
    let input = json!({ "properties": { "customer_id": {} } });
    let all = [
        Outline::tool("get_customer", &input, None),
        Outline::tool("plan_route", &json!({ "properties": { "city": {} } }), None),
        Outline::tool("ping", &json!({}), None),
    ];
    let unsure = propose(&all).unsure;
    assert_eq!(unsure.keys().collect::<Vec<_>>(), ["get_customer", "plan_route"]);
    assert_eq!(unsure["plan_route"], ["location"]);
}

#[test]
fn prompts_and_resources_are_paths_too() {
    let proposed = propose(&[
        Outline::prompt("summarise_diagnosis", ["patient"]),
        Outline::resource("clinic://patients/{id}/chart"),
        Outline::resource("clinic://beds/{ward}"),
        Outline::resource("no scheme {id} address"),
    ]);
    let prompt = json!(proposed.bindings.prompts["summarise_diagnosis"]);
    assert_eq!(prompt["discloses"], json!([told("Patient", "patient", "diagnosis")]));
    let chart = json!(proposed.bindings.resources["clinic://patients/{id}/chart"]);
    assert_eq!(chart["discloses"][0]["of"], "Patient");
    assert_eq!(chart["discloses"][0]["subject"], "$params.uri.id");
    assert_eq!(proposed.bindings.resources.len(), 1);
}

#[test]
fn families_inferences_and_types_come_with_the_bindings() {
    let input = |name: &str| json!({ "properties": { name: { "type": "string" } } });
    let proposed = propose(&[
        Outline::tool("get_lab_result", &input("sample"), None),
        Outline::tool("get_medication", &input("patient_id"), None),
        Outline::tool("find_lockers", &input("near"), None),
    ]);
    let health = &proposed.inferences.families["health"];
    assert_eq!(health.attributes, ["diagnosis", "lab_result", "medication"]);
    assert_eq!(proposed.inferences.families["location"].attributes, ["address", "nearby_places"]);
    assert_eq!(proposed.inferences.inferences.len(), 4);
    // The server speaks of patients: whoever a locker is near is one.
    let expected =
        [("Patient".to_owned(), None), ("Sample".to_owned(), Some("Patient".to_owned()))];
    assert_eq!(proposed.entities, expected.into());
    let near = json!(proposed.bindings.tools["find_lockers"]);
    assert_eq!(near["discloses"][0]["of"], "Patient");
}

mod whatever {
    use proptest::prelude::*;

    use super::*;
    use crate::bindings::Bindings;
    use crate::inferences::Inferences;
    use kenward_model::{Place, ServerName};
    use std::collections::BTreeMap;

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "get", "find", "verify", "average", "send", "customer", "patient", "id", "order",
                "address", "zip", "salary", "near", "name", "of", "count", "claims", "account",
                "holder", "email", "lab", "pin", "policy", "band", "first", "last",
            ])
            .prop_map(str::to_owned),
            "[a-zé$. \\[*\\]'{}]{0,4}",
        ]
    }

    fn name() -> impl Strategy<Value = String> {
        prop::collection::vec(word(), 0..4).prop_map(|words| words.join("_"))
    }

    fn schema() -> impl Strategy<Value = Value> {
        let leaf = prop::sample::select(vec![
            json!({}),
            json!({ "type": "string" }),
            json!({ "type": "integer" }),
            json!({ "type": "boolean" }),
            json!({ "type": "object" }),
            json!(true),
        ]);
        leaf.prop_recursive(3, 24, 4, |inner| {
            (prop::collection::btree_map(name(), inner, 0..4), any::<bool>()).prop_map(object)
        })
    }

    fn object((members, is_list): (BTreeMap<String, Value>, bool)) -> Value {
        let required: Vec<&String> = members.keys().collect();
        let object = json!({ "type": "object", "properties": members, "required": required });
        if is_list { json!({ "type": "array", "items": object }) } else { object }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        /// Whatever a server declares, what is proposed compiles as a whole.
        #[test]
        fn every_proposal_compiles(
            tools in prop::collection::vec((name(), schema(), prop::option::of(schema())), 0..6),
            prompt in (name(), prop::collection::vec(name(), 0..3)),
            uri in "[a-z]{0,3}(://)?(patients|x)?/?(\\{[a-z_]{0,6}\\}?)?/(address|chart)?",
        ) {
            let mut all: Vec<Outline> = tools
                .iter()
                .map(|(name, input, output)| Outline::tool(name, input, output.as_ref()))
                .collect();
            all.push(Outline::prompt(&prompt.0, prompt.1.iter().map(String::as_str)));
            all.push(Outline::resource(&uri));
            let proposed = propose(&all);
            let text = serde_json::to_string(&proposed.inferences).unwrap();
            let inferences = Inferences::read("proposed", &text).unwrap();
            let server = ServerName::try_from("s".to_owned()).unwrap();
            let place = |_: &ServerName, item: &str, at: &str| Place::whole(format!("{item}{at}"));
            let specs = BTreeMap::from([(server, proposed.bindings)]);
            let compiled = Bindings::compile(&place, &specs, &inferences);
            prop_assert!(compiled.is_ok(), "{:?}", compiled.err());
        }
    }
}
