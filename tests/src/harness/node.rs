//! One server process: the real binary on a free port with a data folder of its own, stopped whatever happens.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tempfile::TempDir;

use super::http::Http;
use super::soon;
use crate::memory;

/// How long a process may take to print its ready line or to end.
const PROCESS_DEADLINE: Duration = Duration::from_secs(30);

/// Settings of most scenarios: no rate limits, which have a scenario of their own.
pub(super) const UNLIMITED: &str = "[limits]\nenabled = false\n";

/// The server's binary: `ROOKERY_BIN`, or the one next to this test's own executable.
pub fn binary() -> PathBuf {
    if let Some(path) = std::env::var_os("ROOKERY_BIN") {
        return path.into();
    }
    let own = std::env::current_exe().expect("own executable");
    let profile = own
        .ancestors()
        .find(|folder| folder.join("rookery").is_file());
    profile
        .unwrap_or_else(|| {
            panic!(
                "no rookery above {}: run `cargo build --workspace`",
                own.display()
            )
        })
        .join("rookery")
}

/// How a node is started.
#[derive(Debug, Clone)]
pub struct NodeOptions {
    /// The settings file's text.
    pub config: String,
    /// Arguments after `serve`.
    pub args: Vec<String>,
    /// Variables.
    pub env: Vec<(String, String)>,
    /// A command in front of the binary, e.g. `taskset -c 0`.
    pub wrapper: Vec<String>,
    /// A certificate that clients trust; then the node is spoken to with TLS.
    pub trust: Option<Vec<u8>>,
}

impl Default for NodeOptions {
    fn default() -> Self {
        Self {
            config: UNLIMITED.to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            wrapper: Vec::new(),
            trust: None,
        }
    }
}

/// A running server.
#[derive(Debug)]
pub struct Node {
    folder: TempDir,
    options: NodeOptions,
    child: Option<Child>,
    url: String,
}

impl Node {
    /// Starts a server with an empty data folder and without rate limits.
    pub async fn start() -> Self {
        Self::start_with(NodeOptions::default()).await
    }

    /// Starts a server with an empty data folder.
    pub async fn start_with(options: NodeOptions) -> Self {
        Self::start_in(tempfile::tempdir().expect("temporary folder"), options).await
    }

    /// Starts a server in a folder that may hold certificates or data already.
    pub async fn start_in(folder: TempDir, options: NodeOptions) -> Self {
        let mut node = Self {
            folder,
            options,
            child: None,
            url: String::new(),
        };
        node.spawn().await;
        node
    }

    /// A command line of the binary with this node's settings and data.
    pub fn command(&self, subcommand: &[&str]) -> Command {
        command(self.folder.path(), &self.options, subcommand)
    }

    async fn spawn(&mut self) {
        std::fs::write(
            self.folder.path().join("cluster.toml"),
            &self.options.config,
        )
        .expect("settings file");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_path())
            .expect("log file");
        let mut serve = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        serve
            .args(&self.options.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log.try_clone().expect("log file"));
        let mut child = serve.spawn().expect("start the server");
        let stdout = child.stdout.take().expect("piped stdout");
        self.child = Some(child);
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut log = log;
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = writeln!(log, "{line}");
                if line.contains("ready") {
                    let _ = tell.send(line);
                }
            }
        });
        let line = tokio::task::spawn_blocking(move || told.recv_timeout(PROCESS_DEADLINE).ok())
            .await
            .expect("reader");
        let Some(line) = line else {
            panic!("the server printed no ready line");
        };
        let start = line
            .find("http")
            .unwrap_or_else(|| panic!("no URL in {line:?}"));
        let end = line[start..]
            .find(|c: char| c.is_whitespace() || c == '"')
            .map_or(line.len(), |end| start + end);
        self.url = line[start..end].trim_end_matches('/').to_owned();
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// `ws://127.0.0.1:PORT`.
    pub fn gateway_url(&self) -> String {
        self.url.replacen("http", "ws", 1)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let (_, address) = self.url.split_once("://").expect("a URL");
        address.parse().expect("an address")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a running server").id()
    }

    /// The folder with `cluster.toml`, `log` and `data/`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The certificate its clients trust.
    pub fn trust(&self) -> Option<&[u8]> {
        self.options.trust.as_deref()
    }

    /// An HTTP client without a token.
    pub fn http(&self) -> Http {
        Http::new(&self.url, self.trust())
    }

    /// Everything it has logged so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    /// Where the admin API listens, as the log tells; only of a node with `ROOKERY_ADMIN_LISTEN`.
    pub fn admin_address(&self) -> String {
        let log = self.log();
        let said = log.rsplit_once("the admin API listens address=");
        let (_, after) = said.expect("an admin API");
        let address = after.split_whitespace().next();
        address.expect("an address").to_owned()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Waits until the log says something so many times; each look is a request apart.
    pub async fn logged(&self, what: &str, times: usize) {
        let http = self.http();
        soon(what, async {
            while self.log().matches(what).count() < times {
                // A node that begins anew may cut it short.
                let request = http.request(Method::GET, "//healthz");
                let _ = http.try_send(request).await;
            }
        })
        .await;
    }

    /// Whether the process is still there.
    pub fn is_running(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name])
            .arg(self.pid().to_string())
            .status()
            .expect("sh");
        assert!(status.success(), "kill -s {name}");
    }

    /// Waits for the process to end by itself.
    pub async fn ended(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("a running server");
        let (status, child) = tokio::task::spawn_blocking(move || (wait(&mut child), child))
            .await
            .expect("waiter");
        if status.is_none() {
            self.child = Some(child);
            panic!("the server did not end within {PROCESS_DEADLINE:?}");
        }
        status.expect("checked")
    }

    /// SIGTERM, and waits for the end.
    pub async fn terminate(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended().await
    }

    /// From its next start on there is no command in front of the binary.
    pub fn unwrap_process(&mut self) {
        self.options.wrapper.clear();
    }

    /// Starts it again on the same data, with a new URL; the old process has ended.
    pub async fn restart(&mut self) {
        assert!(
            self.child.is_none(),
            "stop the server before starting it again"
        );
        self.spawn().await;
    }

    /// Runs another command line of the binary to its end.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        run(command).await
    }

    /// What a command of an operator answers in JSON.
    pub async fn asked(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = self.run(&arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// Resident memory in kB.
    pub fn resident_kb(&self) -> u64 {
        memory::resident_kb(self.pid())
    }

    /// The most resident memory it ever had, in kB.
    pub fn peak_kb(&self) -> u64 {
        memory::peak_kb(self.pid())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- tail of the server's log ---\n{}---", self.tail());
        }
    }
}

impl Node {
    /// The last part of the log, for reports.
    fn tail(&self) -> String {
        let mut text = Vec::new();
        if let Ok(mut log) = File::open(self.log_path()) {
            let length = log.metadata().map_or(0, |meta| meta.len());
            let _ = log.seek(SeekFrom::Start(length.saturating_sub(8_192)));
            let _ = log.read_to_end(&mut text);
        }
        String::from_utf8_lossy(&text).into_owned()
    }
}

/// A program that is not told what steers the tests: those variables are no settings of the server.
pub fn untold(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("ROOKERY_")) {
        command.env_remove(name);
    }
    command
}

fn command(folder: &Path, options: &NodeOptions, subcommand: &[&str]) -> Command {
    let mut words = options.wrapper.clone();
    words.push(binary().to_string_lossy().into_owned());
    let mut command = untold(&words[0]);
    command
        .args(&words[1..])
        .args(subcommand)
        .arg("--config")
        .arg(folder.join("cluster.toml"))
        .arg("--data")
        .arg(folder.join("data"))
        .current_dir(folder)
        .env_remove("RUST_LOG")
        // Many nodes run at once, and nothing but this machine speaks to them.
        .envs([
            ("ROOKERY_VOICE_PORTS", "0"),
            ("ROOKERY_VOICE_LISTEN", "127.0.0.1"),
            // Operators come over the socket in the data folder.
            ("ROOKERY_ADMIN_LISTEN", ""),
        ])
        .envs(options.env.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs a command to its end, within the deadline.
pub(super) async fn run(mut command: Command) -> Output {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::task::spawn_blocking(move || {
        let mut child = command.spawn().expect("start the binary");
        // Read while it runs: it may say more than a pipe holds.
        let stdout = read_all(child.stdout.take().expect("piped"));
        let stderr = read_all(child.stderr.take().expect("piped"));
        let Some(status) = wait(&mut child) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("{command:?} did not end");
        };
        Output {
            status,
            stdout: stdout.join().expect("a reader"),
            stderr: stderr.join().expect("a reader"),
        }
    })
    .await
    .expect("runner")
}

fn read_all(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        bytes
    })
}

/// Waits for a child until the deadline.
fn wait(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PROCESS_DEADLINE;
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("wait for a child") {
            return Some(status);
        }
        // The standard library offers no wait with a deadline.
        std::thread::sleep(Duration::from_millis(10));
    }
    None
}
