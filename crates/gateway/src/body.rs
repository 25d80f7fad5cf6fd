//! The bodies of our answers: whole, passed through, or fed event by event.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use kenward_audit::Outcome as Ending;

use crate::outcome::Outcome;
use crate::pipeline::Scout;

/// The body of an answer to a client.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// Complete bytes, or none.
    Whole(Option<Bytes>),
    /// An upstream body in which nothing has to be looked at, frame by frame without copying.
    PassedThrough(Box<PassedThrough>),
    /// Events as they are released, one at a time; the receiver's end is the stream's end.
    Events(mpsc::Receiver<Bytes>),
}

/// An upstream body with the outcome that its end decides.
#[derive(Debug)]
pub(crate) struct PassedThrough {
    /// What was read already, to look at it.
    pub(crate) ahead: VecDeque<Bytes>,
    pub(crate) upstream: Incoming,
    /// Looks on while the rest flows: what may not pass unseen breaks the answer off.
    pub(crate) scout: Scout,
    pub(crate) outcome: Option<Outcome>,
}

impl AnswerBody {
    pub(crate) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }

    pub(crate) fn empty() -> Self {
        Self::Whole(None)
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events) => {
                events.poll_recv(cx).map(|event| event.map(|bytes| Ok(Frame::data(bytes))))
            }
            Self::PassedThrough(passed) => passed.poll(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::PassedThrough(passed) => {
                passed.ahead.is_empty() && passed.upstream.is_end_stream()
            }
            Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::PassedThrough(passed) => passed.size_hint(),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

impl PassedThrough {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(data) = self.ahead.pop_front() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        let polled = Pin::new(&mut self.upstream).poll_frame(cx);
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && frame.data_ref().is_some_and(|data| self.scout.sees(data))
        {
            self.finish(Ending::Withheld);
            let why = "an answer of this size may not embed what has to be looked at";
            return Poll::Ready(Some(Err(io::Error::other(why))));
        }
        match &polled {
            Poll::Ready(Some(Ok(_))) if self.upstream.is_end_stream() => {
                self.finish(Ending::Delivered);
            }
            Poll::Ready(None) => self.finish(Ending::Delivered),
            Poll::Ready(Some(Err(_))) => self.finish(Ending::Failed),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
    }

    /// The length of the whole answer, where the server said it.
    fn size_hint(&self) -> SizeHint {
        let ahead: usize = self.ahead.iter().map(Bytes::len).sum();
        let rest = self.upstream.size_hint().exact();
        let whole = rest.and_then(|rest| rest.checked_add(u64::try_from(ahead).ok()?));
        whole.map_or_else(SizeHint::default, SizeHint::with_exact)
    }

    fn finish(&mut self, how: Ending) {
        if let Some(outcome) = self.outcome.take() {
            outcome.finish(how);
        }
    }
}

#[cfg(test)]
mod tests;
