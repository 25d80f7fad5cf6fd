//! Guesses, from the words of a tool, what it may reveal and about whom.

use serde_json::Value;

use crate::look::SeenTool;

/// What a tool probably reveals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Proposal {
    /// The attribute, as the tool's own word says it.
    pub(super) attribute: String,
    /// The family that it belongs to.
    pub(super) family: &'static str,
    /// Whom the call is about, if a parameter says so.
    pub(super) subject: Option<Subject>,
}

/// The parameter that names whom a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// The parameter's name.
    pub(super) parameter: String,
    /// The type of the object, for example `Customer`.
    pub(super) kind: String,
    /// Whether it is an exact id; otherwise words that must resolve to somebody.
    pub(super) is_id: bool,
}

/// What `tool` probably reveals; nothing when its words say nothing.
pub(super) fn propose(tool: &SeenTool) -> Option<Proposal> {
    let properties = tool.input_schema.get("properties").and_then(Value::as_object);
    let parameters: Vec<&str> = properties.into_iter().flatten().map(|(n, _)| n.as_str()).collect();
    let (family, attribute) = words(&tool.name)
        .iter()
        .rev()
        .find_map(|word| Some((family(word)?, word.clone())))
        .or_else(|| parameters.iter().find_map(|name| sensitive_parameter(name)))?;
    Some(Proposal { attribute, family, subject: subject(tool, &parameters) })
}

fn sensitive_parameter(name: &str) -> Option<(&'static str, String)> {
    words(name).iter().find_map(|word| Some((family(word)?, word.clone())))
}

fn subject(tool: &SeenTool, parameters: &[&str]) -> Option<Subject> {
    let id = parameters.iter().find_map(|name| {
        let words = words(name);
        let (last, stem) = words.split_last()?;
        let is_id = matches!(last.as_str(), "id" | "number" | "no" | "key");
        (is_id && !stem.is_empty()).then(|| Subject {
            parameter: (*name).to_owned(),
            kind: capitalised(stem),
            is_id: true,
        })
    });
    id.or_else(|| {
        let name = parameters
            .iter()
            .find(|name| words(name).iter().any(|w| NAMING.contains(&w.as_str())))?;
        Some(Subject { parameter: (*name).to_owned(), kind: kind_of(tool), is_id: false })
    })
}

/// The kind of thing that a tool's own name speaks of, `Person` when it does not say.
fn kind_of(tool: &SeenTool) -> String {
    let words = words(&tool.name);
    match words.iter().find(|word| KINDS.contains(&word.trim_end_matches('s'))) {
        Some(kind) => capitalised(std::slice::from_ref(&kind.trim_end_matches('s').to_owned())),
        None => "Person".to_owned(),
    }
}

fn capitalised(words: &[String]) -> String {
    let one = |word: &String| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
    };
    words.iter().filter_map(one).collect()
}

/// The words of a name, in lower case: `getDropoffLocations` and `get_dropoff_locations` alike.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() || (c.is_ascii_uppercase() && before_is_lower) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| c.is_ascii_alphanumeric()) {
            word.push(c.to_ascii_lowercase());
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn family(word: &str) -> Option<&'static str> {
    let is = |known: &&str| *known == word || word.strip_suffix('s') == Some(*known);
    FAMILIES.iter().find(|(_, known)| known.iter().any(&is)).map(|(family, _)| *family)
}

const FAMILIES: [(&str, &[&str]); 6] = [
    (
        "location",
        &[
            "address",
            "addresses",
            "street",
            "zip",
            "postcode",
            "lat",
            "latitude",
            "longitude",
            "near",
            "nearby",
            "dropoff",
            "location",
            "route",
            "eta",
            "map",
            "geo",
            "delivery",
        ],
    ),
    ("pay", &["salary", "salaries", "bonus", "grade", "wage", "compensation", "payroll"]),
    ("health", &["diagnosis", "diagnoses", "claim", "medication", "prescription", "patient"]),
    ("money", &["balance", "iban", "transaction", "statement"]),
    ("identity", &["ssn", "passport", "email", "phone", "birthday", "birthdate", "contact"]),
    ("secret", &["token", "secret", "password", "credential"]),
];

const NAMING: [&str; 7] = ["name", "near", "customer", "person", "who", "user", "employee"];

const KINDS: [&str; 8] =
    ["customer", "employee", "patient", "user", "person", "account", "client", "member"];
