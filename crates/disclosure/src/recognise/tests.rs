//! Who is recognised in open texts, and who is not.

mod cost;
mod dark;
mod open;

use super::stage::Stage;

/// Every one of `texts` names Taylor Swift.
fn all_name_taylor(stage: &Stage, texts: &[&str]) {
    let missed: Vec<&&str> = texts.iter().filter(|text| !stage.names_taylor(text)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

/// None of `texts` names any customer.
fn none_names_anybody(stage: &Stage, texts: &[&str]) {
    let hits = texts.iter().map(|text| (text, stage.mentions(text)));
    let hits: Vec<_> = hits
        .map(|(text, mentions)| {
            let person = |m: &super::Mention| m.entities.iter().any(|uid| &*uid.kind == "Customer");
            (text, mentions.into_iter().filter(person).collect::<Vec<_>>())
        })
        .filter(|(_, mentions)| !mentions.is_empty())
        .collect();
    assert!(hits.is_empty(), "{hits:?}");
}
