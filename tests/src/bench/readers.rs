//! Thousands of WebSocket connections in one thread that only count frames: no copy, no JSON, one shared buffer.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpStream;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;

/// How a connection of some server is opened.
pub trait Wire: 'static {
    /// Path and query of the WebSocket.
    fn path(&self) -> String;
    /// What is said after so many frames; `None` means nothing until more of them came.
    fn opening(&self, member: usize, frames: u64) -> Option<String>;
    /// How many frames come before the member is in the room.
    fn frames_until_ready(&self) -> u64;
}

/// Frames received by all connections since they were ready, and who waits for how many.
#[derive(Debug, Default)]
struct Count {
    frames: Cell<u64>,
    wanted: Cell<u64>,
    reached: Notify,
    closed: Cell<u64>,
}

impl Count {
    fn add(&self, frames: u64) {
        self.frames.set(self.frames.get() + frames);
        if self.frames.get() >= self.wanted.get() {
            self.reached.notify_one();
        }
    }
}

/// Open connections, read until they are dropped. Lives in a `LocalSet`.
#[derive(Debug)]
pub struct Readers {
    count: Rc<Count>,
    streams: Vec<Rc<TcpStream>>,
    buffer: Rc<RefCell<Vec<u8>>>,
    tasks: JoinSet<()>,
    /// How long each connection took from its opening words until it was ready.
    times: Vec<Duration>,
}

impl Default for Readers {
    fn default() -> Self {
        Self {
            count: Rc::default(),
            streams: Vec::new(),
            buffer: Rc::new(RefCell::new(vec![0; 256 * 1024])),
            tasks: JoinSet::new(),
            times: Vec::new(),
        }
    }
}

impl Readers {
    /// Opens connections for members up to `members`, a few at a time.
    pub async fn grow(&mut self, address: SocketAddr, wire: Rc<impl Wire>, members: usize) {
        self.grow_at_once(address, wire, members, 32).await;
    }

    /// How long the connections opened since the last time took from their opening words until they were ready, sorted.
    pub fn take_times(&mut self) -> Vec<Duration> {
        let mut times = std::mem::take(&mut self.times);
        times.sort_unstable();
        times
    }

    /// Opens connections for members up to `members`, so many at a time.
    pub async fn grow_at_once(
        &mut self,
        address: SocketAddr,
        wire: Rc<impl Wire>,
        members: usize,
        at_once: usize,
    ) {
        let turns = Arc::new(Semaphore::new(at_once));
        let mut opening = JoinSet::new();
        for member in self.streams.len()..members {
            let turn = Arc::clone(&turns).acquire_owned().await.expect("open");
            let wire = Rc::clone(&wire);
            opening.spawn_local(async move {
                let opened = open(address, &*wire, member).await;
                drop(turn);
                opened
            });
        }
        while let Some(opened) = opening.join_next().await {
            let (stream, parser, time) = opened.expect("a connection");
            self.times.push(time);
            let stream = Rc::new(stream);
            self.streams.push(Rc::clone(&stream));
            let (count, buffer) = (Rc::clone(&self.count), Rc::clone(&self.buffer));
            self.tasks
                .spawn_local(count_frames(stream, parser, count, buffer));
        }
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.streams.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.streams.is_empty()
    }

    /// Frames received by all of them.
    pub fn frames(&self) -> u64 {
        self.count.frames.get()
    }

    /// Waits until so many frames have been received. One waiter at a time.
    pub async fn reach(&self, frames: u64) {
        self.count.wanted.set(frames);
        while self.count.frames.get() < frames {
            assert_eq!(self.count.closed.get(), 0, "the server closed a connection");
            self.count.reached.notified().await;
        }
        self.count.wanted.set(u64::MAX);
    }

    /// Says something on every connection and waits until each got one frame for it.
    pub async fn say_to_all(&self, text: &str) {
        let target = self.frames() + self.streams.len() as u64;
        for stream in &self.streams {
            write(stream, &text_frame(text)).await;
        }
        self.reach(target).await;
    }

    /// Says something on one connection.
    pub async fn say(&self, member: usize, text: &str) {
        write(&self.streams[member], &text_frame(text)).await;
    }
}

/// A text frame as a client sends it, masked with zeros.
fn text_frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81];
    match text.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length => {
            frame.push(0x80 | 126);
            frame.extend(u16::try_from(length).expect("a short text").to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}

async fn write(stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        stream.writable().await.expect("a writable socket");
        match stream.try_write(bytes) {
            Ok(n) => bytes = &bytes[n..],
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("write: {error}"),
        }
    }
}

/// Opens one connection and brings its member into the room.
async fn open(
    address: SocketAddr,
    wire: &impl Wire,
    member: usize,
) -> (TcpStream, Parser, Duration) {
    let stream = TcpStream::connect(address).await.expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let upgrade = format!(
        "GET {} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        wire.path()
    );
    write(&stream, upgrade.as_bytes()).await;
    let mut received = Vec::new();
    let head = loop {
        if let Some(end) = received.windows(4).position(|w| w == b"\r\n\r\n") {
            break end + 4;
        }
        read_some(&stream, &mut received).await;
    };
    assert!(
        received.starts_with(b"HTTP/1.1 101"),
        "no upgrade for {address}"
    );
    let mut parser = Parser::default();
    let mut frames = parser.feed(&received[head..]);
    let mut answered = 0;
    let mut asked = Instant::now();
    while frames < wire.frames_until_ready() || answered < frames {
        while answered < frames {
            answered += 1;
            if let Some(text) = wire.opening(member, answered) {
                asked = Instant::now();
                write(&stream, &text_frame(&text)).await;
            }
        }
        if frames < wire.frames_until_ready() {
            received.clear();
            read_some(&stream, &mut received).await;
            frames += parser.feed(&received);
        }
    }
    assert!(!parser.closed, "member {member} was closed");
    (stream, parser, asked.elapsed())
}

/// Appends what there is to read; the end of the stream is a failure.
async fn read_some(stream: &TcpStream, into: &mut Vec<u8>) {
    let mut buffer = [0; 8_192];
    loop {
        stream.readable().await.expect("a readable socket");
        match stream.try_read(&mut buffer) {
            Ok(0) => panic!("the server ended a connection that was being opened"),
            Ok(n) => return into.extend_from_slice(&buffer[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => panic!("read: {error}"),
        }
    }
}

/// Reads one connection for ever.
async fn count_frames(
    stream: Rc<TcpStream>,
    mut parser: Parser,
    count: Rc<Count>,
    buffer: Rc<RefCell<Vec<u8>>>,
) {
    loop {
        if stream.readable().await.is_err() {
            break;
        }
        let mut buffer = buffer.borrow_mut();
        match stream.try_read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => count.add(parser.feed(&buffer[..n])),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        if parser.closed {
            break;
        }
    }
    count.closed.set(count.closed.get() + 1);
    count.reached.notify_one();
}

/// Finds the ends of frames in a stream of bytes.
#[derive(Debug, Default)]
struct Parser {
    /// The head of a frame that has not come completely.
    head: [u8; 10],
    have: usize,
    /// Bytes of the payload that are still to come; `None` outside a payload.
    left: Option<u64>,
    /// A close frame came.
    closed: bool,
}

impl Parser {
    /// How many data frames end within these bytes.
    fn feed(&mut self, mut bytes: &[u8]) -> u64 {
        let mut frames = 0;
        while !bytes.is_empty() {
            if let Some(left) = self.left {
                let taken = left.min(bytes.len() as u64);
                bytes = &bytes[taken as usize..];
                self.left = Some(left - taken);
            } else {
                self.head[self.have] = bytes[0];
                self.have += 1;
                bytes = &bytes[1..];
                self.left = self.payload();
            }
            if self.left == Some(0) {
                let opcode = self.head[0] & 0x0f;
                self.closed |= opcode == 8;
                frames += u64::from(opcode <= 2);
                self.left = None;
                self.have = 0;
            }
        }
        frames
    }

    /// The length of the payload, once the head is complete.
    fn payload(&self) -> Option<u64> {
        let head = &self.head[..self.have];
        match (head.get(1)?, self.have) {
            (127, 10) => Some(u64::from_be_bytes(head[2..].try_into().expect("8 bytes"))),
            (126, 4) => Some(u64::from(u16::from_be_bytes([head[2], head[3]]))),
            (126 | 127, _) => None,
            (&length, _) => Some(u64::from(length)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parser;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let mut stream = Vec::new();
        for length in [0_usize, 1, 125, 126, 1_000, 65_535, 65_536, 70_000] {
            stream.push(0x81);
            match length {
                0..126 => stream.push(length as u8),
                126..65_536 => {
                    stream.push(126);
                    stream.extend((length as u16).to_be_bytes());
                }
                _ => {
                    stream.push(127);
                    stream.extend((length as u64).to_be_bytes());
                }
            }
            stream.extend(vec![0xff; length]);
        }
        for step in [1, 2, 3, 7, 4_096, stream.len()] {
            let mut parser = Parser::default();
            let frames: u64 = stream.chunks(step).map(|bytes| parser.feed(bytes)).sum();
            assert_eq!(frames, 8, "in pieces of {step}");
        }
    }
}
