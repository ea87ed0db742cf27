//! Connecting, with a sentence for everything that can be wrong.

use std::sync::Arc;
use std::time::Duration;

use bson::{Document, doc};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{ClientOptions, ReadConcern, ReadPreference, SelectionCriteria};
use mongodb::{Client, Database};
use parking_lot::Mutex;
use rookery_protocol::limits::{
    STORE_CALL_MS, STORE_CONNECTIONS, STORE_HEARTBEAT_MS, STORE_SELECT_MS,
};

use super::commit::durable;
use super::error::{
    AUTHENTICATION_FAILED, NO_PRIMARY, OpenError, UNAUTHORIZED, code, describe, without_credentials,
};
use super::lane::Lanes;
use super::schema::{self, Migrated};
use super::{MongoStore, Shared};

/// The database of a URL that names none.
const DATABASE: &str = "rookery";

/// The wire version of MongoDB 5.0, which reads a point in time outside of transactions.
const OLDEST_WIRE: i32 = 13;

impl MongoStore {
    /// Connects to a replica set and makes ready the database that the URL's path names (`rookery` if none). TLS and
    /// authentication are as the URL says.
    ///
    /// # Errors
    /// The servers cannot be used, or the database is not one of this version.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        let server = Server::reach(url).await?;
        let opened = schema::open(&server.database).await;
        opened.map_err(|error| server.place(error))?;
        Ok(Self {
            shared: Arc::new(Shared {
                client: server.client,
                database: server.database,
                hosts: server.hosts,
                app_name: server.app_name,
                lanes: Lanes::default(),
                seen: Mutex::new(None),
            }),
        })
    }

    /// Whether there is a store, without making one.
    ///
    /// # Errors
    /// The servers cannot be used, or a collection is missing.
    pub async fn inspect(url: &str) -> Result<bool, OpenError> {
        let server = Server::reach(url).await?;
        let inspected = schema::inspect(&server.database).await;
        inspected.map_err(|error| server.place(error))
    }

    /// Brings the database of an older version to this one's. No node may be using it.
    ///
    /// # Errors
    /// The servers cannot be used, or the database is a newer version's or another program's.
    pub async fn migrate(url: &str) -> Result<Migrated, OpenError> {
        let server = Server::reach(url).await?;
        let migrated = schema::migrate(&server.database).await;
        migrated.map_err(|error| server.place(error))
    }
}

/// A replica set that can be used.
struct Server {
    client: Client,
    database: Database,
    hosts: String,
    app_name: String,
}

impl Server {
    async fn reach(url: &str) -> Result<Self, OpenError> {
        let bad = |error: Error| OpenError::Url {
            reason: without_credentials(&why_bad(&error), url),
        };
        let parsed = tokio::time::timeout(
            Duration::from_millis(STORE_CALL_MS),
            ClientOptions::parse(url),
        );
        let mut options = parsed
            .await
            .map_err(|_| OpenError::Url {
                reason: "its name servers do not answer".to_owned(),
            })?
            .map_err(bad)?;
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        let hosts = hosts.join(", ");
        let name = options.default_database.clone();
        let name = name.unwrap_or_else(|| DATABASE.to_owned());
        prepare(&mut options);
        let app_name = options.app_name.clone().unwrap_or_default();
        let client = Client::with_options(options.clone()).map_err(bad)?;
        match hello(&client).await {
            Ok(hello) => judge(&hello, &options, &hosts, &client).await?,
            Err(error) if is_unreachable(&error) => {
                return Err(diagnose(&options, &hosts, &error).await);
            }
            Err(error) => {
                let error = explain(&error, &name);
                return Err(place(error, &hosts));
            }
        }
        let database = client.database(&name);
        Ok(Self {
            client,
            database,
            hosts,
            app_name,
        })
    }

    fn place(&self, error: OpenError) -> OpenError {
        place(error, &self.hosts)
    }
}

/// What we need, whatever the URL says; and what we prefer where it says nothing.
fn prepare(options: &mut ClientOptions) {
    options.write_concern = Some(durable());
    options.read_concern = Some(ReadConcern::majority());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    let millis = Duration::from_millis;
    let select = options.server_selection_timeout;
    options.server_selection_timeout = select.or(Some(millis(STORE_SELECT_MS)));
    options.connect_timeout = options.connect_timeout.or(Some(millis(STORE_SELECT_MS)));
    options.heartbeat_freq = options.heartbeat_freq.or(Some(millis(STORE_HEARTBEAT_MS)));
    options.max_pool_size = options.max_pool_size.or(Some(STORE_CONNECTIONS));
    let app_name = options.app_name.take();
    options.app_name = Some(app_name.unwrap_or_else(|| "rookery".to_owned()));
}

async fn hello(client: &Client) -> Result<Document, Error> {
    client
        .database("admin")
        .run_command(doc! { "hello": 1 })
        .await
}

/// Whether a server that answers is one that we can use.
async fn judge(
    hello: &Document,
    options: &ClientOptions,
    hosts: &str,
    client: &Client,
) -> Result<(), OpenError> {
    if let Some(error) = misfit(hello, options, hosts) {
        return Err(error);
    }
    if hello.get_i32("maxWireVersion").unwrap_or(0) < OLDEST_WIRE {
        let admin = client.database("admin");
        let build = admin.run_command(doc! { "buildInfo": 1 }).await;
        let version = build.ok().and_then(|build| {
            let version = build.get_str("version").ok()?;
            Some(version.to_owned())
        });
        return Err(OpenError::TooOld {
            hosts: hosts.to_owned(),
            version: version.unwrap_or_else(|| "4 or older".to_owned()),
        });
    }
    Ok(())
}

/// What is wrong with the kind of server that answers.
fn misfit(hello: &Document, options: &ClientOptions, hosts: &str) -> Option<OpenError> {
    let hosts = hosts.to_owned();
    if hello.get_str("msg").is_ok_and(|msg| msg == "isdbgrid") {
        return Some(OpenError::Sharded { hosts });
    }
    if hello.get_bool("isreplicaset").unwrap_or(false) {
        return Some(OpenError::NotInitiated { hosts });
    }
    let Ok(set) = hello.get_str("setName") else {
        return Some(OpenError::Standalone { hosts });
    };
    match &options.repl_set_name {
        Some(given) if given != set => Some(OpenError::OtherSet {
            hosts,
            found: set.to_owned(),
            given: given.clone(),
        }),
        _ => None,
    }
}

/// No primary was found: asks each server by itself what it is.
async fn diagnose(options: &ClientOptions, hosts: &str, error: &Error) -> OpenError {
    for host in &options.hosts {
        let mut options = options.clone();
        let given = options.repl_set_name.take();
        options.hosts = vec![host.clone()];
        options.direct_connection = Some(true);
        options.server_selection_timeout = Some(Duration::from_secs(1));
        let nearest = ReadPreference::Nearest { options: None };
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(nearest.clone()));
        let Ok(client) = Client::with_options(options.clone()) else {
            continue;
        };
        let admin = client.database("admin");
        let asked = admin
            .run_command(doc! { "hello": 1 })
            .selection_criteria(SelectionCriteria::ReadPreference(nearest));
        let answer = tokio::time::timeout(Duration::from_secs(2), asked).await;
        client.shutdown().immediate(true).await;
        match answer {
            Ok(Ok(hello)) => {
                options.repl_set_name = given;
                let set = hello.get_str("setName").unwrap_or_default().to_owned();
                return misfit(&hello, &options, hosts).unwrap_or(OpenError::NoPrimary {
                    hosts: hosts.to_owned(),
                    set,
                });
            }
            Ok(Err(error)) if is_refused(&error) => {
                return OpenError::Credentials {
                    hosts: hosts.to_owned(),
                };
            }
            Ok(Err(_)) | Err(_) => {}
        }
    }
    OpenError::Unreachable {
        hosts: hosts.to_owned(),
        reason: describe(error),
    }
}

fn is_unreachable(error: &Error) -> bool {
    matches!(
        *error.kind,
        ErrorKind::ServerSelection { .. }
            | ErrorKind::Io(_)
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
    ) || code(error).is_some_and(|code| NO_PRIMARY.contains(&code))
}

fn is_refused(error: &Error) -> bool {
    matches!(*error.kind, ErrorKind::Authentication { .. })
        || code(error) == Some(AUTHENTICATION_FAILED)
}

/// The sentence for an error of a server that answers; the place is filled in by [`place`].
pub(super) fn explain(error: &Error, database: &str) -> OpenError {
    let hosts = String::new();
    if is_refused(error) {
        return OpenError::Credentials { hosts };
    }
    if code(error) == Some(UNAUTHORIZED) {
        return OpenError::Permission {
            database: database.to_owned(),
        };
    }
    let reason = describe(error);
    if is_unreachable(error) {
        return OpenError::Unreachable { hosts, reason };
    }
    OpenError::Failed { hosts, reason }
}

/// Says where.
fn place(error: OpenError, at: &str) -> OpenError {
    let hosts = at.to_owned();
    match error {
        OpenError::Credentials { .. } => OpenError::Credentials { hosts },
        OpenError::Unreachable { reason, .. } => OpenError::Unreachable { hosts, reason },
        OpenError::Failed { reason, .. } => OpenError::Failed { hosts, reason },
        other => other,
    }
}

fn why_bad(error: &Error) -> String {
    match &*error.kind {
        ErrorKind::InvalidArgument { message, .. } => message.clone(),
        _ => describe(error),
    }
}
