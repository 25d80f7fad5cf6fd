//! Step 4, admit: one party may hold so many calls at once, and no more.

use kenward_mcp::Message;
use kenward_model::Caller;

use crate::admission::Slot;
use crate::gateway::Gateway;
use crate::stop::Stop;

pub(crate) fn admit(gateway: &Gateway, caller: &Caller, message: &Message) -> Result<Slot, Stop> {
    let full = |_| Stop::TooMany { id: message.id().map(<[u8]>::to_vec) };
    gateway.calls.enter(caller).map_err(full)
}
