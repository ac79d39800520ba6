//! A socket of somebody, and the ways in which it may go.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::truth::{Truth, add};

/// What a request has beside what every upgrade has: names and values.
pub(crate) type Headers = Vec<(&'static str, String)>;

/// Bytes that are read at once: thousands of these are held.
const READ: usize = 4096;
/// After so long an upgrade is tried anew.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends as when a program ends (FIN), unless told otherwise.
pub(crate) struct Line {
    socket: WebSocketStream<TcpStream>,
    truth: Rc<Truth>,
}

/// Each has a network of its own, out of those for documentation (RFC 3849).
pub(crate) fn network(number: u32) -> Headers {
    let [high, low] = [(number >> 16) as u16, number as u16];
    from(Ipv6Addr::new(0x2001, 0xdb8, high, low, 0, 0, 0, 1))
}

/// One that many share (RFC 5737).
pub(crate) fn house() -> Headers {
    from(Ipv4Addr::new(192, 0, 2, 1))
}

fn from(address: impl Into<IpAddr>) -> Headers {
    vec![("cf-connecting-ip", address.into().to_string())]
}

impl Line {
    /// The status of the answer, where the server is there and refuses.
    pub(crate) async fn open(
        truth: &Rc<Truth>,
        path: &str,
        headers: &Headers,
    ) -> Result<Self, Option<u16>> {
        // Whoever waits here is not yet on its way: in a crowd the wait is longer than the patience.
        let _door = truth.doors.acquire().await;
        let opening = async {
            let address = truth.address.get();
            let stream = TcpStream::connect(address).await.map_err(|_| None)?;
            let _ = stream.set_nodelay(true);
            let uri = format!("ws://{address}{path}").parse().map_err(|_| None)?;
            let request = ClientRequestBuilder::new(uri);
            let request = headers.iter().fold(request, |request, (name, value)| {
                request.with_header(*name, value)
            });
            let config = WebSocketConfig::default().read_buffer_size(READ);
            match client_async_with_config(request, stream, Some(config)).await {
                Ok((socket, _)) => Ok(socket),
                Err(Error::Http(answer)) => Err(Some(answer.status().as_u16())),
                Err(_) => Err(None),
            }
        };
        let socket = timeout(PATIENCE, opening).await.map_err(|_| None)??;
        add(&truth.held, 1);
        let truth = Rc::clone(truth);
        Ok(Self { socket, truth })
    }

    pub(crate) async fn say(&mut self, text: &str) -> Result<(), ()> {
        self.truth.count("messages", "sent");
        self.say_frame(Message::text(text)).await
    }

    pub(crate) async fn say_frame(&mut self, frame: Message) -> Result<(), ()> {
        self.socket.send(frame).await.map_err(|_| ())
    }

    /// The next text; where it ended, the close code, if there was one.
    pub(crate) async fn hear(&mut self) -> Result<String, Option<u16>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    self.truth.count("messages", "heard");
                    return Ok(text.to_string());
                }
                Some(Ok(Message::Close(why))) => return Err(why.map(|why| why.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(None),
            }
        }
    }

    /// Ends as when a machine comes back without it (RST).
    pub(crate) fn reset(self) {
        let _ = self.socket.get_ref().set_zero_linger();
    }

    pub(crate) async fn close(mut self) {
        let closing = async {
            let _ = self.socket.close(None).await;
            while let Some(Ok(_)) = self.socket.next().await {}
        };
        let _ = timeout(PATIENCE, closing).await;
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        add(&self.truth.held, -1);
    }
}
