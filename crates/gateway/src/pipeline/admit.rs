//! Step 4, admit: one party may hold so many calls at once, and no more.

use kenward_mcp::Message;

use super::Entry;
use crate::admission::Slot;
use crate::gateway::Gateway;
use crate::stop::Stop;

pub(super) fn admit(gateway: &Gateway, entry: &Entry, message: &Message) -> Result<Slot, Stop> {
    let full = |_| Stop::TooMany { id: message.id().map(<[u8]>::to_vec) };
    gateway.calls.enter(&entry.caller).map_err(full)
}
