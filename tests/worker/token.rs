//! A token is worth something in one place only, and only as it was given.

use base64ct::{Base64UrlUnpadded, Encoding};
use echomingle::core::id::PeerId;
use echomingle::core::protocol::{ErrorCode, Role, ServerMessage};

use tokio::time::sleep;

use crate::hibernation::{is_awake, is_restored};
use crate::party::Place;
use crate::resume::MOMENT;
use crate::server::Server;
use crate::visitor::{Hears, Past, Vanishing, Visitor, nobody_hears_more, they_talk};

/// Where a token may come from and go to.
const PATHS: [&str; 4] = [
    "/v1/match/global",
    "/v1/match/oc",
    "/v1/rooms/kitchen",
    "/v1/rooms/garden",
];

/// How many bytes the signature has, at the end of a token.
const SIGNATURE: usize = 32;

/// The name of a lobby, with a dot; nothing of a room. Then the token itself.
fn address(token: &str) -> (&str, &str) {
    token.split_at(token.find('.').map_or(0, |dot| dot + 1))
}

/// The bytes of a token: what it says, and its signature.
fn halves(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (_, sealed) = address(token);
    let said = Base64UrlUnpadded::decode_vec(sealed);
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
        let (address, sealed) = address(&past.token);
        assert_eq!(address.is_empty(), place == Place::Room, "{}", past.token);
        let token = |said: &[u8], signature: &[u8]| format!("{address}{}", token(said, signature));
        let mut crowd = vec![ana, bea];
        for forged in [
            String::new(),
            ".".into(),
            token(&said, &[]),
            token(&[], &signature),
            past.token[..past.token.len() - 1].into(),
            past.token[1..].into(),
            format!("{address}{}", &sealed[1..]),
            format!("{address}{address}."),
            format!("{address}.{sealed}"),
            format!(".{sealed}"),
            format!("global.global.{sealed}"),
            format!("Global.{sealed}"),
            format!("global/2.{sealed}"),
            format!("weur/1.{sealed}"),
            format!("mars.{sealed}"),
            format!("global .{sealed}"),
            format!("{}A", past.token),
            format!("{}=", past.token),
            format!(" {}", past.token),
            format!("{}.{}", past.token, past.token),
            token(&said, &[0; SIGNATURE]),
            token(&said, &signature[..SIGNATURE / 2]),
            token(&other, &signature),
            token(&swapped, &signature),
            format!("{address}{}", sealed.to_lowercase()),
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
        if place == Place::Lobby {
            for lobby in ["oc", "weur/2"] {
                crowd.extend(is_sent_on(&server, &past, lobby).await);
            }
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

/// Somebody comes with a token that bears the name of another lobby, hears where that is and nothing else, and goes
/// there for nothing.
async fn is_sent_on(server: &Server, past: &Past, lobby: &str) -> [Visitor; 2] {
    let (_, sealed) = address(&past.token);
    let path = format!("/v1/match/{lobby}");
    let forged = Past {
        token: format!("{lobby}.{sealed}"),
        ..past.clone()
    };
    let mut thief = server.comes_again(&forged).await;
    thief.claims(&forged).await;
    thief.hears(sent_to(&path)).await;
    let mut there = server.visitor_at(&path, "a thief elsewhere").await;
    there.claims(&forged).await;
    there.is_refused(ErrorCode::BadToken).await;
    [thief, there]
}

/// Whoever hears this is given nothing to come with.
fn sent_to(path: &str) -> Hears {
    Hears::Redirect {
        url: path.into(),
        resume: None,
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
                let lobbies = [&past.path, path].map(|path| path.starts_with("/v1/match/"));
                if lobbies == [true, true] && past.path != path {
                    // As anybody could tell who reads the name.
                    thief.hears(sent_to(&past.path)).await;
                } else {
                    thief.is_refused(ErrorCode::BadToken).await;
                }
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
