//! People, and a small community: two of them in one group.

use serde_json::{Value, json};

use super::{Answer, Gateway, Http, Node, id};

/// The password of everybody.
pub const PASSWORD: &str = "correct horse battery";

/// Somebody with an account and an open login.
#[derive(Debug, Clone)]
pub struct Person {
    /// His user id.
    pub id: String,
    /// His username.
    pub name: String,
    /// His access token.
    pub token: String,
    /// His refresh token.
    pub refresh: String,
    /// A client with the access token.
    pub http: Http,
}

impl Person {
    /// Makes an account.
    pub async fn register(node: &Node, name: &str) -> Self {
        let form = json!({ "username": name, "password": PASSWORD });
        let answer = node.http().post("/auth/register", form).await;
        Self::from_tokens(node, name, &answer.expect(201))
    }

    /// Opens another login.
    pub async fn login(node: &Node, name: &str) -> Self {
        let answer = Self::try_login(node, name, PASSWORD).await;
        Self::from_tokens(node, name, &answer.expect(200))
    }

    /// Tries to log in.
    pub async fn try_login(node: &Node, name: &str, password: &str) -> Answer {
        let form = json!({ "login": name, "password": password });
        node.http().post("/auth/login", form).await
    }

    /// The holder of the tokens in an answer.
    pub fn from_tokens(node: &Node, name: &str, tokens: &Value) -> Self {
        let text = |key: &str| {
            let value = tokens[key].as_str();
            value
                .unwrap_or_else(|| panic!("no {key} in {tokens}"))
                .to_owned()
        };
        assert!(
            tokens["expires_in"].as_u64().is_some_and(|s| s > 0),
            "{tokens}"
        );
        let token = text("token");
        Self {
            id: text("user_id"),
            name: name.to_owned(),
            http: node.http().with_token(&token),
            token,
            refresh: text("refresh_token"),
        }
    }

    /// The same person at a server that was started again.
    pub fn at(&mut self, node: &Node) {
        self.http = node.http().with_token(&self.token);
    }

    /// Identifies a session and waits until its groups are there.
    pub async fn connect(&self, node: &Node) -> Gateway {
        Gateway::identify(node, &self.token).await
    }

    /// Makes a group; answers it and its first text channel.
    pub async fn create_group(&self, name: &str) -> (String, String) {
        let group = self.http.post("/guilds", json!({ "name": name })).await;
        let group = id(&group.expect(201));
        let channels = self.http.get(&format!("/guilds/{group}/channels")).await;
        let channels = channels.expect(200);
        let text = channels
            .as_array()
            .and_then(|all| all.iter().find(|channel| channel["type"] == 0))
            .unwrap_or_else(|| panic!("no text channel in {channels}"));
        (group, id(text))
    }

    /// Makes an invite.
    pub async fn invite(&self, channel: &str) -> String {
        let invite = self
            .http
            .post(&format!("/channels/{channel}/invites"), json!({}))
            .await
            .expect(200);
        invite["code"].as_str().expect("a code").to_owned()
    }

    /// Takes an invite.
    pub async fn accept(&self, code: &str) {
        let answer = self.http.post(&format!("/invites/{code}"), json!({})).await;
        answer.expect(200);
    }

    /// Asks another to be friends, who accepts.
    pub async fn befriend(&self, other: &Self) {
        for (one, two) in [(self, other), (other, self)] {
            let path = format!("/users/@me/relationships/{}", two.id);
            one.http.put(&path, json!({ "type": 1 })).await.expect(204);
        }
    }

    /// Opens the direct channel with another; answers its id.
    pub async fn open_direct(&self, other: &str) -> String {
        let form = json!({ "recipient_id": other });
        id(&self
            .http
            .post("/users/@me/channels", form)
            .await
            .expect(200))
    }

    /// An application with a bot that is granted everything; answers its id and token.
    pub async fn create_bot(&self, name: &str) -> (String, String) {
        let all = ["GUILD_MEMBERS", "GUILD_PRESENCES", "MESSAGE_CONTENT"];
        self.create_bot_with(name, &all).await
    }

    /// An application with a bot that is granted these privileged intents; answers its id and token.
    pub async fn create_bot_with(&self, name: &str, granted: &[&str]) -> (String, String) {
        let form = json!({ "name": name, "privileged_intents": granted });
        let application = self.http.post("/applications", form).await;
        let application = id(&application.expect(201));
        let bot = self
            .http
            .post(&format!("/applications/{application}/bot"), json!({}))
            .await
            .expect(200);
        let token = bot["token"].as_str().expect("a token").to_owned();
        (application, token)
    }

    /// Adds a bot to a group.
    pub async fn authorize(&self, application: &str, group: &str, permissions: &str) -> Answer {
        let path = format!("/oauth2/authorize?client_id={application}&scope=bot");
        let form = json!({ "guild_id": group, "permissions": permissions, "authorize": true });
        self.http.post(&path, form).await
    }
}

/// Ada owns a group; Ben joined it by an invite.
#[derive(Debug)]
pub struct Community {
    /// The owner.
    pub ada: Person,
    /// The other member.
    pub ben: Person,
    /// The group.
    pub group: String,
    /// Its text channel.
    pub channel: String,
}

impl Community {
    /// Sets it up.
    pub async fn new(node: &Node) -> Self {
        let ada = Person::register(node, "ada").await;
        let ben = Person::register(node, "ben").await;
        let (group, channel) = ada.create_group("Rooks").await;
        ben.accept(&ada.invite(&channel).await).await;
        Self {
            ada,
            ben,
            group,
            channel,
        }
    }

    /// What the channel's history holds from the start: that Ben joined.
    pub async fn first_message(&self) -> String {
        let history = self.ada.http.get(&self.messages()).await.expect(200);
        let messages = history.as_array().expect("messages");
        assert_eq!(messages.len(), 1, "{history}");
        assert_eq!(messages[0]["type"], 7);
        assert_eq!(messages[0]["author"]["id"], self.ben.id);
        id(&messages[0])
    }

    /// A path under the text channel.
    pub fn messages(&self) -> String {
        format!("/channels/{}/messages", self.channel)
    }

    /// Everybody goes on at a server that was started again.
    pub fn at(&mut self, node: &Node) {
        self.ada.at(node);
        self.ben.at(node);
    }
}
