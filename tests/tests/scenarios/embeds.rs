//! Embeds.

use rookery_tests::harness::{Community, Node, id};
use serde_json::{Value, json};

#[tokio::test]
async fn embeds_are_shown_replaced_and_hidden() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let mut sees = ben.connect(&node).await;
    let embed = json!({
        "title": "Rooks", "description": "black birds", "url": "https://example.org/rooks",
        "color": 255, "timestamp": "2026-11-23T05:41:00Z", "fields": [{ "name": "n", "value": "v" }],
    });
    let body = json!({ "embeds": [embed] });
    let sent = ben.http.post(&community.messages(), body).await.expect(200);
    let seen = sees
        .wait_for("MESSAGE_CREATE", |m| m["id"] == sent["id"])
        .await;
    assert_eq!(seen["embeds"], sent["embeds"]);
    assert_eq!(seen["embeds"][0]["title"], "Rooks");
    assert_eq!(seen["embeds"][0]["type"], "rich");
    assert_eq!(seen["embeds"][0]["fields"][0]["inline"], false);
    assert_eq!(
        seen["embeds"][0]["timestamp"],
        "2026-11-23T05:41:00.000000+00:00"
    );

    let path = format!("{}/{}", community.messages(), id(&sent));
    let edited = ben
        .http
        .patch(&path, json!({ "embed": { "title": "Crows" } }))
        .await;
    assert_eq!(edited.expect(200)["embeds"][0]["title"], "Crows");
    ben.http
        .patch(&path, json!({ "embeds": [] }))
        .await
        .refused(400, 50006);
    // A moderator hides the embeds of others, and nothing else.
    ada.http
        .patch(&path, json!({ "content": "x" }))
        .await
        .refused(403, 50005);
    let hidden = ada
        .http
        .patch(&path, json!({ "flags": 4 }))
        .await
        .expect(200);
    assert_eq!(
        (&hidden["embeds"], &hidden["flags"]),
        (&json!([]), &json!(4))
    );
    let shown = ben
        .http
        .patch(&path, json!({ "flags": 0 }))
        .await
        .expect(200);
    assert_eq!(shown["embeds"][0]["title"], "Crows");

    let everyone = format!("/guilds/{0}/roles/{0}", community.group);
    let form = json!({ "permissions": (1u64 << 10 | 1 << 11 | 1 << 16).to_string() });
    ada.http.patch(&everyone, form).await.expect(200);
    let body = json!({ "content": "look", "embeds": [embed] });
    let sent = ben.http.post(&community.messages(), body).await.expect(200);
    assert_eq!(sent["embeds"], json!([]));
    let body = json!({ "embeds": [embed] });
    ben.http
        .post(&community.messages(), body)
        .await
        .refused(403, 50013);
}

#[tokio::test]
async fn embeds_over_their_limits_are_refused() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let post = async |embeds: Value| {
        let body = json!({ "content": "x", "embeds": embeds });
        community.ada.http.post(&community.messages(), body).await
    };
    let x = |n: usize| "x".repeat(n);
    let table = [
        (json!([{ "title": x(257) }]), "embeds.0.title"),
        (json!([{ "description": x(4_097) }]), "embeds.0.description"),
        (
            json!([{ "title": "t" }, { "url": "javascript:x", "title": "t" }]),
            "embeds.1.url",
        ),
        (
            json!([{ "title": "t", "image": { "url": "file:///etc/passwd" } }]),
            "embeds.0.image.url",
        ),
        (
            json!([{ "title": "t", "timestamp": "now" }]),
            "embeds.0.timestamp",
        ),
        (json!([{}]), "embeds.0.description"),
        (json!(vec![json!({ "title": "t" }); 11]), "embeds"),
        (json!(vec![json!({ "description": x(4_000) }); 2]), "embeds"),
        (json!("x"), "embeds"),
        (json!([7]), "embeds.0"),
    ];
    for (embeds, path) in table {
        post(embeds).await.bad_field(path);
    }
    post(json!([{ "description": x(4_096) }, { "title": x(256) }]))
        .await
        .expect(200);
}
