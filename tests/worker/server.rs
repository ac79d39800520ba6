//! A workerd of one's own, with the built Worker in it and nobody else.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use echomingle::core::protocol::{Peer, Stats};
use echomingle::core::region::Region;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::ClientRequestBuilder;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::place::cf_blob;
use crate::visitor::{LIMIT, Past, Visitor};

/// The origin that `tests/common/workerd.capnp` allows beside the server's own.
pub(crate) const FRIEND: &str = "https://friend.example";

/// Within which a lobby has told the directory of what changed (`src/core/outlook.rs`).
pub(crate) const TOLD: Duration = Duration::from_secs(5);

/// Between two looks at what takes seconds.
pub(crate) const PAUSE: Duration = Duration::from_millis(100);

/// How many people fit into a room, as `tests/common/workerd.capnp` says.
pub(crate) const ROOM_CAPACITY: u32 = 4;

/// What workerd remarks when an alarm is about to go off and in its last moments another was set, as the
/// rules do for whoever is next. The other one goes off all the same: at once if it is due, else later.
const ALARM_CHANGED: [&str; 2] = [
    "SQLite alarm overdue, running despite AlarmManager mismatch",
    "SQLite alarm handler canceled with requestScheduledAlarm",
];

/// Ends with its owner.
pub(crate) struct Server {
    process: Child,
    /// The control messages of workerd, then the log of the Worker, a JSON object a line.
    output: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
    setup: Arc<Setup>,
    complaints: Complaints,
}

/// What a server is started with, and again after its end.
struct Setup {
    variables: Vec<(String, String)>,
    disk: Disk,
    traced: bool,
}

/// Where the objects keep what they keep: a folder that outlives the process, and not the test.
struct Disk(PathBuf);

impl Setup {
    fn new(variables: &[(&str, &str)], traced: bool) -> Arc<Self> {
        let owned = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        Arc::new(Self {
            variables: variables.iter().map(owned).collect(),
            disk: Disk::empty(),
            traced,
        })
    }
}

impl Disk {
    fn empty() -> Self {
        let folder = scratch("disk");
        if let Err(error) = std::fs::create_dir_all(&folder) {
            panic!("{} cannot be made: {error}", folder.display());
        }
        Self(folder)
    }

    fn trace(&self) -> PathBuf {
        self.0.join("trace")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A path of this process that nothing else uses.
fn scratch(kind: &str) -> PathBuf {
    static LAST: AtomicU32 = AtomicU32::new(0);
    let number = LAST.fetch_add(1, Ordering::Relaxed);
    let name = format!("workerd-{}-{number}.{kind}", std::process::id());
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}

/// What the server was asked, or an object asked of the runtime.
struct Operation {
    name: String,
    of_directory: bool,
}

/// What workerd writes to its standard error, such as an exception or a panic of the Worker. It fails
/// the test, unless it was to be, or is its own business.
struct Complaints {
    file: PathBuf,
    expected: Option<&'static str>,
}

impl Complaints {
    fn listen() -> (Self, File) {
        let file = scratch("log");
        let errors = File::create(&file)
            .unwrap_or_else(|error| panic!("{} cannot be written: {error}", file.display()));
        let complaints = Self {
            file,
            expected: None,
        };
        (complaints, errors)
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        let _ = std::fs::remove_file(&self.file);
        let expected = |line: &str| {
            let mut parts = self.expected.into_iter().chain(ALARM_CHANGED);
            parts.any(|part| line.contains(part))
        };
        let surplus: Vec<_> = text.lines().filter(|line| !expected(line)).collect();
        match std::thread::panicking() {
            true if surplus.is_empty() => {}
            true => eprintln!("workerd wrote: {surplus:#?}"),
            false => assert!(surplus.is_empty(), "workerd wrote: {surplus:#?}"),
        }
    }
}

/// An answer to a plain HTTP request. The names of its headers are in lower case.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Server {
    /// A server on a port of the system's choice, when it listens.
    pub(crate) async fn start() -> Self {
        Self::start_on(0, Setup::new(&[], false)).await
    }

    /// One that writes down what happens in its objects, for [`operations`](Self::operations).
    pub(crate) async fn start_traced() -> Self {
        Self::start_on(0, Setup::new(&[], true)).await
    }

    /// One that is configured with these beside what `tests/common/workerd.capnp` says. It must name them.
    pub(crate) async fn start_with(variables: &[(&str, &str)]) -> Self {
        Self::start_on(0, Setup::new(variables, false)).await
    }

    async fn start_on(port: u16, setup: Arc<Setup>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for built in ["build/index.js", "build/index_bg.wasm"] {
            let there = root.join(built).exists();
            assert!(there, "there is no {built}; run: npm test -- worker");
        }
        let binary = workerd(root);
        let (complaints, errors) = Complaints::listen();
        let trace = setup.traced.then(|| setup.disk.trace());
        let trace = trace.map(|file| format!("--async-trace={}", file.display()));
        let mut process = Command::new(&binary)
            .arg("serve")
            .arg(root.join("tests/common/workerd.capnp"))
            .arg(format!("--socket-addr=http=127.0.0.1:{port}"))
            .arg(format!("--directory-path=disk={}", setup.disk.0.display()))
            .args(trace)
            .arg("--control-fd=1")
            .env_clear()
            .env("LOG_SAMPLING", "0")
            .envs(setup.variables.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .kill_on_drop(true)
            .spawn()
            .unwrap_or_else(|error| {
                panic!(
                    "{} does not start: {error}; run: npm test -- worker",
                    binary.display()
                )
            });
        let Some(output) = process.stdout.take() else {
            panic!("workerd has no standard output");
        };
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut server = Self {
            process,
            output: BufReader::new(output).lines(),
            address,
            setup,
            complaints,
        };
        let line = server.next_line("that it listens").await;
        let port = serde_json::from_str(&line)
            .ok()
            .and_then(|message: serde_json::Value| message["port"].as_u64())
            .and_then(|port| u16::try_from(port).ok());
        let Some(port) = port else {
            panic!("workerd was to say on which port it listens, and said: {line}");
        };
        server.address.set_port(port);
        server
    }

    /// Ends the process as a crash would, and starts another in its place. What was kept is there.
    pub(crate) async fn restart(&mut self) {
        if let Err(error) = self.process.kill().await {
            panic!("workerd does not end: {error}");
        }
        *self = Self::start_on(self.address.port(), Arc::clone(&self.setup)).await;
    }

    /// What the server has been asked and what its objects have asked of the runtime so far, but for the
    /// directory, by the names that workerd has for it (`workerd serve --help`: `--async-trace`).
    pub(crate) fn operations(&self) -> Vec<String> {
        let all = self.traced().into_iter();
        let others = all.filter(|one| !one.of_directory);
        others.map(|one| one.name).collect()
    }

    /// Likewise, of the directory alone.
    pub(crate) fn operations_of_directory(&self) -> Vec<String> {
        let all = self.traced().into_iter();
        let own = all.filter(|one| one.of_directory);
        own.map(|one| one.name).collect()
    }

    fn traced(&self) -> Vec<Operation> {
        let file = self.setup.disk.trace();
        let text = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{} cannot be read: {error}", file.display()));
        // Of a line that is just being written the rest comes later.
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let read = |line: &str| {
            let entry: Result<serde_json::Value, _> = serde_json::from_str(line);
            entry.unwrap_or_else(|error| panic!("{line} is no trace: {error}"))
        };
        let entries: Vec<_> = whole.lines().map(read).collect();
        // Whatever an object keeps, the directory alone keeps it under this name, for which it asks when it is made.
        let knows = |entry: &&serde_json::Value| entry["v"] == "known";
        let directories = entries.iter().filter(knows).map(|entry| &entry["ctx"]);
        let directories: Vec<_> = directories.collect();
        let named = entries.iter().filter_map(|entry| {
            ["request", "operation"]
                .contains(&entry["kind"].as_str()?)
                .then_some(Operation {
                    name: entry["name"].as_str()?.into(),
                    of_directory: directories.contains(&&entry["ctx"]),
                })
        });
        named.collect()
    }

    /// Ends the process, and gives all that it has written and nobody has read: the log of the Worker,
    /// and its standard error.
    pub(crate) async fn last_words(mut self) -> String {
        if let Err(error) = self.process.kill().await {
            panic!("workerd does not end: {error}");
        }
        let mut words = String::new();
        while let Ok(Some(line)) = self.output.next_line().await {
            words += &line;
            words.push('\n');
        }
        words + &std::fs::read_to_string(&self.complaints.file).unwrap_or_default()
    }

    /// From now on workerd may write lines with this in them to its standard error.
    pub(crate) fn may_complain_of(&mut self, part: &'static str) {
        self.complaints.expected = Some(part);
    }

    /// The next line of the Worker's log.
    pub(crate) async fn logs(&mut self) -> String {
        self.next_line("a line of the log").await
    }

    /// The next line of the Worker's log, if there is one. A line is written before what the Worker
    /// sends after it, so it is there when that has been heard.
    pub(crate) async fn logs_by_now(&mut self) -> Option<String> {
        let line = timeout(Duration::from_millis(500), self.output.next_line());
        line.await.ok()?.ok()?
    }

    async fn next_line(&mut self, hoped: &str) -> String {
        match timeout(LIMIT, self.output.next_line()).await {
            Ok(Ok(Some(line))) => line,
            Ok(Ok(None)) => panic!("waited for workerd to write {hoped}, and it ended"),
            Ok(Err(error)) => panic!("waited for workerd to write {hoped}: {error}"),
            Err(_) => panic!("waited for workerd to write {hoped}, and it wrote nothing"),
        }
    }

    /// Somebody new in the lobby, who has been welcomed.
    pub(crate) async fn visitor(&self, name: &str) -> Visitor {
        self.visitor_at("/v1/match", name).await
    }

    /// Somebody new before the door of a room, who has been welcomed.
    pub(crate) async fn visitor_of(&self, room: &str, name: &str) -> Visitor {
        self.visitor_at(&format!("/v1/rooms/{room}"), name).await
    }

    /// Somebody whose socket is lost comes back on another, and is among these peers.
    pub(crate) async fn returns(
        &self,
        past: &Past,
        peers: impl IntoIterator<Item = Peer>,
    ) -> Visitor {
        let mut visitor = self.comes_again(past).await;
        visitor.claims(past).await;
        visitor.is_back(past, peers).await;
        visitor
    }

    /// Somebody new at the door through which somebody came before.
    pub(crate) async fn comes_again(&self, past: &Past) -> Visitor {
        let name = format!("{}, again", past.called.trim_end_matches(", again"));
        self.visitor_at(&past.path, &name).await
    }

    /// Somebody new at this path, who has been welcomed.
    pub(crate) async fn visitor_at(&self, path: &str, name: &str) -> Visitor {
        match self.opens_socket(path, &[]).await {
            Ok(socket) => Visitor::welcomed(name, path, socket).await,
            Err(error) => panic!("{name} could not open a WebSocket: {error}"),
        }
    }

    /// Somebody new in random chat, from somewhere in the world, who has been welcomed.
    pub(crate) async fn visitor_from(&self, region: Region, name: &str) -> Visitor {
        let place = cf_blob(region);
        match self.opens_socket("/v1/match", &[("cf-blob", &place)]).await {
            Ok(socket) => Visitor::welcomed(name, "/v1/match", socket).await,
            Err(error) => panic!("{name} could not open a WebSocket: {error}"),
        }
    }

    /// An upgrade with these headers beside its own.
    pub(crate) async fn opens_socket(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<WebSocketStream<TcpStream>, tungstenite::Error> {
        let uri = format!("ws://{}{path}", self.address);
        let uri = uri.parse().map_err(tungstenite::http::Error::from)?;
        let request = headers
            .iter()
            .fold(ClientRequestBuilder::new(uri), |request, (name, value)| {
                request.with_header(*name, *value)
            });
        let stream = TcpStream::connect(self.address).await?;
        match timeout(LIMIT, client_async(request, stream)).await {
            Ok(opened) => opened.map(|(socket, _)| socket),
            Err(_) => panic!("waited for an answer to the upgrade, and there was none"),
        }
    }

    /// A plain HTTP request without a body.
    pub(crate) async fn answer(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        self.answer_to(method, path, headers, "").await
    }

    /// `POST` of a text.
    pub(crate) async fn posted(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let length = body.len().to_string();
        let about = [("content-type", "text/plain"), ("content-length", &length)];
        let headers = [headers, &about].concat();
        self.answer_to("POST", path, &headers, body).await
    }

    async fn answer_to(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        request += "\r\n";
        request += body;
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(request.as_bytes()).await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            std::io::Result::Ok(answer)
        };
        match timeout(LIMIT, exchange).await {
            Ok(Ok(answer)) => Answer::read(&answer),
            Ok(Err(error)) => panic!("{method} {path}: {error}"),
            Err(_) => panic!("waited for the answer to {method} {path}, and it did not end"),
        }
    }

    /// `GET` without an origin.
    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.answer("GET", path, &[]).await
    }

    /// How many people there are.
    pub(crate) async fn stats(&self) -> Stats {
        let answer = self.get("/v1/stats").await;
        serde_json::from_str(&answer.body)
            .unwrap_or_else(|error| panic!("{answer:?} is no statistics: {error}"))
    }

    /// How many there are, how many of them wait, and how many calls there are.
    pub(crate) async fn counts(&self) -> (u32, u32, u32) {
        let stats = self.stats().await;
        (stats.online, stats.waiting, stats.calls)
    }

    /// There are, at last, that many people, as the lobbies have told the directory.
    pub(crate) async fn has(&self, online: u32, waiting: u32, calls: u32) {
        let expected = (online, waiting, calls);
        let mut seen = self.counts().await;
        let reached = async {
            while seen != expected {
                sleep(PAUSE).await;
                seen = self.counts().await;
            }
        };
        if timeout(LIMIT, reached).await.is_err() {
            panic!("waited for {expected:?}, and there were {seen:?}");
        }
    }

    /// Where a page of the server's own comes from.
    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Answer {
    fn read(text: &str) -> Self {
        let read = || {
            let (head, body) = text.split_once("\r\n\r\n")?;
            let (status, headers) = head.split_once("\r\n")?;
            let headers = headers.lines().map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_ascii_lowercase(), value.trim().to_owned()))
            });
            Some(Self {
                status: status.split(' ').nth(1)?.parse().ok()?,
                headers: headers.collect::<Option<_>>()?,
                body: body.to_owned(),
            })
        };
        read().unwrap_or_else(|| panic!("this is no HTTP answer: {text:?}"))
    }

    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// The native binary: a script around it would not end with the process that is killed.
fn workerd(root: &Path) -> PathBuf {
    if let Some(named) = std::env::var_os("WORKERD_BIN") {
        return named.into();
    }
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "64",
    };
    root.join(format!(
        "node_modules/@cloudflare/workerd-{system}-{processor}/bin/workerd{}",
        std::env::consts::EXE_SUFFIX
    ))
}
