//! The limit of open files: a socket is one, and many systems start a process with 1,024 where it may have far more.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files beside the clients' sockets: the store, listeners, the runtime.
const RESERVE: u64 = 64;

/// Raises the soft limit to the hard one, and says so in the log when `connections` still do not fit.
pub(crate) fn raise(connections: usize) {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit.current
        }
    };
    let wanted = connections as u64 + RESERVE;
    if let Some(open_files) = current.filter(|&open_files| open_files < wanted) {
        tracing::warn!(
            open_files,
            connections,
            "the limit of open files is below the connections that are allowed"
        );
    }
}
