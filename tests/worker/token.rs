//! A token is worth something in one place only, and only as it was given.

use base64ct::{Base64UrlUnpadded, Encoding};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, Role, ServerMessage};

use tokio::time::sleep;

use crate::hibernation::{is_awake, is_restored};
use crate::party::Place;
use crate::resume::MOMENT;
use crate::server::Server;
use crate::visitor::{Past, Vanishing, nobody_hears_more, they_talk};

/// Where a token may come from and go to.
const PATHS: [&str; 3] = ["/v1/match", "/v1/rooms/kitchen", "/v1/rooms/garden"];

/// How many bytes the signature has, at the end of a token.
const SIGNATURE: usize = 32;

/// The bytes of a token: what it says, and its signature.
fn halves(token: &str) -> (Vec<u8>, Vec<u8>) {
    let said = Base64UrlUnpadded::decode_vec(token);
    let mut said = said.unwrap_or_else(|error| panic!("no token: {error}"));
    let signature = said.split_off(said.len() - SIGNATURE);
    (said, signature)
}

fn token(said: &[u8], signature: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(&[said, signature].concat())
}

/// Has each of the two where the other one was.
fn swap(said: &[u8], one: PeerId, other: PeerId) -> Vec<u8> {
    let ids = [one, other].map(|id| postcard::to_allocvec(&id).unwrap_or_default());
    let place = |id: &[u8]| {
        let found = said.windows(id.len()).position(|window| window == id);
        found.unwrap_or_else(|| panic!("the token names both"))
    };
    let mut both = [
        (place(&ids[0]), &ids[0], &ids[1]),
        (place(&ids[1]), &ids[1], &ids[0]),
    ];
    both.sort();
    let [(first, was, is), (second, was_too, is_too)] = both;
    let between = &said[first + was.len()..second];
    let after = &said[second + was_too.len()..];
    [&said[..first], is, between, is_too, after].concat()
}

#[tokio::test]
async fn a_token_that_was_touched_is_refused_and_nobody_else_hears_of_it() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (ana, bea) = place.call(&server, "ana", "bea").await;
        let (past, partner) = (ana.past(), bea.past());
        let (said, signature) = halves(&past.token);
        let (other, _) = halves(&partner.token);
        let swapped = swap(&said, past.id, partner.id);
        let mut crowd = vec![ana, bea];
        for forged in [
            String::new(),
            ".".into(),
            token(&said, &[]),
            token(&[], &signature),
            past.token[..past.token.len() - 1].into(),
            past.token[1..].into(),
            format!("{}A", past.token),
            format!("{}=", past.token),
            format!(" {}", past.token),
            format!("{}.{}", past.token, past.token),
            token(&said, &[0; SIGNATURE]),
            token(&said, &signature[..SIGNATURE / 2]),
            token(&other, &signature),
            token(&swapped, &signature),
            past.token.to_lowercase(),
            "a".repeat(60_000),
        ] {
            let mut thief = server.comes_again(&past).await;
            thief.is_called(format!("a thief with {forged}"));
            let forged = Past {
                token: forged,
                ..past.clone()
            };
            thief.claims(&forged).await;
            thief.is_refused(ErrorCode::BadToken).await;
            crowd.push(thief);
        }
        nobody_hears_more(&mut crowd).await;

        // The true one opens the door.
        let mut crowd = crowd.into_iter();
        let (ana, mut bea) = (crowd.next().unwrap(), crowd.next().unwrap());
        ana.vanishes(Vanishing::Ended).await;
        bea.misses(past.id).await;
        let mut thief = crowd.next().unwrap();
        thief.claims(&past).await;
        thief.is_back(&past, [bea.seen_by(Role::Offerer)]).await;
        place.tells(&mut thief, past.id).await;
        bea.has_again(past.id).await;
        they_talk(&mut thief, &mut bea).await;
        nobody_hears_more([thief, bea].iter_mut().chain(crowd.as_mut_slice())).await;
    }
}

#[tokio::test]
async fn a_token_of_another_place_or_another_server_is_refused() {
    let [server, elsewhere] = [Server::start().await, Server::start().await];
    let mut pasts = Vec::new();
    let mut crowd = Vec::new();
    for path in PATHS {
        for server in [&server, &elsewhere] {
            let visitor = server.visitor_at(path, &format!("of {path}")).await;
            pasts.push((visitor.past(), server.origin()));
            crowd.push(visitor);
        }
    }
    for (past, origin) in &pasts {
        for path in PATHS {
            let own = past.path == path && server.origin() == *origin;
            if !own {
                let moved = Past {
                    path: path.into(),
                    ..past.clone()
                };
                let mut thief = server.comes_again(&moved).await;
                thief.claims(&moved).await;
                thief.is_refused(ErrorCode::BadToken).await;
                crowd.push(thief);
            }
        }
    }
    nobody_hears_more(&mut crowd).await;
}

#[tokio::test]
async fn nothing_of_a_token_is_in_the_log() {
    let server = Server::start().await;
    for place in Place::BOTH {
        let (mut ana, mut bea) = place.call(&server, "ana", "bea").await;
        // Somebody comes back.
        let past = ana.past();
        ana.vanishes(Vanishing::Reset).await;
        bea.misses(past.id).await;
        ana = server.returns(&past, [bea.seen_by(Role::Offerer)]).await;
        place.tells(&mut ana, past.id).await;
        bea.has_again(past.id).await;
        // Somebody is refused, at once and after a while.
        let past = ana.past();
        let mut thief = server.comes_again(&past).await;
        let forged = Past {
            token: format!("{}A", past.token),
            ..past.clone()
        };
        thief.claims(&forged).await;
        thief.is_refused(ErrorCode::BadToken).await;
        thief.claims(&past).await;
        ana.hears(ServerMessage::StillThere {}).await;
        ana.pings().await;
        thief.is_refused(ErrorCode::BadToken).await;
        // Somebody takes over.
        let past = bea.past();
        nobody_hears_more([&mut bea]).await;
        let mut again = server.comes_again(&past).await;
        sleep(MOMENT).await;
        again.claims(&past).await;
        ana.misses(past.id).await;
        ana.has_again(past.id).await;
        again.is_back(&past, [ana.seen_by(Role::Answerer)]).await;
        place.tells(&mut again, ana.id).await;
        nobody_hears_more([&mut ana, &mut again, &mut thief]).await;
    }
    // This is all there is.
    let words =
        ["lobby", "room"].map(|kind| [is_awake(kind), is_restored(kind, 0)].join("\n") + "\n");
    assert_eq!(server.last_words().await, words.concat());
}
