//! A cut connection is resumed without a loss or a repetition; what cannot be resumed says so.

use rookery_tests::harness::{Community, Event, Gateway, Node, Person, Received, Resumption};

/// The contents of the messages among some events.
fn contents(events: &[Event]) -> Vec<String> {
    let messages = events.iter().filter(|event| event.name == "MESSAGE_CREATE");
    messages
        .map(|event| {
            event.data["content"]
                .as_str()
                .expect("a content")
                .to_owned()
        })
        .collect()
}

#[tokio::test]
async fn what_was_missed_is_replayed_once_and_in_order() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    community.ada.http.say(&community.channel, "before").await;
    ben_sees.message("before").await;
    let session = ben_sees.cut();
    let expected: Vec<String> = (0..500).map(|n| format!("missed {n}")).collect();
    for content in &expected {
        community.ada.http.say(&community.channel, content).await;
    }
    // The harness itself checks that the numbers go on without a gap.
    let mut ben_sees = session.resume().await;
    assert_eq!(contents(&ben_sees.take()), expected);
    community.ada.http.say(&community.channel, "after").await;
    assert_eq!(
        contents(&ben_sees.until_message("after").await),
        Vec::<String>::new()
    );

    // A client that had processed less than the server sent gets that part again, numbered as before.
    let mut session = ben_sees.cut();
    session.seq -= 1;
    let mut ben_sees = session.resume().await;
    let replayed = ben_sees.take();
    assert_eq!(contents(&replayed), ["after"]);
}

#[tokio::test]
async fn cut_again_and_again_under_traffic_nothing_is_lost_or_doubled() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ben_sees = community.ben.connect(&node).await;
    let (http, channel) = (community.ada.http.clone(), community.channel.clone());
    let writer = tokio::spawn(async move {
        for n in 0..300 {
            http.say(&channel, &format!("line {n}")).await;
        }
    });
    let mut seen = Vec::new();
    while seen.len() < 300 {
        for _ in 0..25.min(300 - seen.len()) {
            match ben_sees.receive().await {
                Received::Event(event) if event.name == "MESSAGE_CREATE" => {
                    seen.push(event.data["content"].as_str().unwrap().to_owned());
                }
                Received::Event(event) => assert_eq!(event.name, "RESUMED"),
                other => panic!("{other:?}"),
            }
        }
        // Unread events were received, so that their numbers count.
        let unread = ben_sees.take();
        seen.extend(contents(&unread));
        ben_sees = ben_sees.cut().resume().await;
    }
    writer.await.unwrap();
    let expected: Vec<String> = (0..300).map(|n| format!("line {n}")).collect();
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_resume_that_cannot_be_is_answered_with_invalid_session() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let session = community.ben.connect(&node).await.cut();

    let mut other = session.clone();
    other.session = "no such session".to_owned();
    other.is_gone().await;
    // Every single character of the id counts.
    for place in 0..session.session.len() {
        let mut forged = session.session.clone().into_bytes();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        if place % 7 == 0 {
            other.session = String::from_utf8(forged).expect("ASCII");
            other.is_gone().await;
        }
    }
    let mut ahead = session.clone();
    ahead.seq += 1;
    match ahead.try_resume().await {
        Resumption::Closed(Some(4007)) | Resumption::Invalid(false) => {}
        other => panic!("{other:?}"),
    }
    let mut anothers = session.clone();
    anothers.token.clone_from(&community.ada.token);
    match anothers.try_resume().await {
        Resumption::Invalid(false) | Resumption::Closed(Some(4004)) => {}
        other => panic!("{other:?}"),
    }
    let mut tokenless = session.clone();
    tokenless.token = "nonsense".to_owned();
    match tokenless.try_resume().await {
        Resumption::Closed(Some(4004)) => {}
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_failed_attempt_with_a_foreign_token_leaves_the_session_resumable() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let session = community.ben.connect(&node).await.cut();
    let mut anothers = session.clone();
    anothers.token.clone_from(&community.ada.token);
    let _ = anothers.try_resume().await;
    session.resume().await.heartbeat().await;
}

#[tokio::test]
async fn a_resume_takes_over_a_live_socket() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut first = community.ben.connect(&node).await;
    let mut second = first.state.resume().await;
    first.closed().await;
    community
        .ada
        .http
        .say(&community.channel, "to the second")
        .await;
    second.message("to the second").await;
}

#[tokio::test]
async fn a_normal_close_ends_the_session_and_any_other_keeps_it() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    for code in [1000, 1001] {
        ada.connect(&node).await.close(code).await.is_gone().await;
    }
    for code in [4000, 4900] {
        ada.connect(&node)
            .await
            .close(code)
            .await
            .resume()
            .await
            .heartbeat()
            .await;
    }
}

#[tokio::test]
async fn a_session_that_was_given_up_can_be_identified_anew_on_the_same_socket() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let gone = community.ben.connect(&node).await.close(1000).await;
    let mut again = Gateway::connect(&node).await;
    let resume =
        serde_json::json!({ "token": gone.token, "session_id": gone.session, "seq": gone.seq });
    again.send(6, resume).await;
    assert_eq!(again.control(9).await, false);
    again
        .send_identify(serde_json::json!({ "token": gone.token, "intents": 513 }))
        .await;
    again.become_ready().await;
    community
        .ada
        .http
        .say(&community.channel, "here again")
        .await;
    again.message("here again").await;
}

#[tokio::test]
async fn what_changed_meanwhile_is_replayed_too() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let session = community.ben.connect(&node).await.cut();
    let (second, channel) = community.ada.create_group("Second").await;
    community
        .ben
        .accept(&community.ada.invite(&channel).await)
        .await;
    let sent = community
        .ada
        .http
        .say(&channel, "in the second group")
        .await;
    let mut ben_sees = session.resume().await;
    let group = ben_sees
        .wait_for("GUILD_CREATE", |group| group["id"] == second)
        .await;
    // Sent before the group was there for him, it is in the picture; sent after, it follows.
    let channels = group["channels"].as_array().expect("channels");
    if !channels
        .iter()
        .any(|shown| shown["last_message_id"] == sent["id"])
    {
        ben_sees.message("in the second group").await;
    }
    community.ada.http.say(&channel, "next").await;
    ben_sees.message("next").await;
}
