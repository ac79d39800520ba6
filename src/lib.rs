//! EchoMingle: serverless WebRTC signaling on Cloudflare's edge, with a video chat on top.

pub mod core;
#[cfg(target_family = "wasm")]
mod shell;
