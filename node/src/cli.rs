//! The command line.

use std::fmt::Display;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, ConfigError, Log, LogFormat};
use crate::{operator, serve};

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
    let ended = match cli.command.unwrap_or(Action::Serve) {
        Action::Serve => runtime
            .block_on(serve::serve(config))
            .map_err(|e| e.to_string()),
        Action::Operator {
            command:
                OperatorAction::Add {
                    name,
                    password_stdin,
                },
        } => runtime
            .block_on(operator::add(config, &name, password_stdin))
            .map(|user| say(&format!("operator {name} has the account {user}")))
            .map_err(|e| e.to_string()),
    };
    // What still runs on blocking threads is not waited for.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, 1),
    }
}

fn start_log(log: &Log) {
    // The level was checked with the settings.
    let filter = EnvFilter::builder().parse_lossy(&log.level);
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
