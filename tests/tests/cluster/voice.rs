//! Voice rooms in a cluster: a room whose node dies or stops goes to another one, and its people are told where.

use rookery_tests::harness::{Admission, Cluster, Gateway, Node, Person, VoiceSocket, soon};
use serde_json::json;

/// Ada's session is at node 1, Ben's at node 0; both are in a voice channel. As nobody has anything to do the room is where
/// the first of them is: at node 1.
struct Call {
    cluster: Cluster,
    voice: String,
    /// Where Ben was told to go.
    there: Admission,
    ben: Gateway,
    ben_id: String,
    /// Their voice sockets.
    ada_voice: VoiceSocket,
    ben_voice: VoiceSocket,
    _ada: Gateway,
}

async fn join(
    node: &Node,
    gateway: &mut Gateway,
    user: &str,
    group: &str,
    channel: &str,
) -> (Admission, VoiceSocket) {
    gateway.be_in(group, Some(channel)).await;
    let admission = Admission::next(node, gateway, user).await;
    let (socket, ready) = VoiceSocket::identify(&admission).await;
    assert_eq!(ready["channel_id"], *channel);
    (admission, socket)
}

impl Call {
    async fn start(nodes: usize) -> Self {
        let cluster = Cluster::start(nodes).await;
        let (here, there) = (&cluster.nodes[0], &cluster.nodes[1]);
        let mut ada = Person::register(here, "ada").await;
        let ben = Person::register(here, "ben").await;
        let (group, channel) = ada.create_group("Rooks").await;
        ben.accept(&ada.invite(&channel).await).await;
        let voice = ada.voice_channel(&group).await;
        ada.at(there);
        let mut first = ada.connect(there).await;
        let (at, ada_voice) = join(there, &mut first, &ada.id, &group, &voice).await;
        assert!(at.url.contains(&there.address().to_string()), "{at:?}");
        let mut second = ben.connect(here).await;
        let (at, ben_voice) = join(here, &mut second, &ben.id, &group, &voice).await;
        assert!(at.url.contains(&there.address().to_string()), "{at:?}");
        Self {
            voice,
            there: at,
            ben: second,
            ben_id: ben.id,
            ada_voice,
            ben_voice,
            _ada: first,
            cluster,
        }
    }

    /// Ben goes where he is told to, which is not node 1; his old token opens nothing there.
    async fn ben_follows(&mut self) {
        let node = &self.cluster.nodes[0];
        let after = Admission::next(node, &mut self.ben, &self.ben_id).await;
        let gone = self.cluster.nodes[1].address().to_string();
        assert!(!after.url.contains(&gone), "{after:?}");
        assert_eq!(after.session, self.there.session);
        let (mut socket, _) = VoiceSocket::identify(&after).await;
        socket.say(3, json!(1)).await;
        assert_eq!(socket.until(6).await["t"], 1);
        let stale = Admission {
            url: after.url.clone(),
            ..self.there.clone()
        };
        let mut stale = VoiceSocket::resume(&stale).await;
        assert_eq!(stale.closed().await, Some(4006));
    }
}

#[tokio::test]
async fn a_room_whose_node_is_killed_goes_to_another_one() {
    let mut call = Call::start(3).await;
    call.cluster.nodes[1].kill();
    assert_eq!(call.ben_voice.closed().await, None);
    call.ben_follows().await;
}

#[tokio::test]
async fn a_node_that_stops_gives_its_rooms_away() {
    let mut call = Call::start(2).await;
    call.cluster.nodes[1].signal("TERM");
    assert_eq!(call.ben_voice.closed().await, Some(4015));
    assert_eq!(call.ada_voice.closed().await, Some(4015));
    call.ben_follows().await;
    call.cluster.nodes[1].ended().await;
}

#[tokio::test]
async fn an_operator_moves_a_room_and_its_people_follow() {
    let mut call = Call::start(2).await;
    let room = format!("room/{}", call.voice);
    let asked = &call.cluster.nodes[1];
    // It is not known at once that the other node takes rooms.
    let migrate = ["actor", "migrate", &room, "--to", "n0"];
    soon("a room that moves", async {
        while !asked.run(&migrate).await.status.success() {}
    })
    .await;
    assert_eq!(call.ben_voice.closed().await, Some(4015));
    assert_eq!(call.ada_voice.closed().await, Some(4015));
    call.ben_follows().await;
    let shown = call.cluster.nodes[1].asked(&["actor", "show", &room]).await;
    assert_eq!(shown["row"]["node"], "n0");
}
