//! Somebody at the other end of a WebSocket, who says, hears, and insists on having heard all.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use echomingle::core::id::PeerId;
use echomingle::core::protocol::{
    ClientMessage, ErrorCode, LeaveReason, Mode, PING, PONG, Peer, Role, ServerMessage, VERSION,
};
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::server::Server;

/// After which a wait has failed. Nothing here takes a tenth of it, except the grace of a lost seat, and
/// whatever is done on a machine that is busy.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

pub(crate) type Says = ClientMessage<Value>;
pub(crate) type Hears = ServerMessage<Value>;

pub(crate) struct Visitor {
    pub(crate) id: PeerId,
    /// The latest token to resume with.
    pub(crate) token: String,
    /// The name it goes by in a room.
    name: Option<String>,
    path: String,
    socket: WebSocketStream<TcpStream>,
    ears: Ears,
}

/// What somebody takes along who loses its socket: all that it needs to come back.
#[derive(Clone)]
pub(crate) struct Past {
    pub(crate) id: PeerId,
    pub(crate) token: String,
    pub(crate) path: String,
    /// What a failure calls it.
    pub(crate) called: String,
    pub(crate) name: Option<String>,
}

impl Past {
    /// As [`Visitor::seen_by`].
    pub(crate) fn seen_by(&self, role: Role) -> Peer {
        Peer {
            id: self.id,
            role,
            name: self.name.clone(),
            interests: Vec::new(),
            offer: None,
            crossed: false,
        }
    }

    /// The same while it is away: its name is with itself.
    pub(crate) fn missed_by(&self, role: Role) -> Peer {
        Peer {
            name: None,
            ..self.seen_by(role)
        }
    }
}

/// A name, and whether its owner may have heard more than the test knows of.
struct Ears {
    name: String,
    unasked: bool,
}

impl Drop for Ears {
    fn drop(&mut self) {
        assert!(
            !self.unasked || std::thread::panicking(),
            "nobody asked {} whether there was more to hear",
            self.name
        );
    }
}

/// What comes out of a socket.
#[derive(Debug, PartialEq)]
pub(crate) enum Sound {
    Text(String),
    /// A close frame: its code and reason. The handshake is complete when the next is `End`.
    Close(Option<(u16, String)>),
    /// The connection is over, as was to be after a close frame.
    End,
    /// The connection broke off without a close frame.
    Broken,
}

impl Visitor {
    pub(crate) async fn welcomed(
        name: &str,
        path: &str,
        socket: WebSocketStream<TcpStream>,
    ) -> Self {
        let mut visitor = Self {
            id: PeerId::from_random(0),
            token: String::new(),
            name: None,
            path: path.into(),
            socket,
            ears: Ears {
                name: name.into(),
                unasked: true,
            },
        };
        let welcome = visitor.hears_something("a welcome").await;
        if let ServerMessage::Welcome { id, .. } = welcome {
            visitor.id = id;
        }
        let plain = welcome_to(visitor.id, []);
        assert_eq!(welcome, plain, "{name} was to be welcomed");
        visitor
    }

    /// Gives a name that tells more, for what a failure says.
    pub(crate) fn is_called(&mut self, name: String) {
        self.ears.name = name;
    }

    /// This visitor in the eyes of a partner who has that role.
    pub(crate) fn seen_by(&self, role: Role) -> Peer {
        self.past().seen_by(role)
    }

    /// What it could come back with.
    pub(crate) fn past(&self) -> Past {
        Past {
            id: self.id,
            token: self.token.clone(),
            path: self.path.clone(),
            called: self.ears.name.clone(),
            name: self.name.clone(),
        }
    }

    /// Wants the seat of a lost socket.
    pub(crate) async fn claims(&mut self, past: &Past) {
        let token = past.token.as_str().into();
        self.says(ClientMessage::Resume { token }).await;
    }

    /// Hears that it is who it was, and that these are the peers of its call.
    pub(crate) async fn is_back(&mut self, past: &Past, peers: impl IntoIterator<Item = Peer>) {
        self.hears(welcome_to(past.id, peers)).await;
        self.is(past);
    }

    /// As [`is_back`](Self::is_back), unless it is told that it comes too late: whether it was in time.
    pub(crate) async fn is_back_in_time(
        &mut self,
        past: &Past,
        peers: impl IntoIterator<Item = Peer>,
    ) -> bool {
        let heard = self.hears_something("a welcome or a refusal").await;
        if is_error(&heard, ErrorCode::BadToken) {
            return false;
        }
        assert_eq!(heard, welcome_to(past.id, peers), "{}", self.ears.name);
        self.is(past);
        true
    }

    fn is(&mut self, past: &Past) {
        self.id = past.id;
        self.name = past.name.clone();
    }

    /// Says that its page goes away.
    pub(crate) async fn goes_away(&mut self) {
        self.says(ClientMessage::Away {}).await;
    }

    pub(crate) async fn says(&mut self, message: Says) {
        match serde_json::to_string(&message) {
            Ok(text) => self.says_text(&text).await,
            Err(error) => panic!("{message:?} has no JSON: {error}"),
        }
    }

    pub(crate) async fn says_text(&mut self, text: &str) {
        self.says_frame(Message::text(text)).await;
    }

    pub(crate) async fn says_frame(&mut self, frame: Message) {
        if let Err(error) = self.tries_to_say(frame).await {
            panic!("{} could not say it: {error}", self.ears.name);
        }
    }

    /// Says it, unless the connection ends meanwhile.
    pub(crate) async fn tries_to_say(&mut self, frame: Message) -> Result<(), tungstenite::Error> {
        self.ears.unasked = true;
        match timeout(LIMIT, self.socket.send(frame)).await {
            Ok(sent) => sent,
            Err(_) => panic!("{} could not say it: nobody takes it", self.ears.name),
        }
    }

    pub(crate) async fn finds(&mut self, mode: Mode) {
        self.says(find(mode)).await;
    }

    pub(crate) async fn finds_with(&mut self, mode: Mode, interests: &[&str]) {
        self.says(ClientMessage::Find {
            mode,
            interests: interests.iter().map(|&interest| interest.into()).collect(),
            offer: None,
            crosses: false,
            last: None,
        })
        .await;
    }

    pub(crate) async fn finds_with_offer(&mut self, mode: Mode, offer: &str) {
        self.says(ClientMessage::Find {
            mode,
            interests: Vec::new(),
            offer: Some(offer.into()),
            crosses: false,
            last: None,
        })
        .await;
    }

    /// Joins the room before whose door it is, or changes its name there.
    pub(crate) async fn enters(&mut self, name: impl Into<Option<&str>>) {
        self.name = name.into().map(str::to_owned);
        let name = self.name.clone();
        self.says(ClientMessage::Join { name }).await;
    }

    pub(crate) async fn locks(&mut self, on: bool) {
        self.says(ClientMessage::Lock { on }).await;
    }

    pub(crate) async fn removes(&mut self, peer: PeerId) {
        self.says(ClientMessage::Remove { peer }).await;
    }

    pub(crate) async fn asks_to_mute(&mut self, peer: PeerId) {
        self.says(ClientMessage::AskToMute { peer }).await;
    }

    pub(crate) async fn leaves(&mut self) {
        self.says(ClientMessage::Leave {}).await;
    }

    pub(crate) async fn signals(&mut self, to: PeerId, data: Value) {
        self.says(ClientMessage::Signal { to, data }).await;
    }

    /// The very next message is this one.
    pub(crate) async fn hears(&mut self, expected: Hears) {
        let heard = self.hears_something(&expected).await;
        assert_eq!(heard, expected, "{} heard something else", self.ears.name);
    }

    /// The very next message is one of these: which.
    pub(crate) async fn hears_one_of(&mut self, expected: &[Hears]) -> Hears {
        let heard = self.hears_something(&expected).await;
        let known = expected.contains(&heard);
        assert!(
            known,
            "{} waited for one of {expected:?} and heard {heard:?}",
            self.ears.name
        );
        heard
    }

    /// The very next message, whatever it is. Its token, which every message has that changes what one
    /// could come back to, is kept.
    pub(crate) async fn hears_something(&mut self, hoped: impl fmt::Debug) -> Hears {
        let text = self.hears_text(&hoped).await;
        let mut heard = serde_json::from_str(&text).unwrap_or_else(|error| {
            panic!(
                "{} waited for {hoped:?} and heard {text}: {error}",
                self.ears.name
            )
        });
        if let ServerMessage::Redirect { resume, .. } = &mut heard
            && let Some(token) = resume.take()
        {
            self.token = token.expose().into();
        }
        if let ServerMessage::Welcome { resume, .. }
        | ServerMessage::PeerJoined { resume, .. }
        | ServerMessage::Room { resume, .. } = &mut heard
        {
            let token = resume.take();
            let token =
                token.unwrap_or_else(|| panic!("{} was given no token: {text}", self.ears.name));
            self.token = token.expose().into();
        }
        heard
    }

    /// The very next message, to the letter.
    pub(crate) async fn hears_text(&mut self, hoped: impl fmt::Debug) -> String {
        let sound = self.hears_sound(&hoped).await;
        let Sound::Text(text) = sound else {
            panic!(
                "{} waited for {hoped:?} and heard {sound:?}",
                self.ears.name
            );
        };
        text
    }

    pub(crate) async fn hears_sound(&mut self, hoped: impl fmt::Debug) -> Sound {
        self.ears.unasked = true;
        match timeout(LIMIT, self.socket.next()).await {
            Ok(Some(Ok(Message::Text(text)))) => Sound::Text(text.as_str().into()),
            Ok(Some(Ok(Message::Close(frame)))) => {
                Sound::Close(frame.map(|frame| (frame.code.into(), frame.reason.as_str().into())))
            }
            Ok(None) => Sound::End,
            Ok(Some(Err(_))) => Sound::Broken,
            Ok(Some(Ok(frame))) => {
                panic!(
                    "{} waited for {hoped:?} and heard {frame:?}",
                    self.ears.name
                )
            }
            Err(_) => panic!("{} waited for {hoped:?} and heard nothing", self.ears.name),
        }
    }

    /// Looks whether the connection lives.
    pub(crate) async fn pings(&mut self) {
        self.says_text(PING).await;
        assert_eq!(self.hears_text(PONG).await, PONG, "{}", self.ears.name);
    }

    pub(crate) async fn waits(&mut self) {
        self.hears(ServerMessage::Waiting {}).await;
    }

    pub(crate) async fn meets(&mut self, peer: Peer) {
        self.hears(ServerMessage::PeerJoined { peer, resume: None })
            .await;
    }

    pub(crate) async fn misses(&mut self, peer: PeerId) {
        self.hears(ServerMessage::PeerAway { peer }).await;
    }

    pub(crate) async fn has_again(&mut self, peer: PeerId) {
        self.hears(ServerMessage::PeerBack { peer }).await;
    }

    /// Hears that somebody is away, and after a while that it is gone.
    pub(crate) async fn loses(&mut self, peer: PeerId) {
        self.misses(peer).await;
        self.is_left_by(peer, LeaveReason::Lost).await;
    }

    pub(crate) async fn is_left_by(&mut self, peer: PeerId, reason: LeaveReason) {
        self.hears(ServerMessage::PeerLeft { peer, reason }).await;
    }

    pub(crate) async fn hears_signal(&mut self, from: PeerId, data: Value) {
        self.hears(ServerMessage::Signal { from, data }).await;
    }

    /// The very next message is an error of this kind, which says what to do.
    pub(crate) async fn is_refused(&mut self, expected: ErrorCode) {
        let heard = self.hears_something(expected).await;
        let ServerMessage::Error { code, message } = &heard else {
            panic!(
                "{} waited for {expected:?} and heard {heard:?}",
                self.ears.name
            );
        };
        assert_eq!(*code, expected, "{} was told: {message}", self.ears.name);
        let sentence = message.len() > 10 && message.ends_with('.');
        assert!(
            sentence,
            "{} was told no sentence: {message}",
            self.ears.name
        );
    }

    /// Nothing was sent to this visitor that it has not heard, up to now and by the server's clock:
    /// a mistake with a number of its own is answered in its turn, and before it came nothing.
    pub(crate) async fn hears_nothing_more(&mut self) {
        static LAST: AtomicU32 = AtomicU32::new(0);
        let field = format!("so-far-{}", LAST.fetch_add(1, Ordering::Relaxed));
        self.says_text(&json!({"type": "leave", &field: 0}).to_string())
            .await;
        let heard = self.hears_text("nothing more").await;
        let answered = heard.contains(r#""bad-message""#) && heard.contains(&format!("`{field}`"));
        assert!(
            answered,
            "{} was to hear nothing more, and heard {heard}",
            self.ears.name
        );
        self.ears.unasked = false;
    }

    /// Loses the connection without a word: the system ends it, or resets it.
    pub(crate) async fn vanishes(mut self, how: Vanishing) -> PeerId {
        if self.ears.unasked {
            self.hears_nothing_more().await;
        }
        if how == Vanishing::Reset
            && let Err(error) = self.socket.get_ref().set_zero_linger()
        {
            panic!("{} cannot reset its connection: {error}", self.ears.name);
        }
        self.id
    }

    /// Closes the connection properly, and hears it closed with the same code, or with 1000 (normal)
    /// where it gave none.
    pub(crate) async fn closes(mut self, code: Option<u16>) -> PeerId {
        self.hears_nothing_more().await;
        let frame = code.map(|code| CloseFrame {
            code: code.into(),
            reason: "bye".into(),
        });
        self.says_frame(Message::Close(frame)).await;
        let heard = self.hears_sound("a close frame").await;
        let answer = Sound::Close(Some((code.unwrap_or(1000), String::new())));
        assert_eq!(heard, answer, "{} closed", self.ears.name);
        self.ends(Sound::End).await
    }

    /// Hears a close frame with this code, after which nothing can follow.
    pub(crate) async fn ends_with(mut self, code: u16) -> PeerId {
        let heard = self.hears_sound("a close frame").await;
        let away = matches!(&heard, Sound::Close(Some((heard, _))) if *heard == code);
        assert!(
            away,
            "{} was to be sent away with {code}, and heard {heard:?}",
            self.ears.name
        );
        self.ears.unasked = false;
        self.id
    }

    /// The server has ended, and that is the very next thing noticed.
    pub(crate) async fn breaks_off(self) -> PeerId {
        self.ends(Sound::Broken).await
    }

    /// The connection is over, and that is the very next thing heard.
    pub(crate) async fn ends(mut self, how: Sound) -> PeerId {
        let heard = self.hears_sound(&how).await;
        assert_eq!(heard, how, "{} heard something else", self.ears.name);
        self.ears.unasked = false;
        self.id
    }
}

/// How the connection of somebody ends who does not close it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Vanishing {
    /// As when the program ends.
    Ended,
    /// As when the machine comes back without it.
    Reset,
}

/// The welcome of somebody who is in a call with these. Its token is not here but with its owner.
fn welcome_to(id: PeerId, peers: impl IntoIterator<Item = Peer>) -> Hears {
    ServerMessage::Welcome {
        id,
        resume: None,
        grace_ms: 15_000,
        version: VERSION,
        peers: peers.into_iter().collect(),
    }
}

/// Whether it is an error of this kind.
pub(crate) fn is_error(heard: &Hears, expected: ErrorCode) -> bool {
    matches!(heard, ServerMessage::Error { code, .. } if *code == expected)
}

pub(crate) fn find(mode: Mode) -> Says {
    ClientMessage::Find {
        mode,
        interests: Vec::new(),
        offer: None,
        crosses: false,
        last: None,
    }
}

/// A video call of two who have just come, in which the first one offers.
pub(crate) async fn call(server: &Server, one: &str, other: &str) -> (Visitor, Visitor) {
    let (mut one, mut other) = (server.visitor(one).await, server.visitor(other).await);
    one.finds(Mode::Video).await;
    one.waits().await;
    other.finds(Mode::Video).await;
    meet(&mut one, &mut other).await;
    (one, other)
}

/// Two hear that they met, and that the first one offers.
pub(crate) async fn meet(offerer: &mut Visitor, answerer: &mut Visitor) {
    offerer.meets(answerer.seen_by(Role::Offerer)).await;
    answerer.meets(offerer.seen_by(Role::Answerer)).await;
}

/// A call goes on, both ways.
pub(crate) async fn they_talk(one: &mut Visitor, other: &mut Visitor) {
    one.signals(other.id, json!("are you there?")).await;
    other.hears_signal(one.id, json!("are you there?")).await;
    other.signals(one.id, json!("I am")).await;
    one.hears_signal(other.id, json!("I am")).await;
}

/// JSON goes from one to the other to the letter.
pub(crate) async fn is_relayed(data: &str, from: &mut Visitor, to: &mut Visitor) {
    let text = format!(r#"{{"data":{data},"to":"{}","type":"signal"}}"#, to.id);
    from.says_text(&text).await;
    let relayed = format!(r#"{{"type":"signal","from":"{}","data":{data}}}"#, from.id);
    let heard = to.hears_text("the signal").await;
    let start: String = heard.chars().take(80).collect();
    assert!(
        heard == relayed,
        "{} waited for {} bytes and heard {}: {start:?}",
        to.ears.name,
        relayed.len(),
        heard.len()
    );
}

/// Nobody of these has heard anything that the test does not know of. Twice around: after the first
/// time all that they said is dealt with, after the second they have heard what came of it.
pub(crate) async fn nobody_hears_more<'a>(visitors: impl IntoIterator<Item = &'a mut Visitor>) {
    let mut visitors: Vec<_> = visitors.into_iter().collect();
    for _ in 0..2 {
        join_all(
            visitors
                .iter_mut()
                .map(|visitor| visitor.hears_nothing_more()),
        )
        .await;
    }
}
