//! The node's settings: a file, `ROOKERY_*` variables over it, flags over both. Anything unknown or unreadable ends the
//! start with one sentence that names it.

mod file;
mod secret;
mod setting;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use rookery_protocol::limits::UPLOAD_BYTES;

use crate::limit::Quota;
use crate::voice::media::MediaSettings;

pub use secret::{Secret, SecretUrl};
pub use setting::{SETTINGS, Setting, Value, is_node_name};

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "cluster.toml";
/// Variables that say something to commands.
const NO_SETTINGS: [&str; 4] = [
    "ROOKERY_CONFIG",
    "ROOKERY_ADMIN",
    "ROOKERY_ADMIN_TOKEN",
    "ROOKERY_ADMIN_CA",
];
/// How variables begin.
const PREFIX: &str = "ROOKERY_";

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where clients are served.
    pub listen: SocketAddr,
    /// The folder of the embedded store, and of files.
    pub data: PathBuf,
    /// The MongoDB that is the store; none: the embedded one.
    pub store: Option<SecretUrl>,
    /// The Redis that nodes share what they may lose with.
    pub ephemeral: Ephemeral,
    /// The node's name.
    pub node: String,
    /// How other nodes of the cluster reach it.
    pub cluster: Cluster,
    /// `https://chat.example`, if clients come in by another name than they say.
    pub public_url: Option<String>,
    /// Who may make an account.
    pub registration: Registration,
    /// Proxies whose `X-Forwarded-*` is believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Origins of web pages that may use the API; `*` is any.
    pub cors_origins: Vec<String>,
    /// Bytes of the files of a message, each and together.
    pub max_upload_bytes: u64,
    /// Connections at a time.
    pub connections: usize,
    /// Where operators' tools come in.
    pub admin: Admin,
    /// Voice channels.
    pub voice: VoiceSettings,
    /// Certificate and key, when the node speaks TLS itself.
    pub tls: Tls,
    /// Rate limits.
    pub limits: RateLimits,
    /// The log.
    pub log: Log,
}

/// Who may make an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registration {
    /// Everybody.
    Open,
    /// Who has an invite to a group.
    Invite,
    /// Nobody.
    Closed,
}

/// The Redis that nodes share what they may lose with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ephemeral {
    /// The server; none: nothing is shared.
    pub url: Option<SecretUrl>,
    /// What all keys and channels begin with.
    pub prefix: String,
    /// PEM file of the authority that signed the server's certificate, if it is none of the system's.
    pub ca: Option<PathBuf>,
}

impl Default for Ephemeral {
    fn default() -> Self {
        Self {
            url: None,
            prefix: "rookery:".to_owned(),
            ca: None,
        }
    }
}

/// How nodes of a cluster reach each other, over TLS in which both sides show a certificate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cluster {
    /// Where other nodes connect; none: the node is alone.
    pub listen: Option<SocketAddr>,
    /// The `host:port` under which others reach that; none: the same.
    pub advertise: Option<String>,
    /// PEM file of the cluster's authority.
    pub ca: Option<PathBuf>,
    /// PEM file of the node's certificate.
    pub cert: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
}

impl Cluster {
    /// The `host:port` that other nodes are told; none when the node is alone.
    pub fn reached_by(&self) -> Option<String> {
        let listen = self.listen.map(|address| address.to_string());
        self.listen?;
        self.advertise.clone().or(listen)
    }

    /// What one setting alone cannot tell.
    fn check(&self, has_store: bool, has_redis: bool) -> Result<(), ConfigError> {
        let Some(listen) = self.listen else {
            return Ok(());
        };
        let files = [
            ("cluster.ca", &self.ca),
            ("cluster.cert", &self.cert),
            ("cluster.key", &self.key),
        ];
        if let Some((setting, _)) = files.into_iter().find(|(_, file)| file.is_none()) {
            let problem = "is missing: [cluster] needs ca, cert and key";
            return Err(ConfigError::new(setting, problem));
        }
        if self.advertise.is_none() && listen.ip().is_unspecified() {
            let problem = format!("is missing: nobody reaches a node by `{listen}`");
            return Err(ConfigError::new("cluster.advertise", problem));
        }
        if !has_store {
            let problem = "is missing: the nodes of a cluster share a store";
            return Err(ConfigError::new("store.url", problem));
        }
        if !has_redis {
            let problem =
                "is missing: the nodes of a cluster share limits, profiles and presence over Redis";
            return Err(ConfigError::new("ephemeral.url", problem));
        }
        Ok(())
    }
}

/// Where operators' tools come in, with tokens; those of this machine use the socket in the data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// The address; none: only the socket in the data folder.
    pub listen: Option<SocketAddr>,
}

impl Default for Admin {
    fn default() -> Self {
        Self {
            listen: Some(SocketAddr::from(([127, 0, 0, 1], 9_180))),
        }
    }
}

/// How media of voice channels travels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoiceSettings {
    /// Where clients reach this node's voice socket, if `public_url` leads to any node.
    pub public_url: Option<String>,
    /// UDP ports, a media worker for each; 0 is any free one.
    pub ports: Vec<u16>,
    /// Addresses that the workers listen on.
    pub listen: Vec<IpAddr>,
    /// Addresses that clients are told; empty: those that the machine has.
    pub public: Vec<IpAddr>,
    /// TURN servers for clients that cannot reach the node by UDP.
    pub turn_urls: Vec<String>,
    /// What the node shares with them.
    pub turn_secret: Option<Secret>,
}

impl VoiceSettings {
    /// The settings of the media workers.
    pub fn media(&self) -> MediaSettings {
        MediaSettings {
            ports: self.ports.clone(),
            listen: self.listen.clone(),
            public: self.public.clone(),
            ..MediaSettings::default()
        }
    }
}

impl Default for VoiceSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            ports: vec![50_000],
            listen: vec![IpAddr::V4(Ipv4Addr::UNSPECIFIED)],
            public: Vec::new(),
            turn_urls: Vec::new(),
            turn_secret: None,
        }
    }
}

/// Certificate and key; both or neither.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// PEM file of the certificate chain.
    pub cert: Option<PathBuf>,
    /// PEM file of the private key.
    pub key: Option<PathBuf>,
}

/// Rate limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimits {
    /// Off: nothing is limited, attempts to log in neither.
    pub enabled: bool,
    /// All requests of a user, or of an address without one.
    pub global: Quota,
    /// Requests of one route within one channel or group, where nothing else is said.
    pub default: Quota,
    /// Messages sent to one channel.
    pub messages: Quota,
    /// Groups, applications and invites made.
    pub create: Quota,
    /// Registrations and refreshed tokens of an address.
    pub accounts: Quota,
    /// Attempts to log in to one account.
    pub login_account: Quota,
    /// Attempts to log in from one address.
    pub login_address: Quota,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,rookery_node=debug`.
    pub level: String,
    /// Its form.
    pub format: LogFormat,
}

/// The form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// An object per line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: "./data".into(),
            store: None,
            ephemeral: Ephemeral::default(),
            node: "rookery".to_owned(),
            cluster: Cluster::default(),
            public_url: None,
            registration: Registration::Open,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            max_upload_bytes: UPLOAD_BYTES,
            connections: 65_536,
            admin: Admin::default(),
            voice: VoiceSettings::default(),
            tls: Tls::default(),
            limits: RateLimits {
                enabled: true,
                global: Quota::per_seconds(50, 1),
                default: Quota::per_seconds(40, 10),
                messages: Quota::per_seconds(5, 5),
                create: Quota::per_seconds(10, 60),
                accounts: Quota::per_seconds(20, 60),
                login_account: Quota::per_seconds(10, 300),
                login_address: Quota::per_seconds(30, 300),
            },
            log: Log {
                level: "info".to_owned(),
                format: LogFormat::Text,
            },
        }
    }
}

/// Why the settings cannot be used: one sentence that names the setting and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct ConfigError {
    /// The file and line, the variable or the flag.
    pub place: String,
    /// What is wrong.
    pub problem: String,
}

impl ConfigError {
    fn new(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            problem: problem.into(),
        }
    }
}

/// The variables that are Rookery's, as texts.
fn own(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<(String, String)>, ConfigError> {
    variables
        .into_iter()
        .filter(|(name, _)| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()))
        .map(|(name, text)| {
            // A name that is no text is refused later: it is no setting's.
            let name = name.to_string_lossy().into_owned();
            let place = format!("variable {name}");
            text.into_string()
                .map(|text| (name, text))
                .map_err(|_| ConfigError::new(place, "is not UTF-8"))
        })
        .collect()
}

impl Config {
    /// What URLs of the node's own begin with: the public URL, or the address it listens on.
    pub fn origin(&self) -> String {
        if let Some(url) = &self.public_url {
            return url.clone();
        }
        let scheme = if self.tls.cert.is_some() {
            "https"
        } else {
            "http"
        };
        let (ip, port) = (self.listen.ip(), self.listen.port());
        match ip {
            ip if ip.is_unspecified() => format!("{scheme}://localhost:{port}"),
            IpAddr::V4(ip) => format!("{scheme}://{ip}:{port}"),
            IpAddr::V6(ip) => format!("{scheme}://[{ip}]:{port}"),
        }
    }

    /// Reads the settings of a process: `file` (or [`DEFAULT_FILE`] if that is there), `variables`, and `flags` as
    /// (setting, text).
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be read.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let variables = own(variables)?;
        let named = variables.iter().find(|(name, _)| name == "ROOKERY_CONFIG");
        let named = named.map(|(_, path)| PathBuf::from(path));
        let mut config = Self::default();
        match file.map(Path::to_path_buf).or(named) {
            Some(path) => config.read_at(&path, true)?,
            None => config.read_at(Path::new(DEFAULT_FILE), false)?,
        }
        for (name, text) in &variables {
            config.read_variable(name, text)?;
        }
        for (name, text) in flags {
            config
                .set(name, &Value::Text(text.clone()))
                .map_err(|problem| ConfigError::new(format!("flag --{name}"), problem))?;
        }
        config.check()?;
        Ok(config)
    }

    /// Reads the settings file at a path; one that nobody has named need not be there.
    fn read_at(&mut self, path: &Path, is_named: bool) -> Result<(), ConfigError> {
        let name = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => self.read_file(&name, &text),
            Err(error) if !is_named && error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(ConfigError::new(name, format!("cannot be read: {error}"))),
        }
    }

    /// Reads a settings file.
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be read, with its line.
    pub fn read_file(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        for (line, setting, value) in file::settings(name, text)? {
            self.set(&setting, &value)
                .map_err(|problem| ConfigError::new(format!("{name} line {line}"), problem))?;
        }
        Ok(())
    }

    fn read_variable(&mut self, name: &str, text: &str) -> Result<(), ConfigError> {
        if NO_SETTINGS.contains(&name) {
            return Ok(());
        }
        let place = format!("variable {name}");
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.variable() == name)
            .ok_or_else(|| ConfigError::new(&place, "unknown setting"))?;
        (setting.set)(self, &Value::Text(text.to_owned()))
            .map_err(|problem| ConfigError::new(place, setting.explain(&problem)))
    }

    /// Sets one setting by its name.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let setting = SETTINGS
            .iter()
            .find(|setting| setting.name == name)
            .ok_or_else(|| format!("unknown setting `{name}`"))?;
        (setting.set)(self, value).map_err(|problem| setting.explain(&problem))
    }

    /// What one setting alone cannot tell.
    fn check(&self) -> Result<(), ConfigError> {
        self.cluster
            .check(self.store.is_some(), self.ephemeral.url.is_some())?;
        if let Some(address) = self.admin.listen
            && !address.ip().is_loopback()
            && self.tls.cert.is_none()
        {
            let problem = format!("{address} is reached by others: it needs [tls] cert and key");
            return Err(ConfigError::new("admin.listen", problem));
        }
        match (&self.tls.cert, &self.tls.key) {
            (Some(_), None) => Err(ConfigError::new(
                "tls.key",
                "is missing: [tls] needs cert and key",
            )),
            (None, Some(_)) => Err(ConfigError::new(
                "tls.cert",
                "is missing: [tls] needs cert and key",
            )),
            _ => Ok(()),
        }
    }
}
