//! What a process holds in memory, as the kernel says.
//!
//! Source: proc_pid_status(5)

/// Kilobytes that it holds now.
pub fn resident_kb(pid: u32) -> u64 {
    figure(pid, "VmRSS:")
}

/// Kilobytes that it ever held at most.
pub fn peak_kb(pid: u32) -> u64 {
    figure(pid, "VmHWM:")
}

fn figure(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("a live process");
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kb = line.and_then(|line| line.split_whitespace().next());
    kb.and_then(|kb| kb.parse().ok()).expect("a number of kB")
}
