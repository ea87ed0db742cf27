//! What the kernel knows of a process's UDP sockets.

use std::collections::HashSet;
use std::fs;

/// The UDP sockets of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sockets {
    /// How many there are.
    pub count: u64,
    /// Datagrams that found their buffers full.
    pub dropped: u64,
}

impl Sockets {
    /// Those that a process has now.
    pub fn of(pid: u32) -> Self {
        let own = inodes(pid);
        let mut sockets = Self::default();
        // Source: proc(5). A line has the socket's inode as its tenth word, what was dropped as its last.
        for table in ["udp", "udp6"] {
            let text = fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap_or_default();
            for line in text.lines().skip(1) {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words.get(9).is_some_and(|inode| own.contains(*inode)) {
                    sockets.count += 1;
                    sockets.dropped += words
                        .last()
                        .and_then(|word| word.parse::<u64>().ok())
                        .unwrap_or(0);
                }
            }
        }
        sockets
    }
}

/// The inodes of all sockets of a process.
fn inodes(pid: u32) -> HashSet<String> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("a live process");
    entries
        .filter_map(|entry| fs::read_link(entry.ok()?.path()).ok())
        .filter_map(|link| {
            let link = link.to_str()?.strip_prefix("socket:[")?;
            Some(link.strip_suffix(']')?.to_owned())
        })
        .collect()
}
