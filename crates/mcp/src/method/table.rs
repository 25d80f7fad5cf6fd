//! The rows. To add a method, add its row in the order of the names; nothing else knows methods.

use super::Direction::{Either, ToClient, ToServer};
use super::Eras::{Both, Legacy, Modern};
use super::RowKind::{Notification, Request};
use super::TargetKind::{Listen, Prompt, Reference, Resource, Server, Task, Tool};
use super::{Direction, Eras, Row, RowKind, TargetKind, Treatment as T};
use crate::list::ListKind;

/// All methods that this gateway knows, in the order of their names.
#[rustfmt::skip] // one method a line, whatever its length
pub static TABLE: &[Row] = &[
    row("completion/complete",                  Request,      Both,   ToServer, Reference, T::Complete),
    row("elicitation/create",                   Request,      Legacy, ToClient, Server,    T::ServerRequest),
    row("initialize",                           Request,      Legacy, ToServer, Server,    T::Handshake),
    row("logging/setLevel",                     Request,      Legacy, ToServer, Server,    T::Level),
    row("notifications/cancelled",              Notification, Both,   Either,   Server,    T::Cancelled),
    row("notifications/elicitation/complete",   Notification, Legacy, ToClient, Server,    T::Delivery),
    row("notifications/initialized",            Notification, Legacy, ToServer, Server,    T::Handshake),
    row("notifications/message",                Notification, Both,   ToClient, Server,    T::Delivery),
    row("notifications/progress",               Notification, Both,   Either,   Server,    T::Progress),
    row("notifications/prompts/list_changed",   Notification, Both,   ToClient, Server,    T::Delivery),
    row("notifications/resources/list_changed", Notification, Both,   ToClient, Server,    T::Delivery),
    row("notifications/resources/updated",      Notification, Both,   ToClient, Resource,  T::Delivery),
    row("notifications/roots/list_changed",     Notification, Legacy, ToServer, Server,    T::Swallow),
    row("notifications/subscriptions/acknowledged", Notification, Modern, ToClient, Server, T::Delivery),
    row("notifications/tasks",                  Notification, Modern, ToClient, Task,      T::Refuse),
    row("notifications/tasks/status",           Notification, Legacy, Either,   Task,      T::Refuse),
    row("notifications/tools/list_changed",     Notification, Both,   ToClient, Server,    T::Delivery),
    row("ping",                                 Request,      Legacy, Either,   Server,    T::Local),
    row("prompts/get",                          Request,      Both,   ToServer, Prompt,    T::Get),
    row("prompts/list",                         Request,      Both,   ToServer, Server,    T::List(ListKind::Prompts)),
    row("resources/directory/read",             Request,      Modern, ToServer, Resource,  T::Refuse),
    row("resources/list",                       Request,      Both,   ToServer, Server,    T::List(ListKind::Resources)),
    row("resources/read",                       Request,      Both,   ToServer, Resource,  T::Read),
    row("resources/subscribe",                  Request,      Legacy, ToServer, Resource,  T::Subscribe),
    row("resources/templates/list",             Request,      Both,   ToServer, Server,    T::List(ListKind::Templates)),
    row("resources/unsubscribe",                Request,      Legacy, ToServer, Resource,  T::Subscribe),
    row("roots/list",                           Request,      Legacy, ToClient, Server,    T::ServerRequest),
    row("sampling/createMessage",               Request,      Legacy, ToClient, Server,    T::ServerRequest),
    row("server/discover",                      Request,      Modern, ToServer, Server,    T::Handshake),
    row("skills/get",                           Request,      Modern, ToServer, Server,    T::Refuse),
    row("skills/list",                          Request,      Modern, ToServer, Server,    T::Refuse),
    row("subscriptions/listen",                 Request,      Modern, ToServer, Listen,    T::Listen),
    row("tasks/cancel",                         Request,      Both,   Either,   Task,      T::Refuse),
    row("tasks/get",                            Request,      Both,   Either,   Task,      T::Refuse),
    row("tasks/list",                           Request,      Legacy, Either,   Server,    T::Refuse),
    row("tasks/result",                         Request,      Legacy, Either,   Task,      T::Refuse),
    row("tasks/update",                         Request,      Modern, ToServer, Task,      T::Refuse),
    row("tools/call",                           Request,      Both,   ToServer, Tool,      T::Call),
    row("tools/list",                           Request,      Both,   ToServer, Server,    T::List(ListKind::Tools)),
];

const fn row(
    name: &'static str,
    kind: RowKind,
    eras: Eras,
    direction: Direction,
    target: TargetKind,
    treatment: T,
) -> Row {
    Row { name, kind, eras, direction, target, treatment }
}
