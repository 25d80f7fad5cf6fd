//! Looks at servers of both eras and at what is no server, over real sockets and pipes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use kenward_gateway::{Credential, Transport};
use serde_json::{Value, json};

use super::{LookError, Seen, look};

/// What a scripted server answers: status, headers and body.
type Answer = (u16, Vec<(&'static str, String)>, String);

/// A request as it came.
struct Received {
    verb: String,
    head: String,
    json: Value,
}

impl Received {
    fn method(&self) -> &str {
        self.json["method"].as_str().unwrap_or_default()
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn result(&self, result: &Value) -> String {
        json!({ "jsonrpc": "2.0", "id": self.json["id"], "result": result }).to_string()
    }

    fn error(&self, code: i64) -> String {
        let error = json!({ "code": code, "message": "no\u{1b}[31m" });
        json!({ "jsonrpc": "2.0", "id": self.json["id"], "error": error }).to_string()
    }
}

/// Serves `script` for as long as the test runs; the URL of it.
fn serve(script: impl Fn(&Received) -> Answer + Send + 'static) -> Transport {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let uri = format!("http://{}/mcp", listener.local_addr().unwrap()).parse().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &script);
        }
    });
    Transport::Http(uri)
}

fn answer(mut stream: TcpStream, script: &dyn Fn(&Received) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).unwrap() == 0 {
            return;
        }
    }
    let verb = head.split(' ').next().unwrap().to_owned();
    let mut received = Received { verb, head, json: Value::Null };
    let length = received.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    received.json = serde_json::from_slice(&body).unwrap_or_default();
    let (status, headers, body) = script(&received);
    let headers: Vec<String> =
        headers.iter().map(|(n, value)| format!("{n}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {length}\r\n");
    stream.write_all(format!("{head}{}\r\n{body}", headers.concat()).as_bytes()).unwrap();
}

fn json_answer(status: u16, body: String) -> Answer {
    (status, vec![("content-type", "application/json; charset=utf-8".to_owned())], body)
}

async fn seen(transport: &Transport) -> Result<Seen, LookError> {
    look(transport, &Credential::Bearer("t0ken".to_owned())).await
}

fn names(seen: &Seen) -> Vec<&str> {
    seen.tools.iter().map(|tool| tool.name.as_str()).collect()
}

#[tokio::test]
async fn a_modern_server_is_asked_without_a_handshake() {
    let transport = serve(|request| {
        assert_eq!(request.header("mcp-protocol-version"), Some("2026-07-28"));
        assert_eq!(request.header("mcp-method"), Some(request.method()));
        assert_eq!(request.header("authorization"), Some("Bearer t0ken"));
        let meta = &request.json["params"]["_meta"];
        assert_eq!(meta["io.modelcontextprotocol/protocolVersion"], "2026-07-28");
        let result = match (request.method(), request.json["params"]["cursor"].as_str()) {
            ("server/discover", _) => json!({
                "supportedVersions": ["2026-07-28"], "capabilities": {},
                "_meta": { "io.modelcontextprotocol/serverInfo": { "name": "new" } }
            }),
            ("tools/list", None) => {
                json!({ "tools": [{ "name": "a", "inputSchema": {} }], "nextCursor": "" })
            }
            ("tools/list", Some("")) => json!({ "tools": [{ "name": "b" }, { "no": "name" }] }),
            other => panic!("unexpected {other:?}"),
        };
        json_answer(200, request.result(&result))
    });
    let seen = seen(&transport).await.unwrap();
    assert_eq!((seen.version.as_str(), seen.name.as_deref()), ("2026-07-28", Some("new")));
    assert_eq!(names(&seen), ["a", "b"]);
}

#[tokio::test]
async fn prompts_and_resources_are_asked_of_a_server_that_has_them() {
    let transport = serve(|request| {
        let result = match request.method() {
            "server/discover" => json!({
                "supportedVersions": ["2026-07-28"],
                "capabilities": { "prompts": {}, "resources": {} },
            }),
            "tools/list" => json!({ "tools": [{ "name": "a", "outputSchema": { "x": 1 } }] }),
            "prompts/list" => json!({
                "prompts": [{ "name": "p", "arguments": [{ "name": "patient" }, {}] }, { "name": "q" }]
            }),
            "resources/list" => json!({ "resources": [{ "uri": "a://b" }, { "no": "uri" }] }),
            "resources/templates/list" => return json_answer(200, request.error(-32601)),
            other => panic!("unexpected {other}"),
        };
        json_answer(200, request.result(&result))
    });
    let seen = seen(&transport).await.unwrap();
    assert_eq!(seen.tools[0].output_schema, Some(json!({ "x": 1 })));
    assert_eq!(seen.prompts[0].arguments, ["patient"]);
    assert_eq!((seen.prompts[1].name.as_str(), seen.prompts[1].arguments.len()), ("q", 0));
    assert_eq!(seen.resources, ["a://b"]);
}

/// A server of the older era, which answers `server/discover` in some way of its own.
fn legacy(discover: impl Fn(&Received) -> Answer + Send + 'static) -> Transport {
    serve(move |request| {
        let session = vec![
            ("mcp-session-id", "s1".to_owned()),
            ("content-type", "text/event-stream".to_owned()),
        ];
        let event = |body: String| {
            let noise = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}";
            format!(": hello\n\ndata: {noise}\n\nevent: message\ndata: {body}\n\n")
        };
        if request.method() == "server/discover" {
            return discover(request);
        }
        if request.method() == "initialize" {
            assert_eq!(request.header("mcp-session-id"), None);
            let result =
                json!({ "protocolVersion": "2025-06-18", "serverInfo": { "name": "old" } });
            return (200, session, event(request.result(&result)));
        }
        assert_eq!(request.header("mcp-session-id"), Some("s1"));
        assert_eq!(request.header("mcp-protocol-version"), Some("2025-06-18"));
        match request.method() {
            "notifications/initialized" => (202, Vec::new(), String::new()),
            "tools/list" => {
                let result = json!({ "tools": [{ "name": "x", "description": "d", "inputSchema": { "a": 1 } }] });
                (200, session, event(request.result(&result)))
            }
            other => {
                assert_eq!((other, request.verb.as_str()), ("", "DELETE"));
                (200, Vec::new(), String::new())
            }
        }
    })
}

#[tokio::test]
async fn a_legacy_server_is_recognised_however_it_refuses_the_modern_question() {
    let plain = || legacy(|_| (400, Vec::new(), "what?".to_owned()));
    let coded = || legacy(|request| json_answer(400, request.error(-32022)));
    let unknown = || legacy(|request| json_answer(200, request.error(-32601)));
    let older =
        || legacy(|request| json_answer(200, request.result(&json!({ "supportedVersions": [] }))));
    for transport in [plain(), coded(), unknown(), older()] {
        let seen = seen(&transport).await.unwrap();
        assert_eq!((seen.version.as_str(), seen.name.as_deref()), ("2025-06-18", Some("old")));
        assert_eq!(names(&seen), ["x"]);
        assert_eq!(seen.tools[0].description.as_deref(), Some("d"));
        assert_eq!(seen.tools[0].input_schema, json!({ "a": 1 }));
    }
}

#[tokio::test]
async fn what_is_no_server_is_told_apart() {
    let unauthorized = serve(|_| (401, Vec::new(), String::new()));
    assert_eq!(seen(&unauthorized).await.unwrap_err(), LookError::Unauthorized(401));
    let page = serve(|_| (404, vec![("content-type", "text/html".to_owned())], "<p>".to_owned()));
    assert_eq!(seen(&page).await.unwrap_err(), LookError::Status(404));
    let broken = serve(|_| json_answer(200, "{".to_owned()));
    assert_eq!(
        seen(&broken).await.unwrap_err(),
        LookError::Strange("its answer is no JSON".to_owned())
    );
    let foreign = serve(|_| json_answer(200, "{\"id\":77,\"result\":{}}".to_owned()));
    assert!(matches!(seen(&foreign).await.unwrap_err(), LookError::Strange(_)));
    let nobody = Transport::Http("http://127.0.0.1:1/".parse().unwrap());
    assert!(matches!(seen(&nobody).await.unwrap_err(), LookError::Unreachable(_)));
    let future = serve(|request| match request.method() {
        "initialize" => {
            json_answer(200, request.result(&json!({ "protocolVersion": "2031-01-01" })))
        }
        _ => json_answer(200, request.error(-32601)),
    });
    assert!(matches!(seen(&future).await.unwrap_err(), LookError::Strange(_)));
    let angry = serve(|request| json_answer(200, request.error(-32000)));
    let LookError::Answered { message, .. } = seen(&angry).await.unwrap_err() else {
        panic!("no answer")
    };
    assert_eq!(message, "no[31m", "control characters of a server reach no terminal");
}

fn program(script: &str) -> Transport {
    let command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    Transport::Stdio {
        command,
        environment: BTreeMap::from([("NAME".into(), "told".into()), ("PATH".into(), PATH.into())]),
    }
}

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

const LEGACY_PROGRAM: &str = r#"
echo "starting up"
while read -r line; do
  id=$(printf %s "$line" | sed -n 's/.*"id":\([0-9]*\).*/\1/p')
  case "$line" in
    *'"initialize"'*)
      echo '{"jsonrpc":"2.0","id":"p","method":"ping"}'
      read -r pong
      case "$pong" in *'"result":{}'*) ;; *) exit 1;; esac
      echo '{"jsonrpc":"2.0","id":'$id',"result":{"protocolVersion":"2025-11-25","serverInfo":{"name":"'$NAME'"}}}';;
    *tools/list*) echo '{"jsonrpc":"2.0","id":'$id',"result":{"tools":[{"name":"t"}]}}';;
    *server/discover*) DISCOVER;;
  esac
done
"#;

#[tokio::test]
async fn a_program_is_looked_at_too() {
    for discover in
        ["exit 3", r#"echo '{"jsonrpc":"2.0","id":'$id',"error":{"code":-1,"message":""}}'"#]
    {
        let seen = seen(&program(&LEGACY_PROGRAM.replace("DISCOVER", discover))).await.unwrap();
        assert_eq!((seen.version.as_str(), seen.name.as_deref()), ("2025-11-25", Some("told")));
        assert_eq!(names(&seen), ["t"]);
    }
}

#[tokio::test]
async fn a_program_that_is_none_is_said() {
    assert_eq!(seen(&program("exit 0")).await.unwrap_err(), LookError::Ended);
    let missing = Transport::Stdio {
        command: vec!["/nowhere/at/all".to_owned()],
        environment: BTreeMap::new(),
    };
    assert!(matches!(seen(&missing).await.unwrap_err(), LookError::Program { .. }));
}

#[tokio::test]
async fn a_program_that_will_not_end_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("alive");
    // The child of the program outlives it unless the whole group is ended.
    let tail = format!("( while :; do touch {}; sleep 0.05; done ) & wait", mark.display());
    let script = format!("{}\n{tail}", LEGACY_PROGRAM.replace("DISCOVER", "exit 3"));
    assert!(seen(&program(&script)).await.is_ok());
    std::fs::remove_file(&mark).ok();
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert!(!mark.exists(), "something of the program still runs");
}
