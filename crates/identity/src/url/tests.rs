//! URLs are taken apart exactly, and only TLS or this machine is trusted.

use super::Url;

#[test]
fn the_parts_are_those_that_were_written() {
    let url = Url::parse("https://idp.example.com:8443/tenant/1?x#y").unwrap();
    assert_eq!((url.origin, url.path), ("https://idp.example.com:8443", "/tenant/1"));
    assert!(url.has_more && url.secure);
    assert_eq!(Url::parse("https://idp.example.com").unwrap().path, "");
    assert_eq!(Url::parse("https://idp.example.com/").unwrap().path, "/");
}

#[test]
fn what_could_be_read_in_two_ways_is_no_url() {
    for text in [
        "",
        "idp.example.com",
        "ftp://idp.example.com",
        "HTTPS://idp.example.com",
        "https://",
        "https:///path",
        "https://:443/",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://idp.example.com/a b",
        "https://idp.example.com/\r\nX: y",
        "https://idp.example.com/\u{e9}",
        "https://idp.example.com/\"",
        "file:///etc/passwd",
    ] {
        assert_eq!(Url::parse(text), None, "{text}");
    }
}

#[test]
fn plain_http_is_trusted_on_this_machine_alone() {
    let trusted = |text| Url::parse(text).unwrap().is_trustworthy();
    for good in
        ["https://a.example", "http://127.0.0.1:9", "http://localhost/x", "http://[::1]:80/"]
    {
        assert!(trusted(good), "{good}");
    }
    for bad in [
        "http://a.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://10.0.0.1",
        "http://[::1].evil.example",
        "http://[2001:db8::1]/",
    ] {
        assert!(!trusted(bad), "{bad}");
    }
}
