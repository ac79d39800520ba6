//! How often the core asks for memory.

use allocation_counter::measure;
use echomingle::core::actor::{Actor, Event};
use echomingle::core::id::PeerId;
use echomingle::core::lobby::Lobby;
use echomingle::core::protocol::{ClientMessage, Mode, parse};
use echomingle::core::region::Region;
use echomingle::core::resume::Key;
use echomingle::core::time::Timestamp;
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_unix_millis(1_800_000_000_000);
const PEOPLE: [PeerId; 3] = [
    PeerId::from_random(1),
    PeerId::from_random(2),
    PeerId::from_random(3),
];

/// Of each kind of event once: two find each other by one of two interests, one says something to the
/// other, looks for somebody else, and leaves.
pub(crate) fn count() -> Value {
    let mut lobby = Lobby::new(Key::new([7; Key::BYTES]));
    let mut happens =
        |event| measure(|| drop(lobby.handle(event, NOW, &|_| Some(NOW)))).count_total;
    for peer in PEOPLE {
        happens(Event::Connected {
            peer,
            region: Region::default(),
        });
    }
    let [ana, bea, cem] = PEOPLE;
    let find = |peer| Event::Received {
        peer,
        message: ClientMessage::Find {
            mode: Mode::Video,
            interests: vec!["jazz".into(), "chess".into()],
            offer: None,
            crosses: false,
            last: None,
        },
    };
    let find_waits = happens(find(ana));
    let find_meets = happens(find(bea));
    let next_waits = happens(find(bea));
    let next_meets = happens(find(cem));
    let frame = format!(r#"{{"type":"signal","to":"{cem}","data":"v=0"}}"#);
    let Ok(ClientMessage::Signal { to, data }) = parse(&frame) else {
        panic!("{frame} is no signal");
    };
    let mut relayed = false;
    let relay = measure(|| relayed = lobby.relays(bea, to) && !data.place_in(&frame).is_empty());
    assert!(relayed, "a signal to the partner is not relayed");
    assert_eq!(relay.count_total, 0, "relaying asks for memory");
    let leave = measure(|| {
        let message = ClientMessage::Leave {};
        drop(lobby.handle(Event::Received { peer: bea, message }, NOW, &|_| Some(NOW)));
    });
    json!({
        "relay": relay.count_total,
        "findWaits": find_waits,
        "findMeets": find_meets,
        "nextWaits": next_waits,
        "nextMeets": next_meets,
        "leave": leave.count_total,
    })
}
