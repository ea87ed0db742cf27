//! Secrets in the settings, and URLs that may hold one: shown without it.

use std::fmt;
use std::str::FromStr;

/// A secret that the node shares with another server.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The secret itself: for who signs with it, never for a log.
    pub fn reveal(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// The URL of a server, with its credentials; they are left out wherever it is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretUrl(String);

impl SecretUrl {
    /// The URL as it was set, credentials included: for the driver, never for a log.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it begins with one of these schemes.
    pub(super) fn has_scheme(&self, schemes: &[&str]) -> bool {
        let scheme = self.0.split_once("://").map(|(scheme, _)| scheme);
        scheme.is_some_and(|scheme| schemes.contains(&scheme))
    }
}

impl FromStr for SecretUrl {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let rest = text.split_once("://").map(|(_, rest)| rest);
        rest.filter(|rest| !rest.is_empty())
            .map(|_| Self(text.to_owned()))
            .ok_or(())
    }
}

impl fmt::Display for SecretUrl {
    /// Scheme, hosts and path: neither the credentials nor the options, which may hold some too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or(("", ""));
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        // A password may hold an unescaped slash or at sign: what follows the last one is surely no part of it.
        let rest = rest.rsplit_once('@').map_or(rest, |(_, rest)| rest);
        write!(f, "{scheme}://{rest}")
    }
}

impl fmt::Debug for SecretUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_shown_without_its_credentials() {
        let table = [
            (
                "mongodb://ada:s3cret@a:1,b:2/chat?tls=true&authMechanismProperties=s3cret",
                "mongodb://a:1,b:2/chat",
            ),
            (
                "redis://:s3cret@127.0.0.1:6379/0",
                "redis://127.0.0.1:6379/0",
            ),
            ("redis://:s3/cr@et@host", "redis://host"),
            ("mongodb://localhost", "mongodb://localhost"),
        ];
        for (url, shown) in table {
            let parsed: SecretUrl = url.parse().unwrap();
            assert_eq!(parsed.to_string(), shown);
            assert!(!format!("{parsed:?}").contains("s3"));
            assert_eq!(parsed.expose(), url);
        }
        for bad in ["", "localhost:27017", "mongodb://"] {
            assert!(bad.parse::<SecretUrl>().is_err());
        }
    }
}
