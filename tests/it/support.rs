//! What the integration tests share: a registry that can misbehave, and a laboratory around the proxy.

pub(crate) mod expect;

pub(crate) mod fickle;

pub(crate) mod flips;

pub(crate) mod lab;
pub(crate) mod nobody;

pub(crate) mod program;

pub(crate) mod redirecting;

pub(crate) mod redis_double;

pub(crate) mod registry_double;

pub(crate) mod replica;

pub(crate) mod scene;

pub(crate) mod secure;

pub(crate) mod wire;
