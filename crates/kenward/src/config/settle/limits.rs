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
        let file = &self.file.limits;
        let defaults = Limits::default();
        let count = |written: Option<u32>, default: usize| {
            written.and_then(|count| usize::try_from(count).ok()).unwrap_or(default)
        };
        let bounds = Limits {
            depth: file.depth.map_or(defaults.depth, usize::from),
            headers: file.headers.map_or(defaults.headers, usize::from),
            streams_per_caller: count(file.streams, defaults.streams_per_caller),
            calls_per_caller: count(file.calls, defaults.calls_per_caller),
            sessions_per_caller: count(file.sessions, defaults.sessions_per_caller),
            connections: count(file.connections, defaults.connections),
            connections_per_peer: count(file.connections_per_peer, defaults.connections_per_peer),
            processes: count(file.processes, defaults.processes),
            ..defaults
        };
        // Both are read, so that all mistakes are told at once.
        let sized = self.sizes(&bounds);
        let timed = self.times(sized.as_ref().unwrap_or(&bounds));
        sized.and(timed)
    }

    fn sizes(&mut self, defaults: &Limits) -> Option<Limits> {
        let file = &self.file.limits;
        let body = self.size("body", file.body.as_ref(), defaults.body);
        let head = self.size_of("head", file.head.as_ref(), defaults.head, &HEAD, "8KiB to 1MiB");
        let answer = self.size("answer", file.answer.as_ref(), defaults.answer);
        let event = self.size("event", file.event.as_ref(), defaults.event);
        Some(Limits {
            body: body?,
            head: head?,
            answer: answer?,
            event: event?,
            ..defaults.clone()
        })
    }

    fn times(&mut self, defaults: &Limits) -> Option<Limits> {
        let file = &self.file.limits;
        let (short, minutes) = (Duration::from_millis(100), Duration::from_mins(5));
        let (second, hour) = (Duration::from_secs(1), Duration::from_hours(1));
        let day = hour * 24;
        let mut time = |name: &str, text: &Option<String>, default, allowed| {
            self.span(&format!("/limits/{name}"), text.as_deref(), default, allowed)
        };
        let header_time =
            time("header_time", &file.header_time, defaults.header_time, short..=minutes);
        let body_time = time("body_time", &file.body_time, defaults.body_time, short..=hour);
        let idle_time = time("idle_time", &file.idle_time, defaults.idle_time, second..=hour);
        let answer_time =
            time("answer_time", &file.answer_time, defaults.answer_time, short..=hour);
        let answer_life =
            time("answer_life", &file.answer_life, defaults.answer_life, second..=day);
        let session_idle =
            time("session_idle", &file.session_idle, defaults.session_idle, second..=day);
        let leeway = time("leeway", &file.leeway, defaults.leeway, Duration::ZERO..=minutes);
        Some(Limits {
            header_time: header_time?,
            body_time: body_time?,
            idle_time: idle_time?,
            answer_time: answer_time?,
            answer_life: answer_life?,
            session_idle: session_idle?,
            leeway: leeway?,
            ..defaults.clone()
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

    fn size(&mut self, name: &str, written: Option<&SizeFile>, default: usize) -> Option<usize> {
        self.size_of(name, written, default, &SIZE, "1KiB to 1GiB")
    }

    fn size_of(
        &mut self,
        name: &str,
        written: Option<&SizeFile>,
        default: usize,
        allowed: &RangeInclusive<u64>,
        words: &str,
    ) -> Option<usize> {
        let bytes = match written {
            None => return Some(default),
            Some(SizeFile::Bytes(bytes)) => Some(*bytes),
            Some(SizeFile::Text(text)) => measure::size(text),
        };
        let bytes =
            bytes.filter(|bytes| allowed.contains(bytes)).and_then(|b| usize::try_from(b).ok());
        if bytes.is_none() {
            self.error(&format!("/limits/{name}"), format!("this is no size from {words}"))
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

/// The sizes that a body or an event may be limited to.
const SIZE: RangeInclusive<u64> = 1 << 10..=1 << 30;
/// The sizes that a head may be limited to.
const HEAD: RangeInclusive<u64> = 8 << 10..=1 << 20;
