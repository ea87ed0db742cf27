//! The command line.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::admin::client::Admin;
use crate::backup;
use crate::config::{Config, ConfigError, Log, LogFormat};
use crate::link::issue;
use crate::store::{check, migrate};
use crate::{doctor, operator, serve};

/// The exit code of settings that cannot be used.
const BAD_SETTINGS: u8 = 2;

/// Rookery: a chat node that speaks Discord's public API.
#[derive(Debug, Parser)]
#[command(name = "rookery", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Action>,
    #[command(flatten)]
    settings: Flags,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Serves the node (the default).
    Serve,
    /// Manages operators' accounts, on the data of a stopped node.
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
    /// Looks after the node that serves here.
    Node {
        #[command(subcommand)]
        command: NodeAction,
    },
    /// Says what keeps people from speaking: ports, addresses, TURN; the exit code is 1 if something is to be changed.
    Doctor {
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
    },
    /// Makes the certificates with which the nodes of a cluster know each other.
    Cluster {
        #[command(subcommand)]
        command: ClusterAction,
    },
}

#[derive(Debug, Subcommand)]
enum NodeAction {
    /// Has it end in order, as SIGTERM does, and waits until it has: other nodes take over what it had, and clients are told to
    /// reconnect.
    Drain,
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
        /// Answers in JSON.
        #[arg(long)]
        json: bool,
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
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Config::load(self.config.as_deref(), variables, &flags)
    }
}

/// Runs the command line of the process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let config = match cli.settings.load() {
        Ok(config) => config,
        Err(error) => return fail(&error, BAD_SETTINGS),
    };
    start_log(&config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error, 1),
    };
    let ended = runtime.block_on(run_action(cli.command.unwrap_or(Action::Serve), config));
    // What still runs on blocking threads is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(code) => code,
        Err(error) => fail(&error, 1),
    }
}

async fn run_action(action: Action, config: Config) -> Result<ExitCode, String> {
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
            command: StoreAction::Check { quick, json },
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
        Action::Node {
            command: NodeAction::Drain,
        } => drain(&config).await,
        Action::Doctor { json } => {
            let report = doctor::examine(&config).await;
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

async fn drain(config: &Config) -> Result<String, String> {
    let admin = Admin::connect(&config.data).await;
    let Some(admin) = admin.map_err(|e| e.to_string())? else {
        let data = config.data.display();
        return Err(format!(
            "no node serves on the data folder {data}: name it with --data"
        ));
    };
    admin.drain().await.map_err(|e| e.to_string())?;
    Ok("the node has ended".to_owned())
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
