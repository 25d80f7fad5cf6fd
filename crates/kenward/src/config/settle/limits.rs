//! Bounds and lifetimes.

use std::ops::RangeInclusive;
use std::time::Duration;

use kenward_disclosure::{Settings as Disclosure, Unbound};
use kenward_gateway::Limits;

use super::Settler;
use crate::config::file::{SizeFile, UnboundWord};
use crate::config::measure;
use crate::config::url;

impl Settler<'_> {
    pub(super) fn limits(&mut self) -> Option<Limits> {
        let file = self.file;
        let defaults = Limits::default();
        let body = self.body(defaults.body);
        let header_time = self.span(
            "/limits/header_time",
            file.limits.header_time.as_deref(),
            defaults.header_time,
            Duration::from_millis(100)..=Duration::from_mins(5),
        );
        let leeway = self.span(
            "/limits/leeway",
            file.limits.leeway.as_deref(),
            defaults.leeway,
            Duration::ZERO..=Duration::from_mins(5),
        );
        let streams = file.limits.streams.and_then(|streams| usize::try_from(streams).ok());
        Some(Limits {
            body: body?,
            depth: file.limits.depth.map_or(defaults.depth, usize::from),
            header_time: header_time?,
            leeway: leeway?,
            streams_per_caller: streams.unwrap_or(defaults.streams_per_caller),
            ..defaults
        })
    }

    pub(super) fn grants(&mut self, public_url: Option<&str>) -> Option<(String, Duration)> {
        let file = &self.file.grants;
        let lifetime = self.span(
            "/grants/lifetime",
            file.lifetime.as_deref(),
            Duration::from_secs(30),
            Duration::from_secs(1)..=Duration::from_mins(5),
        );
        let trust_domain = match &file.trust_domain {
            Some(domain) if domain.trim().is_empty() => {
                self.error("/grants/trust_domain", "the trust domain must not be empty");
                None
            }
            Some(domain) => Some(domain.clone()),
            None => public_url.and_then(|url| Some(url::web(url).ok()?.host()?.to_owned())),
        };
        Some((trust_domain?, lifetime?))
    }

    pub(super) fn disclosure(&mut self) -> Option<Disclosure> {
        let (file, usual) = (&self.file.disclosure, Disclosure::default());
        let lasting = Duration::from_mins(1)..=Duration::from_hours(24 * 365);
        let policy_shadow = self.span(
            "/disclosure/policy_shadow",
            file.policy_shadow.as_deref(),
            usual.policy_shadow,
            lasting.clone(),
        );
        let upstream_shadow = self.span(
            "/disclosure/upstream_shadow",
            file.upstream_shadow.as_deref(),
            usual.upstream_shadow,
            lasting,
        );
        for (key, value) in [("ledger", file.ledger), ("shadows", file.shadows)] {
            if value == Some(false) {
                let message = format!("without its {key}, disclosure control forgets");
                self.warning(&format!("/disclosure/{key}"), message)
                    .help("this is for measurements alone; take it out");
            }
        }
        Some(Disclosure {
            ledger: file.ledger.unwrap_or(usual.ledger),
            shadows: file.shadows.unwrap_or(usual.shadows),
            policy_shadow: policy_shadow?,
            upstream_shadow: upstream_shadow?,
            ask_after: file.ask_after.map_or(usual.ask_after, usize::from),
            alert_after: file.alert_after.map_or(usual.alert_after, usize::from),
            unbound: match file.unbound {
                UnboundWord::Shadow => Unbound::Shadow,
                UnboundWord::Refuse => Unbound::Refuse,
            },
        })
    }

    fn body(&mut self, default: usize) -> Option<usize> {
        let bytes = match &self.file.limits.body {
            None => return Some(default),
            Some(SizeFile::Bytes(bytes)) => Some(*bytes),
            Some(SizeFile::Text(text)) => measure::size(text),
        };
        let bytes =
            bytes.filter(|bytes| BODY.contains(bytes)).and_then(|b| usize::try_from(b).ok());
        if bytes.is_none() {
            self.error("/limits/body", "this is no size from 1KiB to 1GiB")
                .help("write bytes, or a number with a unit, for example 4MiB");
        }
        bytes
    }

    fn span(
        &mut self,
        pointer: &str,
        text: Option<&str>,
        default: Duration,
        allowed: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        let Some(text) = text else {
            return Some(default);
        };
        let Some(span) = measure::duration(text) else {
            self.error(pointer, format!("`{text}` is no duration"))
                .help("write a number with ms, s, m, h or d, for example 30s");
            return None;
        };
        if !allowed.contains(&span) {
            let (least, most) = allowed.into_inner();
            self.error(pointer, format!("`{text}` is not between {least:?} and {most:?}"));
            return None;
        }
        Some(span)
    }
}

/// The sizes that a request body may be limited to.
const BODY: RangeInclusive<u64> = 1 << 10..=1 << 30;
