use http::request::Parts;
use http::{HeaderValue, Request, Uri};
use proptest::prelude::*;

use super::{Endpoint, endpoint, is_our_own, only};
use crate::tests::{named, server, settings};

const PUBLIC: &str = "https://gw.example.com";
const LOCAL: &str = "http://127.0.0.1:8080";

/// A request with these headers, as a client with HTTP/1.1 sends it.
fn request(headers: &[(&'static str, &[u8])]) -> Parts {
    let mut parts = Request::post("/mcp/deliveries").body(()).expect("a request").into_parts().0;
    for (name, value) in headers {
        parts.headers.append(*name, HeaderValue::from_bytes(value).expect("a value"));
    }
    parts
}

fn comes_from(host: &str, origin: Option<&str>, public_url: &str) -> bool {
    let mut headers: Vec<(&'static str, &[u8])> = vec![("host", host.as_bytes())];
    headers.extend(origin.map(|origin| ("origin", origin.as_bytes())));
    is_our_own(&request(&headers), &settings(public_url))
}

#[test]
fn our_own_name_is_ours_in_any_case_and_with_our_own_origin() {
    for host in ["gw.example.com", "GW.Example.COM"] {
        assert!(comes_from(host, None, PUBLIC), "{host}");
        assert!(comes_from(host, Some("https://GW.example.com"), PUBLIC), "{host}");
    }
    assert!(comes_from("gw.example.com:8443", None, "https://gw.example.com:8443"));
    assert!(comes_from("gw.example.com", None, "https://gw.example.com/below/a/path"));
}

#[test]
fn names_that_merely_look_like_ours_are_foreign() {
    for host in [
        "",
        "evil.example",
        "gw.example.com.evil.example",
        "evil-gw.example.com",
        "xgw.example.com",
        "gw.example.com.",
        "gw.example.com:8443",
        "gw.example.com:",
        "user@gw.example.com",
        "gw.example.com@evil.example",
        "gw.example.com/",
        "gw.example.com,evil.example",
        " gw.example.com",
        "127.0.0.1",
        "localhost",
        "[::1]",
    ] {
        assert!(!comes_from(host, None, PUBLIC), "host {host:?}");
        let origin = format!("https://{host}");
        assert!(!comes_from("gw.example.com", Some(&origin), PUBLIC), "origin {origin:?}");
    }
}

#[test]
fn on_this_machine_its_own_names_stand_for_one_another_and_nothing_else_does() {
    for own in ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost", "[::1]"] {
        assert!(comes_from(own, Some(&format!("http://{own}")), LOCAL), "{own}");
    }
    for foreign in [
        "127.0.0.1.evil.com",
        "127.0.0.1.evil.com:8080",
        "localhost.evil.com:8080",
        "evil.com:127.0.0.1",
        "evil.com:8080",
        "127.0.0.1@evil.com",
        "127.0.0.1:8080@evil.com",
        "evil.com#127.0.0.1",
        "[::1].evil.com",
        "[::1",
        "::1",
        "[::ffff:127.0.0.1]:8080",
        "0.0.0.0:8080",
        "127.1:8080",
        "2130706433:8080",
        "0x7f000001:8080",
        "127.0.0.1:80a",
        "127.0.0.1:-8080",
        "127.0.0.1::8080",
        "localhost.",
    ] {
        assert!(!comes_from(foreign, None, LOCAL), "host {foreign:?}");
        let origin = format!("http://{foreign}");
        assert!(!comes_from("127.0.0.1:8080", Some(&origin), LOCAL), "origin {origin:?}");
    }
}

#[test]
fn an_origin_that_is_none_is_foreign() {
    for origin in
        ["null", "", "gw.example.com", "https:gw.example.com", "file://", "//gw.example.com"]
    {
        assert!(!comes_from("gw.example.com", Some(origin), PUBLIC), "{origin:?}");
    }
}

#[test]
fn a_header_that_is_missing_doubled_or_no_text_is_foreign() {
    let ours: &[u8] = b"gw.example.com";
    let origin: &[u8] = b"https://gw.example.com";
    let all = settings(PUBLIC);
    assert!(is_our_own(&request(&[("host", ours), ("origin", origin)]), &all));
    assert!(!is_our_own(&request(&[]), &all), "no host at all");
    assert!(!is_our_own(&request(&[("host", ours), ("host", ours)]), &all), "two hosts");
    assert!(!is_our_own(&request(&[("host", ours), ("host", b"evil.example")]), &all));
    assert!(!is_our_own(&request(&[("host", b"evil.example"), ("host", ours)]), &all));
    let twice = [("host", ours), ("origin", origin), ("origin", origin)];
    assert!(!is_our_own(&request(&twice), &all), "two origins");
    assert!(!is_our_own(&request(&[("host", b"gw.example.com\xff")]), &all));
    assert!(!is_our_own(
        &request(&[("host", ours), ("origin", b"https://gw.example.com\xff")]),
        &all
    ));
}

#[test]
fn the_authority_of_http2_counts_as_the_host() {
    let all = settings(PUBLIC);
    for (authority, ours) in [("gw.example.com", true), ("evil.example", false)] {
        let mut parts = request(&[("host", b"gw.example.com")]);
        parts.uri = format!("https://{authority}/mcp/deliveries").parse().expect("a URI");
        assert_eq!(is_our_own(&parts, &all), ours, "{authority}");
    }
}

#[test]
fn a_path_leads_to_the_endpoint_that_it_names_exactly() {
    let leads = |path: &str| endpoint(&path.parse::<Uri>().expect("a path"), &settings(PUBLIC));
    assert_eq!(leads("/mcp/deliveries"), Endpoint::Mcp(server()));
    assert_eq!(leads("/mcp/deliveries?tool=x"), Endpoint::Mcp(server()));
    assert_eq!(leads("/mcp/a-b_c"), Endpoint::Mcp(named("a-b_c")));
    assert_eq!(leads("/mcp/0"), Endpoint::Mcp(named("0")));
    let metadata = "/.well-known/oauth-protected-resource/mcp/deliveries";
    assert_eq!(leads(metadata), Endpoint::Metadata(server()));
    assert_eq!(leads("/mcp"), Endpoint::All);
    assert_eq!(leads("/mcp?server=deliveries"), Endpoint::All);
    assert_eq!(leads("/.well-known/oauth-protected-resource/mcp"), Endpoint::MetadataOfAll);
    assert_eq!(leads("/.well-known/jwks.json"), Endpoint::Keys);
}

#[test]
fn every_other_spelling_leads_nowhere() {
    for path in [
        "/",
        "/mcp/",
        "/mcp//",
        "/mcp//deliveries",
        "//mcp/deliveries",
        "/mcp/deliveries/",
        "/mcp/deliveries//",
        "/mcp/deliveries/x",
        "/mcp/./deliveries",
        "/mcp/../mcp/deliveries",
        "/x/../mcp/deliveries",
        "/mcp/deliveries/.",
        "/mcp/deliveries/..",
        "/mcp/deliveries;a=b",
        "/mcp/deliveries%20",
        "/mcp/deliveries%00",
        "/mcp/%64eliveries",
        "/mcp/deliverie%73",
        "/mcp%2Fdeliveries",
        "/mcp/deliveries%2F",
        "/mcp/%2e%2e/mcp/deliveries",
        "/MCP/deliveries",
        "/mcp/Deliveries",
        "/mcp/unknown",
        "/mcp/deliveries.",
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp/",
        "/.well-known/oauth-protected-resource/mcp/unknown",
        "/.well-known/oauth-protected-resource/mcp/deliveries/",
        "/.well-known/oauth-protected-resource/mcp/%64eliveries",
        "/.well-known/oauth-protected-resource/deliveries",
        "/.well-known/jwks.json/",
        "/.well-known/../.well-known/jwks.json",
        "/.well-known/JWKS.json",
        "*",
    ] {
        let uri: Uri = path.parse().expect("a path");
        assert_eq!(endpoint(&uri, &settings(PUBLIC)), Endpoint::Nowhere, "{path}");
    }
}

#[test]
fn a_header_has_one_value_or_none() {
    let parts = request(&[("x-one", b"1"), ("x-two", b"1"), ("x-two", b"2"), ("x-raw", b"\xff")]);
    assert_eq!(only(&parts.headers, "x-none"), Ok(None));
    assert_eq!(only(&parts.headers, "x-one"), Ok(Some("1")));
    assert_eq!(only(&parts.headers, "x-two"), Err(()));
    assert_eq!(only(&parts.headers, "x-raw"), Err(()));
}

proptest! {
    /// Whatever is put around a name, only the name itself is taken, by host and by origin.
    #[test]
    fn no_addition_to_our_name_is_ours(before in "[a-z0-9.@:\\[\\]-]{0,6}", after in "[a-z.@:/\\[\\]-][a-z0-9.@:/\\[\\]-]{0,6}") {
        let hosts = [format!("{before}gw.example.com{after}"), format!("{before}x127.0.0.1{after}")];
        for host in &hosts {
            prop_assert!(!comes_from(host, None, PUBLIC), "{host}");
            let origin = format!("https://{host}");
            prop_assert!(!comes_from("gw.example.com", Some(&origin), PUBLIC), "{origin}");
        }
    }

    /// No path leads to a server but the one that is written out.
    #[test]
    fn only_the_path_written_out_leads_to_a_server(path in "/(mcp|MCP|\\.well-known|%2e|\\.\\.|\\.|deliveries|0|/|%2F){1,5}") {
        let uri: Uri = path.parse().expect("a path");
        if let Endpoint::Mcp(name) = endpoint(&uri, &settings(PUBLIC)) {
            prop_assert_eq!(format!("/mcp/{name}"), path);
        }
    }
}
