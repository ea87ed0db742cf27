//! A server process that never outlives the test, however that ends.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a server may take to say that it is ready.
const DEADLINE: Duration = Duration::from_secs(60);

/// Runs the command given after the folder; kills it and removes the folder when standard input ends, which it does even if
/// the test is killed.
const GUARD: &str = r#"
folder=$1; shift
exec 3<&0
"$@" </dev/null 3<&- 2>&1 &
pid=$!
echo "pid $pid"
{ read -r _ <&3; kill -9 "$pid" 2>/dev/null; rm -rf "$folder"; } >/dev/null 2>&1 &
guard=$!
wait "$pid"
code=$?
kill "$guard" 2>/dev/null
exit "$code"
"#;

/// A running server whose folder goes with it.
#[derive(Debug)]
pub struct Process {
    guard: Child,
    /// Its end is what ends the server.
    lifeline: Option<ChildStdin>,
    pid: String,
    log: PathBuf,
}

impl Process {
    /// Starts a command, whose output goes to `log`, and waits until it says something.
    ///
    /// # Errors
    /// It ended before, with this code.
    pub fn start(
        folder: &Path,
        log: &Path,
        command: &[String],
        ready: &str,
    ) -> Result<Self, Option<i32>> {
        let mut guard = Command::new("sh");
        guard
            .args(["-c", GUARD, "sh"])
            .arg(folder)
            .args(command)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut guard = guard.spawn().expect("sh");
        let lifeline = guard.stdin.take();
        let lines = BufReader::new(guard.stdout.take().expect("piped")).lines();
        let mut file = File::options();
        let file = file.create(true).append(true).open(log);
        let mut file = file.expect("a log");
        let (tell, told) = mpsc::channel();
        let ready = ready.to_owned();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = writeln!(file, "{line}");
                if line.starts_with("pid ") || line.contains(&ready) {
                    let _ = tell.send(line);
                }
            }
        });
        let first = told.recv_timeout(DEADLINE).expect("a process");
        let pid = first.strip_prefix("pid ").expect("its id").to_owned();
        let mut process = Self {
            guard,
            lifeline,
            pid,
            log: log.to_owned(),
        };
        match told.recv_timeout(DEADLINE) {
            Ok(_) => Ok(process),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(process.wait()),
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("not ready: {}", process.tail()),
        }
    }

    /// Sends a signal by name.
    pub fn signal(&self, name: &str) {
        let status = Command::new("sh")
            .args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &self.pid])
            .status();
        assert!(status.expect("sh").success(), "kill -s {name}");
    }

    /// SIGSTOP: it answers nothing, and its connections stay.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.signal("KILL");
        self.wait();
    }

    /// SIGTERM, and waits for the end.
    pub fn terminate(mut self) {
        self.signal("TERM");
        self.wait();
    }

    /// Waits for it to end by itself.
    pub fn ended(mut self) {
        self.wait();
    }

    /// The last part of the log, for reports.
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let last = lines[lines.len().saturating_sub(8)..].iter();
        let short = last.map(|line| line.chars().take(300).collect::<String>());
        short.collect::<Vec<_>>().join("\n")
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.pid.parse().expect("a number")
    }

    fn wait(&mut self) -> Option<i32> {
        let status = self.guard.wait().expect("its end");
        self.lifeline = None;
        status.code()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The guard kills it; one that was stopped too.
        self.lifeline = None;
        let _ = self.guard.wait();
    }
}
