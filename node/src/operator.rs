//! `rookery operator add`: makes an operator's account, at the node that serves on the data folder, or on that of a stopped node.

use std::io::{BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rookery_actors::entity::Publisher;
use rookery_protocol::command::user::Register;
use rookery_protocol::error::{ApiError, ErrorCode};
use rookery_protocol::event::SharedFrame;
use rookery_protocol::ids::UserId;
use rookery_protocol::inspect::Act;
use rookery_protocol::{limits, text};
use serde::{Deserialize, Serialize};

use crate::admin::client::{Admin, AdminError};
use crate::admin::{LOCAL, audit};
use crate::app::App;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::node::{Node, NodeError};
use crate::ownership::{self, Ownership, OwnershipError, Sharing};
use crate::store::{OpenError, Opened};

/// Why no operator was made.
#[derive(Debug, thiserror::Error)]
pub enum OperatorError {
    /// The name cannot be one.
    #[error(
        "`{0}` is no username: 2 to 32 lower-case letters, digits, underscores and single periods"
    )]
    BadName(String),
    /// The password cannot be one.
    #[error("the password must be between 8 and 128 bytes long")]
    BadPassword,
    /// The password cannot be read.
    #[error("the password cannot be read: {0}")]
    NoPassword(#[from] std::io::Error),
    /// Somebody has the name.
    #[error("the username `{0}` is already taken")]
    Taken(String),
    /// The node cannot be started; a running server is said to be so.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// Another process has the store.
    #[error(transparent)]
    Ownership(#[from] OwnershipError),
    /// The node cannot be put together.
    #[error(transparent)]
    Node(#[from] NodeError),
    /// The node that serves does not help.
    #[error(transparent)]
    Admin(#[from] AdminError),
    /// The account was not made.
    #[error("the account was not made: {0}")]
    Refused(ApiError),
    /// It cannot be written down, so it is not done.
    #[error("the account was not made: {0}")]
    NotNoted(String),
}

/// Nobody listens to a node without sockets.
struct Nobody;

impl Publisher for Nobody {
    fn publish(&self, _: SharedFrame) {}
}

/// Makes an operator's account, with a password from stdin.
///
/// # Errors
/// One sentence.
pub async fn add(config: Config, name: &str, is_piped: bool) -> Result<UserId, OperatorError> {
    if !text::is_username(name) {
        return Err(OperatorError::BadName(name.to_owned()));
    }
    let asked = name.to_owned();
    let password = tokio::task::spawn_blocking(move || read_password(&asked, is_piped)).await;
    let password = password.map_err(std::io::Error::other)??;
    if !limits::PASSWORD_BYTES.contains(&password.len()) {
        return Err(OperatorError::BadPassword);
    }
    // A node that serves makes it itself: nobody else may write then.
    if let Some(admin) = Admin::connect(&config.data).await? {
        let asked = NewOperator {
            name: name.to_owned(),
            password,
        };
        return Ok(admin.make_operator(&asked).await?);
    }
    let store = Opened::open_whole(&config).await?;
    let clock = Arc::new(SystemClock::new());
    if !store.is_own() {
        ownership::is_not_running(&store.shared(), &config.node).await?;
    }
    // The command talks to nobody: in a cluster it waits until nobody else is there.
    let sharing = if store.is_own() {
        Sharing::Alone
    } else {
        Sharing::Unlinked
    };
    let ownership = Ownership::start(store.shared(), sharing, &config.node, Arc::clone(&clock));
    let run = ownership.run().await?;
    let node = Node::start(
        Arc::new(config),
        store.shared(),
        store.files(),
        clock,
        run,
        Arc::new(Nobody),
    )
    .await?;
    let made = make(&node.app, LOCAL, name, password).await;
    node.shutdown().await;
    ownership.end().await;
    store.close().await;
    made
}

/// What a serving node is asked.
#[derive(Serialize, Deserialize)]
pub struct NewOperator {
    /// The username.
    pub name: String,
    /// The password.
    pub password: String,
}

/// Makes the account at a node that runs. That `by` does is written into the audit log before, and what came of it behind.
///
/// # Errors
/// One sentence.
pub async fn make(
    app: &App,
    by: &str,
    name: &str,
    password: String,
) -> Result<UserId, OperatorError> {
    let act = Act::MakeOperator {
        name: name.to_owned(),
    };
    let noted = audit::note(app, by, &act).await;
    let noted = noted.map_err(OperatorError::NotNoted)?;
    let made = register(app, name, password).await;
    let outcome = match &made {
        Ok(user) => format!("the account {user}"),
        Err(error) => format!("refused: {error}"),
    };
    audit::close(app, noted, &outcome).await;
    made
}

async fn register(app: &App, name: &str, password: String) -> Result<UserId, OperatorError> {
    if !text::is_username(name) {
        return Err(OperatorError::BadName(name.to_owned()));
    }
    if !limits::PASSWORD_BYTES.contains(&password.len()) {
        return Err(OperatorError::BadPassword);
    }
    let refused = OperatorError::Refused;
    let password_hash = app.passwords.hash(password).await.map_err(refused)?;
    let user = UserId(app.ids.mint().map_err(refused)?);
    let request = Register {
        username: name.to_owned(),
        global_name: None,
        email: None,
        password_hash,
        operator: true,
        login: None,
    };
    match app.directory.ask(user, request).await {
        Ok(_) => Ok(user),
        Err(refusal) if refusal.code == ErrorCode::InvalidFormBody => {
            Err(OperatorError::Taken(name.to_owned()))
        }
        Err(refusal) => Err(refused(refusal)),
    }
}

/// The first line of stdin; from a terminal without showing it.
fn read_password(name: &str, is_piped: bool) -> std::io::Result<String> {
    let stdin = std::io::stdin();
    let is_terminal = !is_piped && stdin.is_terminal();
    if is_terminal {
        let mut stderr = std::io::stderr();
        write!(stderr, "Password of {name}: ")?;
        stderr.flush()?;
        echo(false);
    }
    let mut line = String::new();
    let read = stdin.lock().read_line(&mut line);
    if is_terminal {
        echo(true);
        writeln!(std::io::stderr())?;
    }
    read?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Switches the terminal's echo; without `stty` the password is seen while it is typed.
fn echo(is_on: bool) {
    let mode = if is_on { "echo" } else { "-echo" };
    let _ = Command::new("stty")
        .arg(mode)
        .stdin(Stdio::inherit())
        .status();
}
