//! An address at which nobody listens, and nobody will: the port is held.

use std::net::SocketAddr;

use tokio::net::TcpSocket;

/// The holder of the port, as long as it lives.
pub(crate) struct Nobody(TcpSocket);

impl Nobody {
    pub(crate) fn new() -> Self {
        let held = TcpSocket::new_v4().expect("a socket");
        held.bind("127.0.0.1:0".parse().expect("an address")).expect("loopback has a free port");
        Self(held)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }
}
