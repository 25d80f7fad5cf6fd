//! The pages that people see: plain words, one style sheet, nothing from elsewhere.

use std::sync::Arc;

use ::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use ::http::{HeaderValue, StatusCode};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::memory::Login;
use super::redirect::Redirect;
use super::{Person, Shared};

const STYLE: &str = include_str!("style.css");

/// What this server is, for those who come without a client.
pub(super) async fn welcome(State(shared): State<Arc<Shared>>) -> Response {
    let person =
        |one: &Person| format!("<li><b>{}</b>, {}</li>", escape(&one.name), escape(&one.role));
    let people = shared.people.iter().map(person).collect::<Vec<_>>().concat();
    page(
        StatusCode::OK,
        "The demo's login",
        &format!(
            "<p>Programs send people here to log in before they may use the demo's servers. Connect \
             an MCP client to the gateway, and it will bring you here.</p>\
             <p>These people exist:</p><ul>{people}</ul>"
        ),
        None,
    )
}

/// Who are you?
pub(super) fn people(shared: &Shared, key: &str, login: &Login) -> Response {
    let buttons: String = shared.people.iter().map(person_button).collect();
    let body = format!(
        "<p><b>{}</b> asks to work in your name. This is a demo: choose who you are, there are no \
         passwords.</p><form method=\"post\" action=\"/authorize/person\">{}\
         <div class=\"choices\">{buttons}</div></form>",
        escape(&login.client_name),
        hidden(key),
    );
    page(StatusCode::OK, "Who are you?", &body, Some(login))
}

/// Do you agree?
pub(super) fn consent(shared: &Shared, key: &str, login: &Login, person: &Person) -> Response {
    let says: String = login.granted.scopes.iter().map(|name| scope(shared, name)).collect();
    let answered = Redirect::parse(&login.redirect_uri).map(|uri| uri.origin()).unwrap_or_default();
    let body = format!(
        "<p>You are <b>{}</b>, {}.</p><p><b>{}</b> asks to do this in your name, at \
         <code>{}</code>:</p><ul>{says}</ul>\
         <p>It can never do or learn more than you may yourself: every single call is decided by \
         your company's rules.</p>\
         <form method=\"post\" action=\"/authorize/decision\">{}<div class=\"decision\">\
         <button name=\"decision\" value=\"allow\" class=\"yes\">Allow</button>\
         <button name=\"decision\" value=\"deny\">Do not allow</button></div></form>\
         <p class=\"small\">Nobody has checked what the program calls itself. It will be answered \
         at <code>{}</code>.</p>",
        escape(&person.name),
        escape(&person.role),
        escape(&login.client_name),
        escape(&login.granted.resource),
        hidden(key),
        escape(&answered),
    );
    page(StatusCode::OK, "Do you agree?", &body, Some(login))
}

/// Something is wrong, and there is nobody to send the browser back to.
pub(super) fn problem(says: &str) -> Response {
    let body = format!("<p>{}</p>", escape(says));
    page(StatusCode::BAD_REQUEST, "This does not work", &body, None)
}

/// Sends the browser elsewhere, with a request of its own (OAuth 2.1 section 7.5.2: 303).
pub(super) fn redirect(to: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    match HeaderValue::try_from(to) {
        Ok(to) => {
            response.headers_mut().insert(LOCATION, to);
            response
        }
        Err(_) => problem("The program cannot be answered."),
    }
}

/// Headers that every page has: no frames, no guessing of types, nothing kept.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (X_FRAME_OPTIONS, "DENY"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// A whole page. Forms may lead to this server and, by redirection, to the client alone.
fn page(status: StatusCode, title: &str, body: &str, login: Option<&Login>) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} | Kenward demo</title><style>{STYLE}</style></head>\
         <body><main><p class=\"brand\">Kenward demo</p><h1>{title}</h1>{body}</main></body></html>"
    );
    let client = login.and_then(|login| Redirect::parse(&login.redirect_uri));
    let client = client.map(|uri| format!(" {}", uri.origin())).unwrap_or_default();
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'{client}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    let mut response = (status, Html(html)).into_response();
    // Strict enough to be right for every page even when a client's address is not presentable.
    let policy = HeaderValue::try_from(policy)
        .unwrap_or(HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"));
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    response
}

fn person_button(person: &Person) -> String {
    format!(
        "<button name=\"person\" value=\"{}\"><b>{}</b><span>{}</span></button>",
        escape(&person.id),
        escape(&person.name),
        escape(&person.role)
    )
}

fn scope(shared: &Shared, name: &str) -> String {
    let known = shared.scopes.iter().find(|scope| scope.name == name);
    let says = match known {
        Some(scope) => scope.says.as_str(),
        None => "Know your name",
    };
    format!("<li>{} <code>{}</code></li>", escape(says), escape(name))
}

fn hidden(key: &str) -> String {
    format!("<input type=\"hidden\" name=\"login\" value=\"{}\">", escape(key))
}

/// Text for HTML, inside elements and quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
