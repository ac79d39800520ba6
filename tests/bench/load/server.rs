//! A workerd of one's own on one core, and what it has cost so far.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What runs in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Program {
    /// The built Worker.
    Worker,
    /// Likewise, and its directory can be told to end.
    Mortal,
    /// `tests/bench/floor`.
    Floor,
}

impl Program {
    pub(crate) const BOTH: [Self; 2] = [Self::Floor, Self::Worker];

    fn config(self) -> &'static str {
        match self {
            Self::Worker => "tests/common/workerd.capnp",
            Self::Mortal => "tests/bench/load/workerd.capnp",
            Self::Floor => "tests/bench/floor/workerd.capnp",
        }
    }
}

/// What is configured beside `tests/common/workerd.capnp`: names and values.
pub(crate) type Settings = Vec<(&'static str, String)>;

/// Ends with its owner.
pub(crate) struct Server {
    process: Child,
    disk: PathBuf,
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
    settings: Settings,
    wakes: Arc<AtomicUsize>,
}

impl Server {
    /// Starts it on the core that is the servers', and waits until it listens.
    pub(crate) fn start(program: Program) -> Self {
        Self::start_in(
            program,
            Path::new(env!("CARGO_TARGET_TMPDIR")),
            Settings::new(),
        )
    }

    /// Starts it with a disk in this folder.
    pub(crate) fn start_in(program: Program, folder: &Path, settings: Settings) -> Self {
        static LAST: AtomicUsize = AtomicUsize::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        let disk = format!("bench-{}-{number}", std::process::id());
        let disk = folder.join(disk);
        let _ = fs::remove_dir_all(&disk);
        fs::create_dir_all(&disk).unwrap_or_else(|error| panic!("no disk: {error}"));
        Self::start_on(program, disk, settings)
    }

    /// Starts it with what another one has left on the disk.
    fn start_on(program: Program, disk: PathBuf, settings: Settings) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let workerd = std::env::var("WORKERD_BIN").unwrap_or_else(|_| panic!("no WORKERD_BIN"));
        let mut process = Command::new("taskset")
            .args(["--cpu-list", "1", &workerd, "serve"])
            .arg(root.join(program.config()))
            .arg("--socket-addr=http=127.0.0.1:0")
            .arg(format!("--directory-path=disk={}", disk.display()))
            .arg("--control-fd=1")
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap_or_else(|error| panic!("workerd does not start: {error}"));
        let Some(output) = process.stdout.take() else {
            panic!("workerd has no output");
        };
        let mut lines = BufReader::new(output);
        let mut line = String::new();
        let _ = lines.read_line(&mut line);
        let said: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
        let port = said["port"].as_u64().and_then(|port| port.try_into().ok());
        let port = port.unwrap_or_else(|| panic!("workerd said {line:?}"));
        // What the Worker logs must not fill the pipe.
        let wakes = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&wakes);
        std::thread::spawn(move || {
            let awake = |line: &String| line.contains("-awake\"");
            for _ in lines.lines().map_while(Result::ok).filter(awake) {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self {
            process,
            disk,
            program,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            settings,
            wakes,
        }
    }

    /// Ends it as a crash does (SIGKILL): nothing is written any more, and nobody is told.
    pub(crate) fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Nobody has killed it, and it has ended.
    pub(crate) fn has_crashed(&mut self) -> bool {
        !matches!(self.process.try_wait(), Ok(None))
    }

    /// Starts it anew, on another port, with what was on the disk.
    pub(crate) fn restart(&mut self) {
        self.kill();
        // The disk is the next one's, and must outlive this one.
        let disk = std::mem::take(&mut self.disk);
        let settings = std::mem::take(&mut self.settings);
        *self = Self::start_on(self.program, disk, settings);
    }

    /// The memory that it has in use, in bytes (Linux: `VmRSS` of `/proc/PID/status`, in KiB).
    pub(crate) fn memory(&self) -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    }

    /// How many sockets it has open (Linux: `/proc/PID/fd`).
    pub(crate) fn sockets(&self) -> usize {
        let files = format!("/proc/{}/fd", self.process.id());
        let files = fs::read_dir(files).into_iter().flatten().flatten();
        let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
        targets
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    }

    /// How often an object was made or woke up, as far as the log says so by now.
    pub(crate) fn wakes(&self) -> usize {
        self.wakes.load(Ordering::Relaxed)
    }

    /// The CPU time of all its threads up to now (Linux: `/proc/PID/task/TID/schedstat`, in nanoseconds).
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = format!("/proc/{}/task", self.process.id());
        let spent = |task: fs::DirEntry| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            text.split(' ').next()?.parse::<u64>().ok()
        };
        let tasks = fs::read_dir(tasks).into_iter().flatten().flatten();
        Duration::from_nanos(tasks.filter_map(spent).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if !self.disk.as_os_str().is_empty() {
            let _ = fs::remove_dir_all(&self.disk);
        }
    }
}
