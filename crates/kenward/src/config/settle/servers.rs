//! The MCP servers behind: how each is reached, and what it is told.

use std::collections::BTreeMap;

use kenward_gateway::{Credential, ServerEra, ServerSettings, Transport};
use kenward_model::ServerName;

use super::{Settler, token};
use crate::config::file::{CredentialFile, DefinitionsWord, EraWord, ServerFile};
use crate::config::{inherited, url};

impl Settler<'_> {
    pub(super) fn servers(&mut self) -> BTreeMap<ServerName, ServerSettings> {
        let file = self.file;
        if file.servers.is_empty() {
            self.warning("/servers", "no server is configured, so there is nothing to call")
                .help("name one: servers: { deliveries: { url: http://127.0.0.1:9001/mcp } }");
        }
        let mut servers = BTreeMap::new();
        for (name, server) in &file.servers {
            let pointer = format!("/servers/{}", token(name));
            let settled = self.server(&pointer, server);
            match (ServerName::try_from(name.clone()), settled) {
                (Ok(name), Some(settled)) => drop(servers.insert(name, settled)),
                (Ok(_), None) => {}
                (Err(error), _) => drop(self.error(&pointer, error.to_string())),
            }
        }
        servers
    }

    fn server(&mut self, pointer: &str, server: &ServerFile) -> Option<ServerSettings> {
        self.definitions(pointer, server.definitions);
        let transport = self.transport(pointer, server);
        let credential = self.credential(pointer, server, transport.as_ref());
        self.scopes(pointer, server);
        for name in server.tools.keys().filter(|name| name.is_empty()) {
            self.error(&format!("{pointer}/tools/{}", token(name)), "a tool must have a name");
        }
        let era = match server.era {
            EraWord::Auto => ServerEra::Auto,
            EraWord::Modern => ServerEra::Modern,
            EraWord::Legacy => ServerEra::Legacy,
        };
        let (transport, credential) = (transport?, credential?);
        Some(ServerSettings { transport, credential, grant: server.grant, era })
    }

    /// What a server declares is taken as it is; nothing that promises more is taken for granted.
    fn definitions(&mut self, pointer: &str, word: DefinitionsWord) {
        let name = match word {
            DefinitionsWord::Live => return,
            DefinitionsWord::Pin => "pin",
            DefinitionsWord::Approve => "approve",
        };
        let message = format!("`definitions: {name}` is not available in this version");
        self.error(&format!("{pointer}/definitions"), message).help("write live");
    }

    fn transport(&mut self, pointer: &str, server: &ServerFile) -> Option<Transport> {
        match (&server.url, &server.command) {
            (Some(_), Some(_)) => {
                self.error(pointer, "a server has either `url` or `command`, not both");
                None
            }
            (None, None) => {
                self.error(pointer, "a server needs `url` or `command`")
                    .help("url: http://127.0.0.1:9001/mcp, or command: [npx, -y, some-server]");
                None
            }
            (Some(text), None) => self.http(pointer, text, server),
            (None, Some(command)) => self.stdio(pointer, command, server),
        }
    }

    fn http(&mut self, pointer: &str, text: &str, server: &ServerFile) -> Option<Transport> {
        if !server.env.is_empty() {
            self.error(&format!("{pointer}/env"), "`env` is for a server with `command`");
        }
        match url::web(text) {
            Ok(uri) => Some(Transport::Http(uri)),
            Err(why) => {
                self.error(&format!("{pointer}/url"), format!("`{text}` {why}"))
                    .help("write the server's endpoint, for example http://127.0.0.1:9001/mcp");
                None
            }
        }
    }

    fn stdio(
        &mut self,
        pointer: &str,
        command: &[String],
        server: &ServerFile,
    ) -> Option<Transport> {
        let pointer_of_command = format!("{pointer}/command");
        let Some((program, arguments)) = command.split_first().filter(|(p, _)| !p.is_empty())
        else {
            self.error(&pointer_of_command, "the command names no program")
                .help("write the program and its arguments as a list: [npx, -y, some-server]");
            return None;
        };
        if arguments.is_empty() && program.contains(char::is_whitespace) {
            self.warning(&pointer_of_command, "the program's name contains a blank")
                .help("each argument is an item of the list; no shell splits the text");
        }
        for name in server.env.keys().filter(|name| name.is_empty() || name.contains(['=', '\0'])) {
            let message = format!("`{name}` names no environment variable");
            self.error(&format!("{pointer}/env/{}", token(name)), message);
        }
        let mut command = vec![self.program(program)];
        command.extend_from_slice(arguments);
        let inherited = self.environment.into_iter().flat_map(inherited);
        let given = server.env.iter().map(|(name, value)| (name.clone(), value.0.clone()));
        Some(Transport::Stdio { command, environment: inherited.chain(given).collect() })
    }

    /// A program named by a relative path lies beside the file; a bare name is searched for.
    fn program(&self, program: &str) -> String {
        if program.contains('/') {
            self.path(program).display().to_string()
        } else {
            program.to_owned()
        }
    }

    fn credential(
        &mut self,
        pointer: &str,
        server: &ServerFile,
        transport: Option<&Transport>,
    ) -> Option<Credential> {
        let CredentialFile::Fields(fields) = &server.credential else {
            return Some(Credential::None);
        };
        let at = format!("{pointer}/credential");
        let Some(bearer) = &fields.bearer else {
            self.error(&at, "the credential has no `bearer`").help("write none, or { bearer: … }");
            return None;
        };
        if bearer.0.is_empty() || !bearer.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            self.error(
                &format!("{at}/bearer"),
                "the bearer token is empty or has characters that no token has",
            );
            return None;
        }
        match transport {
            Some(Transport::Stdio { .. }) => {
                self.error(&at, "a credential is for a server with `url`")
                    .help("hand secrets to a program through `env`");
            }
            Some(Transport::Http(uri)) if url::is_exposed(uri) => {
                self.warning(&at, "the credential would be sent without encryption")
                    .help("use https://");
            }
            Some(Transport::Http(_)) | None => {}
        }
        Some(Credential::Bearer(bearer.0.clone()))
    }

    fn scopes(&mut self, pointer: &str, server: &ServerFile) {
        for (scope, rule) in &server.scopes {
            let at = format!("{pointer}/scopes/{}", token(scope));
            if scope.is_empty() || !scope.bytes().all(is_scope_byte) {
                self.error(&at, format!("`{scope}` cannot be a scope"))
                    .help("a scope has visible ASCII characters other than \" and \\");
            }
            if rule.tools.is_empty() {
                self.warning(&format!("{at}/tools"), "no tool needs this scope");
            }
            for (index, _) in rule.tools.iter().enumerate().filter(|(_, glob)| glob.is_empty()) {
                self.error(&format!("{at}/tools/{index}"), "a tool must have a name");
            }
            if rule.says.trim().is_empty() {
                self.error(&format!("{at}/says"), "say what the scope means to a person");
            }
        }
    }
}

/// RFC 6749 section 3.3, `NQCHAR`.
fn is_scope_byte(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)
}
