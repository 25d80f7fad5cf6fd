//! Good and bad URLs.

use super::{is_exposed, is_loopback, web};

#[test]
fn good_urls() {
    for text in
        ["http://127.0.0.1:9001/mcp", "https://a.example/x?y=z", "http://[::1]:80/", "https://h"]
    {
        assert!(web(text).is_ok(), "{text}");
    }
}

#[test]
fn bad_urls_say_why() {
    for (text, why) in [
        ("", "is no URL"),
        ("not a url", "is no URL"),
        ("/mcp", "does not begin with http:// or https://"),
        ("ftp://h/x", "does not begin with http:// or https://"),
        ("h:80", "does not begin with http:// or https://"),
        ("https://h/#x", "has a fragment"),
        ("https://u:p@h/", "contains a user name or password"),
        ("https://h:/", "has a port that is no number from 1 to 65535"),
    ] {
        assert_eq!(web(text).unwrap_err(), why, "{text}");
    }
    for text in ["https://", "https://h:99999/", "https://h:x/", "http://"] {
        assert!(web(text).is_err(), "{text}");
    }
}

#[test]
fn exposure() {
    for text in
        ["http://localhost:1", "http://127.0.0.5/", "http://[::1]:2/", "http://a.localhost/"]
    {
        let uri = web(text).unwrap();
        assert!(is_loopback(&uri) && !is_exposed(&uri), "{text}");
    }
    for text in ["http://10.0.0.1/", "http://gateway.example/", "http://localhost.example/"] {
        assert!(is_exposed(&web(text).unwrap()), "{text}");
    }
    assert!(!is_exposed(&web("https://gateway.example/").unwrap()));
}
