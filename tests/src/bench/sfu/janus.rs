//! Janus from Debian with its videoroom plugin, driven over its WebSocket.
//!
//! Source: <https://janus.conf.meetecho.com/docs/videoroom.html>

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{SPEAKER, Sfu};
use crate::bench::{Cpu, server_pin};
use crate::memory::resident_kb;
use crate::voice::{Client, Layout};

/// Where Debian puts it.
const BINARY: &str = "/usr/bin/janus";
const LIBRARIES: &str = "/usr/lib/x86_64-linux-gnu/janus";

/// A Janus with rooms.
pub struct Janus {
    child: Child,
    runtime: Runtime,
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    address: IpAddr,
    session: u64,
    number: u64,
    rooms: Vec<u64>,
    feeds: HashMap<u64, u64>,
    _folder: tempfile::TempDir,
}

impl Janus {
    /// Starts it, if it is installed.
    pub fn start(address: IpAddr) -> Option<Self> {
        if !Path::new(BINARY).exists() {
            return None;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|listener| listener.local_addr())
            .expect("a port")
            .port();
        let write = |name: &str, text: String| {
            std::fs::write(folder.path().join(name), text).expect("a file");
        };
        write(
            "janus.jcfg",
            format!(
                "general: {{ configs_folder = \"{}\" plugins_folder = \"{LIBRARIES}/plugins\" \
                 transports_folder = \"{LIBRARIES}/transports\" debug_level = 2 }}\n\
                 media: {{ }}\nnat: {{ nice_debug = false }}\n\
                 plugins: {{ disable = \"libjanus_audiobridge.so,libjanus_echotest.so,libjanus_recordplay.so,\
                 libjanus_sip.so,libjanus_nosip.so,libjanus_streaming.so,libjanus_textroom.so,libjanus_videocall.so,\
                 libjanus_voicemail.so,libjanus_duktape.so,libjanus_lua.so\" }}\n\
                 transports: {{ disable = \"libjanus_http.so,libjanus_mqtt.so,libjanus_nanomsg.so,\
                 libjanus_pfunix.so,libjanus_rabbitmq.so\" }}\n\
                 events: {{ broadcast = false }}\n",
                folder.path().display()
            ),
        );
        write(
            "janus.transport.websockets.jcfg",
            format!("general: {{ json = \"compact\" ws = true ws_port = {port} }}\n"),
        );
        write("janus.plugin.videoroom.jcfg", "general: { }\n".to_owned());
        let mut words = server_pin();
        words.push(BINARY.to_owned());
        let child = Command::new(&words[0])
            .args(&words[1..])
            .args(["-i", &address.to_string(), "-F"])
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("janus starts");
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        let socket = runtime.block_on(connect(port));
        let mut janus = Self {
            child,
            runtime,
            socket,
            address,
            session: 0,
            number: 0,
            rooms: Vec::new(),
            feeds: HashMap::new(),
            _folder: folder,
        };
        let created = janus.ask(json!({"janus": "create"}));
        janus.session = created["data"]["id"].as_u64().expect("a session");
        Some(janus)
    }

    /// Asks, and waits for what is not only a confirmation that it was asked.
    fn ask(&mut self, mut order: Value) -> Value {
        self.number += 1;
        let transaction = self.number.to_string();
        order["transaction"] = json!(transaction);
        if self.session != 0 {
            order["session_id"] = json!(self.session);
        }
        let text = order.to_string();
        let socket = &mut self.socket;
        self.runtime.block_on(async {
            socket.send(Message::text(text)).await.expect("janus lives");
            loop {
                let message = socket.next().await.expect("janus lives").expect("a frame");
                let Message::Text(text) = message else {
                    continue;
                };
                let answer: Value = serde_json::from_str(&text).expect("JSON");
                if answer["transaction"] == json!(transaction) && answer["janus"] != "ack" {
                    assert_ne!(answer["janus"], "error", "{answer}");
                    return answer;
                }
            }
        })
    }

    fn attach(&mut self) -> u64 {
        let plugin = "janus.plugin.videoroom";
        let attached = self.ask(json!({"janus": "attach", "plugin": plugin}));
        attached["data"]["id"].as_u64().expect("a handle")
    }

    fn message(&mut self, handle: u64, body: Value, jsep: Option<Value>) -> Value {
        let mut order = json!({"janus": "message", "handle_id": handle, "body": body});
        if let Some(jsep) = jsep {
            order["jsep"] = jsep;
        }
        self.ask(order)
    }

    fn room(&mut self, handle: u64, room: u64) {
        if self.rooms.contains(&room) {
            return;
        }
        self.rooms.push(room);
        let body = json!({
            "request": "create", "room": room, "publishers": 50, "bitrate": 10_000_000,
            "audiocodec": "opus", "videocodec": "vp8", "transport_wide_cc_ext": false,
        });
        let created = self.message(handle, body, None);
        assert_eq!(
            created["plugindata"]["data"]["videoroom"], "created",
            "{created}"
        );
    }
}

async fn connect(port: u16) -> WebSocketStream<MaybeTlsStream<TcpStream>> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let mut request = format!("ws://127.0.0.1:{port}/")
            .into_client_request()
            .expect("a request");
        let protocol = "janus-protocol".parse().expect("a header");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", protocol);
        match connect_async(request).await {
            Ok((socket, _)) => return socket,
            Err(error) if Instant::now() > end => panic!("no janus: {error}"),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

impl Sfu for Janus {
    fn name(&self) -> &'static str {
        "janus"
    }

    fn publish(&mut self, room: u64, user: u64) -> Client {
        let layout = Layout {
            transport_cc: false,
            ..SPEAKER
        };
        let (mut client, sdp) = Client::at(self.address, user, layout).expect("a client");
        let handle = self.attach();
        self.room(handle, room);
        let join = json!({"request": "join", "ptype": "publisher", "room": room, "id": user});
        let joined = self.message(handle, join, None);
        let feed = joined["plugindata"]["data"]["id"].as_u64().expect("an id");
        self.feeds.insert(user, feed);
        let jsep = json!({"type": "offer", "sdp": sdp});
        let answered = self.message(handle, json!({"request": "publish"}), Some(jsep));
        let answer = answered["jsep"]["sdp"].as_str().expect("an answer");
        client.accept(answer).expect("an answer that fits");
        client
    }

    fn watch(&mut self, room: u64, user: u64, whom: u64) -> Client {
        let handle = self.attach();
        let feed = self.feeds[&whom];
        let body = json!({
            "request": "join", "ptype": "subscriber", "room": room, "streams": [{"feed": feed}],
        });
        // A publisher that is connected for itself may not be so yet for Janus.
        let end = Instant::now() + Duration::from_secs(5);
        let mut offered = self.message(handle, body.clone(), None);
        while offered["plugindata"]["data"]["error_code"] == 428 && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
            offered = self.message(handle, body.clone(), None);
        }
        let offer = offered["jsep"]["sdp"].as_str();
        let offer = offer.unwrap_or_else(|| panic!("no offer: {offered}"));
        let (client, sdp) = Client::answering(self.address, user, offer).expect("a client");
        let jsep = json!({"type": "answer", "sdp": sdp});
        self.message(handle, json!({"request": "start"}), Some(jsep));
        client
    }

    fn cpu(&self) -> Cpu {
        Cpu::of(self.child.id())
    }

    fn resident_kb(&self) -> u64 {
        resident_kb(self.child.id())
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
