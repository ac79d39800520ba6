//! Puts load on the built Worker and on the floor, side by side, and prints what it cost as JSON.
//! Started by `npm run bench`; `soak` by `npm run soak`, `lobbies` by `npm run lobbies`.

// Here time is what is measured.
#![allow(clippy::disallowed_methods, missing_docs)]

mod client;
mod crowd;
mod files;
mod lobbies;
#[path = "../../common/place.rs"]
mod place;
mod relay;
mod server;
mod soak;
mod startup;
mod statistics;
mod wake;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let part = std::env::args().nth(1).unwrap_or_default();
    let result = match part.as_str() {
        "relay" => relay::run().await,
        "wake" => wake::run().await,
        "soak" => soak::run().await,
        "lobbies" => lobbies::run().await,
        "startup" => startup::run().await,
        other => panic!("there is no part {other:?}"),
    };
    println!("{result}");
}
