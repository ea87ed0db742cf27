//! The API over a node in memory: what needs settings of its own, or headers that real clients rarely send.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use axum::body::Body;
use axum::http::{Method, Request, Response};
use http_body_util::BodyExt;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use rookery_actors::entity::{Clock, Publisher};
use rookery_actors::store::SharedStore;
use rookery_actors::store::memory::MemoryStore;
use serde_json::{Value, json};

use super::client::Peer;
use crate::config::{Config, Registration};
use crate::gateway::Gateway;
use crate::node::Node;
use crate::relay::{Hub, NodeName, Nowhere};

/// A node in memory, without sockets.
struct Server {
    node: Node,
    routes: TowerToHyperService<axum::Router>,
}

/// An answer.
struct Answer {
    status: u16,
    headers: axum::http::HeaderMap,
    body: Value,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self {
            status,
            headers,
            body,
        }
    }

    #[track_caller]
    fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.body);
        self.body
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The code of the first fault of a field.
    fn fault(&self, path: &str) -> Value {
        assert_eq!(self.body["code"], 50035, "{}", self.body);
        let errors = &self.body["errors"];
        path.split('.').fold(errors, |node, key| &node[key])["_errors"][0]["code"].clone()
    }
}

impl Server {
    async fn start(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::default();
        config.limits.enabled = false;
        change(&mut config);
        Self::on(Arc::new(MemoryStore::new()), config).await
    }

    async fn on(store: SharedStore, config: Config) -> Self {
        let (hub, inboxes) = Hub::new(1);
        let publisher = Arc::clone(&hub) as Arc<dyn Publisher>;
        let node = Node::alone(config, store, publisher).await;
        let name = NodeName {
            node: "n".into(),
            incarnation: 1,
        };
        let world = Arc::new(node.app.clone());
        let clock = Arc::clone(&node.app.clock) as Arc<dyn Clock>;
        let gateway =
            Gateway::start(hub, inboxes, Arc::new(Nowhere), world, clock, name, None).unwrap();
        let routes = TowerToHyperService::new(super::router(&node.app, &gateway));
        Self { node, routes }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = match body {
            Some(body) => {
                request = request.header("content-type", "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).unwrap();
        request.extensions_mut().insert(Peer {
            address: ([10, 0, 0, 1], 1).into(),
            is_tls: false,
        });
        Answer::of(self.routes.call(request).await.unwrap()).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        let path = format!("/api/v10{path}");
        let headers = [("authorization", token)];
        let headers = if token.is_empty() {
            &headers[..0]
        } else {
            &headers
        };
        self.send(Method::POST, &path, headers, Some(body)).await
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        let path = format!("/api/v10{path}");
        self.send(Method::GET, &path, &[("authorization", token)], None)
            .await
    }

    /// The token of a new account.
    async fn register(&self, name: &str) -> String {
        let form = json!({ "username": name, "password": "correct horse" });
        let tokens = self.post("/auth/register", "", form).await.expect(201);
        tokens["token"].as_str().unwrap().to_owned()
    }

    /// A new group's id and its text channel.
    async fn group(&self, token: &str) -> (String, String) {
        let group = self
            .post("/guilds", token, json!({ "name": "Rooks" }))
            .await;
        let group = group.expect(201)["id"].as_str().unwrap().to_owned();
        let channels = self.get(&format!("/guilds/{group}/channels"), token).await;
        let channels = channels.expect(200);
        let mut channels = channels.as_array().unwrap().iter();
        let text = channels.find(|channel| channel["type"] == 0).unwrap();
        (group, text["id"].as_str().unwrap().to_owned())
    }
}

#[tokio::test]
async fn registration_by_invite_needs_one_and_brings_into_its_group() {
    let open = Server::start(|_| {}).await;
    let ada = open.register("ada").await;
    let (group, channel) = open.group(&ada).await;
    let path = format!("/channels/{channel}/invites");
    let code = open
        .post(&path, &ada, json!({ "max_uses": 1 }))
        .await
        .expect(200)["code"]
        .clone();
    // The same store, restarted with another setting.
    let mut config = (*open.node.app.config).clone();
    config.registration = Registration::Invite;
    open.node.shutdown().await;
    let server = Server::on(Arc::clone(&open.node.app.store), config).await;

    let form =
        |invite: Value| json!({ "username": "ben", "password": "correct horse", "invite": invite });
    let register = async |invite| server.post("/auth/register", "", form(invite)).await;
    assert_eq!(
        register(Value::Null).await.fault("invite"),
        "BASE_TYPE_REQUIRED"
    );
    for wrong in [
        json!("nosuchcode"),
        json!(""),
        json!("a\0b"),
        json!("x".repeat(500)),
    ] {
        assert_eq!(register(wrong).await.fault("invite"), "INVITE_CODE_INVALID");
    }
    let ben = register(code.clone()).await.expect(201)["token"].clone();
    let groups = server.get("/users/@me/guilds", ben.as_str().unwrap()).await;
    assert_eq!(groups.expect(200)[0]["id"], group);
    // It was for one.
    let form = json!({ "username": "cleo", "password": "correct horse", "invite": code });
    let cleo = server.post("/auth/register", "", form).await;
    assert_eq!(cleo.fault("invite"), "INVITE_CODE_INVALID");
}

#[tokio::test]
async fn a_cookie_is_secure_when_a_trusted_proxy_says_that_the_client_is() {
    let form = json!({ "username": "ada", "password": "correct horse", "cookie": true });
    for (trusted, is_secure) in [("10.0.0.0/8", true), ("192.0.2.0/24", false)] {
        let server = Server::start(|c| c.trusted_proxies = vec![trusted.parse().unwrap()]).await;
        let headers = [
            ("x-forwarded-proto", "https"),
            ("x-forwarded-for", "203.0.113.9"),
        ];
        let path = "/api/auth/register";
        let answer = server
            .send(Method::POST, path, &headers, Some(form.clone()))
            .await;
        let cookie = answer.header("set-cookie").to_owned();
        assert!(
            cookie.contains("; HttpOnly; SameSite=Strict; Path=/api; Max-Age="),
            "{cookie}"
        );
        assert_eq!(cookie.ends_with("; Secure"), is_secure, "{cookie}");
        let token = answer.expect(201)["token"].as_str().unwrap().to_owned();
        let sessions = server.get("/auth/sessions", &token).await.expect(200);
        let address = if is_secure { "203.0.113.9" } else { "10.0.0.1" };
        assert_eq!(sessions["sessions"][0]["address"], address);
        let logout = server.post("/auth/logout", &token, json!({})).await;
        assert_eq!(logout.status, 204);
        assert!(
            logout.header("set-cookie").contains("=; "),
            "the cookie is deleted"
        );
        assert!(logout.header("set-cookie").contains("Max-Age=0"));
    }
}

#[tokio::test]
async fn every_answer_is_exactly_json_and_keeps_browsers_safe() {
    let server = Server::start(|c| c.cors_origins = vec!["https://web.example".into()]).await;
    for (method, path, status) in [
        (Method::GET, "/healthz", 200),
        (Method::GET, "/readyz", 200),
        (Method::GET, "/api/gateway", 200),
        (Method::GET, "/api/v9/users/@me", 401),
        (Method::GET, "/api/v10/nothing", 404),
        (Method::GET, "/api/v8/gateway", 400),
        (Method::PUT, "/api/v10/users/@me", 405),
        (Method::GET, "/nothing", 404),
    ] {
        let answer = server.send(method, path, &[], None).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.header("content-type"), "application/json", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert!(answer.body.is_object(), "{path}");
    }
    let preflight = async |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "PATCH"),
        ];
        server
            .send(Method::OPTIONS, "/api/v10/users/@me", &headers, None)
            .await
    };
    let ours = preflight("https://web.example").await;
    assert_eq!(ours.status, 204);
    assert_eq!(
        ours.header("access-control-allow-origin"),
        "https://web.example"
    );
    assert!(
        ours.header("access-control-allow-methods")
            .contains("PATCH")
    );
    let theirs = preflight("https://evil.example").await;
    assert_eq!(theirs.header("access-control-allow-origin"), "");

    server.node.app.is_draining.store(true, Relaxed);
    let answer = server.send(Method::GET, "/readyz", &[], None).await;
    assert_eq!(answer.status, 503);
    let answer = server.send(Method::GET, "/healthz", &[], None).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn replies_and_mentions_follow_what_the_sender_allows() {
    let server = Server::start(|_| {}).await;
    let ada = server.register("ada").await;
    let (_, channel) = server.group(&ada).await;
    let me = server.get("/users/@me", &ada).await.expect(200)["id"].clone();
    let path = format!("/channels/{channel}/messages");
    let post = async |body: Value| server.post(&path, &ada, body).await;
    let first = post(json!({ "content": "first" })).await.expect(200)["id"].clone();
    let mentioned = |message: &Value| message["mentions"].as_array().unwrap().len();

    let reply = json!({ "content": "re", "message_reference": { "message_id": first } });
    let reply = post(reply).await.expect(200);
    assert_eq!((&reply["type"], mentioned(&reply)), (&json!(19), 1));
    assert_eq!(reply["referenced_message"]["content"], "first");
    let silent = json!({
        "content": "re", "message_reference": { "message_id": first }, "allowed_mentions": { "parse": [] },
    });
    let silent = post(silent).await.expect(200);
    assert_eq!((&silent["type"], mentioned(&silent)), (&json!(19), 0));
    let content = format!("<@{}>", me.as_str().unwrap());
    let nobody = json!({ "content": content, "allowed_mentions": { "users": [] } });
    assert_eq!(mentioned(&post(nobody).await.expect(200)), 0);
    let listed = json!({ "content": content, "allowed_mentions": { "users": [me] } });
    assert_eq!(mentioned(&post(listed).await.expect(200)), 1);

    let gone = json!({ "message_id": "7" });
    let refused = post(json!({ "content": "re", "message_reference": gone })).await;
    assert_eq!(
        refused.fault("message_reference"),
        "MESSAGE_REFERENCE_UNKNOWN_MESSAGE"
    );
    let gone = json!({ "message_id": "7", "fail_if_not_exists": false });
    let plain = post(json!({ "content": "re", "message_reference": gone })).await;
    assert_eq!(plain.expect(200)["type"], 0);
}

#[tokio::test]
async fn a_cookie_refreshes_and_a_stolen_old_one_ends_the_login() {
    let server = Server::start(|_| {}).await;
    let form = json!({ "username": "ada", "password": "correct horse", "cookie": true });
    let answer = server.post("/auth/register", "", form).await;
    let first = answer
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let refresh = async |cookie: &str| {
        let headers = [("cookie", cookie)];
        server
            .send(Method::POST, "/api/v10/auth/refresh", &headers, None)
            .await
    };
    let second = refresh(&first).await;
    let cookie = second
        .header("set-cookie")
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let token = second.expect(200)["token"].as_str().unwrap().to_owned();
    assert_eq!(server.get("/users/@me", &token).await.status, 200);
    assert_eq!(refresh(&first).await.status, 401);
    assert_eq!(refresh(&cookie).await.status, 401);
    assert_eq!(server.get("/users/@me", &token).await.status, 401);
}
