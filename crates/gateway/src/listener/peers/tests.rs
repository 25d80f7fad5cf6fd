use std::net::IpAddr;

use super::Peers;

fn address(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn each_address_holds_its_own_share_and_gives_it_back() {
    let peers = Peers::new(2);
    let first = peers.enter(address("192.0.2.1")).expect("a place");
    let _second = peers.enter(address("::ffff:192.0.2.1")).expect("a place");
    assert!(peers.enter(address("192.0.2.1")).is_none());
    assert!(peers.enter(address("192.0.2.2")).is_some());
    drop(first);
    assert!(peers.enter(address("192.0.2.1")).is_some());
    assert_eq!(
        peers.counts.lock().expect("the counts").len(),
        1,
        "who holds nothing costs nothing"
    );
}

#[test]
fn a_network_of_ipv6_is_one_peer() {
    let peers = Peers::new(1);
    let _held = peers.enter(address("2001:db8::1")).expect("a place");
    assert!(peers.enter(address("2001:db8::ffff:2")).is_none());
    assert!(peers.enter(address("2001:db8:0:1::1")).is_some());
}
