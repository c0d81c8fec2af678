//! To come.

/// The registry behind the proxy.
#[derive(Debug)]
pub struct Upstream {}
