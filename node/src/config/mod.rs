//! The node's settings: a file, `ROOKERY_*` variables over it, flags over both. Anything unknown or unreadable ends the
//! start with one sentence that names it.

mod file;
mod setting;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ipnet::IpNet;
use rookery_protocol::limits::UPLOAD_BYTES;

use crate::limit::Quota;

pub use setting::{SETTINGS, Setting, Value};

/// The file that is read when none is named and it is there.
pub const DEFAULT_FILE: &str = "cluster.toml";
/// How variables begin.
const PREFIX: &str = "ROOKERY_";

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where clients are served.
    pub listen: SocketAddr,
    /// The folder of the embedded store.
    pub data: PathBuf,
    /// The node's name.
    pub node: String,
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
            node: "rookery".to_owned(),
            public_url: None,
            registration: Registration::Open,
            trusted_proxies: Vec::new(),
            cors_origins: Vec::new(),
            max_upload_bytes: UPLOAD_BYTES,
            connections: 65_536,
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
            std::net::IpAddr::V4(ip) => format!("{scheme}://{ip}:{port}"),
            std::net::IpAddr::V6(ip) => format!("{scheme}://[{ip}]:{port}"),
        }
    }

    /// Reads the settings of a process: `file` (or [`DEFAULT_FILE`] if that is there), `variables`, and `flags` as
    /// (setting, text).
    ///
    /// # Errors
    /// The first setting that is unknown or cannot be read.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
        flags: &[(&str, String)],
    ) -> Result<Self, ConfigError> {
        let variables: Vec<(String, String)> = variables
            .into_iter()
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        let named = variables.iter().find(|(name, _)| name == "ROOKERY_CONFIG");
        let named = named.map(|(_, path)| PathBuf::from(path));
        let mut config = Self::default();
        if let Some(path) = file.map(Path::to_path_buf).or(named) {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                ConfigError::new(
                    path.display().to_string(),
                    format!("cannot be read: {error}"),
                )
            })?;
            config.read_file(&path.display().to_string(), &text)?;
        } else if let Ok(text) = std::fs::read_to_string(DEFAULT_FILE) {
            config.read_file(DEFAULT_FILE, &text)?;
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
        if name == "ROOKERY_CONFIG" {
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
