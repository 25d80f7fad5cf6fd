//! Whose tokens are accepted, and with which keys.

use std::collections::BTreeMap;

use kenward_identity::{IssuerSpec, KeySet};

use super::Settler;
use crate::config::{sources, url};

impl Settler<'_> {
    pub(super) fn issuers(&mut self) -> Vec<IssuerSpec> {
        if self.file.issuers.is_empty() {
            self.error("/issuers", "no issuer is trusted, so every caller would be refused")
                .help("name who issues your access tokens: issuers: [{ issuer: https://… }]");
        }
        let mut issuers = self.file.issuers.clone();
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        for (index, issuer) in issuers.iter_mut().enumerate() {
            let pointer = format!("/issuers/{index}");
            if let Some(first) = seen.insert(issuer.issuer.clone(), index) {
                let line = self.place(&format!("/issuers/{first}/issuer")).line;
                self.error(&format!("{pointer}/issuer"), "this issuer is named twice")
                    .help(format!("it is already given on line {line}"));
            }
            self.issuer(&pointer, issuer);
        }
        issuers
    }

    fn issuer(&mut self, pointer: &str, issuer: &mut IssuerSpec) {
        let at = |key: &str| format!("{pointer}/{key}");
        match url::web(&issuer.issuer) {
            Err(why) => {
                let message = format!("`{}` {why}", issuer.issuer);
                self.error(&at("issuer"), message).help("write it exactly as in the tokens' `iss`");
            }
            Ok(uri) if uri.query().is_some() => {
                let message = format!("`{}` has a query, which no issuer has", issuer.issuer);
                self.error(&at("issuer"), message);
            }
            Ok(uri) if url::is_exposed(&uri) && issuer.jwks.is_none() => {
                let message = "the keys of this issuer would be fetched without encryption";
                self.warning(&at("issuer"), message);
            }
            Ok(_) => {}
        }
        self.jwks(&at("jwks"), issuer);
        if issuer.algorithms.is_empty() {
            self.error(
                &at("algorithms"),
                "without an algorithm no token of this issuer is accepted",
            );
        }
        if let Some(index) = issuer.audiences.iter().position(String::is_empty) {
            self.error(&format!("{pointer}/audiences/{index}"), "an audience must not be empty");
        }
    }

    fn jwks(&mut self, pointer: &str, issuer: &mut IssuerSpec) {
        let Some(jwks) = issuer.jwks.clone() else {
            return;
        };
        if let Some(path) = jwks.strip_prefix("file:") {
            let path = self.path(path);
            let keys = sources::bytes(&path);
            let parsed = keys.as_deref().map(KeySet::parse);
            match parsed {
                Err(why) => {
                    self.error(pointer, format!("the keys at `{jwks}` cannot be read: {why}"));
                }
                Ok(Err(error)) => {
                    self.error(pointer, format!("`{jwks}` holds no usable keys: {error}"));
                }
                Ok(Ok(_)) => {}
            }
            issuer.jwks = Some(format!("file:{}", path.display()));
            self.jwks.push(path);
            return;
        }
        match url::web(&jwks) {
            Err(why) => {
                self.error(pointer, format!("`{jwks}` {why}"))
                    .help("write a URL, or file: and a path");
            }
            Ok(uri) if url::is_exposed(&uri) => {
                self.warning(pointer, "the keys would be fetched without encryption");
            }
            Ok(_) => {}
        }
    }
}
