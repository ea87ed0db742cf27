//! The command line.
//!
//! Exit codes: 0, done; 1, it was refused or something is wrong (`doctor`, `store check`); 2, arguments or settings cannot be
//! used; 3, no node answers; 4, the token is not good, or may not do that; 5, there is no such actor, node, user or token.

mod operate;
mod reach;
mod show;
mod table;

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use rookery_protocol::inspect::Act;

use self::operate::Operate;
use self::reach::Reach;
use crate::backup;
use crate::config::{Config, ConfigError, Log, LogFormat};
use crate::link::issue;
use crate::store::{check, migrate};
use crate::{console, doctor, operator, serve};

/// The exit code of settings that cannot be used.
const BAD_SETTINGS: u8 = 2;

/// Why a command did not do what it was to do: a sentence, and the exit code.
#[derive(Debug)]
enum Failure {
    /// It was refused, or went wrong.
    Other(String),
    /// Arguments or settings cannot be used.
    Settings(String),
    /// No node answers.
    Unreached(String),
    /// The token is not good, or may not do that.
    Denied(String),
    /// There is no such thing.
    Unknown(String),
}

impl Failure {
    fn code(&self) -> u8 {
        match self {
            Self::Other(_) => 1,
            Self::Settings(_) => BAD_SETTINGS,
            Self::Unreached(_) => 3,
            Self::Denied(_) => 4,
            Self::Unknown(_) => 5,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Other(sentence)
            | Self::Settings(sentence)
            | Self::Unreached(sentence)
            | Self::Denied(sentence)
            | Self::Unknown(sentence) => f.write_str(sentence),
        }
    }
}

impl From<String> for Failure {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

/// Rookery: a chat node that speaks Discord's public API.
#[derive(Debug, Parser)]
#[command(name = "rookery", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Action>,
    #[command(flatten)]
    settings: Flags,
    #[command(flatten)]
    reach: Reach,
    /// Answers in JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serves the node (the default).
    Serve,
    /// Manages operators' accounts, at the node that serves or on the data of a stopped one.
    Operator {
        #[command(subcommand)]
        command: OperatorAction,
    },
    /// Looks after the store.
    Store {
        #[command(subcommand)]
        command: StoreAction,
    },
    /// Makes, verifies and restores backups of the store and the files.
    Backup {
        #[command(subcommand)]
        command: BackupAction,
    },
    /// Shows the cluster in the terminal: nodes, actors, rooms, warnings; acts on them.
    Console,
    /// Drains nodes, and has them take part again.
    Node {
        #[command(subcommand)]
        command: NodeAction,
    },
    #[command(flatten)]
    Operate(Operate),
    /// Says what is to be changed: what the nodes warn of, and what keeps people from speaking (ports, addresses, TURN); the exit
    /// code is 1 if something is to be changed.
    Doctor,
    /// Makes the certificates with which the nodes of a cluster know each other.
    Cluster {
        #[command(subcommand)]
        command: ClusterAction,
    },
}

#[derive(Debug, Subcommand)]
enum NodeAction {
    /// Has a node end in order, as SIGTERM does: other nodes take over what it had, and clients are told to reconnect. Of the
    /// node of the data folder it is waited until it has ended.
    Drain {
        /// Another node than that of the data folder.
        node: Option<String>,
        /// It gives its entities and rooms away and does not end, until it is undrained.
        #[arg(long)]
        stay: bool,
    },
    /// Has a node that was drained with --stay take its share again.
    Undrain {
        /// The node.
        node: String,
    },
}

#[derive(Debug, Subcommand)]
enum ClusterAction {
    /// Makes the authority of a cluster: `ca.pem` for every node, `ca-key.pem` for who issues.
    InitCa {
        /// The folder of the files.
        #[arg(long, value_name = "FOLDER", default_value = "./cluster")]
        dir: PathBuf,
    },
    /// Makes the certificate of a node: `NAME.pem` and `NAME-key.pem`.
    Issue {
        /// The node's name: 1 to 63 lower-case letters, digits or `-` in between.
        name: String,
        /// A host name or address that the certificate is valid for too; nodes need none.
        #[arg(long, value_name = "HOST")]
        host: Vec<String>,
        /// Days that it is valid.
        #[arg(long, default_value_t = issue::NODE_DAYS, value_parser = clap::value_parser!(u32).range(1..=36_500))]
        days: u32,
        /// The folder of the files.
        #[arg(long, value_name = "FOLDER", default_value = "./cluster")]
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum StoreAction {
    /// Says what is wrong with the store, also while the node serves; the exit code is 1 if anything is.
    Check {
        /// Does not read the rows.
        #[arg(long)]
        quick: bool,
    },
    /// Brings the store of an older version to this one's schema; stop all nodes first.
    Migrate,
}

#[derive(Debug, Subcommand)]
enum BackupAction {
    /// Writes a backup into a new file, also while the node serves.
    Create {
        /// The file; only its owner may read it.
        file: PathBuf,
        /// Leaves out what people attached, avatars and icons.
        #[arg(long)]
        without_files: bool,
    },
    /// Reads a backup to its end and says what is in it.
    Verify {
        /// The file.
        file: PathBuf,
    },
    /// Fills an empty store from a backup.
    Restore {
        /// The file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum OperatorAction {
    /// Makes an operator's account; the password is asked for, or read from stdin.
    Add {
        /// The username.
        name: String,
        /// Reads the password from the first line of stdin, without asking.
        #[arg(long)]
        password_stdin: bool,
    },
}

/// Settings that have a flag. All are in cluster.toml, and have a variable `ROOKERY_...`.
#[derive(Debug, Args)]
struct Flags {
    /// The settings file [default: ./cluster.toml if it is there].
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The node's name.
    #[arg(long, global = true, value_name = "NAME")]
    node: Option<String>,
    /// Where clients are served [default: 127.0.0.1:8080].
    #[arg(long, global = true, value_name = "ADDRESS")]
    listen: Option<String>,
    /// The folder of the data [default: ./data].
    #[arg(long, global = true, value_name = "FOLDER")]
    data: Option<String>,
}

impl Flags {
    fn load(self) -> Result<Config, ConfigError> {
        let flags = [
            ("node", self.node),
            ("listen", self.listen),
            ("data", self.data),
        ];
        let flags: Vec<(&str, String)> = flags
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .collect();
        Config::load(self.config.as_deref(), std::env::vars_os(), &flags)
    }
}

/// Runs the command line of the process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let config = match cli.settings.load() {
        Ok(config) => config,
        Err(error) => return fail(&error, BAD_SETTINGS),
    };
    let action = cli.command.unwrap_or(Action::Serve);
    // Its lines would be written over the console's.
    if !matches!(action, Action::Console) {
        start_log(&config.log);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    let ended = runtime.block_on(run_action(action, config, &cli.reach, cli.json));
    // What still runs on blocking threads is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(failure) => fail(&failure, failure.code()),
    }
}

async fn run_action(
    action: Action,
    config: Config,
    reach: &Reach,
    json: bool,
) -> Result<ExitCode, Failure> {
    let said = match action {
        Action::Serve => {
            serve::serve(config).await.map_err(|e| e.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Operator {
            command:
                OperatorAction::Add {
                    name,
                    password_stdin,
                },
        } => operator::add(config, &name, password_stdin)
            .await
            .map(|user| format!("operator {name} has the account {user}"))
            .map_err(|e| e.to_string()),
        Action::Store {
            command: StoreAction::Check { quick },
        } => {
            let report = check::check(&config, quick).await;
            say(&if json {
                serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?
            } else {
                check::for_people(&report)
            });
            return Ok(ExitCode::from(u8::from(!report.ok)));
        }
        Action::Store {
            command: StoreAction::Migrate,
        } => migrate::migrate(&config).await.map_err(|e| e.to_string()),
        Action::Backup { command } => match command {
            BackupAction::Create {
                file,
                without_files,
            } => backup::create::create(&config, &file, !without_files).await,
            BackupAction::Verify { file } => backup::verify::verify(&file).await,
            BackupAction::Restore { file } => backup::restore::restore(&config, &file).await,
        }
        .map_err(|e| e.to_string()),
        Action::Console => {
            let api = reach.api(&config)?;
            // What is wrong is said before the screen is taken.
            api.nodes().await?;
            console::run(Arc::new(api)).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Node { command } => return node(command, &config, reach, json).await,
        Action::Operate(command) => {
            operate::run(&reach.api(&config)?, command, json).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Action::Doctor => {
            let report = doctor::examine(&config, &reach.api(&config)?).await;
            say(&if json {
                serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?
            } else {
                doctor::for_people(&report)
            });
            return Ok(ExitCode::from(u8::from(!report.ok)));
        }
        Action::Cluster { command } => match command {
            ClusterAction::InitCa { dir } => issue::init_authority(&dir),
            ClusterAction::Issue {
                name,
                host,
                days,
                dir,
            } => issue::issue(&dir, &name, &host, days),
        }
        .map_err(|e| e.to_string()),
    };
    say(&said?);
    Ok(ExitCode::SUCCESS)
}

async fn node(
    action: NodeAction,
    config: &Config,
    reach: &Reach,
    json: bool,
) -> Result<ExitCode, Failure> {
    let api = reach.api(config)?;
    match action {
        NodeAction::Drain {
            node: None,
            stay: false,
        } => {
            api.drain().await?;
            say("the node has ended");
        }
        NodeAction::Drain { node, stay } => {
            let node = match node {
                Some(node) => node,
                None => config.node.clone(),
            };
            operate::acted(&api, Act::Drain { node, stay }, json).await?;
        }
        NodeAction::Undrain { node } => {
            operate::acted(&api, Act::Undrain { node }, json).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn start_log(log: &Log) {
    // The level was checked with the settings. What ractor_cluster logs are its messages, bytes and all, and every
    // connection that ends; the links say themselves what happens to them.
    let filter = EnvFilter::builder().parse_lossy(&log.level);
    let filter = match "ractor_cluster=error".parse() {
        Ok(quiet) => filter.add_directive(quiet),
        Err(_) => filter,
    };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    // A second log in one process, as in tests, is no reason to end.
    let _ = match log.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

fn say(sentence: &str) {
    let _ = writeln!(std::io::stdout(), "{sentence}");
}

fn fail(error: &impl Display, code: u8) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "rookery: {error}");
    ExitCode::from(code)
}
