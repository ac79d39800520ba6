//! What WebSockets allow and forbid, below the messages.

use echomingle::core::protocol::ErrorCode;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

use crate::party::Place;
use crate::server::Server;
use crate::visitor::{nobody_hears_more, they_talk};

fn frame(opcode: Data, bytes: &[u8], last: bool) -> Message {
    let frame = Frame::message(bytes.to_vec(), OpCode::Data(opcode), last);
    Message::Frame(frame)
}

#[tokio::test]
async fn a_message_in_several_frames_is_one_message() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        let text = format!(r#"{{"type":"signal","to":"{}","data":"é"}}"#, bea.id);
        // A byte a frame, so that a character is cut in two as well.
        for (n, byte) in text.bytes().enumerate() {
            let opcode = match n {
                0 => Data::Text,
                _ => Data::Continue,
            };
            ana.says_frame(frame(opcode, &[byte], n + 1 == text.len()))
                .await;
        }
        bea.hears_signal(ana.id, json!("é")).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

/// RFC 6455 (section 8.1) would have the connection fail with 1007. The runtime reads U+FFFD instead,
/// and such a frame is a message like any other.
#[tokio::test]
async fn text_that_is_no_utf_8_is_read_with_replacements() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        ana.says_frame(frame(Data::Text, b"\xff\xfe{}", true)).await;
        ana.is_refused(ErrorCode::BadMessage).await;

        let head = format!(r#"{{"type":"signal","to":"{}","data":"#, bea.id);
        let text = [head.as_bytes(), b"\"a\xffb\"}"].concat();
        ana.says_frame(frame(Data::Text, &text, true)).await;
        bea.hears_signal(ana.id, json!("a\u{fffd}b")).await;
        they_talk(&mut ana, &mut bea).await;
        nobody_hears_more([&mut ana, &mut bea]).await;
    }
}

/// The runtime ends a connection that breaks the rules of WebSockets, with 1002 (RFC 6455, section
/// 7.4.1).
#[tokio::test]
async fn who_breaks_the_rules_of_websockets_is_sent_away_and_its_partner_hears_so() {
    let mut server = Server::start().await;
    server.may_complain_of("WebSocket protocol error");
    for place in Place::BOTH {
        for (what, opcode) in [
            ("the end of no message", Data::Continue),
            ("an unknown opcode", Data::Reserved(3)),
        ] {
            let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
            bea.is_called(format!("bea ({place:?}, {what})"));
            bea.says_frame(frame(opcode, b"", true)).await;
            let lost = bea.ends_with(1002).await;
            ana.misses(lost).await;
            nobody_hears_more([&mut ana]).await;
        }
    }
}
