//! The bodies of our answers: whole, passed through, or fed event by event.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::mpsc;

use kenward_audit::Outcome as Ending;

use crate::outcome::Outcome;

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
    pub(crate) upstream: Incoming,
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
            Self::PassedThrough(passed) => passed.upstream.is_end_stream(),
            Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                let length = bytes.as_ref().map_or(0, Bytes::len);
                SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
            }
            Self::PassedThrough(passed) => passed.upstream.size_hint(),
            Self::Events(_) => SizeHint::default(),
        }
    }
}

impl PassedThrough {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let polled = Pin::new(&mut self.upstream).poll_frame(cx);
        match &polled {
            Poll::Ready(Some(Ok(_))) if self.upstream.is_end_stream() => self.finish(Ending::Delivered),
            Poll::Ready(None) => self.finish(Ending::Delivered),
            Poll::Ready(Some(Err(_))) => self.finish(Ending::Failed),
            Poll::Ready(Some(Ok(_))) | Poll::Pending => {}
        }
        polled.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
    }

    fn finish(&mut self, how: Ending) {
        if let Some(outcome) = self.outcome.take() {
            outcome.finish(how);
        }
    }
}
