//! Somebody who dials a node by hand: with any certificate, any greeting, and then ractor's own protocol as he likes it.

use std::net::SocketAddr;
use std::sync::Arc;

use rookery_protocol::cluster::{HELLO_HEADER_BYTES, Hello, Verdict};
use rookery_protocol::document::IncarnationId;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::Authority;

/// A connection to a node.
#[derive(Debug)]
pub struct Stranger {
    stream: TlsStream<TcpStream>,
    /// What the node wants to see in frames, after the greeting.
    pub link: u64,
    /// The process id of its switchboard, after ractor's handshake.
    pub switchboard: u64,
}

/// Believes any server: who it is does not matter to a stranger.
#[derive(Debug)]
struct Credulous;

impl ServerCertVerifier for Credulous {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ED25519,
            SignatureScheme::RSA_PSS_SHA256,
        ]
    }
}

/// A client that believes every server, with the certificate of a node or without one.
pub fn trusting_nobody(certificate: Option<(&Authority, &str)>) -> Arc<ClientConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Credulous));
    let config = match certificate {
        None => config.with_no_client_auth(),
        Some((authority, node)) => {
            let cert = CertificateDer::from_pem_file(authority.file(&format!("{node}.pem")));
            let key = PrivateKeyDer::from_pem_file(authority.file(&format!("{node}-key.pem")));
            config
                .with_client_auth_cert(vec![cert.expect("a file")], key.expect("a file"))
                .expect("a certificate with its key")
        }
    };
    Arc::new(config)
}

/// A greeting.
pub fn hello(node: &str, number: u64) -> Vec<u8> {
    let node = node.to_owned();
    Hello {
        verdict: Verdict::Welcome,
        link: 77,
        who: IncarnationId { node, number },
    }
    .encode()
}

/// Sends plain bytes and waits for the end of the connection.
pub async fn plain(address: SocketAddr, bytes: &[u8]) {
    let mut tcp = TcpStream::connect(address).await.expect("a connection");
    let _ = tcp.write_all(bytes).await;
    let _ = tcp.read_to_end(&mut Vec::new()).await;
}

impl Stranger {
    /// Dials a node and speaks TLS; none when that is refused at once.
    pub async fn dial(address: SocketAddr, config: Arc<ClientConfig>) -> Option<Self> {
        let tcp = TcpStream::connect(address).await.expect("a connection");
        let name = ServerName::try_from("b.rookery").expect("a name");
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, tcp)
            .await;
        Some(Self {
            stream: stream.ok()?,
            link: 0,
            switchboard: 0,
        })
    }

    /// Greets, and answers what the node thinks of it; none when it says nothing.
    pub async fn greet(&mut self, hello: &[u8]) -> Option<Verdict> {
        self.stream.write_all(hello).await.ok()?;
        let mut header = [0; HELLO_HEADER_BYTES];
        self.stream.read_exact(&mut header).await.ok()?;
        let mut bytes = header.to_vec();
        bytes.resize(HELLO_HEADER_BYTES + Hello::name_bytes(&header).ok()?, 0);
        let name = &mut bytes[HELLO_HEADER_BYTES..];
        self.stream.read_exact(name).await.ok()?;
        let hello = Hello::decode(&bytes).ok()?;
        self.link = hello.link;
        Some(hello.verdict)
    }

    /// Shakes hands with ractor under a name; whether it lets one in.
    pub async fn enter(&mut self, name: &str) -> bool {
        let mut content = text(1, name.as_bytes());
        content.extend(text(3, b"somewhere:1"));
        content.extend(number(4, u64::MAX));
        if !self.say(&text(1, &text(1, &content))).await {
            return false;
        }
        while let Some(message) = self.hear().await {
            match path(&message, &[1, 4]) {
                Some(challenge) => {
                    let challenge = varint_of(&challenge, 3).unwrap_or(0) as u32;
                    let digest = Sha256::new()
                        .chain_update(challenge.to_be_bytes())
                        .chain_update(b"rookery")
                        .finalize();
                    let mut reply = number(1, 1);
                    reply.extend(text(2, &digest));
                    if !self.say(&text(1, &text(5, &reply))).await {
                        return false;
                    }
                }
                None => {
                    if let Some(joined) = path(&message, &[3, 5, 2]) {
                        self.switchboard = varint_of(&joined, 1).unwrap_or(0);
                    }
                    // Ready: it shows an actor as its switchboard, and is ready too.
                    if path(&message, &[3, 9]).is_some() {
                        let mut join = text(1, format!("switchboard/{name}").as_bytes());
                        join.extend(text(2, &number(1, 5)));
                        join.extend(text(3, ractor::pg::DEFAULT_SCOPE.as_bytes()));
                        return self.say(&text(3, &text(5, &join))).await
                            && self.say(&text(3, &text(9, b""))).await;
                    }
                }
            }
        }
        false
    }

    /// Sends bytes to an actor of the node.
    pub async fn cast(&mut self, to: u64, bytes: &[u8]) -> bool {
        let mut cast = number(1, to);
        cast.extend(text(2, bytes));
        cast.extend(text(3, b"Frame"));
        self.say(&text(2, &text(1, &cast))).await
    }

    /// Sends a message of ractor's; whether the connection took it.
    pub async fn say(&mut self, message: &[u8]) -> bool {
        let mut bytes = (message.len() as u64).to_be_bytes().to_vec();
        bytes.extend(message);
        self.raw(&bytes).await
    }

    /// Sends bytes as they are.
    pub async fn raw(&mut self, bytes: &[u8]) -> bool {
        self.stream.write_all(bytes).await.is_ok() && self.stream.flush().await.is_ok()
    }

    /// The next message of ractor's; none at the end of the connection.
    pub async fn hear(&mut self) -> Option<Vec<u8>> {
        let length = self.stream.read_u64().await.ok()?;
        let mut message = vec![0; usize::try_from(length).ok()?];
        self.stream.read_exact(&mut message).await.ok()?;
        Some(message)
    }

    /// Reads until the node ends the connection.
    pub async fn end(&mut self) {
        while self.hear().await.is_some() {}
    }
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A protobuf field with a length.
fn text(field: u64, content: &[u8]) -> Vec<u8> {
    let mut bytes = varint(field << 3 | 2);
    bytes.extend(varint(content.len() as u64));
    bytes.extend(content);
    bytes
}

/// A protobuf field with a number.
fn number(field: u64, number: u64) -> Vec<u8> {
    let mut bytes = varint(field << 3);
    bytes.extend(varint(number));
    bytes
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for n in 0..10 {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << (7 * n).min(63);
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// The fields of a message: numbers and contents.
fn fields(mut bytes: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let mut all = Vec::new();
    while let Some(tag) = read_varint(&mut bytes) {
        let Some(value) = read_varint(&mut bytes) else {
            break;
        };
        if tag & 7 == 0 {
            all.push((tag >> 3, value, Vec::new()));
        } else {
            let length = usize::try_from(value)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            all.push((tag >> 3, 0, bytes[..length].to_vec()));
            bytes = &bytes[length..];
        }
    }
    all
}

/// The content below some fields.
fn path(bytes: &[u8], way: &[u64]) -> Option<Vec<u8>> {
    let mut content = bytes.to_vec();
    for field in way {
        let all = fields(&content);
        content = all.into_iter().find(|(other, ..)| other == field)?.2;
    }
    Some(content)
}

fn varint_of(bytes: &[u8], field: u64) -> Option<u64> {
    let all = fields(bytes);
    let found = all.into_iter().find(|(other, ..)| *other == field)?;
    Some(found.1)
}
