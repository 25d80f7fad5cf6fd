//! The programs that ask for tokens: registered ones, those that are a URL, and scripts.

use super::redirect::Redirect;

/// A client.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    /// What it calls itself; nobody has checked that.
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
    /// Nothing for public clients.
    pub(super) secret: Option<String>,
    /// Whether it is one of the demo's scripts, which may act for people without asking them.
    pub(super) is_script: bool,
}

impl Client {
    /// A script of the demo itself.
    pub(super) fn script(id: &str, secret: String) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            redirect_uris: Vec::new(),
            secret: Some(secret),
            is_script: true,
        }
    }

    /// A client whose id is the URL of a document about it. The document is not fetched: the demo
    /// calls nobody outside. So the client gets what any such document could ask for at most: to
    /// be answered on this machine, or at its own host.
    pub(super) fn from_url(id: &str) -> Option<Self> {
        let url = Redirect::parse(id)?;
        let origin = url.origin();
        let host = origin.strip_prefix("https://")?;
        let is_document = id.len() > origin.len() + 1 && !id.contains('?');
        is_document.then(|| Self {
            id: id.to_owned(),
            name: host.to_owned(),
            redirect_uris: Vec::new(),
            secret: None,
            is_script: false,
        })
    }

    /// Whether the browser may be sent back to `uri` with this client's code.
    pub(super) fn admits(&self, uri: &str) -> bool {
        let Some(given) = Redirect::parse(uri) else { return false };
        if self.redirect_uris.is_empty() {
            let own = Redirect::parse(&self.id).is_some_and(|id| id.origin() == given.origin());
            return !self.is_script && (given.is_loopback() || own);
        }
        let registered = self.redirect_uris.iter().filter_map(|uri| Redirect::parse(uri));
        registered.into_iter().any(|registered| registered.admits(&given))
    }

    /// Whether `secret` is what this client authenticates with; public clients have none.
    pub(super) fn is_authenticated_by(&self, secret: Option<&str>) -> bool {
        match (&self.secret, secret) {
            (None, None) => true,
            (Some(own), Some(given)) => {
                aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), given.as_bytes())
                    .is_ok()
            }
            (None, Some(_)) | (Some(_), None) => false,
        }
    }
}
