//! Sessions that go on at another node: nothing is missed, nothing comes twice, and nobody takes somebody else's.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rookery_tests::harness::{
    Cluster, Event, Gateway, Person, Received, Resumable, Resumption, id,
};
use serde_json::json;

/// A community of two: ada, whose session moves, and ben, who writes.
struct Stage {
    cluster: Cluster,
    ada: Person,
    ben: Person,
    group: String,
    channel: String,
}

impl Stage {
    /// With ada's session at the first node.
    async fn new(nodes: usize) -> (Self, Gateway) {
        let cluster = Cluster::start(nodes).await;
        let ada = Person::register(&cluster.nodes[0], "ada").await;
        let ben = Person::register(&cluster.nodes[1], "ben").await;
        let (group, channel) = ben.create_group("Rooks").await;
        ada.accept(&ben.invite(&channel).await).await;
        let at_ada = ada.connect(&cluster.nodes[0]).await;
        let stage = Self {
            cluster,
            ada,
            ben,
            group,
            channel,
        };
        (stage, at_ada)
    }

    async fn say(&self, from: usize, to: usize) {
        for n in from..to {
            self.ben.http.say(&self.channel, &n.to_string()).await;
        }
    }

    fn at(&self, session: &Resumable, n: usize) -> Resumable {
        session.at(&self.cluster.nodes[n])
    }

    /// Hides the channel from everybody but its owner, or shows it.
    async fn hide(&self, is_hidden: bool) {
        let path = format!("/channels/{}/permissions/{}", self.channel, self.group);
        let deny = if is_hidden { "1024" } else { "0" };
        let overwrite = json!({ "type": 0, "allow": "0", "deny": deny });
        self.ben.http.put(&path, overwrite).await.expect(204);
    }
}

fn contents(events: &[Event]) -> Vec<String> {
    let messages = events.iter().filter(|event| event.name == "MESSAGE_CREATE");
    messages
        .map(|event| event.data["content"].as_str().unwrap().to_owned())
        .filter(|content| !content.is_empty())
        .collect()
}

fn numbers(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

/// Every message of a range, once and in order; the harness has checked that numbers are dense.
async fn hears(session: &mut Gateway, range: std::ops::Range<usize>) {
    let last = (range.end - 1).to_string();
    let mut heard = contents(&session.until_message(&last).await);
    heard.push(last);
    assert_eq!(heard, numbers(range));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_goes_on_at_any_node_with_its_numbers() {
    let (stage, mut at_ada) = Stage::new(3).await;
    stage.say(0, 5).await;
    hears(&mut at_ada, 0..5).await;
    let mut at = 5;
    // To another node, there again, to a third one, and back; cut off and not.
    for (n, is_cut) in [
        (1, true),
        (1, true),
        (2, false),
        (0, true),
        (0, false),
        (1, false),
    ] {
        let session = at_ada.state.clone();
        let old = if is_cut {
            at_ada.cut();
            None
        } else {
            Some(at_ada)
        };
        if is_cut {
            stage.say(at, at + 3).await;
        }
        at_ada = stage.at(&session, n).resume().await;
        if let Some(mut old) = old {
            assert_eq!(old.closed().await, Some(4000), "the other socket is closed");
            stage.say(at, at + 3).await;
        }
        stage.say(at + 3, at + 5).await;
        hears(&mut at_ada, at..at + 5).await;
        at += 5;
    }
    // It is one session as before, and ends for good.
    let session = at_ada.close(1000).await;
    for n in 0..3 {
        stage.at(&session, n).is_gone().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_around_a_move_is_seen_as_it_is() {
    let (stage, mut at_ada) = Stage::new(2).await;
    stage.say(0, 1).await;
    hears(&mut at_ada, 0..1).await;
    let session = at_ada.cut();
    // While it is cut off: seen, hidden, not seen, shown, seen.
    stage.say(1, 2).await;
    stage.hide(true).await;
    stage.say(100, 102).await;
    stage.hide(false).await;
    stage.say(2, 3).await;
    let mut at_ada = stage.at(&session, 1).resume().await;
    let events = at_ada.until_message("2").await;
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!(contents(&events), numbers(1..2));
    let gone = names.iter().position(|name| *name == "CHANNEL_DELETE");
    let back = names.iter().position(|name| *name == "CHANNEL_CREATE");
    assert!(gone.is_some() && gone < back, "{names:?}");
    // Afterwards, at its new node, where it is on the group again when it hears something new.
    stage.say(50, 51).await;
    at_ada.until_message("50").await;
    stage.hide(true).await;
    let gone = at_ada.wait_for("CHANNEL_DELETE", |_| true).await;
    assert_eq!(id(&gone), stage.channel);
    stage.say(102, 104).await;
    stage.hide(false).await;
    at_ada.wait_for("CHANNEL_CREATE", |_| true).await;
    stage.say(3, 4).await;
    hears(&mut at_ada, 3..4).await;
    // A group that is new comes to it there; one that is left goes.
    let (group, _) = stage.ada.create_group("More").await;
    at_ada
        .wait_for("GUILD_CREATE", |new| new["id"] == group)
        .await;
    let session = at_ada.cut();
    let left = format!("/users/@me/guilds/{}", stage.group);
    stage.ada.http.delete(&left).await.expect(204);
    let mut at_ada = stage.at(&session, 0).resume().await;
    at_ada
        .wait_for("GUILD_DELETE", |gone| gone["id"] == stage.group)
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_nodes_that_want_a_session_one_has_it() {
    let (stage, at_ada) = Stage::new(3).await;
    let mut session = at_ada.cut();
    for round in 0..6 {
        let (one, other) = (
            stage.at(&session, round % 3),
            stage.at(&session, (round + 1) % 3),
        );
        let (one, other) = tokio::join!(one.try_resume(), other.try_resume());
        stage.say(round, round + 1).await;
        let mut holders = Vec::new();
        for outcome in [one, other] {
            match outcome {
                Resumption::Resumed(mut gateway) => {
                    let last = round.to_string();
                    let has_it = loop {
                        match gateway.receive().await {
                            Received::Event(event) if event.data["content"] == last => break true,
                            Received::Event(_) | Received::Control(..) => {}
                            Received::Closed(_) => break false,
                        }
                    };
                    if has_it {
                        holders.push(gateway);
                    }
                }
                Resumption::Invalid(resumable) => assert!(!resumable),
                Resumption::Closed(code) => assert_eq!(code, Some(4000), "taken over"),
            }
        }
        assert_eq!(holders.len(), 1, "round {round}");
        session = holders.swap_remove(0).cut();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_takes_a_session_that_is_not_his() {
    let (stage, at_ada) = Stage::new(2).await;
    let session = at_ada.state.clone();
    let mut bytes = URL_SAFE_NO_PAD.decode(&session.session).unwrap();
    let secret = 1 + 8 + 8 + 2 + 4 + 4;
    bytes[secret] ^= 1;
    let forged = Resumable {
        session: URL_SAFE_NO_PAD.encode(bytes),
        ..session.clone()
    };
    stage.at(&forged, 1).is_gone().await;
    let foreign = Resumable {
        token: stage.ben.token.clone(),
        ..session.clone()
    };
    stage.at(&foreign, 1).is_gone().await;
    let ahead = Resumable {
        seq: session.seq + 1,
        ..session.clone()
    };
    match stage.at(&ahead, 1).try_resume().await {
        Resumption::Closed(Some(4007)) => {}
        other => panic!("{other:?}"),
    }
    // It is as it was.
    let mut at_ada = at_ada;
    stage.say(0, 2).await;
    hears(&mut at_ada, 0..2).await;
}
