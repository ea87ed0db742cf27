//! A wire to a server that can be cut in the middle of traffic, below any client.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Forwards every connection to a server until it is cut.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    /// How often it was cut.
    cuts: watch::Sender<u64>,
}

impl Cable {
    /// A cable to a server, with an end of its own.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (cuts, seen) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                let mut cut = seen.clone();
                cut.mark_unchanged();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(server).await?;
                    tokio::select! {
                        done = copy_bidirectional(&mut near, &mut far) => done.map(|_| ()),
                        _ = cut.changed() => Ok(()),
                    }
                });
            }
        });
        Self { address, cuts }
    }

    /// Its near end.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Cuts every connection; new ones can be made at once.
    pub fn cut(&self) {
        self.cuts.send_modify(|cuts| *cuts += 1);
    }
}
