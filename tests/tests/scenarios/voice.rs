//! Voice channels as clients see them, up to where media begins: coming, being seen, moderation, and what is refused.

use rookery_tests::harness::{
    Admission, Community, DEADLINE, Gateway, Node, NodeOptions, Person, Received, Said, VoiceSocket,
};
use rookery_tests::servers::Coturn;
use serde_json::{Value, json};

/// Waits until somebody is seen in a channel, or in none.
async fn seen(gateway: &mut Gateway, user: &str, channel: Option<&str>) -> Value {
    let is_it = |data: &Value| data["user_id"] == *user && data["channel_id"].as_str() == channel;
    gateway.wait_for("VOICE_STATE_UPDATE", is_it).await
}

/// Waits until somebody who never came to his room is seen to go, for which he has half a minute.
async fn seen_to_be_late(gateway: &mut Gateway, user: &str) {
    let late = async {
        loop {
            match gateway.receive_at_last().await {
                Received::Event(event)
                    if event.name == "VOICE_STATE_UPDATE"
                        && event.data["user_id"] == *user
                        && event.data["channel_id"].is_null() =>
                {
                    break;
                }
                Received::Event(_) | Received::Control(11, _) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    let late = tokio::time::timeout(DEADLINE * 2, late).await;
    assert!(late.is_ok(), "still in the channel");
}

/// A new session of somebody who is in one group, and that group as it is shown to him.
async fn pictured(node: &Node, person: &Person) -> (Gateway, Value) {
    let mut gateway = Gateway::connect(node).await;
    let fields = json!({ "token": person.token, "intents": 0x0331_ffff });
    gateway.send_identify(fields).await;
    let ready = gateway.receive().await;
    assert!(
        matches!(&ready, Received::Event(event) if event.name == "READY"),
        "{ready:?}"
    );
    let group = gateway.wait_for("GUILD_CREATE", |_| true).await;
    (gateway, group)
}

struct Call {
    node: Node,
    community: Community,
    voice: String,
    ada: Gateway,
    ben: Gateway,
}

impl Call {
    async fn start() -> Self {
        Self::at(Node::start().await).await
    }

    async fn at(node: Node) -> Self {
        let community = Community::new(&node).await;
        let voice = community.ada.voice_channel(&community.group).await;
        let ada = community.ada.connect(&node).await;
        let ben = community.ben.connect(&node).await;
        Self {
            node,
            community,
            voice,
            ada,
            ben,
        }
    }

    async fn ada_joins(&mut self) -> (Admission, VoiceSocket, Value) {
        self.ada
            .be_in(&self.community.group, Some(&self.voice))
            .await;
        let user = &self.community.ada.id;
        let admission = Admission::next(&self.node, &mut self.ada, user).await;
        let (socket, ready) = VoiceSocket::identify(&admission).await;
        (admission, socket, ready)
    }

    async fn ben_joins(&mut self) -> (Admission, VoiceSocket, Value) {
        self.ben
            .be_in(&self.community.group, Some(&self.voice))
            .await;
        let user = &self.community.ben.id;
        let admission = Admission::next(&self.node, &mut self.ben, user).await;
        let (socket, ready) = VoiceSocket::identify(&admission).await;
        (admission, socket, ready)
    }

    /// Ada, who owns the group, changes Ben.
    async fn change_ben(&self, form: Value) -> u16 {
        let (group, ben) = (&self.community.group, &self.community.ben.id);
        let path = format!("/guilds/{group}/members/{ben}");
        self.community.ada.http.patch(&path, form).await.status
    }
}

#[tokio::test]
async fn people_come_see_each_other_and_go() {
    let mut call = Call::start().await;
    let (ada_id, ben_id) = (call.community.ada.id.clone(), call.community.ben.id.clone());
    let voice = call.voice.clone();
    let (_, mut ada, ready) = call.ada_joins().await;
    let state = seen(&mut call.ben, &ada_id, Some(&voice)).await;
    assert_eq!(state["session_id"], call.ada.ready["session_id"]);
    assert_eq!(state["member"]["user"]["id"], *ada_id);
    assert_eq!(ready["channel_id"], *voice);
    assert_eq!(ready["clients"].as_array().unwrap().len(), 1);
    let (_, ben, ready) = call.ben_joins().await;
    assert_eq!(ready["clients"].as_array().unwrap().len(), 2);
    let came = ada.until(11).await;
    assert_eq!(came["clients"][0]["user_id"], *ben_id);
    // Whoever identifies now finds both in the group.
    let (_late, group) = pictured(&call.node, &call.community.ada).await;
    let states = &group["voice_states"];
    assert_eq!(states.as_array().unwrap().len(), 2, "{states}");
    // Ben's page is closed.
    ben.leave().await;
    assert_eq!(ada.until(13).await["user_id"], *ben_id);
    seen(&mut call.ada, &ben_id, None).await;
    // Ada goes by opcode 4.
    call.ada.be_in(&call.community.group, None).await;
    seen(&mut call.ben, &ada_id, None).await;
    assert!(ada.closed().await.is_some());
}

#[tokio::test]
async fn moderators_mute_move_and_disconnect() {
    let mut call = Call::start().await;
    let ben_id = call.community.ben.id.clone();
    let not_there = json!({ "mute": true });
    assert_eq!(call.change_ben(not_there).await, 400);
    let (_, _ada, _) = call.ada_joins().await;
    let (_, mut ben, _) = call.ben_joins().await;
    assert_eq!(
        call.change_ben(json!({ "mute": true, "deaf": true })).await,
        200
    );
    let is_muted = |data: &Value| data["mute"] == true && data["deaf"] == true;
    call.ada.wait_for("VOICE_STATE_UPDATE", is_muted).await;
    let form = json!({ "name": "Nest", "type": 2 });
    let path = format!("/guilds/{}/channels", call.community.group);
    let nest = call.community.ada.http.post(&path, form).await.expect(201);
    let nest = nest["id"].as_str().unwrap().to_owned();
    assert_eq!(call.change_ben(json!({ "channel_id": nest })).await, 200);
    seen(&mut call.ada, &ben_id, Some(&nest)).await;
    assert_eq!(ben.closed().await, Some(4014));
    let admission = Admission::next(&call.node, &mut call.ben, &ben_id).await;
    let (mut ben, ready) = VoiceSocket::identify(&admission).await;
    assert_eq!(ready["channel_id"], *nest);
    assert_eq!(call.change_ben(json!({ "channel_id": null })).await, 200);
    seen(&mut call.ada, &ben_id, None).await;
    assert!(ben.closed().await.is_some());
    // The others' rights stay theirs.
    let (group, ada) = (&call.community.group, &call.community.ada.id);
    let path = format!("/guilds/{group}/members/{ada}");
    let refused = call
        .community
        .ben
        .http
        .patch(&path, json!({ "mute": true }))
        .await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn who_may_not_connect_is_told_so() {
    let mut call = Call::start().await;
    let (group, voice) = (call.community.group.clone(), call.voice.clone());
    let path = format!("/channels/{voice}/permissions/{group}");
    let deny = json!({ "type": 0, "allow": "0", "deny": (1u64 << 20).to_string() });
    call.community.ada.http.put(&path, deny).await.expect(204);
    call.ben.be_in(&group, Some(&voice)).await;
    let refused = call.ben.wait_for("VOICE_REFUSED", |_| true).await;
    assert_eq!(refused["code"], 50013);
    assert_eq!(refused["channel_id"], *voice);
}

#[tokio::test]
async fn who_loses_the_channel_loses_the_call() {
    let mut call = Call::start().await;
    let (group, voice) = (call.community.group.clone(), call.voice.clone());
    let ben_id = call.community.ben.id.clone();
    let (_, mut ben, _) = call.ben_joins().await;
    let path = format!("/channels/{voice}/permissions/{group}");
    let deny = json!({ "type": 0, "allow": "0", "deny": (1u64 << 10).to_string() });
    call.community.ada.http.put(&path, deny).await.expect(204);
    seen(&mut call.ada, &ben_id, None).await;
    seen(&mut call.ben, &ben_id, None).await;
    assert!(ben.closed().await.is_some());
}

#[tokio::test]
async fn a_lost_voice_socket_is_resumed_and_another_client_takes_over() {
    let mut call = Call::start().await;
    let (admission, ada, _) = call.ada_joins().await;
    // Cut, without a close.
    drop(ada);
    let mut ada = VoiceSocket::resume(&admission).await;
    assert_eq!(ada.until(9).await["clients"].as_array().unwrap().len(), 1);
    // The same person from somewhere else.
    let mut other = call.community.ada.connect(&call.node).await;
    other.be_in(&call.community.group, Some(&call.voice)).await;
    let user = call.community.ada.id.clone();
    let second = Admission::next(&call.node, &mut other, &user).await;
    assert_ne!(second.session, admission.session);
    let (_there, _) = VoiceSocket::identify(&second).await;
    assert_eq!(ada.closed().await, Some(4014));
    // The first one's token opens nothing any more.
    let mut again = VoiceSocket::resume(&admission).await;
    assert_eq!(again.closed().await, Some(4006));
}

#[tokio::test]
async fn who_resumes_and_joins_another_group_leaves_the_first() {
    let mut call = Call::start().await;
    let ada_id = call.community.ada.id.clone();
    let (own, _) = call.community.ada.create_group("Own").await;
    let other = call.community.ada.voice_channel(&own).await;
    call.ada
        .wait_for("GUILD_CREATE", |group| group["id"] == own)
        .await;
    call.ada
        .be_in(&call.community.group, Some(&call.voice))
        .await;
    seen(&mut call.ben, &ada_id, Some(&call.voice)).await;
    let mut ada = call.ada.cut().resume().await;
    ada.be_in(&own, Some(&other)).await;
    seen(&mut call.ben, &ada_id, None).await;
    seen(&mut ada, &ada_id, Some(&other)).await;
}

#[tokio::test]
async fn who_is_logged_out_or_locked_out_leaves_his_call() {
    let mut call = Call::start().await;
    let ben_id = call.community.ben.id.clone();
    let (_, _ada, _) = call.ada_joins().await;
    let (admission, mut ben, _) = call.ben_joins().await;
    let http = &call.community.ben.http;
    let out = http.post("/auth/logout", json!({})).await;
    assert!(matches!(out.status, 200 | 204));
    assert_eq!(call.ben.closed().await, Some(4004));
    seen(&mut call.ada, &ben_id, None).await;
    assert_eq!(ben.closed().await, Some(4014));
    let mut again = VoiceSocket::resume(&admission).await;
    assert_eq!(again.closed().await, Some(4006));
    // He comes back, and his session ends while he goes on talking.
    let back = Person::login(&call.node, "ben").await;
    let mut session = back.connect(&call.node).await;
    session
        .be_in(&call.community.group, Some(&call.voice))
        .await;
    let admission = Admission::next(&call.node, &mut session, &ben_id).await;
    let (mut ben, _) = VoiceSocket::identify(&admission).await;
    session.close(1000).await.is_gone().await;
    let rooms = call.node.asked(&["rooms"]).await;
    assert_eq!(rooms["rooms"][0]["people"], 2, "{rooms}");
    call.node.asked(&["users", "suspend", &ben_id]).await;
    seen(&mut call.ada, &ben_id, None).await;
    assert_eq!(ben.closed().await, Some(4014));
}

#[tokio::test]
async fn a_bot_whose_token_is_void_leaves_all_its_calls() {
    let mut call = Call::start().await;
    let ada = &call.community.ada;
    let (bot, token) = ada.create_bot("Robin").await;
    let (nest, _) = ada.create_group("Nest").await;
    let there = ada.voice_channel(&nest).await;
    call.ada
        .wait_for("GUILD_CREATE", |group| group["id"] == nest)
        .await;
    let mut robin = Gateway::identify(&call.node, &token).await;
    let here = &call.community.group;
    for (group, channel) in [(here, &call.voice), (&nest, &there)] {
        ada.authorize(&bot, group, "0").await.expect(200);
        robin.be_in(group, Some(channel)).await;
        seen(&mut call.ada, &bot, Some(channel)).await;
    }
    let path = format!("/applications/{bot}/bot/reset");
    ada.http.post(&path, json!({})).await.expect(200);
    assert_eq!(robin.closed().await, Some(4004));
    seen(&mut call.ada, &bot, None).await;
    seen(&mut call.ada, &bot, None).await;
}

#[tokio::test]
async fn what_is_no_voice_client_is_sent_away() {
    let mut call = Call::start().await;
    let (admission, _ada, _) = call.ada_joins().await;
    let table = [
        ("{", 4002),
        ("{\"op\":99}", 4001),
        ("{\"op\":12,\"d\":{\"camera\":true,\"screen\":false}}", 4003),
        ("{\"op\":0,\"d\":{}}", 4002),
    ];
    for (text, code) in table {
        let mut socket = VoiceSocket::connect(&admission.url).await;
        socket.raw(text.to_owned()).await;
        assert_eq!(socket.closed().await, Some(code), "{text}");
    }
    let forged = [
        Admission {
            token: "1.2.3.00".to_owned(),
            ..admission.clone()
        },
        Admission {
            user: call.community.ben.id.clone(),
            ..admission.clone()
        },
        Admission {
            session: "other".to_owned(),
            ..admission.clone()
        },
        Admission {
            group: "1".to_owned(),
            ..admission.clone()
        },
    ];
    for admission in forged {
        let mut socket = VoiceSocket::resume(&admission).await;
        assert_eq!(socket.closed().await, Some(4004), "{admission:?}");
    }
    // An offer that is none costs the place, the room goes on.
    let (_, mut ben, _) = call.ben_joins().await;
    ben.say(1, json!({ "protocol": "webrtc", "sdp": "v=0" }))
        .await;
    assert_eq!(ben.closed().await, Some(4020));
    // A token of a room that is over lets nobody in.
    call.ada.be_in(&call.community.group, None).await;
    let ada_id = call.community.ada.id.clone();
    seen(&mut call.ben, &ada_id, None).await;
    let mut socket = VoiceSocket::knock(&admission).await;
    assert!(matches!(socket.closed().await, Some(4014 | 4015)));
    // A heartbeat is answered before anything else.
    let mut socket = VoiceSocket::connect(&admission.url).await;
    socket.say(3, json!({ "t": 5, "seq_ack": 1 })).await;
    assert_eq!(socket.next().await, Said::Frame(6, json!({ "t": 5 })));
}

#[tokio::test]
async fn a_server_that_restarts_finds_its_calls_again() {
    let mut call = Call::start().await;
    let (_, mut ada, _) = call.ada_joins().await;
    call.node.kill();
    call.node.restart().await;
    assert!(matches!(ada.closed().await, None | Some(_)));
    call.community.at(&call.node);
    let ada_id = call.community.ada.id.clone();
    let (mut session, group) = pictured(&call.node, &call.community.ada).await;
    let states = &group["voice_states"];
    assert_eq!(states[0]["user_id"], *ada_id, "still in the channel");
    session
        .be_in(&call.community.group, Some(&call.voice))
        .await;
    // The room of the process that is gone does not come back: there is another one.
    loop {
        let admission = Admission::next(&call.node, &mut session, &ada_id).await;
        let mut socket = VoiceSocket::knock(&admission).await;
        match socket.next().await {
            Said::Frame(2, ready) => {
                assert_eq!(ready["clients"].as_array().unwrap().len(), 1);
                break;
            }
            Said::Closed(Some(4014 | 4015)) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn who_never_opens_a_voice_socket_leaves() {
    let mut call = Call::start().await;
    let ada_id = call.community.ada.id.clone();
    call.ada
        .be_in(&call.community.group, Some(&call.voice))
        .await;
    seen(&mut call.ben, &ada_id, Some(&call.voice)).await;
    seen_to_be_late(&mut call.ben, &ada_id).await;
    // She herself is told, too, and her session goes on.
    seen(&mut call.ada, &ada_id, None).await;
}

#[tokio::test]
async fn who_does_not_come_back_to_a_server_that_restarts_leaves() {
    let mut call = Call::start().await;
    let (_, _socket, _) = call.ada_joins().await;
    call.node.kill();
    call.node.restart().await;
    call.community.at(&call.node);
    let ada_id = call.community.ada.id.clone();
    let (mut ben, group) = pictured(&call.node, &call.community.ben).await;
    let states = &group["voice_states"];
    assert_eq!(states[0]["user_id"], *ada_id, "still in the channel");
    seen_to_be_late(&mut ben, &ada_id).await;
}

#[tokio::test]
async fn operators_see_who_is_in_a_room_and_have_it_made_anew() {
    let mut call = Call::start().await;
    let (admission, mut ada, _) = call.ada_joins().await;
    let (_, _ben, _) = call.ben_joins().await;
    let rooms = call.node.asked(&["rooms"]).await;
    assert_eq!(rooms["rooms"][0]["people"], 2, "{rooms}");
    let room = format!("room/{}", call.voice);
    let shown = call.node.asked(&["actor", "show", &room]).await;
    assert_eq!(shown["state"]["people"], 2, "{shown}");
    call.node.asked(&["actor", "restart", &room]).await;
    assert!(ada.closed().await.is_some());
    // Nobody has to do anything but what a client does: it identifies again, and the room is made anew.
    let (_again, ready) = VoiceSocket::identify(&admission).await;
    assert_eq!(ready["channel_id"], *call.voice);
    let shown = call.node.asked(&["actor", "show", &room]).await;
    assert_eq!(shown["state"]["people"], 1, "{shown}");
}

#[tokio::test]
async fn the_doctor_looks_at_the_node_that_serves() {
    let node = Node::start().await;
    let output = node.run(&["doctor", "--json"]).await;
    // Tests give nodes any free port, and the doctor says that no firewall can let that through.
    assert_eq!(output.status.code(), Some(1));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["ok"], false);
    let what: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| finding["what"].as_str().unwrap())
        .collect();
    assert!(
        what[0].starts_with("the serving node has media at UDP 127.0.0.1:"),
        "{what:?}"
    );
    assert!(
        what.iter()
            .any(|what| what.contains("[voice] ports has a 0")),
        "{what:?}"
    );
}

#[tokio::test]
async fn a_turn_server_takes_the_credentials_that_clients_are_told() {
    let turn = Coturn::start("north").await;
    let url = turn.url();
    let node = Node::start_with(NodeOptions {
        config: format!(
            "[limits]\nenabled = false\n[voice]\nturn_urls = [\"{url}\"]\nturn_secret = \"north\"\n"
        ),
        ..NodeOptions::default()
    })
    .await;
    let output = node.run(&["doctor"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains(&format!(
            "ok  {url} answers, and sees this machine at 127.0.0.1"
        )),
        "{text}"
    );
    let mut call = Call::at(node).await;
    let (_, _ada, ready) = call.ada_joins().await;
    let server = &ready["ice_servers"][0];
    assert_eq!(server["urls"], json!([url]));
    let [username, credential] =
        ["username", "credential"].map(|key| server[key].as_str().unwrap());
    assert!(turn.relays(username, credential).await, "{server}");
    let another = username.replace(&call.community.ada.id, &call.community.ben.id);
    assert!(!turn.relays(&another, credential).await, "of another name");
}
