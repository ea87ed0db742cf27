//! A coturn that shares a secret with whoever hands out credentials for it.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Process, free_address};

/// What it says when it takes requests.
const READY: &str = "Total General servers";

/// A running turnserver on the loopback.
#[derive(Debug)]
pub struct Coturn {
    _folder: TempDir,
    address: SocketAddr,
    _process: Process,
}

impl Coturn {
    /// Starts it with a secret.
    pub async fn start(secret: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let address = free_address();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (port, database, pid) = (address.port().to_string(), file("db"), file("pid"));
        let command = [
            "turnserver",
            "-n",
            "--no-cli",
            "--no-tls",
            "--no-dtls",
            "--listening-ip",
            "127.0.0.1",
            "--listening-port",
            &port,
            "--relay-ip",
            "127.0.0.1",
            "--allow-loopback-peers",
            "--realm",
            "rookery",
            "--use-auth-secret",
            "--static-auth-secret",
            secret,
            "--userdb",
            &database,
            "--pidfile",
            &pid,
            "--log-file",
            "stdout",
        ]
        .map(str::to_owned);
        let (place, log) = (folder.path().to_owned(), folder.path().join("log"));
        let started =
            tokio::task::spawn_blocking(move || Process::start(&place, &log, &command, READY));
        let process = started.await.expect("a starter");
        Self {
            _folder: folder,
            address,
            _process: process.expect("turnserver is installed (Debian: coturn)"),
        }
    }

    /// Its URL over UDP.
    pub fn url(&self) -> String {
        format!("turn:{}", self.address)
    }

    /// Whether somebody with these credentials gets two relays and all that he sends from one to the other, as coturn's own
    /// client sees it.
    pub async fn relays(&self, username: &str, credential: &str) -> bool {
        let mut client = Command::new("turnutils_uclient");
        client.args(["-u", username, "-w", credential, "-p"]);
        client.arg(self.address.port().to_string());
        // Between two of its own, two messages, no channel for RTCP.
        client.args(["-y", "-c", "-m", "1", "-n", "2"]);
        client.arg(self.address.ip().to_string());
        client.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || client.output());
        let output = output.await.expect("a runner");
        let output = output.expect("turnutils_uclient is installed (Debian: coturn)");
        let said = String::from_utf8_lossy(&output.stdout);
        output.status.success() && said.contains("Total lost packets 0 ")
    }
}
