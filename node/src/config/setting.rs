//! The table of settings: name, what it is, how it is read from a file's value or a variable's text.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use rookery_protocol::limits::UPLOAD_BYTES;

use super::{Config, LogFormat, Registration, Secret, SecretUrl};

/// A value as it stands in a file, or the text of a variable or a flag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A list.
    List(Vec<Value>),
    /// Something no setting is, with its name.
    Other(&'static str),
}

/// One setting.
pub struct Setting {
    /// Its name: `section.key`.
    pub name: &'static str,
    /// What it takes.
    pub takes: &'static str,
    /// Sets it.
    pub(super) set: fn(&mut Config, &Value) -> Result<(), String>,
}

impl Setting {
    /// The variable that sets it.
    pub fn variable(&self) -> String {
        format!("ROOKERY_{}", self.name.to_uppercase().replace('.', "_"))
    }

    pub(super) fn explain(&self, problem: &str) -> String {
        format!("`{}` takes {}, not {problem}", self.name, self.takes)
    }
}

macro_rules! settings {
    ($($name:literal, $takes:literal, |$config:ident, $value:ident| $set:expr;)*) => {
        /// Every setting.
        pub const SETTINGS: &[Setting] = &[$(Setting {
            name: $name,
            takes: $takes,
            set: |$config, $value| {
                $set;
                Ok(())
            },
        }),*];
    };
}

settings! {
    "listen", "an address with a port such as 127.0.0.1:8080", |c, v| c.listen = v.parse()?;
    "data", "the path of a folder", |c, v| c.data = v.text()?.into();
    "store.url", "a URL such as mongodb://127.0.0.1:27017/rookery",
        |c, v| c.store = v.url(&["mongodb", "mongodb+srv"])?;
    "ephemeral.url", "a URL such as redis://127.0.0.1:6379",
        |c, v| c.ephemeral.url = v.url(&["redis", "rediss", "unix"])?;
    "ephemeral.prefix", "what keys begin with, 1 to 64 letters, digits, `-`, `_` or `:`",
        |c, v| c.ephemeral.prefix = v.checked(is_prefix)?;
    "ephemeral.ca", "the path of a PEM file", |c, v| c.ephemeral.ca = Some(v.text()?.into());
    "node", "a name of 1 to 64 letters, digits, `-` or `_`", |c, v| c.node = v.checked(is_node_name)?;
    "cluster.listen", "an address with a port such as 10.0.0.1:7070", |c, v| c.cluster.listen = v.address()?;
    "cluster.advertise", "a host and port such as node-1.example:7070",
        |c, v| c.cluster.advertise = v.some(is_host_port)?;
    "cluster.ca", "the path of a PEM file", |c, v| c.cluster.ca = Some(v.text()?.into());
    "cluster.cert", "the path of a PEM file", |c, v| c.cluster.cert = Some(v.text()?.into());
    "cluster.key", "the path of a PEM file", |c, v| c.cluster.key = Some(v.text()?.into());
    "admin.listen", "an address with a port such as 127.0.0.1:9180", |c, v| c.admin.listen = v.address()?;
    "public_url", "a URL such as https://chat.example", |c, v| c.public_url = v.some(is_origin)?;
    "auth.registration", "\"open\", \"invite\" or \"closed\"", |c, v| c.registration = v.parse()?;
    "trusted_proxies", "a list of networks such as [\"10.0.0.0/8\"]", |c, v| c.trusted_proxies = v.list(network)?;
    "cors_origins", "a list of origins such as [\"https://chat.example\"], or [\"*\"]",
        |c, v| c.cors_origins = v.list(origin)?;
    "connections", "a number from 1 to 1000000", |c, v| c.connections = v.number(1, 1_000_000)?;
    "media.max_upload_bytes", "a number from 1 to 104857600", |c, v| c.max_upload_bytes = v.bytes(UPLOAD_BYTES)?;
    "voice.public_url", "a URL such as https://node-1.example", |c, v| c.voice.public_url = v.some(is_origin)?;
    "voice.ports", "a list of UDP ports such as [50000]", |c, v| c.voice.ports = v.list(port)?;
    "voice.listen", "a list of addresses such as [\"0.0.0.0\", \"::\"]", |c, v| c.voice.listen = v.list(ip)?;
    "voice.public", "a list of addresses such as [\"203.0.113.7\"]", |c, v| c.voice.public = v.list(ip)?;
    "voice.turn_urls", "a list of URLs such as [\"turn:turn.example:3478\"]", |c, v| c.voice.turn_urls = v.list(turn)?;
    "voice.turn_secret", "the secret of the TURN server", |c, v| c.voice.turn_secret = v.secret()?;
    "tls.cert", "the path of a PEM file", |c, v| c.tls.cert = Some(v.text()?.into());
    "tls.key", "the path of a PEM file", |c, v| c.tls.key = Some(v.text()?.into());
    "limits.enabled", "true or false", |c, v| c.limits.enabled = v.flag()?;
    "limits.global", "a quota such as \"50/1s\"", |c, v| c.limits.global = v.parse()?;
    "limits.default", "a quota such as \"40/10s\"", |c, v| c.limits.default = v.parse()?;
    "limits.messages", "a quota such as \"5/5s\"", |c, v| c.limits.messages = v.parse()?;
    "limits.create", "a quota such as \"10/1m\"", |c, v| c.limits.create = v.parse()?;
    "limits.accounts", "a quota such as \"20/1m\"", |c, v| c.limits.accounts = v.parse()?;
    "limits.login_account", "a quota such as \"10/5m\"", |c, v| c.limits.login_account = v.parse()?;
    "limits.login_address", "a quota such as \"30/5m\"", |c, v| c.limits.login_address = v.parse()?;
    "log.level", "error, warn, info, debug, trace, or directives", |c, v| c.log.level = v.checked(is_level)?;
    "log.format", "\"text\" or \"json\"", |c, v| c.log.format = v.parse()?;
}

impl Value {
    /// The value as it is shown in an error.
    fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("`{}`", text.chars().take(80).collect::<String>()),
            Self::Number(number) => format!("`{number}`"),
            Self::Flag(flag) => format!("`{flag}`"),
            Self::List(_) => "a list".to_owned(),
            Self::Other(kind) => (*kind).to_owned(),
        }
    }

    fn text(&self) -> Result<&str, String> {
        match self {
            Self::Text(text) if !text.is_empty() => Ok(text),
            other => Err(other.shown()),
        }
    }

    fn parse<T: FromStr>(&self) -> Result<T, String> {
        self.text()?.trim().parse().map_err(|_| self.shown())
    }

    fn checked(&self, check: fn(&str) -> bool) -> Result<String, String> {
        let text = self.text()?;
        if check(text) {
            Ok(text.to_owned())
        } else {
            Err(self.shown())
        }
    }

    /// A text that may be left empty.
    fn some(&self, check: fn(&str) -> bool) -> Result<Option<String>, String> {
        match self {
            Self::Text(text) if text.is_empty() => Ok(None),
            other => {
                let text = other.checked(check)?;
                Ok(Some(text.trim_end_matches('/').to_owned()))
            }
        }
    }

    /// The URL of a server, which may be left empty. What is wrong with it is not shown: it may hold a password.
    fn url(&self, schemes: &[&str]) -> Result<Option<SecretUrl>, String> {
        match self {
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => {
                let url: Option<SecretUrl> = text.trim().parse().ok();
                let url = url.filter(|url| url.has_scheme(schemes));
                url.map(Some).ok_or_else(|| "what it was given".to_owned())
            }
            other => Err(other.shown()),
        }
    }

    /// An address, which may be left empty.
    fn address(&self) -> Result<Option<SocketAddr>, String> {
        match self {
            Self::Text(text) if text.is_empty() => Ok(None),
            other => other.parse().map(Some),
        }
    }

    fn flag(&self) -> Result<bool, String> {
        match self {
            Self::Flag(flag) => Ok(*flag),
            other => other.parse(),
        }
    }

    fn number(&self, low: usize, high: usize) -> Result<usize, String> {
        let number = match self {
            Self::Number(number) => usize::try_from(*number).map_err(|_| self.shown())?,
            other => other.parse()?,
        };
        if (low..=high).contains(&number) {
            Ok(number)
        } else {
            Err(self.shown())
        }
    }

    /// A number of bytes, from 1 on.
    fn bytes(&self, high: u64) -> Result<u64, String> {
        let high = usize::try_from(high).unwrap_or(usize::MAX);
        Ok(self.number(1, high)? as u64)
    }

    /// A secret, which may be left empty and is shown in no error.
    fn secret(&self) -> Result<Option<Secret>, String> {
        match self {
            Self::Text(text) if text.is_empty() => Ok(None),
            Self::Text(text) => Ok(Some(Secret::new(text))),
            _ => Err("what it was given".to_owned()),
        }
    }

    /// A list; as a text its items are between commas.
    fn list<T>(&self, item: fn(&str) -> Option<T>) -> Result<Vec<T>, String> {
        let parse = |text: &str| item(text).ok_or_else(|| Self::Text(text.to_owned()).shown());
        match self {
            Self::List(items) => items
                .iter()
                .map(|item| match item {
                    Self::Number(number) => parse(&number.to_string()),
                    other => parse(other.text()?),
                })
                .collect(),
            Self::Text(text) => text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(parse)
                .collect(),
            other => Err(other.shown()),
        }
    }
}

impl FromStr for Registration {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "open" => Ok(Self::Open),
            "invite" => Ok(Self::Invite),
            "closed" => Ok(Self::Closed),
            _ => Err(()),
        }
    }
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

/// Names end up in keys and session ids.
pub fn is_node_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// `host:port`, the host a name or an address.
fn is_host_port(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        let host = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        rustls::pki_types::ServerName::try_from(host).is_ok()
            && port.parse::<u16>().is_ok_and(|port| port > 0)
    })
}

fn is_prefix(prefix: &str) -> bool {
    (1..=64).contains(&prefix.len())
        && prefix
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b':'))
}

fn is_origin(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.map(|rest| rest.trim_end_matches('/'))
        .is_some_and(|host| {
            !host.is_empty()
                && host.bytes().all(|b| {
                    b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b':' | b'[' | b']')
                })
        })
}

fn origin(text: &str) -> Option<String> {
    (text == "*" || is_origin(text)).then(|| text.trim_end_matches('/').to_owned())
}

fn port(text: &str) -> Option<u16> {
    text.parse().ok()
}

fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// `turn:host[:port][?transport=..]`, or `turns:`.
///
/// Source: <https://www.rfc-editor.org/rfc/rfc7065#section-3.1>
fn turn(text: &str) -> Option<String> {
    let host = text.strip_prefix("turn:").or(text.strip_prefix("turns:"))?;
    let is_plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'"' | b'\\' | b'/');
    (!host.is_empty() && host.bytes().all(is_plain)).then(|| text.to_owned())
}

fn network(text: &str) -> Option<ipnet::IpNet> {
    text.parse().ok().or_else(|| {
        let address: IpAddr = text.parse().ok()?;
        Some(address.into())
    })
}

fn is_level(text: &str) -> bool {
    tracing_subscriber::EnvFilter::builder().parse(text).is_ok()
}
