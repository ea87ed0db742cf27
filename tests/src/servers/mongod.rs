//! One mongod on a free port, with a folder of its own: a replica set of one member, or a part of a larger one.

use std::net::SocketAddr;
use std::path::PathBuf;

use mongodb::bson::spec::BinarySubtype;
use mongodb::bson::{Binary, Bson, Document, doc};
use mongodb::options::{ClientOptions, Credential, ServerAddress};
use mongodb::{Client, Database};
use tempfile::TempDir;

use super::{Process, Proxy, free_address};
use crate::harness::soon;

/// The name of every replica set here.
pub(super) const SET: &str = "rs0";

/// The user of a server that was started with authentication.
pub const ADMIN: (&str, &str) = ("admin", "not-a-secret");

/// What mongod says when connections are taken.
const READY: &str = "\"id\":23016,";

/// How mongod ends if somebody else listens at its port.
const PORT_TAKEN: i32 = 48;

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct MongodOptions {
    /// Outside of any replica set.
    pub standalone: bool,
    /// With authentication; [`ADMIN`] may do everything.
    pub auth: bool,
    /// A certificate with its key (PEM), for TLS.
    pub certificate: Option<String>,
    /// Bytes that a file may have; writing more fails, as on a full disk.
    pub file_bytes: Option<u64>,
}

/// Runs a command whose files have at most so many blocks of 512 bytes.
const LITTLE_ROOM: &str = "trap '' XFSZ; ulimit -f \"$1\"; shift; exec \"$@\"";

/// A running mongod.
#[derive(Debug)]
pub struct Mongod {
    folder: TempDir,
    address: SocketAddr,
    options: MongodOptions,
    process: Option<Process>,
}

impl Mongod {
    /// A replica set of one member that is its primary.
    pub async fn start() -> Self {
        Self::start_with(MongodOptions::default()).await
    }

    /// The same, or a standalone server.
    pub async fn start_with(options: MongodOptions) -> Self {
        let standalone = options.standalone;
        let server = Self::start_bare(options).await;
        if !standalone {
            let address = server.address.to_string();
            server.initiate(&[address]).await;
        }
        server
    }

    /// A server whose replica set is not initiated.
    pub async fn start_bare(options: MongodOptions) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut server = Self {
            folder,
            address: free_address(),
            options,
            process: None,
        };
        std::fs::create_dir(server.path("db")).expect("a folder");
        if server.options.auth {
            let path = server.path("key");
            std::fs::write(&path, "a key that members of the set share").expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).expect("its mode");
        }
        if let Some(certificate) = &server.options.certificate {
            std::fs::write(server.path("pem"), certificate).expect("a file");
        }
        while !server.spawn().await {
            server.address = free_address();
        }
        server
    }

    /// Initiates the replica set with these members, this one among them, and waits until there is a primary.
    pub(super) async fn initiate(&self, members: &[String]) {
        let members: Vec<Document> = (0..)
            .zip(members)
            .map(|(id, host)| doc! { "_id": id, "host": host.as_str() })
            .collect();
        let config = doc! {
            "_id": SET,
            "members": members,
            "settings": { "electionTimeoutMillis": 2_000, "heartbeatIntervalMillis": 500 },
        };
        // Without a user: there is none yet.
        let client = self.client_with(None).await;
        let admin = client.database("admin");
        let initiated = admin.run_command(doc! { "replSetInitiate": config }).await;
        initiated.expect("an initiated set");
        until(&admin, "a primary", serves).await;
        if self.options.auth && self.is_primary().await {
            let (user, password) = ADMIN;
            let command = doc! { "createUser": user, "pwd": password, "roles": ["root"] };
            admin.run_command(command).await.expect("a user");
        }
    }

    async fn is_primary(&self) -> bool {
        let client = self.client_with(None).await;
        let admin = client.database("admin");
        let hello = admin.run_command(doc! { "hello": 1 }).await;
        hello.is_ok_and(|hello| hello.get_bool("isWritablePrimary").unwrap_or(false))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the process; `false` if somebody took the port.
    async fn spawn(&mut self) -> bool {
        let path = |name: &str| self.path(name).display().to_string();
        let mut command = Vec::new();
        if let Some(bytes) = self.options.file_bytes {
            command.extend(["sh", "-c", LITTLE_ROOM, "sh"].map(str::to_owned));
            command.push((bytes / 512).to_string());
        }
        command.extend([binary(), "--dbpath".to_owned(), path("db")]);
        let port = self.address.port().to_string();
        command.extend(
            [
                "--bind_ip",
                "127.0.0.1",
                "--port",
                &port,
                "--nounixsocket",
                "--wiredTigerCacheSizeGB",
                "0.5",
                "--oplogSize",
                "200",
                "--setParameter",
                "diagnosticDataCollectionEnabled=false",
            ]
            .map(str::to_owned),
        );
        if !self.options.standalone {
            command.extend(["--replSet", SET].map(str::to_owned));
        }
        if self.options.auth {
            command.extend(["--keyFile".to_owned(), path("key")]);
        }
        if self.options.certificate.is_some() {
            command
                .extend(["--tlsMode", "requireTLS", "--tlsCertificateKeyFile"].map(str::to_owned));
            command.push(path("pem"));
        }
        let (folder, log) = (self.folder.path().to_owned(), self.path("log"));
        let started =
            tokio::task::spawn_blocking(move || Process::start(&folder, &log, &command, READY));
        match started.await.expect("a starter") {
            Ok(process) => {
                self.process = Some(process);
                true
            }
            Err(Some(PORT_TAKEN)) => false,
            Err(code) => {
                let log = std::fs::read_to_string(self.path("log")).unwrap_or_default();
                panic!(
                    "{} ended with {code:?} (./tests/run fetches one): {log}",
                    binary()
                );
            }
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of a database on it.
    pub fn url(&self, database: &str) -> String {
        format!("mongodb://{}/{database}", self.address)
    }

    /// The URL of a database on it by way of a proxy.
    pub fn url_through(&self, proxy: &Proxy, database: &str) -> String {
        let address = proxy.address();
        format!("mongodb://{address}/{database}?directConnection=true")
    }

    /// A client of this very server, with every right.
    pub async fn client(&self) -> Client {
        let credential = self.options.auth.then(|| {
            let (user, password) = ADMIN;
            let credential = Credential::builder().username(user.to_owned());
            credential.password(password.to_owned()).build()
        });
        self.client_with(credential).await
    }

    async fn client_with(&self, credential: Option<Credential>) -> Client {
        let mut options = ClientOptions::builder()
            .hosts(vec![ServerAddress::Tcp {
                host: self.address.ip().to_string(),
                port: Some(self.address.port()),
            }])
            .direct_connection(true)
            .build();
        options.credential = credential;
        if self.options.certificate.is_some() {
            let tls = mongodb::options::TlsOptions::builder().ca_file_path(self.path("pem"));
            options.tls = Some(mongodb::options::Tls::Enabled(tls.build()));
        }
        Client::with_options(options).expect("a client")
    }

    /// The file with the certificate that its clients trust.
    pub fn certificate_path(&self) -> PathBuf {
        self.path("pem")
    }

    /// Its process.
    pub fn process(&self) -> &Process {
        self.process.as_ref().expect("a running server")
    }

    /// Writes until there is no room any more, and waits until the server has ended because of that.
    pub async fn fill(&mut self) {
        let junk = self
            .client()
            .await
            .database("junk")
            .collection::<Document>("junk");
        // It must not shrink when it is compressed.
        let noise = |n: u64| {
            let mut state = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
            let mut next = || {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()
            };
            let bytes = (0..1_024 * 1_024).flat_map(|_| next()).collect();
            Binary {
                subtype: BinarySubtype::Generic,
                bytes,
            }
        };
        for n in 0.. {
            if junk.insert_one(doc! { "noise": noise(n) }).await.is_err() {
                break;
            }
        }
        let process = self.process.take().expect("a running server");
        let ended = tokio::task::spawn_blocking(move || process.ended());
        ended.await.expect("a waiter");
    }

    /// From its next start on there is room.
    pub fn make_room(&mut self) {
        self.options.file_bytes = None;
    }

    /// Whether it was started, and not killed since.
    pub fn is_running(&self) -> bool {
        self.process.is_some()
    }

    /// kill -9.
    pub async fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            let killed = tokio::task::spawn_blocking(move || process.kill());
            killed.await.expect("a waiter");
        }
    }

    /// Starts it again on the same data and the same port, and waits until it is the primary or
    /// follows one; the old process has ended.
    pub async fn restart(&mut self) {
        assert!(self.process.is_none(), "stop the server first");
        assert!(self.spawn().await, "its port was taken");
        if !self.options.standalone {
            let admin = self.client().await.database("admin");
            until(&admin, "a primary", serves).await;
        }
    }
}

impl Drop for Mongod {
    fn drop(&mut self) {
        if std::thread::panicking()
            && let Some(process) = &self.process
        {
            eprintln!("--- tail of mongod's log ---\n{}\n---", process.tail());
        }
    }
}

/// Whether a member of a set is its primary, or follows another one. (Between its election and its first write a primary
/// calls itself both.)
pub(super) fn serves(hello: &Document) -> bool {
    let is = |role| hello.get_bool(role).unwrap_or(false);
    let follows = || match (hello.get_str("primary"), hello.get_str("me")) {
        (Ok(primary), Ok(me)) => primary != me && is("secondary"),
        _ => false,
    };
    is("isWritablePrimary") || follows()
}

/// Waits until a server says of itself what is wanted; it answers when something changes.
pub(super) async fn until(admin: &Database, what: &str, is: impl Fn(&Document) -> bool) {
    soon(what, async {
        let mut version: Option<Bson> = None;
        loop {
            let mut hello = doc! { "hello": 1 };
            if let Some(version) = version.take() {
                hello.extend(doc! { "topologyVersion": version, "maxAwaitTimeMS": 1_000_i64 });
            }
            // An election closes connections.
            if let Ok(answer) = admin.run_command(hello).await {
                if is(&answer) {
                    return;
                }
                version = answer.get("topologyVersion").cloned();
            }
        }
    })
    .await;
}

/// mongod: `ROOKERY_MONGOD`, or the one on the path.
fn binary() -> String {
    std::env::var("ROOKERY_MONGOD").unwrap_or_else(|_| "mongod".to_owned())
}
