//! One end of a WebSocket that asks little of the core it runs on.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{ClientRequestBuilder, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::server::Server;

pub(crate) struct Client(WebSocketStream<TcpStream>);

impl Client {
    pub(crate) async fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).await;
        let stream = stream.unwrap_or_else(|error| panic!("no connection: {error}"));
        let _ = stream.set_nodelay(true);
        let address = format!("ws://{}/v1/match", server.address);
        let address = address
            .parse()
            .unwrap_or_else(|error| panic!("no address: {error}"));
        match client_async(ClientRequestBuilder::new(address), stream).await {
            Ok((socket, _)) => Self(socket),
            Err(error) => panic!("no WebSocket: {error}"),
        }
    }

    pub(crate) async fn say(&mut self, text: &str) {
        if let Err(error) = self.0.send(Message::text(text)).await {
            panic!("not sent: {error}");
        }
    }

    /// The next text that arrives.
    pub(crate) async fn hear(&mut self) -> String {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Close(why))) => panic!("closed: {why:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("broken: {error}"),
                None => panic!("ended"),
            }
        }
    }

    /// Waits for a message of this type.
    pub(crate) async fn hear_of(&mut self, kind: &str) -> Value {
        loop {
            let text = self.hear().await;
            let message: Value = serde_json::from_str(&text).unwrap_or_default();
            if message["type"] == kind {
                return message;
            }
        }
    }

    /// Goes as a page does that is closed in order, and waits until the server has seen it.
    pub(crate) async fn leave(mut self) {
        self.say(r#"{"type":"leave"}"#).await;
        let code = CloseFrame {
            code: CloseCode::Normal,
            reason: "".into(),
        };
        let _ = self.0.close(Some(code)).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }

    /// Waits for somebody.
    pub(crate) async fn find(&mut self) {
        self.say(r#"{"type":"find","mode":"text"}"#).await;
        self.hear_of("waiting").await;
    }

    /// Meets whoever waits.
    pub(crate) async fn meet(&mut self, other: &mut Self) -> [String; 2] {
        self.say(r#"{"type":"find","mode":"text"}"#).await;
        let id = |joined: Value| {
            joined["peer"]["id"]
                .as_str()
                .unwrap_or("somebody")
                .to_owned()
        };
        let others = id(self.hear_of("peer-joined").await);
        [id(other.hear_of("peer-joined").await), others]
    }
}

/// A signal to somebody.
pub(crate) fn frame(to: &str, data: &str) -> String {
    format!(r#"{{"type":"signal","to":"{to}","data":{data}}}"#)
}

/// Two in a call, each with the frame it says to the other.
pub(crate) struct Pair {
    pub(crate) clients: [Client; 2],
    pub(crate) frames: [String; 2],
}

impl Pair {
    pub(crate) async fn meet(server: &Server, data: &str) -> Self {
        let mut one = Client::connect(server).await;
        let mut other = Client::connect(server).await;
        one.find().await;
        let [other_id, id] = other.meet(&mut one).await;
        Self {
            clients: [one, other],
            frames: [frame(&other_id, data), frame(&id, data)],
        }
    }

    pub(crate) async fn leave(self) {
        for client in self.clients {
            client.leave().await;
        }
    }
}
