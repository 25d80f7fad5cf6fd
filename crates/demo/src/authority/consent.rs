//! The two forms of a login: who are you, and do you agree.

use std::sync::Arc;

use ::http::HeaderMap;
use axum::Form;
use axum::extract::State;
use axum::response::Response;

use super::Shared;
use super::authorize::{back, cookie, cookie_name};
use super::memory::{Code, Login, Once};
use super::pages;
use super::params::Params;
use crate::{clock, loopback};

const OVER: &str = "This login is over, or was not begun in this browser. Go back to the program \
                    and connect again.";

/// Takes the person and asks for consent.
pub(super) async fn choose_person(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let Some((given, key, login)) = under_way(&shared, &headers, pairs) else {
        return pages::problem(OVER);
    };
    let person = given.get("person").and_then(|id| shared.people.iter().find(|one| one.id == id));
    let Some(person) = person else {
        return pages::problem("Nobody of that name works here.");
    };
    if shared.memory.set_person(&key, &person.id, clock::now()).is_none() {
        return pages::problem(OVER);
    }
    pages::consent(&shared, &key, &login, person)
}

/// Takes the decision and sends the browser back to the client.
pub(super) async fn decide(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Response {
    let Some((given, key, login)) = under_way(&shared, &headers, pairs) else {
        return pages::problem(OVER);
    };
    let (Once::Fresh(login), false) =
        (shared.memory.end_login(&key), login.granted.person.is_empty())
    else {
        return pages::problem(OVER);
    };
    let state = login.state.as_deref();
    if given.get("decision") != Some("allow") {
        let denied = [("error", "access_denied")];
        return back(&shared.issuer, &login.redirect_uri, state, &denied);
    }
    let (Ok(code), Ok(family)) = (clock::secret(), clock::secret()) else {
        let failed = [("error", "server_error")];
        return back(&shared.issuer, &login.redirect_uri, state, &failed);
    };
    let response = back(&shared.issuer, &login.redirect_uri, state, &[("code", &code)]);
    let Login { redirect_uri, challenge, granted, .. } = login;
    let value = Code { redirect_uri, challenge, granted, family };
    shared.memory.add_code(code, value, clock::now());
    response
}

/// The login that a form belongs to, if the form was sent by our own page in the browser that began
/// the login: another site knows neither the key in the form nor the cookie.
fn under_way(
    shared: &Shared,
    headers: &HeaderMap,
    pairs: Vec<(String, String)>,
) -> Option<(Params, String, Login)> {
    if !is_own_page(headers) {
        return None;
    }
    let given = Params::unique(pairs)?;
    let key = given.get("login")?.to_owned();
    let shown = cookie(headers, &cookie_name(&key))?;
    let login = shared.memory.login(&key, shown, clock::now())?;
    Some((given, key, login))
}

/// Whether a form comes from a page of this very server, as far as the browser says.
fn is_own_page(headers: &HeaderMap) -> bool {
    let own = loopback::text(headers, "host").map(|host| format!("http://{host}"));
    let origin = headers
        .get("origin")
        .is_none_or(|origin| own.is_some_and(|own| origin.as_bytes() == own.as_bytes()));
    let site = loopback::text(headers, "sec-fetch-site");
    origin && site.is_none_or(|site| site == "same-origin")
}
