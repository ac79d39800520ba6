//! A provider of relays, or of the check of who comes, played by the test: an HTTP server on this machine that
//! answers every request by one rule, and tells what it was asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::visitor::LIMIT;

/// What it says to everybody.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// This status, with this body.
    Body(u16, String),
    /// What a function makes of the body of the request, as a success.
    By(fn(&str) -> String),
    /// That it is elsewhere.
    Redirect(String),
    /// A body that does not end while anybody listens.
    Endless,
    /// Nothing, while it keeps the connection.
    Silence,
}

/// A request. The names of its headers are in lower case.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

/// Ends with its owner.
pub(crate) struct Provider {
    address: SocketAddr,
    asked: UnboundedReceiver<Asked>,
    gone: UnboundedReceiver<()>,
    task: JoinHandle<()>,
}

impl Provider {
    pub(crate) async fn start(reply: Reply) -> Self {
        let (listener, address) = listen().await;
        let (heard, asked) = unbounded_channel();
        let (left, gone) = unbounded_channel();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, heard, left) = (reply.clone(), heard.clone(), left.clone());
                tokio::spawn(async move {
                    // Whoever asked may go at any time.
                    let _ = serve(stream, reply, heard).await;
                    let _ = left.send(());
                });
            }
        });
        Self {
            address,
            asked,
            gone,
            task,
        }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next request that arrived here.
    pub(crate) async fn was_asked(&mut self) -> Asked {
        match timeout(LIMIT, self.asked.recv()).await {
            Ok(Some(asked)) => asked,
            Ok(None) | Err(_) => panic!("the provider was to be asked, and was not"),
        }
    }

    /// Whoever asked has gone, or has its answer.
    pub(crate) async fn is_left(&mut self) {
        let left = timeout(LIMIT, self.gone.recv()).await;
        assert_eq!(left, Ok(Some(())), "the connection is kept");
    }

    /// Nothing more arrived by now.
    pub(crate) fn was_asked_nothing_more(&mut self) {
        if let Ok(asked) = self.asked.try_recv() {
            panic!("the provider was asked once more: {asked:?}");
        }
    }
}

/// Listens on a port of the system's choice.
pub(crate) async fn listen() -> (TcpListener, SocketAddr) {
    let listening = async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        std::io::Result::Ok((listener, address))
    };
    match listening.await {
        Ok(both) => both,
        Err(error) => panic!("nobody can listen on this machine: {error}"),
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    stream: TcpStream,
    reply: Reply,
    heard: UnboundedSender<Asked>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let asked = read(&mut stream).await?;
    let said = |status: u16, body: &str| {
        let length = body.len();
        format!(
            "{status} Said\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    let head = match &reply {
        Reply::Body(status, body) => said(*status, body),
        Reply::By(answer) => said(200, &answer(&asked.body)),
        Reply::Redirect(to) => format!("302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"),
        Reply::Endless => "200 OK\r\ncontent-type: application/json\r\n\r\n[".into(),
        Reply::Silence => String::new(),
    };
    let _ = heard.send(asked);
    if !head.is_empty() {
        let head = format!(
            "HTTP/1.1 {}",
            head.replacen("\r\n", "\r\nconnection: close\r\n", 1)
        );
        stream.write_all(head.as_bytes()).await?;
    }
    match reply {
        Reply::Body(..) | Reply::By(_) | Reply::Redirect(_) => Ok(()),
        Reply::Endless => loop {
            stream.write_all(&[b' '; 1024]).await?;
        },
        Reply::Silence => stream.read_to_end(&mut Vec::new()).await.map(|_| ()),
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> std::io::Result<Asked> {
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let mut words = line.split(' ').map(String::from);
    let (method, path) = (words.next(), words.next());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length");
    let length = length.and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or_default()];
    stream.read_exact(&mut body).await?;
    Ok(Asked {
        method: method.unwrap_or_default(),
        path: path.unwrap_or_default(),
        headers,
        body: String::from_utf8_lossy(&body).into(),
    })
}
