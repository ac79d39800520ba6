//! Many people in one process, and what is true of them: what the soak and the lobbies have in common.

mod line;
mod person;
mod truth;

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub(crate) use self::line::{Line, house};
pub(crate) use self::person::{Person, Place};
pub(crate) use self::truth::Truth;
use crate::server::{Program, Server, Settings};

/// How long it may take until the server counts as we do, or nobody.
const SETTLED: Duration = Duration::from_secs(90);
/// How often it is told how it stands.
const SHOWN: Duration = Duration::from_secs(5);

/// What an option of the command line says.
pub(crate) fn option(name: &str) -> Option<u64> {
    let mut args = std::env::args().skip_while(|arg| arg != name);
    let value = args.nth(1)?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{name} {value}: no number")),
    )
}

/// How it stands, now and then.
pub(crate) async fn shows_progress(truth: Rc<Truth>) {
    loop {
        sleep(SHOWN).await;
        eprintln!(
            "{} s: {} sockets, {} online, {} waiting, {} calls, {} faults, {} wrong",
            truth.begun.elapsed().as_secs(),
            truth.held.get(),
            truth.online.get(),
            truth.all_waiting(),
            truth.in_call.get() / 2,
            truth.counted("faults"),
            truth.counted("wrong"),
        );
    }
}

/// Its disk is in memory where that is possible: everything waits for what is written (Cloudflare: Durable Objects,
/// output gates), and the disk of a shared machine is not what is looked at. A killed server has left it as it was.
pub(crate) fn start(program: Program, settings: Settings) -> Server {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => memory,
        false => Path::new(env!("CARGO_TARGET_TMPDIR")),
    };
    Server::start_in(program, folder, settings)
}

/// The server is killed, and is there again a little later.
pub(crate) async fn die(server: &mut Server, truth: &Rc<Truth>) {
    truth.up.set(false);
    server.kill();
    truth.killed.set(Instant::now());
    sleep(Duration::from_millis(300)).await;
    server.restart();
    truth.address.set(server.address);
    truth.up.set(true);
}

/// Everybody goes; gives what the server says of them then.
pub(crate) async fn everybody_goes(truth: &Rc<Truth>, everybody: Vec<JoinHandle<()>>) -> Value {
    eprintln!("everybody goes");
    truth.over.set(true);
    for person in everybody {
        if person.await.is_err() {
            truth.wrong("panic", "of a person");
        }
    }
    settles(truth).await
}

/// What `/v1/stats` says, as soon as it is what we count; wrong if it never is.
pub(crate) async fn settles(truth: &Rc<Truth>) -> Value {
    let since = Instant::now();
    loop {
        let ours = [
            truth.online.get(),
            truth.all_waiting(),
            truth.in_call.get() / 2,
        ];
        let said = timeout(SETTLED, get(truth, "/v1/stats"))
            .await
            .ok()
            .flatten()
            .unwrap_or_default();
        let theirs = ["online", "waiting", "calls"].map(|name| said[name].as_i64().unwrap_or(-1));
        let over = truth.over.get();
        if theirs == ours && (!over || ours == [0; 3]) {
            return json!({ "online": theirs[0], "waiting": theirs[1], "calls": theirs[2] });
        }
        if since.elapsed() > SETTLED {
            truth.wrong("stats", &format!("{theirs:?}, and {ours:?} are true"));
            return said;
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// The JSON at an address of the server.
pub(crate) async fn get(truth: &Truth, path: &str) -> Option<Value> {
    let mut stream = TcpStream::connect(truth.address.get()).await.ok()?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.ok()?;
    let [start, end] = [answer.find('{')?, answer.rfind('}')?];
    serde_json::from_str(answer.get(start..=end)?).ok()
}
