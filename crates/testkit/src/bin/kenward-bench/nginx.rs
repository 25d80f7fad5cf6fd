//! nginx as a plain reverse proxy: kept connections on both sides, as many workers as cores.

use std::path::Path;
use std::process::{Child, Command, Stdio};

use kenward_testkit::ports;

/// A running nginx; it is ended when this value is dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    master: Child,
    pub(crate) address: String,
}

impl Nginx {
    /// Starts a proxy before the server at `behind`, with its files in `folder`.
    pub(crate) fn start(folder: &Path, behind: &str) -> Self {
        let address = format!("127.0.0.1:{}", ports::free());
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration(folder, &address, behind)).expect("a file");
        let program = ["/usr/sbin/nginx", "/usr/bin/nginx"];
        let program = program.into_iter().find(|path| Path::new(path).exists()).unwrap_or("nginx");
        let master = Command::new(program)
            .arg("-p")
            .arg(folder)
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx");
        Self { master, address }
    }

    /// The master; the workers are its children.
    pub(crate) fn pid(&self) -> u32 {
        self.master.id()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The workers end with their master, but only when it can tell them.
        let _ended = Command::new("kill").args(["-QUIT", &self.pid().to_string()]).status();
        let _status = self.master.wait();
    }
}

fn configuration(folder: &Path, address: &str, behind: &str) -> String {
    let folder = folder.display();
    let temporary: Vec<String> = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|name| format!("  {name}_temp_path {folder}/{name};\n"))
        .collect();
    let temporary = temporary.concat();
    format!(
        "user root;\nworker_processes auto;\ndaemon off;\npid {folder}/nginx.pid;\n\
         error_log stderr warn;\nevents {{ worker_connections 1024; }}\nhttp {{\n{temporary}\
         \x20 access_log off;\n  tcp_nodelay on;\n  keepalive_requests 100000000;\n\
         \x20 client_body_buffer_size 1m;\n  proxy_buffers 64 32k;\n  proxy_buffer_size 32k;\n\
         \x20 proxy_busy_buffers_size 64k;\n\
         \x20 upstream behind {{ server {behind}; keepalive 128; keepalive_requests 100000000; }}\n\
         \x20 server {{\n    listen {address};\n    location / {{\n      proxy_pass http://behind;\n\
         \x20     proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n    }}\n  }}\n}}\n"
    )
}
