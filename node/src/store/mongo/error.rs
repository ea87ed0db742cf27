//! What can be wrong: with the database as a whole, said in a sentence; and with one call, as the driver acts on it.

use mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};

use rookery_actors::store::StoreError;
use rookery_protocol::document::CorruptRow;

use super::schema::SCHEMA;

/// Why the database cannot be used. Each is a sentence for whoever started the server; none holds a user name or password.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL cannot be read.
    #[error("the store's URL is not one of MongoDB: {reason}")]
    Url {
        /// What the driver says, without what stands before the `@`.
        reason: String,
    },
    /// No server answers.
    #[error("MongoDB at {hosts} cannot be reached: {reason}")]
    Unreachable {
        /// Where.
        hosts: String,
        /// Why.
        reason: String,
    },
    /// The server is no member of a replica set.
    #[error(
        "MongoDB at {hosts} is a standalone server, and Rookery needs its transactions: start mongod with --replSet rs0 and \
         run rs.initiate() once in mongosh; a replica set of one member is enough"
    )]
    Standalone {
        /// Where.
        hosts: String,
    },
    /// The server was started for a replica set that was never made.
    #[error(
        "MongoDB at {hosts} was started with --replSet, but the replica set is not initiated: run rs.initiate() once in mongosh"
    )]
    NotInitiated {
        /// Where.
        hosts: String,
    },
    /// The servers are there, but none may write.
    #[error(
        "the MongoDB replica set {set} at {hosts} has no primary: more than half of its members must be up and reach each other"
    )]
    NoPrimary {
        /// Where.
        hosts: String,
        /// Its name.
        set: String,
    },
    /// The URL names another replica set.
    #[error(
        "MongoDB at {hosts} belongs to the replica set {found}, but the store's URL says replicaSet={given}"
    )]
    OtherSet {
        /// Where.
        hosts: String,
        /// The server's.
        found: String,
        /// The URL's.
        given: String,
    },
    /// A router of a sharded cluster.
    #[error("MongoDB at {hosts} is a sharded cluster: Rookery needs a replica set")]
    Sharded {
        /// Where.
        hosts: String,
    },
    /// The server is too old.
    #[error("MongoDB at {hosts} has version {version}: Rookery needs 5.0 or newer")]
    TooOld {
        /// Where.
        hosts: String,
        /// Its version.
        version: String,
    },
    /// The user name or the password is wrong.
    #[error(
        "MongoDB at {hosts} refuses the user name or password of the store's URL (or the URL lacks authSource, the database \
         that knows the user)"
    )]
    Credentials {
        /// Where.
        hosts: String,
    },
    /// The user may not do what Rookery does.
    #[error(
        "the user of the store's URL may not read and write the database {database}: grant the role readWrite on it"
    )]
    Permission {
        /// The database.
        database: String,
    },
    /// Collections of our names without our mark.
    #[error(
        "the database {database} holds the collection {collection} of another program: name an empty database in the store's URL"
    )]
    Foreign {
        /// The database.
        database: String,
        /// One of them.
        collection: String,
    },
    /// A collection is gone.
    #[error(
        "the database {database} lacks the collection {collection}: if somebody dropped it, restore a backup; if this version of \
         Rookery is the first to have it, the next start of a node makes it"
    )]
    Incomplete {
        /// The database.
        database: String,
        /// Which.
        collection: String,
    },
    /// A newer version wrote the database.
    #[error(
        "the database {database} has schema version {found}, but this version of Rookery knows up to {SCHEMA}: use a newer version"
    )]
    Newer {
        /// The database.
        database: String,
        /// Its version.
        found: u32,
    },
    /// An older version wrote the database.
    #[error(
        "the database {database} has schema version {found}, and this version of Rookery needs {SCHEMA}: stop all nodes and run \
         `rookery store migrate`"
    )]
    Older {
        /// The database.
        database: String,
        /// Its version.
        found: u32,
    },
    /// Something else.
    #[error("MongoDB at {hosts} does not do what it should: {reason}")]
    Failed {
        /// Where.
        hosts: String,
        /// What it says.
        reason: String,
    },
}

/// What became of a call that was not answered as hoped.
#[derive(Debug)]
pub(super) enum Failure {
    /// Another transaction was in the way, the primary changed, or the answer was lost: nothing forbids to try again.
    Again(String),
    /// A row that was said to be new is there.
    Duplicate,
    /// A row cannot be read.
    Corrupt(CorruptRow),
    /// Trying again at once helps nothing.
    Final(String),
}

impl From<CorruptRow> for Failure {
    fn from(error: CorruptRow) -> Self {
        Self::Corrupt(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Corrupt(error) => Self::Corrupt(error),
            other => Self::Unavailable(other.into_text()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let again = error.contains_label(TRANSIENT_TRANSACTION_ERROR)
            || error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT);
        match code(&error) {
            Some(DUPLICATE_KEY) => Self::Duplicate,
            _ if again => Self::Again(describe(&error)),
            _ => Self::Final(describe(&error)),
        }
    }
}

impl Failure {
    /// What it is, for an error.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Again(text) | Self::Final(text) => text,
            Self::Duplicate => "a row is there already".to_owned(),
            Self::Corrupt(error) => error.to_string(),
        }
    }
}

/// What was asked for makes no sense, as the hint of an index that is not there.
pub(super) const BAD_VALUE: i32 = 2;
/// The user may not do that.
pub(super) const UNAUTHORIZED: i32 = 13;
/// The user is not who he says.
pub(super) const AUTHENTICATION_FAILED: i32 = 18;
/// An error without a number.
pub(super) const UNKNOWN: i32 = 8;
/// The collection is there already.
pub(super) const NAMESPACE_EXISTS: i32 = 48;
/// The server keeps that instant no longer.
pub(super) const SNAPSHOT_TOO_OLD: i32 = 239;
/// The server does not have that instant.
pub(super) const SNAPSHOT_UNAVAILABLE: i32 = 246;

/// The server is no primary, or just ceased to be one.
pub(super) const NO_PRIMARY: [i32; 5] = [189, 10_058, 10_107, 11_602, 13_435];
/// `maxTimeMS` is over.
pub(super) const MAX_TIME_EXPIRED: i32 = 50;
/// A document with this `_id` is there.
pub(super) const DUPLICATE_KEY: i32 = 11_000;

/// The server's number for an error.
pub(super) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        _ => None,
    }
}

/// An error in a few words. The server's own text can quote keys, so only its name of the error is taken.
pub(super) fn describe(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::Command(error) => format!("{} ({})", error.code_name, error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => {
            format!("{} ({})", error.code_name, error.code)
        }
        ErrorKind::Write(WriteFailure::WriteError(error)) => format!("write error {}", error.code),
        ErrorKind::ServerSelection { message, .. } => why_no_server(message),
        ErrorKind::Authentication { .. } => "authentication failed".to_owned(),
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::ConnectionPoolCleared { .. } => "the connection was lost".to_owned(),
        ErrorKind::DnsResolve { message, .. }
        | ErrorKind::InvalidTlsConfig { message, .. }
        | ErrorKind::IncompatibleServer { message, .. }
        | ErrorKind::Transaction { message, .. }
        | ErrorKind::Internal { message, .. } => message.clone(),
        _ => "an unexpected answer".to_owned(),
    }
}

/// What a server said last, out of the driver's account of the whole topology.
fn why_no_server(message: &str) -> String {
    let said = message.split_once("Error: ").map(|(_, said)| said);
    let said = said.map(|said| said.strip_prefix("Kind: ").unwrap_or(said));
    match said.and_then(|said| said.split_once(", labels")) {
        Some((said, _)) => said.to_owned(),
        None => "no server that can be written to answers".to_owned(),
    }
}

/// Takes what stands before the `@` of a URL out of a text.
pub(super) fn without_credentials(text: &str, url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or(rest);
    // A password that was not escaped may hold a slash: then everything up to the last `@` may belong to it.
    let secret = match authority.rsplit_once('@') {
        Some((secret, _)) => secret,
        None => match rest.rsplit_once('@') {
            Some((secret, _)) => secret,
            None => return text.to_owned(),
        },
    };
    let (user, password) = secret.split_once(':').unwrap_or((secret, ""));
    let hides = [secret, password, user];
    if hides
        .iter()
        .any(|part| !part.is_empty() && text.contains(part))
    {
        return "what stands before the @ must be percent-encoded".to_owned();
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_that_quotes_credentials_is_replaced() {
        let url = "mongodb://ada:s3cr/et@host:1/db";
        for text in ["bad ada:s3cr/et", "bad s3cr/et", "user ada?"] {
            let shown = without_credentials(text, url);
            assert!(!shown.contains("s3cr") && !shown.contains("ada"), "{shown}");
        }
        assert_eq!(without_credentials("bad port", url), "bad port");
        assert_eq!(
            without_credentials("bad port", "mongodb://host"),
            "bad port"
        );
    }

    #[test]
    fn the_reason_is_found_in_the_account_of_the_topology() {
        let message = "Server selection timeout: No available servers. Topology: { Type: Unknown, Servers: [ { Address: \
                       127.0.0.1:1, Type: Unknown, Error: Kind: I/O error: Connection refused (os error 111), labels: {} } ] }";
        assert_eq!(
            why_no_server(message),
            "I/O error: Connection refused (os error 111)"
        );
    }
}
