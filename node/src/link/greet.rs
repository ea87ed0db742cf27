//! The first words on a connection: TLS in which both sides show their certificate, then who they are. Nothing of it reaches
//! ractor before both are satisfied.

use std::io;
use std::sync::Arc;

use rookery_protocol::cluster::{HELLO_HEADER_BYTES, Hello, Verdict};
use rookery_protocol::document::IncarnationId;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsStream;

use super::counters::Refusal;
use super::identity::{self, certificate_name};
use super::line::Death;
use super::shared::Shared;
use crate::random;

/// A connection whose ends know each other.
pub(super) struct Greeted {
    pub(super) stream: TlsStream<TcpStream>,
    pub(super) peer: IncarnationId,
    /// The number in frames that come from the peer, and in those that go to it.
    pub(super) ours: u64,
    pub(super) theirs: u64,
}

/// Greets who dialled; it must be cut off by a deadline.
pub(super) async fn accept(shared: &Arc<Shared>, tcp: TcpStream) -> Result<Greeted, Refusal> {
    let accepted = shared.identity.acceptor().accept(tcp).await;
    let stream = accepted.map_err(|error| identity::refusal(&error))?;
    let certificate = stream.get_ref().1.peer_certificates();
    let certificate = certificate.and_then(<[CertificateDer<'_>]>::first);
    let certificate = certificate
        .ok_or(Refusal::NoCertificate)?
        .clone()
        .into_owned();
    let mut stream = TlsStream::from(stream);
    let hello = read(&mut stream).await?;
    let verdict = if identity::is_of(&certificate, &hello.who.node) {
        shared.judge(&hello.who)
    } else {
        Verdict::Name
    };
    if verdict == Verdict::Welcome {
        // It would not dial if its end of an older link were still there.
        shared.make_room(&hello.who.node, Death::Replaced).await;
    }
    let ours = number();
    say(&mut stream, shared, verdict, ours).await?;
    if verdict == Verdict::Welcome {
        Ok(Greeted {
            stream,
            peer: hello.who,
            ours,
            theirs: hello.link,
        })
    } else {
        // It reads why, instead of a reset.
        let _ = stream.shutdown().await;
        tracing::warn!(peer = %hello.who, reason = Refusal::from(verdict).name(), "a node was refused");
        Err(verdict.into())
    }
}

/// Greets who was dialled, which must be exactly `peer`; it must be cut off by a deadline.
pub(super) async fn dial(
    shared: &Arc<Shared>,
    tcp: TcpStream,
    peer: &IncarnationId,
) -> Result<Greeted, Refusal> {
    let name = certificate_name(&peer.node);
    let name = ServerName::try_from(name).map_err(|_| Refusal::Name)?;
    let connected = shared.identity.connector().connect(name, tcp).await;
    let stream = connected.map_err(|error| identity::refusal(&error))?;
    let mut stream = TlsStream::from(stream);
    let ours = number();
    say(&mut stream, shared, Verdict::Welcome, ours).await?;
    let hello = read(&mut stream).await?;
    if hello.verdict != Verdict::Welcome {
        return Err(hello.verdict.into());
    }
    if hello.who.node != peer.node {
        return Err(Refusal::Name);
    }
    if hello.who != *peer {
        return Err(Refusal::Old);
    }
    Ok(Greeted {
        stream,
        peer: hello.who,
        ours,
        theirs: hello.link,
    })
}

fn number() -> u64 {
    u64::from_le_bytes(random::bytes())
}

async fn say(
    stream: &mut TlsStream<TcpStream>,
    shared: &Shared,
    verdict: Verdict,
    link: u64,
) -> Result<(), Refusal> {
    let hello = Hello {
        verdict,
        link,
        who: shared.me.clone(),
    };
    let bytes = hello.encode();
    let said = async {
        stream.write_all(&bytes).await?;
        stream.flush().await
    };
    said.await.map_err(|error| failed(&error))
}

async fn read(stream: &mut TlsStream<TcpStream>) -> Result<Hello, Refusal> {
    let mut header = [0; HELLO_HEADER_BYTES];
    let read = stream.read_exact(&mut header).await;
    read.map_err(|error| failed(&error))?;
    let name = Hello::name_bytes(&header).map_err(|_| Refusal::Greeting)?;
    let mut bytes = header.to_vec();
    bytes.resize(HELLO_HEADER_BYTES + name, 0);
    let read = stream.read_exact(&mut bytes[HELLO_HEADER_BYTES..]).await;
    read.map_err(|error| failed(&error))?;
    Hello::decode(&bytes).map_err(|_| Refusal::Greeting)
}

/// With TLS 1.3 a dialler hears only here that its certificate was not accepted.
fn failed(error: &io::Error) -> Refusal {
    match identity::refusal(error) {
        Refusal::Tls => Refusal::Certificate,
        refusal => refusal,
    }
}
