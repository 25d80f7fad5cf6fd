use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;
use tokio::sync::mpsc;

use super::{Lines, Numbers, Own};
use crate::upstream::stdio::router::Router;

struct Bench {
    router: Arc<Router>,
    numbers: Arc<Numbers>,
    input: mpsc::Sender<Bytes>,
    sent: mpsc::Receiver<Bytes>,
}

impl Bench {
    fn new() -> Self {
        let (input, sent) = mpsc::channel(8);
        Self { router: Arc::default(), numbers: Arc::default(), input, sent }
    }

    /// A request with the raw `id` and token, and the message that goes out for it.
    fn ask(&self, id: &str, progress: Option<&str>, message: &str) -> (Lines, String) {
        let number = self.numbers.take(id.as_bytes());
        let wire = number.to_string();
        let token = progress.map(|_| wire.as_bytes());
        let lines = self.router.expect(wire.as_bytes(), token).expect("a reader");
        let own = Own {
            number,
            id: id.into(),
            progress: progress.map(Into::into),
            router: Arc::clone(&self.router),
            numbers: Arc::clone(&self.numbers),
            input: self.input.clone(),
            cancels: true,
            answered: false,
        };
        let sent = own.outgoing(&Bytes::from(message.to_owned())).expect("it can be numbered");
        (Lines::of(lines, own), String::from_utf8(sent.to_vec()).expect("text"))
    }

    fn say(&self, line: &str) {
        self.router.deliver(Bytes::from(line.to_owned()));
    }
}

async fn next(lines: &mut Lines) -> String {
    String::from_utf8(lines.recv().await.expect("a line").to_vec()).expect("text")
}

#[tokio::test]
async fn equal_ids_get_numbers_of_their_own_and_their_answers() {
    let bench = Bench::new();
    let call = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let (mut first, sent) = bench.ask("1", None, call);
    assert_eq!(sent, call);
    let (mut second, sent) = bench.ask("1", None, call);
    assert_eq!(sent, call.replace(":1,", ":2,"));
    let (mut third, sent) = bench.ask("\"a\\u0062\"", None, &call.replace(":1,", ":\"a\\u0062\","));
    assert_eq!(sent, call.replace(":1,", ":3,"));
    bench.say(r#"{"jsonrpc":"2.0","id":3,"result":{"n":3}}"#);
    bench.say(r#"{"jsonrpc":"2.0","id":2,"result":{"n":2}}"#);
    bench.say(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"n"}}"#);
    assert_eq!(next(&mut third).await, r#"{"jsonrpc":"2.0","id":"a\u0062","result":{"n":3}}"#);
    assert_eq!(next(&mut second).await, r#"{"jsonrpc":"2.0","id":1,"result":{"n":2}}"#);
    assert_eq!(
        next(&mut first).await,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"n"}}"#
    );
}

#[tokio::test]
async fn equal_tokens_are_told_apart_and_given_back() {
    let bench = Bench::new();
    let call = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"_meta":{"progressToken":"t"},"name":"x"}}"#;
    let (mut first, _) = bench.ask("7", Some("\"t\""), call);
    let (mut second, sent) = bench.ask("7", Some("\"t\""), call);
    assert_eq!(sent, call.replace(":7,", ":2,").replace("\"t\"", "2"));
    let progress = |token: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
        )
    };
    bench.say(&progress("2"));
    bench.say(&progress("\"t\""));
    bench.say(&progress("1"));
    assert_eq!(next(&mut second).await, progress("\"t\""));
    assert_eq!(next(&mut first).await, progress("\"t\""));
}

#[tokio::test]
async fn news_of_a_stream_carry_its_own_id_again() {
    let bench = Bench::new();
    let listen = r#"{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{}}"#;
    let (mut lines, _) = bench.ask("\"s\"", None, listen);
    bench.router.listens(b"1");
    let news = |id: serde_json::Value| {
        json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed",
                "params": { "_meta": { "io.modelcontextprotocol/subscriptionId": id } } })
        .to_string()
    };
    bench.say(&news(json!(9)));
    bench.say(
        r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}"#,
    );
    bench.say(&news(json!(1)));
    assert_eq!(next(&mut lines).await, news(json!("s")), "nothing else belongs to it");
}

#[tokio::test]
async fn whoever_leaves_before_the_answer_calls_it_off() {
    let mut bench = Bench::new();
    let (lines, _) = bench.ask("5", None, r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#);
    assert_eq!(bench.numbers.of(&json!(5)), Some(1));
    drop(lines);
    assert_eq!(bench.numbers.of(&json!(5)), None);
    let told = bench.sent.recv().await.expect("a word");
    assert!(String::from_utf8_lossy(&told).contains(r#""requestId":1"#), "{told:?}");
    let (mut lines, _) = bench.ask("5", None, r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#);
    bench.say(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
    next(&mut lines).await;
    drop(lines);
    assert!(bench.sent.try_recv().is_err(), "what is answered cannot be called off");
}

#[test]
fn an_id_that_two_requests_share_is_none_that_can_be_called_off() {
    let numbers = Numbers::default();
    numbers.take(b"5");
    assert_eq!(numbers.of(&json!(5)), Some(1));
    assert_eq!(numbers.of(&json!("5")), None);
    numbers.take(b"5");
    assert_eq!(numbers.of(&json!(5)), None);
}
