//! The real parts, and how they are started, used and ended.

pub(crate) mod containerd;
pub(crate) mod content;
pub(crate) mod cosign;
pub(crate) mod dice;
pub(crate) mod evidence;
pub(crate) mod expect;
pub(crate) mod guarded;
pub(crate) mod http;
pub(crate) mod image;
pub(crate) mod lab;
pub(crate) mod matrix;
pub(crate) mod podman;
pub(crate) mod predicates;
pub(crate) mod process;
pub(crate) mod proxy;
pub(crate) mod pulls;
pub(crate) mod redis_server;
pub(crate) mod registry;
pub(crate) mod relay;
pub(crate) mod sigstore;
pub(crate) mod strict;
pub(crate) mod token_server;
pub(crate) mod unreliable;
