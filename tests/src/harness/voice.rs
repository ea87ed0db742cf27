//! A voice socket as a client keeps it, without media.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::socket::Socket;
use super::{Gateway, Node, Person, id, soon};

/// What somebody needs to connect to a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admission {
    /// The voice socket.
    pub url: String,
    /// The group.
    pub group: String,
    /// Who.
    pub user: String,
    /// His gateway session.
    pub session: String,
    /// What lets him in.
    pub token: String,
}

impl Admission {
    /// Of the next VOICE_SERVER_UPDATE that a session gets; other events before it are left out.
    pub async fn next(node: &Node, gateway: &mut Gateway, user: &str) -> Self {
        let event = gateway.wait_for("VOICE_SERVER_UPDATE", |_| true).await;
        let text = |key: &str| event[key].as_str().unwrap_or_default().to_owned();
        let own = || format!("{}/voice", node.gateway_url());
        Self {
            url: event["url"].as_str().map_or_else(own, str::to_owned),
            group: text("guild_id"),
            user: user.to_owned(),
            session: text("session_id"),
            token: text("token"),
        }
    }

    fn data(&self) -> Value {
        json!({
            "server_id": self.group,
            "user_id": self.user,
            "session_id": self.session,
            "token": self.token,
        })
    }
}

impl Gateway {
    /// Says with opcode 4 in which voice channel of a group the session is; none: in no one.
    pub async fn be_in(&mut self, group: &str, channel: Option<&str>) {
        let data = json!({
            "guild_id": group,
            "channel_id": channel,
            "self_mute": false,
            "self_deaf": false,
            "self_video": false,
        });
        self.send(4, data).await;
    }
}

impl Person {
    /// The voice channel of a group.
    pub async fn voice_channel(&self, group: &str) -> String {
        let channels = self.http.get(&format!("/guilds/{group}/channels")).await;
        let channels = channels.expect(200);
        let mut all = channels.as_array().expect("channels").iter();
        id(all
            .find(|channel| channel["type"] == 2)
            .expect("a voice channel"))
    }
}

/// What comes on a voice socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Said {
    /// A frame: opcode and data.
    Frame(u64, Value),
    /// The end, with the server's code if it sent one.
    Closed(Option<u16>),
}

/// A voice socket.
#[derive(Debug)]
pub struct VoiceSocket(Socket);

impl VoiceSocket {
    /// Connects and reads HELLO.
    pub async fn connect(url: &str) -> Self {
        let socket = soon("a voice socket", Socket::connect(url, None)).await;
        let mut voice = Self(socket.expect("a voice socket"));
        let Said::Frame(8, hello) = voice.next().await else {
            panic!("no HELLO");
        };
        assert!(hello["heartbeat_interval"].as_u64() > Some(1_000));
        voice
    }

    /// Connects and says that it identifies; what comes of it is the next to be read.
    pub async fn knock(admission: &Admission) -> Self {
        let mut voice = Self::connect(&admission.url).await;
        voice.say(0, admission.data()).await;
        voice
    }

    /// Connects and identifies; answers READY's data too.
    pub async fn identify(admission: &Admission) -> (Self, Value) {
        let mut voice = Self::knock(admission).await;
        let ready = voice.until(2).await;
        (voice, ready)
    }

    /// Connects and says that it resumes; what comes of it is the next to be read.
    pub async fn resume(admission: &Admission) -> Self {
        let mut voice = Self::connect(&admission.url).await;
        voice.say(7, admission.data()).await;
        voice
    }

    /// Says something.
    pub async fn say(&mut self, op: u64, data: Value) {
        let frame = json!({ "op": op, "d": data });
        self.raw(frame.to_string()).await;
    }

    /// Sends a text.
    pub async fn raw(&mut self, text: String) {
        let _ = self.0.send(Message::Text(text.into())).await;
    }

    /// Closes it as a page that is left does.
    pub async fn leave(mut self) {
        let _ = self.0.send(Message::Close(None)).await;
        while let Some(Ok(_)) = self.0.next().await {}
    }

    /// The next thing that the server says.
    pub async fn next(&mut self) -> Said {
        loop {
            match soon("a frame of the voice socket", self.0.next()).await {
                Some(Ok(Message::Text(text))) => {
                    let frame: Value = serde_json::from_str(&text).expect("a frame is JSON");
                    let op = frame["op"].as_u64().expect("an opcode");
                    return Said::Frame(op, frame["d"].clone());
                }
                Some(Ok(Message::Close(frame))) => {
                    return Said::Closed(frame.map(|frame| frame.code.into()));
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Said::Closed(None),
            }
        }
    }

    /// The data of the next frame with an opcode; others before it are left out.
    pub async fn until(&mut self, wanted: u64) -> Value {
        loop {
            match self.next().await {
                Said::Frame(op, data) if op == wanted => return data,
                Said::Frame(..) => {}
                Said::Closed(code) => panic!("closed with {code:?} before opcode {wanted}"),
            }
        }
    }

    /// The code that the server closes it with; frames before that are left out.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Said::Closed(code) = self.next().await {
                return code;
            }
        }
    }
}
