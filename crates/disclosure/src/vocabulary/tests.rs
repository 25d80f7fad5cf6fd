use super::*;
use crate::inferences::Inferences;

fn families() -> Families {
    let text = "families:\n  whereabouts:\n    scale: [exact, city]\n    attributes: [address, \
                nearby_places]\n  rating:\n    scale: [exact]\n    attributes: [review_score]\n";
    Inferences::read("inferences.yaml", text).unwrap().families
}

fn guess(names: &[&str]) -> Guess {
    Vocabulary::new(&families()).guess(names.iter().copied())
}

#[test]
fn names_of_programs_are_split_into_words() {
    assert_eq!(words_of_name("get_homeAddress"), ["get", "home", "address"]);
    assert_eq!(words_of_name("drop-off.locations2"), ["drop", "off", "locations2"]);
    assert_eq!(words_of_name("crm://customers/{id}/ETA"), ["crm", "customers", "id", "eta"]);
    assert!(words_of_name("__").is_empty());
}

#[test]
fn a_family_is_guessed_by_what_it_means_whatever_it_is_called() {
    for name in ["get_dropoff_locations", "nearestLocker", "plan_route", "parcel_eta", "geocode"] {
        assert!(guess(&[name]).touches("whereabouts"), "{name}");
    }
    assert!(guess(&["suggest", "latitude"]).touches("whereabouts"));
}

#[test]
fn a_family_is_guessed_by_its_own_words() {
    assert!(guess(&["show_review_score"]).touches("rating"));
    assert!(!guess(&["show_score"]).touches("rating"));
}

#[test]
fn an_attribute_that_no_family_claims_is_met_by_its_meaning() {
    assert!(guess(&["list_payslips"]).touches("salary"));
    assert!(!guess(&["list_payslips"]).touches("diagnosis"));
}

#[test]
fn everyday_tools_are_about_nothing() {
    for name in ["list_depots", "free_beds", "opening_hours", "search_products", "echo", "add"] {
        assert!(guess(&[name]).is_none(), "{name}: {:?}", guess(&[name]).names());
    }
}

#[test]
fn every_word_stands_in_its_list_once() {
    for concept in ["address", "salary", "diagnosis", "balance", "passport", "phone", "token"] {
        assert_eq!(guess(&[concept]).names().len(), 1, "{concept}");
    }
}
