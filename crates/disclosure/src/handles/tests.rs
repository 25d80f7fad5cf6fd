use super::*;

fn server(name: &str) -> ServerName {
    ServerName::try_from(name.to_owned()).unwrap()
}

#[test]
fn a_handle_without_a_kind_belongs_to_its_server() {
    let handles = Handles::new([7; 32]);
    let (shop, desk) = (server("shop"), server("desk"));
    assert_ne!(handles.key(None, &shop, "1001"), handles.key(None, &desk, "1001"));
    assert_eq!(handles.key(Some("Order"), &shop, "A-1"), handles.key(Some("Order"), &desk, "a 1"));
    assert_ne!(handles.key(Some("shop"), &shop, "1001"), handles.key(None, &shop, "1001"));
    assert_ne!(Handles::new([8; 32]).key(None, &shop, "1001"), handles.key(None, &shop, "1001"));
}

#[test]
fn a_handle_that_two_owners_claim_keeps_both() {
    let mut handles = Handles::new([7; 32]);
    let key = handles.key(None, &server("shop"), "1001");
    let owner = |id: &str| EntityUid::new("Customer", id);
    assert!(handles.insert(key, owner("1")));
    assert!(!handles.insert(key, owner("1")));
    assert!(handles.insert(key, owner("2")));
    assert_eq!(handles.owners(key), [owner("1"), owner("2")]);
    assert_eq!(handles.len(), 1);
}
