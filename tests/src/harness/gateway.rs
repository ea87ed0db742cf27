//! A gateway session as a careful client keeps it: it checks that numbers are dense and never drops an event.

use std::collections::VecDeque;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::socket::Socket;
use super::{Node, oracle, soon};

/// Every intent there is.
const ALL_INTENTS: u64 = 0x0331_ffff;

/// A dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// `t`.
    pub name: String,
    /// `s`.
    pub seq: u64,
    /// `d`.
    pub data: Value,
}

/// What arrives on a gateway socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    /// Opcode 0.
    Event(Event),
    /// Any other opcode, with its data.
    Control(u64, Value),
    /// The end, with the server's code if it sent one.
    Closed(Option<u16>),
}

/// What is needed to resume a session.
#[derive(Debug, Clone, PartialEq)]
pub struct Resumable {
    /// Where.
    pub url: String,
    /// The certificate to trust there.
    pub trust: Option<Vec<u8>>,
    /// The token.
    pub token: String,
    /// Of READY.
    pub session: String,
    /// The last number received.
    pub seq: u64,
}

/// What a resume came to.
#[derive(Debug)]
pub enum Resumption {
    /// The session goes on; what was missed has been received and waits in it.
    Resumed(Box<Gateway>),
    /// Opcode 9.
    Invalid(bool),
    /// The socket was closed, or nobody was there.
    Closed(Option<u16>),
}

/// A gateway connection.
#[derive(Debug)]
pub struct Gateway {
    socket: Socket,
    /// What the next RESUME would say.
    pub state: Resumable,
    /// READY's body, once identified.
    pub ready: Value,
    backlog: VecDeque<Event>,
}

impl Gateway {
    /// Connects and reads HELLO.
    pub async fn connect(node: &Node) -> Self {
        Self::connect_to(
            &format!("{}/?v=10&encoding=json", node.gateway_url()),
            node.trust(),
        )
        .await
    }

    /// Connects to a URL and reads HELLO.
    pub async fn connect_to(url: &str, trust: Option<&[u8]>) -> Self {
        let gateway = Self::try_connect_to(url, trust).await;
        gateway.expect("a WebSocket and HELLO")
    }

    /// The same; none when nobody is there, or he goes before he has said HELLO.
    async fn try_connect_to(url: &str, trust: Option<&[u8]>) -> Option<Self> {
        let socket = soon("the gateway's handshake", Socket::connect(url, trust)).await;
        let mut gateway = Self {
            socket: socket.ok()?,
            state: Resumable {
                url: url.to_owned(),
                trust: trust.map(<[u8]>::to_vec),
                token: String::new(),
                session: String::new(),
                seq: 0,
            },
            ready: Value::Null,
            backlog: VecDeque::new(),
        };
        let hello = gateway.receive().await;
        let data = match &hello {
            Received::Control(10, data) => data,
            Received::Closed(_) => return None,
            other => panic!("no HELLO but {other:?}"),
        };
        assert!(
            data["heartbeat_interval"].as_u64().is_some_and(|ms| ms > 0),
            "{data}"
        );
        Some(gateway)
    }

    /// Connects, identifies with all intents and waits until every group is there.
    pub async fn identify(node: &Node, token: &str) -> Self {
        Self::identify_with(node, json!({ "token": token, "intents": ALL_INTENTS })).await
    }

    /// Connects, identifies with these fields and waits until every group is there.
    pub async fn identify_with(node: &Node, fields: Value) -> Self {
        let mut gateway = Self::connect(node).await;
        gateway.send_identify(fields).await;
        gateway.become_ready().await;
        gateway
    }

    /// Sends IDENTIFY with these fields and properties.
    pub async fn send_identify(&mut self, mut fields: Value) {
        fields["properties"] = json!({ "os": "linux", "browser": "harness", "device": "harness" });
        self.state.token = fields["token"].as_str().unwrap_or_default().to_owned();
        self.send(2, fields).await;
    }

    /// Reads READY and one GUILD_CREATE for each group it lists.
    pub async fn become_ready(&mut self) {
        let ready = match self.receive().await {
            Received::Event(event) if event.name == "READY" => event.data,
            other => panic!("no READY but {other:?}"),
        };
        assert_eq!(ready["v"], 10);
        self.state.session = ready["session_id"].as_str().expect("a session").to_owned();
        let groups = ready["guilds"].as_array().expect("groups").clone();
        self.ready = ready;
        for group in groups {
            assert_eq!(group["unavailable"], true);
            self.wait_for("GUILD_CREATE", |group_now| group_now["id"] == group["id"])
                .await;
        }
    }

    /// Sends a frame.
    pub async fn send(&mut self, op: u64, data: Value) {
        let frame = json!({ "op": op, "d": data }).to_string();
        self.send_raw(Message::text(frame)).await;
    }

    /// Sends any message; that the server has closed already is seen when reading.
    pub async fn send_raw(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }

    /// Whatever comes next, unread events first.
    pub async fn receive(&mut self) -> Received {
        soon("a frame of the gateway", self.receive_at_last()).await
    }

    /// The same, however long it takes.
    pub async fn receive_at_last(&mut self) -> Received {
        match self.backlog.pop_front() {
            Some(event) => Received::Event(event),
            None => self.read().await,
        }
    }

    /// The next frame from the socket. Events must be numbered without gaps.
    async fn read(&mut self) -> Received {
        loop {
            let text = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Received::Closed(None),
            };
            let mut frame: Value = serde_json::from_str(&text).expect("JSON from the gateway");
            let data = frame["d"].take();
            let op = frame["op"].as_u64().expect("an opcode");
            if op != 0 {
                return Received::Control(op, data);
            }
            let seq = frame["s"].as_u64().expect("a number");
            assert_eq!(seq, self.state.seq + 1, "a gap or a repetition: {frame}");
            self.state.seq = seq;
            let name = frame["t"].as_str().expect("a name").to_owned();
            oracle::event(&name, &data);
            return Received::Event(Event { name, seq, data });
        }
    }

    /// The first event of this name for which `wanted` holds, among those not yet taken; the others stay for later.
    pub async fn wait_for(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.find(name, wanted).await.data
    }

    async fn find(&mut self, name: &str, wanted: impl Fn(&Value) -> bool) -> Event {
        let matches = |event: &Event| event.name == name && wanted(&event.data);
        if let Some(place) = self.backlog.iter().position(matches) {
            return self.backlog.remove(place).expect("just found");
        }
        let found = async {
            loop {
                match self.read().await {
                    Received::Event(event) if matches(&event) => break event,
                    Received::Event(event) => self.backlog.push_back(event),
                    Received::Control(11, _) => {}
                    other => panic!("waiting for {name}, got {other:?}"),
                }
            }
        };
        match tokio::time::timeout(super::DEADLINE, found).await {
            Ok(event) => event,
            Err(_) => panic!("no {name}; unread: {:?}", self.backlog),
        }
    }

    /// The message with this content, on its way in.
    pub async fn message(&mut self, content: &str) -> Value {
        self.wait_for("MESSAGE_CREATE", |message| message["content"] == content)
            .await
    }

    /// Takes everything received so far.
    pub fn take(&mut self) -> Vec<Event> {
        self.backlog.drain(..).collect()
    }

    /// Reads on until a message with this content; answers all events before it, in order.
    pub async fn until_message(&mut self, content: &str) -> Vec<Event> {
        let last = self
            .find("MESSAGE_CREATE", |message| message["content"] == content)
            .await;
        let (before, after): (Vec<_>, Vec<_>) = self
            .take()
            .into_iter()
            .partition(|event| event.seq < last.seq);
        self.backlog = after.into();
        before
    }

    /// A heartbeat; its acknowledgement comes with what else is received.
    pub async fn beat(&mut self) {
        self.send(1, json!(self.state.seq)).await;
    }

    /// A heartbeat, and its acknowledgement.
    pub async fn heartbeat(&mut self) {
        self.beat().await;
        loop {
            match soon("a heartbeat's acknowledgement", self.read()).await {
                Received::Control(11, _) => return,
                Received::Event(event) => self.backlog.push_back(event),
                other => panic!("no acknowledgement but {other:?}"),
            }
        }
    }

    /// Waits for an opcode other than dispatch; events stay for later.
    pub async fn control(&mut self, op: u64) -> Value {
        loop {
            match soon("a control frame", self.read()).await {
                Received::Control(got, data) if got == op => return data,
                Received::Control(11, _) => {}
                Received::Event(event) => self.backlog.push_back(event),
                other => panic!("no opcode {op} but {other:?}"),
            }
        }
    }

    /// Reads until the server closes; answers its code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match soon("the server's close", self.read()).await {
                Received::Closed(code) => return code,
                Received::Event(event) => self.backlog.push_back(event),
                Received::Control(..) => {}
            }
        }
    }

    /// Cuts the TCP connection without a close frame.
    pub fn cut(self) -> Resumable {
        self.state
    }

    /// Closes with a code, and waits until the server has answered.
    pub async fn close(mut self, code: u16) -> Resumable {
        let frame = CloseFrame {
            code: code.into(),
            reason: "".into(),
        };
        self.send_raw(Message::Close(Some(frame))).await;
        self.closed().await;
        self.state
    }
}

impl Resumable {
    /// The same at another node.
    #[must_use]
    pub fn at(&self, node: &Node) -> Self {
        self.at_url(&node.gateway_url())
    }

    /// The same at another URL, without a path.
    #[must_use]
    pub fn at_url(&self, url: &str) -> Self {
        Self {
            url: format!("{url}/?v=10&encoding=json"),
            ..self.clone()
        }
    }

    /// Tries to resume. The events that were missed wait in the session.
    pub async fn try_resume(&self) -> Resumption {
        let connected = Gateway::try_connect_to(&self.url, self.trust.as_deref()).await;
        let Some(mut gateway) = connected else {
            return Resumption::Closed(None);
        };
        let form = json!({ "token": self.token, "session_id": self.session, "seq": self.seq });
        gateway.state = self.clone();
        gateway.send(6, form).await;
        loop {
            match soon("an answer to RESUME", gateway.read()).await {
                Received::Event(event) if event.name == "RESUMED" => {
                    return Resumption::Resumed(Box::new(gateway));
                }
                Received::Event(event) => gateway.backlog.push_back(event),
                Received::Control(9, data) => {
                    return Resumption::Invalid(data.as_bool().expect("a boolean"));
                }
                Received::Control(..) => {}
                Received::Closed(code) => return Resumption::Closed(code),
            }
        }
    }

    /// Resumes, which must succeed.
    pub async fn resume(&self) -> Gateway {
        match self.try_resume().await {
            Resumption::Resumed(gateway) => *gateway,
            other => panic!("not resumed: {other:?}"),
        }
    }

    /// Tries to resume, which must be answered with opcode 9 false.
    pub async fn is_gone(&self) {
        match self.try_resume().await {
            Resumption::Invalid(false) => {}
            other => panic!("no opcode 9: {other:?}"),
        }
    }
}
