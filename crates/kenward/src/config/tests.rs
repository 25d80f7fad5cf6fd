//! Each mistake that a configuration can contain, and all of them at once.

use std::fs;
use std::path::Path;
use std::time::Duration;

use kenward_gateway::{Credential, Transport};
use kenward_model::ServerName;
use kenward_store::segments::Sync;

use super::{Config, Definitions, Loaded, load};

/// A folder with a configuration that is good but for what a test puts in.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(configuration: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("kenward.yaml", configuration);
        folder.write("policies/a.cedar", POLICY);
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn load(&self) -> Result<Loaded, Vec<String>> {
        let environment = |name: &str| match name {
            "TOKEN" => Some("s3cret-s3cret-s3cret".to_owned()),
            "PATH" => Some("/usr/bin".to_owned()),
            _ => None,
        };
        let nothing = |_: &Config| Ok(Definitions::new());
        let loaded = load(&self.path().join("kenward.yaml"), Some(&environment), &nothing);
        loaded.map_err(|findings| self.shown(&findings))
    }

    fn shown(&self, findings: &[kenward_model::Finding]) -> Vec<String> {
        let here = format!("{}/", self.path().display());
        findings.iter().map(|finding| finding.to_string().replace(&here, "")).collect()
    }
}

const POLICY: &str = "permit (principal in Group::\"g\", action, resource);\n";

const ISSUERS: &str = "issuers: [{ issuer: https://idp.example.com }]\n";

const SERVERS: &str = "servers: { a: { url: http://127.0.0.1:9001/mcp } }\n";

/// What is wrong with a configuration that has issuers and servers, and `more`.
fn wrong(more: &str) -> Vec<String> {
    Folder::new(&format!("{more}{ISSUERS}{SERVERS}")).load().unwrap_err()
}

fn wrong_server(server: &str) -> Vec<String> {
    Folder::new(&format!("{ISSUERS}servers:\n  a: {server}\n")).load().unwrap_err()
}

fn warned(configuration: &str) -> Vec<String> {
    let folder = Folder::new(configuration);
    let loaded = folder.load().unwrap();
    folder.shown(&loaded.findings)
}

#[test]
fn the_least_configuration_has_every_default() {
    let folder = Folder::new(&format!("{ISSUERS}{SERVERS}"));
    let loaded = folder.load().unwrap();
    assert!(loaded.findings.is_empty(), "{:?}", loaded.findings);
    let config = loaded.config;
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.admin.to_string(), "127.0.0.1:9090");
    assert_eq!(config.settings.public_url, "http://127.0.0.1:8080");
    assert_eq!(config.settings.trust_domain, "127.0.0.1");
    assert_eq!(config.settings.grant_lifetime, Duration::from_secs(30));
    assert_eq!(config.settings.limits.body, 4 << 20);
    assert_eq!(config.settings.limits.depth, 64);
    assert_eq!(config.settings.limits.header_time, Duration::from_secs(10));
    assert_eq!(config.settings.limits.leeway, Duration::from_secs(30));
    assert_eq!(config.settings.limits.streams_per_caller, 100);
}

#[test]
fn paths_are_relative_to_the_file_and_servers_have_their_defaults() {
    let folder = Folder::new(&format!("{ISSUERS}{SERVERS}"));
    let config = folder.load().unwrap().config;
    assert_eq!(config.sync, Sync::Group);
    assert_eq!(config.state, format!("sqlite:{}/kenward.db", folder.path().display()));
    assert_eq!(config.audit, folder.path().join("audit/"));
    let name = ServerName::try_from("a".to_owned()).unwrap();
    assert!(config.settings.servers[&name].grant);
    assert!(matches!(config.settings.servers[&name].credential, Credential::None));
}

/// A configuration that says all there is to say.
fn everything() -> Folder {
    let folder = Folder::new(
        "listen: localhost:8443\npublic_url: https://mcp.example.com/\nadmin: { listen: '[::1]:9091', \
         token: '${TOKEN}' }\nstate: sqlite:data/k.db\naudit: { directory: log, sync: always }\n\
         issuers:\n- { issuer: 'https://idp.example.com', audiences: [x], claims: { groups: groups } }\n\
         servers:\n  a:\n    url: https://up.example.com/mcp\n    credential: { bearer: '${TOKEN}' }\n    \
         declared_mappings: ignore\n    definitions: live\n    grant: false\n    \
         scopes: { 'a:read': { tools: ['get_*'], says: Look }}\n    tools: { get_x: {} }\n  \
         b:\n    command: [./bin/serve, -v]\n    env: { KEY: '${TOKEN}' }\n    credential: none\n\
         policies: rules\ndirectory: [people.yaml, more.jsonl]\ninferences: inferences.yaml\n\
         grants: { trust_domain: example.com, lifetime: 10s }\n\
         limits: { body: 1MiB, depth: 32, streams: 5, header_time: 500ms, leeway: 1m }\n",
    );
    folder.write("rules/x/y.cedar", POLICY);
    folder.write("people.yaml", "- { type: User, id: rita }\n");
    folder.write("more.jsonl", "{\"type\":\"User\",\"id\":\"bob\"}\n");
    folder.write("inferences.yaml", "families: {}\ninferences: []\n");
    fs::create_dir(folder.path().join("data")).unwrap();
    folder
}

#[test]
fn everything_that_can_be_said_is_understood() {
    let folder = everything();
    let loaded = folder.load().unwrap();
    let Config { listen, admin, settings, .. } = loaded.config;
    assert_eq!(
        (listen.to_string(), admin.to_string()),
        ("127.0.0.1:8443".into(), "[::1]:9091".into())
    );
    assert_eq!(settings.public_url, "https://mcp.example.com");
    assert_eq!(settings.trust_domain, "example.com");
    assert_eq!(settings.grant_lifetime, Duration::from_secs(10));
    assert_eq!((settings.limits.body, settings.limits.depth), (1 << 20, 32));
    assert_eq!(settings.limits.streams_per_caller, 5);
    assert_eq!(settings.limits.header_time, Duration::from_millis(500));
    assert_eq!(settings.limits.leeway, Duration::from_mins(1));
}

#[test]
fn servers_are_understood() {
    let folder = everything();
    let loaded = folder.load().unwrap();
    let Config { settings, .. } = loaded.config;
    let [a, b] = ["a", "b"].map(|name| ServerName::try_from(name.to_owned()).unwrap());
    assert!(!settings.servers[&a].grant);
    let Credential::Bearer(token) = &settings.servers[&a].credential else { panic!("no token") };
    assert_eq!(token, "s3cret-s3cret-s3cret");
    let Transport::Stdio { command, environment } = &settings.servers[&b].transport else {
        panic!("no command")
    };
    assert_eq!(command[0], folder.path().join("bin/serve").display().to_string());
    assert_eq!(command[1], "-v");
    let kept = [("KEY", "s3cret-s3cret-s3cret"), ("PATH", "/usr/bin")];
    assert_eq!(*environment, kept.map(|(name, value)| (name.into(), value.into())).into());
}

#[test]
fn every_file_that_is_named_is_read_and_watched() {
    let folder = everything();
    let loaded = folder.load().unwrap();
    assert_eq!(loaded.directory.len(), 2);
    assert_eq!(loaded.desk.sources.policies.len(), 1);
    let watched = ["kenward.yaml", "rules", "people.yaml", "more.jsonl", "inferences.yaml"];
    assert_eq!(loaded.watched, watched.map(|name| folder.path().join(name)));
}

#[test]
fn secrets_are_not_in_debug_output() {
    let folder = Folder::new(&format!(
        "admin: {{ token: '${{TOKEN}}' }}\n{ISSUERS}servers: {{ a: {{ url: 'https://h/', credential: {{ bearer: '${{TOKEN}}' }} }} }}\n"
    ));
    let shown = format!("{:?}", folder.load().unwrap().config);
    assert!(shown.contains("Secret(…)") && !shown.contains("s3cret"), "{shown}");
}

#[test]
fn a_missing_file_is_no_configuration() {
    let folder = Folder::new("");
    fs::remove_file(folder.path().join("kenward.yaml")).unwrap();
    assert_eq!(
        folder.load().unwrap_err(),
        ["kenward.yaml: error: no configuration: there is no such file\n  \
          help: `kenward init` looks at an MCP server and writes one to start with"]
    );
    fs::create_dir(folder.path().join("kenward.yaml")).unwrap();
    assert_eq!(
        folder.load().unwrap_err(),
        ["kenward.yaml: error: no configuration: it is a folder, not a file"]
    );
    fs::remove_dir(folder.path().join("kenward.yaml")).unwrap();
    fs::write(folder.path().join("kenward.yaml"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(
        folder.load().unwrap_err(),
        ["kenward.yaml: error: no configuration: it is not UTF-8 text"]
    );
}

#[test]
fn a_gateway_without_issuers_refuses_everyone() {
    let expected = "error: no issuer is trusted, so every caller would be refused\n  \
                    help: name who issues your access tokens: issuers: [{ issuer: https://… }]";
    assert_eq!(Folder::new(SERVERS).load().unwrap_err(), [format!("kenward.yaml:1:1: {expected}")]);
    let empty = format!("{SERVERS}issuers: []\n");
    assert_eq!(Folder::new(&empty).load().unwrap_err(), [format!("kenward.yaml:2:1: {expected}")]);
}

#[test]
fn what_is_not_available_is_never_silently_ignored() {
    assert_eq!(
        wrong("signals: { streams: [] }\nscim: { token: x }\n"),
        [
            "kenward.yaml:1:1: error: `signals` is not available in this version",
            "kenward.yaml:2:1: error: `scim` is not available in this version",
        ]
    );
    assert_eq!(
        wrong("signals:\nscim: ~\n"),
        [
            "kenward.yaml:1:1: error: `signals` is not available in this version",
            "kenward.yaml:2:1: error: `scim` is not available in this version",
        ]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', credential: { exchange: {} } }"),
        ["kenward.yaml:3:48: error: `exchange` is not available in this version"]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', credential: { grant: true } }"),
        ["kenward.yaml:3:48: error: `grant` is not available in this version"]
    );
    assert_eq!(
        wrong("state: postgres://user@host/db\n"),
        ["kenward.yaml:1:8: error: a state in PostgreSQL is not available in this version\n  \
          help: write sqlite: and a path"]
    );
}

#[test]
fn bad_addresses() {
    let expected = |at: &str, text: &str| {
        format!(
            "kenward.yaml:{at}: error: `{text}` is no address to listen on\n  \
             help: write an IP address and a port, for example 127.0.0.1:8080"
        )
    };
    for text in ["8080", "127.0.0.1", "127.0.0.1:99999", "gateway:8080", ":8080"] {
        assert_eq!(wrong(&format!("listen: \"{text}\"\n")), [expected("1:9", text)]);
    }
    assert_eq!(wrong("admin: { listen: x }\n"), [expected("1:18", "x")]);
    assert_eq!(
        wrong("listen: 0.0.0.0:9090\npublic_url: https://h\n"),
        ["kenward.yaml:1:1: error: the admin listener has the address of the MCP endpoints\n  \
          help: give it a port of its own"]
    );
    assert_eq!(
        wrong("admin: { token: short }\n")[0],
        "kenward.yaml:1:17: error: the token of the admin API is shorter than 16 characters\n  \
         help: leave it out and one is made, or take the output of `openssl rand -hex 32`"
    );
}

#[test]
fn bad_public_urls() {
    const HELP: &str =
        "\n  help: write scheme, host and port alone, for example https://mcp.example.com";
    for (url, why) in [
        ("https://h/mcp", "has a path or a query"),
        ("https://h/?a", "has a path or a query"),
        ("https://h/#a", "has a fragment"),
        ("https://u@h", "contains a user name or password"),
        ("h:80", "does not begin with http:// or https://"),
        ("ftp://h", "does not begin with http:// or https://"),
        ("not a url", "is no URL"),
    ] {
        let expected = format!("kenward.yaml:1:13: error: `{url}` {why}{HELP}");
        assert_eq!(wrong(&format!("public_url: \"{url}\"\n")), [expected]);
    }
    assert_eq!(
        wrong("listen: 0.0.0.0:80\n"),
        [
            "kenward.yaml:1:9: error: `public_url` is missing, and clients cannot call `0.0.0.0:80`\n  \
          help: say under which URL clients reach the gateway"
        ]
    );
}

#[test]
fn plain_http_to_elsewhere_is_a_warning() {
    assert_eq!(
        warned(&format!("public_url: http://mcp.example.com\n{ISSUERS}{SERVERS}")),
        [
            "kenward.yaml:1:13: warning: clients would send their tokens to this URL without encryption\n  \
          help: use https://, ended before the gateway"
        ]
    );
    assert_eq!(warned(&format!("public_url: http://localhost:8080\n{ISSUERS}{SERVERS}")), [""; 0]);
    assert_eq!(
        warned(&format!("admin: {{ listen: '0.0.0.0:9090' }}\n{ISSUERS}{SERVERS}")),
        [
            "kenward.yaml:1:18: warning: the admin listener can be reached from other machines, without \
          encryption\n  help: bind it to 127.0.0.1"
        ]
    );
    assert_eq!(
        warned(&format!("{SERVERS}issuers: [{{ issuer: 'http://idp.example.com' }}]\n")),
        ["kenward.yaml:2:21: warning: the keys of this issuer would be fetched without encryption"]
    );
    let exposed = "servers: { a: { url: 'http://up.example.com/', credential: { bearer: x } } }\n";
    assert_eq!(
        warned(&format!("{ISSUERS}{exposed}")),
        ["kenward.yaml:2:48: warning: the credential would be sent without encryption\n  \
          help: use https://"]
    );
}

#[test]
fn a_server_is_reached_in_exactly_one_way() {
    assert_eq!(
        wrong_server("{ grant: false }"),
        ["kenward.yaml:3:3: error: a server needs `url` or `command`\n  \
          help: url: http://127.0.0.1:9001/mcp, or command: [npx, -y, some-server]"]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', command: [x] }"),
        ["kenward.yaml:3:3: error: a server has either `url` or `command`, not both"]
    );
    assert_eq!(
        wrong_server("{ url: 127.0.0.1:9001 }"),
        ["kenward.yaml:3:13: error: `127.0.0.1:9001` does not begin with http:// or https://\n  \
          help: write the server's endpoint, for example http://127.0.0.1:9001/mcp"]
    );
    for empty in ["[]", "['']"] {
        assert_eq!(
            wrong_server(&format!("{{ command: {empty} }}")),
            ["kenward.yaml:3:8: error: the command names no program\n  \
              help: write the program and its arguments as a list: [npx, -y, some-server]"]
        );
    }
    assert_eq!(
        wrong_server("{ command: [x], credential: { bearer: y } }"),
        ["kenward.yaml:3:22: error: a credential is for a server with `url`\n  \
          help: hand secrets to a program through `env`"]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', env: { A: b } }"),
        ["kenward.yaml:3:34: error: `env` is for a server with `command`"]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', credential: { bearer: 'a b' } }"),
        ["kenward.yaml:3:56: error: the bearer token is empty or has characters that no token has"]
    );
}

#[test]
fn bad_names_and_scopes() {
    let found =
        Folder::new(&format!("{ISSUERS}servers:\n  A__b: {{ url: 'http://127.0.0.1/' }}\n"));
    assert_eq!(
        found.load().unwrap_err(),
        [
            "kenward.yaml:3:3: error: `A__b` cannot name a server; use 1 to 64 of a-z, 0-9, - and _, \
          beginning with a letter or a digit, without __"
        ]
    );
    assert_eq!(
        wrong_server("{ url: 'http://127.0.0.1/', scopes: { 'a b': { tools: [''], says: ' ' } } }"),
        [
            "kenward.yaml:3:44: error: `a b` cannot be a scope\n  \
             help: a scope has visible ASCII characters other than \" and \\",
            "kenward.yaml:3:61: error: a tool must have a name",
            "kenward.yaml:3:72: error: say what the scope means to a person",
        ]
    );
}

#[test]
fn bad_issuers() {
    let folder = Folder::new(&format!(
        "{SERVERS}issuers:\n- {{ issuer: idp }}\n- {{ issuer: 'https://a/', jwks: 'file:none.json' }}\n\
         - {{ issuer: 'https://a/', jwks: keys.json }}\n- {{ issuer: 'https://b/', jwks: 'file:bad.json' }}\n\
         - {{ issuer: 'https://c/', algorithms: [] }}\n"
    ));
    folder.write("bad.json", "{");
    let found = folder.load().unwrap_err();
    let starts = [
        "kenward.yaml:3:13: error: `idp` does not begin with http:// or https://\n  help: write it exactly",
        "kenward.yaml:4:33: error: the keys at `file:none.json` cannot be read: there is no such file",
        "kenward.yaml:5:13: error: this issuer is named twice\n  help: it is already given on line 4",
        "kenward.yaml:5:33: error: `keys.json` does not begin with http:// or https://\n  \
         help: write a URL, or file: and a path",
        "kenward.yaml:6:33: error: `file:bad.json` holds no usable keys: ",
        "kenward.yaml:7:27: error: without an algorithm no token of this issuer is accepted",
    ];
    assert_eq!(found.len(), starts.len(), "{found:#?}");
    for (found, start) in found.iter().zip(starts) {
        assert!(found.starts_with(start), "{found}");
    }
    let hmac = "issuers: [{ issuer: 'https://a/', algorithms: [HS256] }]\n";
    let found = Folder::new(&format!("{SERVERS}{hmac}")).load().unwrap_err();
    assert!(found[0].starts_with("kenward.yaml:2:48: error: expected `ES256`"), "{found:?}");
}

#[test]
fn bad_measures() {
    assert_eq!(
        wrong("limits: { body: 4MB, depth: 500, header_time: 10, leeway: 1h }\n"),
        [
            "kenward.yaml:1:29: error: the number `500` must be at most 120",
            "kenward.yaml:1:47: error: expected text, found the number `10`\n  \
             help: put it in quotes: \"10\"",
        ]
    );
    assert_eq!(
        wrong("limits: { body: 4MB, header_time: 10 s., leeway: 1h }\ngrants: { lifetime: 0s }\n"),
        [
            "kenward.yaml:1:17: error: this is no size from 1KiB to 1GiB\n  \
             help: write bytes, or a number with a unit, for example 4MiB",
            "kenward.yaml:1:35: error: `10 s.` is no duration\n  \
             help: write a number with ms, s, m, h or d, for example 30s",
            "kenward.yaml:1:50: error: `1h` is not between 0ns and 300s",
            "kenward.yaml:2:21: error: `0s` is not between 1s and 300s",
        ]
    );
}

#[test]
fn missing_and_unreadable_files() {
    assert_eq!(
        wrong("policies: rules/\ndirectory: [who.yaml]\ninferences: i.yaml\nstate: sqlite:no/k.db\n"),
        [
            "kenward.yaml:1:11: error: the policies at `rules/` cannot be read: there is no such folder",
            "kenward.yaml:2:13: error: the directory `who.yaml` cannot be read: there is no such file",
            "kenward.yaml:3:13: error: the inferences `i.yaml` cannot be read: there is no such file",
            "kenward.yaml:4:8: error: there is no folder `no` for the state",
        ]
        .map(str::to_owned)
    );
    let folder = Folder::new(&format!(
        "policies: kenward.yaml\naudit: {{ directory: kenward.yaml }}\n{ISSUERS}{SERVERS}"
    ));
    assert_eq!(
        folder.load().unwrap_err(),
        [
            "kenward.yaml:1:11: error: `kenward.yaml` is no folder\n  \
             help: name the folder that holds the *.cedar files",
            "kenward.yaml:2:21: error: `kenward.yaml` is no folder",
        ]
    );
    let folder = Folder::new(&format!("{ISSUERS}{SERVERS}"));
    fs::write(folder.path().join("policies/b.cedar"), [0xff]).unwrap();
    assert_eq!(
        folder.load().unwrap_err(),
        ["policies/b.cedar: error: this file cannot be read: it is not UTF-8 text"]
    );
}

#[test]
fn an_empty_policy_folder_is_a_warning() {
    let folder = Folder::new(&format!("{ISSUERS}{SERVERS}"));
    fs::remove_file(folder.path().join("policies/a.cedar")).unwrap();
    let loaded = folder.load().unwrap();
    assert_eq!(
        folder.shown(&loaded.findings),
        ["kenward.yaml:1:1: warning: there is no policy in `policies/`: every call is refused\n  \
          help: add a file that ends in .cedar"]
    );
}

#[test]
fn endless_policy_folders_end() {
    let folder = Folder::new(&format!("{ISSUERS}{SERVERS}"));
    std::os::unix::fs::symlink(folder.path().join("policies"), folder.path().join("policies/loop"))
        .unwrap();
    let found = folder.load().unwrap_err();
    assert!(found.iter().any(|f| f.ends_with("policy folders are nested too deeply")), "{found:?}");
}

#[test]
fn everything_wrong_everywhere_is_said_at_once() {
    let folder = Folder::new(
        "lisen: 1.2.3.4:5\npublic_url: \"${NOWHERE}\"\nissuers: []\nservers: { a: { url: 5 } }\n\
         directory: who.yaml\ninferences: i.yaml\n",
    );
    folder.write("who.yaml", "- { type: User }\n- { id: 5, type: User }\n");
    folder.write("i.yaml", "familes: {}\n");
    folder.write("policies/b.cedar", "permit (principal action resource);\n");
    folder.write("policies/c.cedar", "permit (principal, action, resource\n");
    let found = folder.load().unwrap_err();
    for expected in [
        "kenward.yaml:1:1: error: unknown key `lisen`",
        "kenward.yaml:2:13: error: the environment variable `NOWHERE` is not set",
        "kenward.yaml:4:22: error: expected text, found the number `5`",
        "who.yaml:1:3: error: missing key `id`",
        "who.yaml:2:9: error: expected text, found the number `5`",
        "i.yaml:1:1: error: unknown key `familes`",
        "policies/b.cedar:1:",
        "policies/c.cedar:",
    ] {
        assert!(found.iter().any(|f| f.starts_with(expected)), "{expected} is not in {found:#?}");
    }
}

#[test]
fn values_and_other_files_are_judged_together() {
    let folder = Folder::new(&format!(
        "listen: nowhere\ndirectory: who.yaml\n{ISSUERS}servers: {{ a: {{ command: [] }} }}\n"
    ));
    folder.write("who.yaml", "- { type: User }\n");
    folder.write("policies/b.cedar", "permit (principal\n");
    let found = folder.load().unwrap_err();
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[test]
fn what_policies_say_of_a_tool_is_shown_where_it_is_configured() {
    let folder = Folder::new(&format!(
        "{ISSUERS}servers:\n  a:\n    url: http://127.0.0.1/\n    tools:\n      get/x~y:\n        \
         discloses: [{{ of: Starship, subject: $params.arguments.id, attribute: name, precision: fine }}]\n"
    ));
    let found = folder.load().unwrap_err();
    assert!(found[0].starts_with("kenward.yaml:7:96: error: "), "{found:#?}");
    let text = fs::read_to_string(folder.path().join("kenward.yaml")).unwrap();
    folder.write("kenward.yaml", &text.replace(", precision: fine", ""));
    let found = folder.load().unwrap_err();
    assert!(
        found[0].starts_with("kenward.yaml:6:7: error: ") && found[0].contains("`Starship`"),
        "{found:#?}"
    );
}

#[test]
fn the_audit_folder_is_known_whatever_else_is_wrong() {
    let folder = Folder::new("audit: { directory: log, sunc: 5 }\nlisen: ${NOWHERE}\n");
    let path = folder.path().join("kenward.yaml");
    assert_eq!(super::audit_directory(&path).unwrap(), folder.path().join("log"));
    folder.write("kenward.yaml", "{}");
    assert_eq!(super::audit_directory(&path).unwrap(), folder.path().join("audit/"));
    folder.write("kenward.yaml", "[");
    assert!(super::audit_directory(&path).is_err());
}

#[test]
fn invariants_are_not_policies() {
    let loaded = |named: &str, file: &str| {
        let folder = Folder::new(&format!("invariants: {named}\n{ISSUERS}{SERVERS}"));
        folder.write(file, "");
        folder.load().map(|loaded| loaded.config.invariants.is_some())
    };
    assert_eq!(loaded("never", "never/a.invariants.cedar"), Ok(true));
    assert_eq!(loaded("a.invariants.cedar", "a.invariants.cedar"), Ok(true));
    for inside in
        ["policies/never", "policies", "policies/../policies/never", "./policies/never/a.cedar"]
    {
        let findings = loaded(inside, "policies/never/a.cedar").unwrap_err();
        assert!(findings[0].contains("is in the policy folder"), "{inside}: {findings:?}");
    }
    let findings = loaded("nowhere", "never/a.cedar").unwrap_err();
    assert!(
        findings[0].contains("kenward.yaml:1:13: error: there is no `nowhere`"),
        "{findings:?}"
    );
}
