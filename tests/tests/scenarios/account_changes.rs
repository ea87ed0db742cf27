//! An account changes: its name, address and password; and it ends, while what it wrote stays readable.

use rookery_tests::harness::{Community, Node, PASSWORD, Person, id};
use serde_json::{Value, json};

const ME: &str = "/users/@me";
const END: &str = "/users/@me/delete";

#[tokio::test]
async fn a_new_username_is_seen_by_all_and_the_old_one_is_free() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    ada.befriend(ben).await;
    ada.http.say(&community.channel, "mine").await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;
    let form = json!({ "username": "countess", "password": PASSWORD });
    let changed = ada.http.patch(ME, form).await.expect(200);
    assert_eq!(changed["username"], "countess");
    let is_new = |user: &Value| user["username"] == "countess";
    ada_sees.wait_for("USER_UPDATE", is_new).await;
    ben_sees
        .wait_for("GUILD_MEMBER_UPDATE", |one| is_new(&one["user"]))
        .await;
    ben_sees
        .wait_for("RELATIONSHIP_UPDATE", |one| is_new(&one["user"]))
        .await;
    let history = ben.http.get(&community.messages()).await.expect(200);
    assert_eq!(history[0]["author"]["username"], "countess");
    Person::login(&node, "countess").await;
    assert_eq!(Person::try_login(&node, "ada", PASSWORD).await.status, 400);
    let new_ada = Person::register(&node, "ada").await;
    assert_ne!(new_ada.id, ada.id);

    let rename = async |form: Value| ada.http.patch(ME, form).await;
    rename(json!({ "username": "ben", "password": PASSWORD }))
        .await
        .bad_field("username");
    rename(json!({ "username": "Not One!", "password": PASSWORD }))
        .await
        .bad_field("username");
    rename(json!({ "username": "deleted_user_1", "password": PASSWORD }))
        .await
        .bad_field("username");
    rename(json!({ "username": null, "password": PASSWORD }))
        .await
        .bad_field("username");
    for form in [
        json!({ "username": "other" }),
        json!({ "username": "other", "password": "wrong" }),
        json!({ "email": "a@example.org", "password": "x".repeat(1_000) }),
        json!({ "new_password": "long enough", "password": null }),
    ] {
        let answer = rename(form).await;
        answer.bad_field("password");
        let code = &answer.body["errors"]["password"]["_errors"][0]["code"];
        assert_eq!(code, "PASSWORD_DOES_NOT_MATCH");
    }
    rename(json!({ "new_password": "short", "password": PASSWORD }))
        .await
        .bad_field("new_password");
    rename(json!({ "email": "no address", "password": PASSWORD }))
        .await
        .bad_field("email");
    // What is as it was needs no password.
    rename(json!({ "username": "countess" })).await.expect(200);
    let own = ada.http.get(ME).await.expect(200);
    assert_eq!(
        (&own["username"], &own["email"]),
        (&json!("countess"), &Value::Null)
    );
    let form = json!({ "email": "a@example.org", "password": PASSWORD });
    assert_eq!(rename(form).await.expect(200)["email"], "a@example.org");
}

#[tokio::test]
async fn a_new_password_closes_the_other_logins() {
    let mut node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let phone = Person::login(&node, "ada").await;
    let mut phone_sees = phone.connect(&node).await;
    let mut own = ada.connect(&node).await;
    let form = json!({ "password": PASSWORD, "new_password": "another good one" });
    let changed = ada.http.patch(ME, form).await.expect(200);
    let token = changed["token"].as_str().expect("a token");
    assert_eq!(phone_sees.closed().await, Some(4004));
    assert_eq!(phone.http.get(ME).await.status, 401);
    own.heartbeat().await;
    for token in [token, &ada.token] {
        node.http().with_token(token).get(ME).await.expect(200);
    }
    node.kill();
    node.restart().await;
    assert_eq!(Person::try_login(&node, "ada", PASSWORD).await.status, 400);
    Person::try_login(&node, "ada", "another good one")
        .await
        .expect(200);
}

#[tokio::test]
async fn a_deleted_account_leaves_its_conversations_readable() {
    let mut node = Node::start().await;
    let mut community = Community::new(&node).await;
    let (ada, mut ben) = (community.ada.clone(), community.ben.clone());
    let dan = Person::register(&node, "dan").await;
    for other in [&ada, &dan] {
        ben.befriend(other).await;
    }
    let form = json!({ "recipients": [ada.id, dan.id] });
    let few = id(&ben.http.post("/users/@me/channels", form).await.expect(200));
    let pair = ben.open_direct(&ada.id).await;
    for channel in [&community.channel, &few, &pair] {
        ben.http.say(channel, "remember me").await;
    }
    let (application, token) = ben.create_bot("Rook").await;
    ada.authorize(&application, &community.group, "0")
        .await
        .expect(200);
    let bot = node.http().with_token(&format!("Bot {token}"));
    bot.say(&community.channel, "beep").await;
    let mut ada_sees = ada.connect(&node).await;
    let mut ben_sees = ben.connect(&node).await;

    for form in [json!({}), json!({ "password": "wrong" })] {
        ben.http.post(END, form).await.bad_field("password");
    }
    bot.post(END, json!({ "password": PASSWORD }))
        .await
        .refused(403, 20001);
    ada.http
        .post(END, json!({ "password": PASSWORD }))
        .await
        .refused(400, 40011);
    ben.http
        .post(END, json!({ "password": PASSWORD }))
        .await
        .expect(204);
    assert_eq!(ben_sees.closed().await, Some(4004));
    let left = |user: &str| {
        let user = user.to_owned();
        move |one: &Value| one["user"]["id"] == user
    };
    ada_sees
        .wait_for("GUILD_MEMBER_REMOVE", left(&application))
        .await;
    ada_sees
        .wait_for("GUILD_MEMBER_REMOVE", left(&ben.id))
        .await;
    ada_sees
        .wait_for("RELATIONSHIP_REMOVE", |one| one["id"] == ben.id)
        .await;
    ada_sees
        .wait_for("CHANNEL_RECIPIENT_REMOVE", left(&ben.id))
        .await;

    for _ in 0..2 {
        for answer in [
            ben.http.get(ME).await,
            ben.http.post(END, json!({ "password": PASSWORD })).await,
            node.http()
                .with_token(&format!("Bot {token}"))
                .get(ME)
                .await,
        ] {
            assert_eq!(answer.status, 401, "{}", answer.text);
        }
        assert_eq!(Person::try_login(&node, "ben", PASSWORD).await.status, 400);
        let refresh = json!({ "refresh_token": ben.refresh });
        assert_eq!(node.http().post("/auth/refresh", refresh).await.status, 401);
        let ada = &community.ada;
        for channel in [&community.channel, &few, &pair] {
            let history = ada
                .http
                .get(&format!("/channels/{channel}/messages"))
                .await
                .expect(200);
            let all = history.as_array().unwrap();
            let said = all
                .iter()
                .find(|one| one["content"] == "remember me")
                .expect("his words");
            assert_eq!(said["author"]["id"], ben.id);
            assert_eq!(said["author"]["global_name"], "Deleted User");
            assert_eq!(said["author"]["avatar"], Value::Null);
        }
        let path = format!("/channels/{pair}/messages");
        ada.http
            .post(&path, json!({ "content": "?" }))
            .await
            .refused(403, 50007);
        let friend = format!("/users/@me/relationships/{}", ben.id);
        ada.http.put(&friend, json!({})).await.refused(404, 10013);
        assert_eq!(
            ada.http.get("/users/@me/relationships").await.expect(200),
            json!([])
        );
        let owned = ada.http.get(&format!("/channels/{few}")).await.expect(200);
        assert_ne!(owned["owner_id"], ben.id);
        let members = format!("/guilds/{}/members?limit=10", community.group);
        assert_eq!(
            ada.http
                .get(&members)
                .await
                .expect(200)
                .as_array()
                .unwrap()
                .len(),
            1
        );
        node.kill();
        node.restart().await;
        community.at(&node);
        ben.at(&node);
    }
    let again = Person::register(&node, "ben").await;
    assert_ne!(again.id, ben.id);
}

#[tokio::test]
async fn a_bot_is_renamed_by_itself_and_deleted_by_its_owner() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let (ada, ben) = (&community.ada, &community.ben);
    let (application, token) = ada.create_bot("Rook").await;
    ada.authorize(&application, &community.group, "0")
        .await
        .expect(200);
    let bot = node.http().with_token(&format!("Bot {token}"));
    let renamed = bot
        .patch(ME, json!({ "username": "Polly the Second" }))
        .await;
    assert_eq!(renamed.expect(200)["username"], "Polly the Second");
    bot.patch(ME, json!({ "username": "" }))
        .await
        .bad_field("username");
    let mut ben_sees = ben.connect(&node).await;
    let path = format!("/applications/{application}");
    ben.http.delete(&path).await.refused(403, 50001);
    bot.delete(&path).await.refused(403, 20001);
    ada.http
        .delete("/applications/999999999999999999")
        .await
        .refused(404, 10002);
    ada.http
        .delete(&format!("/applications/{}", ada.id))
        .await
        .refused(404, 10002);
    ada.http.delete(&path).await.expect(204);
    ben_sees
        .wait_for("GUILD_MEMBER_REMOVE", |one| {
            one["user"]["id"] == application
        })
        .await;
    assert_eq!(bot.get(ME).await.status, 401);
    ada.http.delete(&path).await.refused(404, 10002);
    assert_eq!(ada.http.get("/applications").await.expect(200), json!([]));
}
