//! One redis-server process, with a folder of its own, stopped whatever happens.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use super::soon;

/// The pause between two looks whether it answers.
const LOOK: Duration = Duration::from_millis(5);

/// Where it listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listens {
    /// On a socket in its folder.
    #[default]
    Socket,
    /// On a free port.
    Port,
    /// On a free port, with TLS only, as `localhost` and 127.0.0.1.
    Tls,
}

/// How it is started.
#[derive(Debug, Clone, Default)]
pub struct RedisOptions {
    /// Where it listens.
    pub listens: Listens,
    /// The password it asks for.
    pub password: Option<String>,
}

/// A running redis-server; empty, and empty again after a restart.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    options: RedisOptions,
    port: u16,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one without a password.
    pub async fn start() -> Self {
        Self::start_with(RedisOptions::default()).await
    }

    /// Starts one.
    pub async fn start_with(options: RedisOptions) -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        if options.listens == Listens::Tls {
            let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
            let made = rcgen::generate_simple_self_signed(names).expect("a certificate");
            let write = |name, text| std::fs::write(folder.path().join(name), text).expect("PEM");
            write("key.pem", made.signing_key.serialize_pem());
            write("cert.pem", made.cert.pem());
        }
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut server = Self {
            folder,
            options,
            port,
            child: None,
        };
        server.begin().await;
        server
    }

    /// Starts it again on the same port, with nothing in it; the old process has ended.
    pub async fn begin(&mut self) {
        assert!(self.child.is_none(), "it is running");
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(self.folder.path());
        let port = self.port.to_string();
        let file = |name| self.folder.path().join(name);
        match self.options.listens {
            Listens::Socket => {
                // A killed one leaves it behind.
                let _ = std::fs::remove_file(self.socket());
                command
                    .args(["--port", "0", "--unixsocket"])
                    .arg(self.socket());
            }
            Listens::Port => {
                command.args(["--port", &port]);
            }
            Listens::Tls => {
                command.args(["--port", "0", "--tls-port", &port]);
                command.args(["--tls-auth-clients", "no"]);
                command.arg("--tls-cert-file").arg(file("cert.pem"));
                command.arg("--tls-key-file").arg(file("key.pem"));
                command.arg("--tls-ca-cert-file").arg(self.authority());
            }
        }
        if let Some(password) = &self.options.password {
            command.args(["--requirepass", password]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null());
        self.child = Some(command.spawn().expect("redis-server is installed"));
        soon("redis-server answers", async {
            while !self.is_listening().await {
                tokio::time::sleep(LOOK).await;
            }
        })
        .await;
    }

    async fn is_listening(&self) -> bool {
        match self.options.listens {
            Listens::Socket => tokio::net::UnixStream::connect(self.socket()).await.is_ok(),
            Listens::Port | Listens::Tls => {
                let address = ("127.0.0.1", self.port);
                tokio::net::TcpStream::connect(address).await.is_ok()
            }
        }
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("redis.sock")
    }

    /// Its URL, with the password if it has one.
    pub fn url(&self) -> String {
        let password = self.options.password.as_deref();
        let scheme = match self.options.listens {
            Listens::Socket => {
                let query = password.map_or(String::new(), |password| format!("?pass={password}"));
                return format!("unix://{}{query}", self.socket().display());
            }
            Listens::Port => "redis",
            Listens::Tls => "rediss",
        };
        let password = password.map_or(String::new(), |password| format!(":{password}@"));
        format!("{scheme}://{password}127.0.0.1:{}", self.port)
    }

    /// The PEM file of who signed its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("cert.pem")
    }

    /// A connection to look inside.
    pub async fn client(&self) -> MultiplexedConnection {
        let client = redis::Client::open(self.url()).expect("a URL");
        let connection = client.get_multiplexed_async_connection();
        soon("a connection", connection).await.expect("it connects")
    }

    /// It stops in the middle of what it does, and connections stay open.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// It goes on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// kill -9.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.as_ref().expect("it runs").id().to_string();
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &pid])
            .status()
            .expect("sh");
        assert!(status.success(), "kill -s {name}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
