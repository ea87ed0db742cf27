//! Operators of one node: the commands, the admin API, and who may use it.

use rookery_tests::harness::{Community, Node, NodeOptions, Person, id, shape, soon};
use rookery_tests::servers::{Flow, Mongod, Proxy};
use serde_json::{Value, json};

/// Writes a message as a client does: what is answered 503 is sent again.
async fn again(community: &Community, content: &str) -> Value {
    loop {
        let body = json!({ "content": content, "nonce": content, "enforce_nonce": true });
        let answer = community.ada.http.post(&community.messages(), body).await;
        if answer.status != 503 {
            return answer.expect(200);
        }
    }
}

async fn code(node: &Node, arguments: &[&str]) -> (Option<i32>, String) {
    let output = node.run(arguments).await;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), said)
}

#[tokio::test]
async fn every_command_answers_in_json() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let mut ada = community.ada.connect(&node).await;
    let group = format!("group/{}", community.group);
    community.ada.http.say(&community.channel, "hello").await;
    ada.message("hello").await;
    let ben = &community.ben.id;
    let commands: [(&str, Vec<&str>); 14] = [
        ("token_add", vec!["token", "add", "grafana"]),
        ("nodes", vec!["nodes"]),
        ("actors_top", vec!["actors", "top", "--kind", "group"]),
        ("actors_tree", vec!["actors", "tree"]),
        ("actor_show", vec!["actor", "show", &group]),
        ("rooms", vec!["rooms"]),
        ("sessions", vec!["sessions", &community.ada.id]),
        ("token_list", vec!["token", "list"]),
        ("actor_restart", vec!["actor", "restart", &group]),
        ("users_suspend", vec!["users", "suspend", ben]),
        ("users_unsuspend", vec!["users", "unsuspend", ben]),
        ("users_reset", vec!["users", "reset-password", ben]),
        ("token_revoke", vec!["token", "revoke", "grafana"]),
        ("acts", vec!["acts"]),
    ];
    for (name, arguments) in commands {
        let answer = node.asked(&arguments).await;
        insta::assert_json_snapshot!(name, shape(&answer));
    }
    let answer = soon("a group that is idle", async {
        loop {
            let output = node.run(&["actor", "passivate", &group, "--json"]).await;
            if output.status.success() {
                return serde_json::from_slice::<Value>(&output.stdout).unwrap();
            }
        }
    });
    insta::assert_json_snapshot!("actor_passivate", shape(&answer.await));
    // Voice ports that change are something to be told.
    let doctor = node.run(&["doctor", "--json"]).await;
    assert_eq!(doctor.status.code(), Some(1));
    let doctor: Value = serde_json::from_slice(&doctor.stdout).unwrap();
    insta::assert_json_snapshot!("doctor", shape(&doctor));
    // And a text for people, where the same is.
    let output = node.run(&["nodes"]).await;
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("NODE"), "{text}");
    assert!(text.contains("alone"), "{text}");
}

#[tokio::test]
async fn what_is_restarted_goes_on_and_says_why_it_ended() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let group = format!("group/{}", community.group);
    let first = community.ada.http.say(&community.channel, "before").await;
    node.asked(&["actor", "restart", &group]).await;
    let second = again(&community, "after").await;
    let list = community
        .ada
        .http
        .get(&community.messages())
        .await
        .expect(200);
    assert_eq!(list[0]["id"], second["id"]);
    assert_eq!(list[1]["id"], first["id"]);
    let shown = node.asked(&["actor", "show", &group]).await;
    assert_eq!(shown["row"]["restarts"], 1);
    assert_eq!(shown["row"]["last_crash"], "restarted by an operator");
    assert_eq!(shown["state"]["members"], 2);
    let acts = node.asked(&["acts"]).await;
    assert_eq!(acts[0]["by"], "local");
    assert_eq!(acts[0]["act"], json!({ "act": "restart", "actor": group }));
    assert!(
        acts[0]["outcome"]
            .as_str()
            .unwrap()
            .contains("is restarted")
    );
}

#[tokio::test]
async fn a_trace_shows_requests_and_no_bodies() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let group = format!("group/{}", community.group);
    let ada = community.ada.http.clone();
    let path = community.messages();
    let writing = tokio::spawn(async move {
        let mut requests = Vec::new();
        loop {
            let body = json!({ "content": "a secret" });
            let answer = ada.post(&path, body).await;
            requests.push(answer.header("x-request-id").unwrap().to_owned());
            if requests.len() >= 4_000 {
                return requests;
            }
        }
    });
    let output = node
        .run(&["actor", "trace", &group, "--for", "1s", "--json"])
        .await;
    writing.abort();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let parts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let lines: Vec<&Value> = parts
        .iter()
        .flat_map(|part| part["lines"].as_array().unwrap())
        .collect();
    let posted = lines.iter().find(|line| line["kind"] == "PostMessage");
    let posted = posted.unwrap_or_else(|| panic!("{text}"));
    // Which line is the first is chance; some are of no request.
    let mut part = parts[0].clone();
    part["lines"] = json!([posted]);
    insta::assert_json_snapshot!("actor_trace", shape(&part));
    assert_eq!(posted["request"].as_str().unwrap().len(), 16);
    assert!(posted["writes"].as_u64().unwrap() >= 2, "{posted}");
    assert_eq!(posted["events"], 1);
    assert!(!text.contains("secret"));
    let (code, said) = code(&node, &["actor", "trace", "group/1"]).await;
    assert_eq!(code, Some(5), "{said}");
}

#[tokio::test]
async fn a_locked_account_is_out_until_it_is_unlocked() {
    let node = Node::start().await;
    let ben = Person::register(&node, "ben").await;
    let mut session = ben.connect(&node).await;
    node.asked(&["users", "suspend", &ben.id]).await;
    assert_eq!(session.closed().await, Some(4004));
    ben.http.get("/users/@me").await.refused(401, 0);
    let login = Person::try_login(&node, "ben", rookery_tests::harness::PASSWORD).await;
    login.refused(403, 20013);
    node.asked(&["users", "unsuspend", &ben.id]).await;
    let ben = Person::login(&node, "ben").await;
    ben.http.get("/users/@me").await.expect(200);
    let reset = node.asked(&["users", "reset-password", &ben.id]).await;
    ben.http.get("/users/@me").await.refused(401, 0);
    let password = reset["secret"].as_str().unwrap();
    Person::try_login(&node, "ben", password).await.expect(200);
    let (code, said) = code(&node, &["users", "suspend", "5"]).await;
    assert_eq!(code, Some(1), "{said}");
    let acts = node.asked(&["acts"]).await.to_string();
    assert!(!acts.contains(password), "secrets are in no log");
    assert!(!node.log().contains(password));
}

#[tokio::test]
async fn a_backup_is_an_act() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("b");
    let backup = backup.to_str().unwrap();
    let created = node.run(&["backup", "create", backup]).await;
    assert!(created.status.success(), "{created:?}");
    // Written down behind the last byte.
    let act = soon("the outcome of a backup", async {
        loop {
            let acts = node.asked(&["acts"]).await;
            if !acts[0]["outcome"].is_null() {
                return acts[0].clone();
            }
        }
    })
    .await;
    assert_eq!(act["by"], "local");
    assert_eq!(act["act"], json!({ "act": "backup", "files": true }));
    assert_eq!(act["outcome"], "all of it was taken");
}

#[tokio::test]
async fn from_elsewhere_a_token_is_needed_and_one_that_reads_does_not_act() {
    let node = Node::start_with(NodeOptions {
        env: vec![("ROOKERY_ADMIN_LISTEN".to_owned(), "127.0.0.1:0".to_owned())],
        ..NodeOptions::default()
    })
    .await;
    let community = Community::new(&node).await;
    let url = format!("http://{}", node.admin_address());
    let http = reqwest::Client::new();
    let get = async |path: &str, token: &str| {
        let request = http.get(format!("{url}{path}"));
        let answer = request.bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    };
    let token = async |name: &str, role: &str| {
        let made = node.asked(&["token", "add", name, "--role", role]).await;
        made["secret"].as_str().unwrap().to_owned()
    };
    let (looks, acts) = (token("looks", "read").await, token("acts", "act").await);
    let none = http.get(format!("{url}/nodes")).send().await.unwrap();
    assert_eq!(none.status(), 401);
    for bad in [
        "",
        "rookery-admin.looks.wrong",
        "rookery-admin.nobody.x",
        "junk",
        &looks[1..],
    ] {
        assert_eq!(get("/nodes", bad).await.0, 401, "{bad}");
    }
    assert_eq!(get("/nodes", &looks).await.0, 200);
    assert_eq!(get("/tokens", &looks).await.0, 403);
    assert_eq!(get("/actors?sort=junk", &looks).await.0, 400);
    assert_eq!(get("/actors?limit=0", &looks).await.0, 400);
    assert_eq!(get("/actors?node=nobody", &looks).await.0, 404);
    assert_eq!(get("/actors/group/1", &looks).await.0, 404);
    assert_eq!(get("/actors/goose/1", &looks).await.0, 400);
    assert_eq!(get("/nothing", &looks).await.0, 404);
    let restart = json!({ "act": "restart", "actor": format!("group/{}", community.group) });
    let act = async |token: &str| {
        let request = http.post(format!("{url}/acts")).json(&restart);
        request
            .bearer_auth(token)
            .send()
            .await
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(act(&looks).await, 403);
    let backup = http.post(format!("{url}/backup?files=false"));
    let refused = backup.bearer_auth(&looks).send().await.unwrap();
    assert_eq!(refused.status(), 403);
    assert_eq!(act(&acts).await, 200);
    assert_eq!(node.asked(&["acts"]).await[0]["by"], "acts");

    let (status, metrics) = get("/metrics", &looks).await;
    assert_eq!(status, 200);
    for name in [
        "rookery_sessions{",
        "rookery_message_wait_seconds_bucket{",
        "rookery_warnings_total{",
    ] {
        assert!(metrics.contains(name), "{name} is not in {metrics}");
    }
    assert!(!metrics.contains(&community.group), "labels are no ids");

    // The commands come in by the same door.
    let said = async |arguments: &[&str], token: &str| {
        let mut command = node.command(arguments);
        command
            .env("ROOKERY_ADMIN", &url)
            .env("ROOKERY_ADMIN_TOKEN", token);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        output.await.unwrap().status.code()
    };
    assert_eq!(said(&["nodes"], &looks).await, Some(0));
    assert_eq!(said(&["nodes"], "junk").await, Some(4));
    assert_eq!(
        said(
            &["actor", "restart", &format!("group/{}", community.group)],
            &looks
        )
        .await,
        Some(4)
    );
    assert_eq!(said(&["actor", "show", "group/1"], &looks).await, Some(5));
    assert_eq!(said(&["actor", "show", "goose"], &looks).await, Some(2));
    node.asked(&["token", "revoke", "looks"]).await;
    assert_eq!(said(&["nodes"], &looks).await, Some(4));
}

#[tokio::test]
async fn without_a_node_the_commands_say_so() {
    let mut node = Node::start().await;
    node.terminate().await;
    let (status, said) = code(&node, &["nodes"]).await;
    assert_eq!(status, Some(3), "{said}");
    assert!(said.contains("no node serves"), "{said}");
    let (status, said) = code(&node, &["nodes", "--admin", "junk"]).await;
    assert_eq!(status, Some(4), "{said}");
    let address = "https://0.0.0.0:1";
    let mut command = node.command(&["nodes", "--admin", address]);
    command.env("ROOKERY_ADMIN_TOKEN", "x");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{output:?}");
}

#[tokio::test]
async fn an_address_that_others_reach_needs_tls() {
    let node = Node::start().await;
    let mut command = node.command(&["nodes"]);
    command.env("ROOKERY_ADMIN_LISTEN", "0.0.0.0:0");
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("admin.listen"), "{said}");
}

/// Waits until the doctor names something.
async fn named(node: &Node, what: &str) {
    soon(what, async {
        loop {
            let output = node.run(&["doctor", "--json"]).await;
            if String::from_utf8_lossy(&output.stdout).contains(what) {
                assert_eq!(output.status.code(), Some(1));
                return;
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_doctor_names_a_loop_of_restarts() {
    let node = Node::start().await;
    let community = Community::new(&node).await;
    let group = format!("group/{}", community.group);
    for _ in 0..4 {
        again(&community, "again").await;
        node.asked(&["actor", "restart", &group]).await;
    }
    named(&node, "times within a minute").await;
}

/// A node whose way to its database can be made worse, and its community.
async fn behind_a_proxy() -> (Mongod, Proxy, Node, Community) {
    let mongod = Mongod::start().await;
    let proxy = Proxy::to(mongod.address()).await;
    let url = mongod.url_through(&proxy, "chat");
    let node = Node::start_with(NodeOptions {
        config: format!("[limits]\nenabled = false\n[store]\nurl = \"{url}\"\n"),
        ..NodeOptions::default()
    })
    .await;
    let community = Community::new(&node).await;
    (mongod, proxy, node, community)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_a_slow_store() {
    let (_mongod, proxy, node, community) = behind_a_proxy().await;
    let late = Flow::Delay(std::time::Duration::from_millis(200));
    proxy.set(late, late);
    let ada = community.ada.http.clone();
    let channel = community.channel.clone();
    let writing = tokio::spawn(async move {
        loop {
            id(&ada.say(&channel, "slow").await);
        }
    });
    named(&node, "a commit took").await;
    writing.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_doctor_names_a_mailbox_that_fills() {
    let (_mongod, proxy, node, community) = behind_a_proxy().await;
    community.ada.http.say(&community.channel, "hello").await;
    let group = format!("group/{}", community.group);
    let sleep = ["actor", "passivate", &group];
    while !node.run(&sleep).await.status.success() {}
    // It is woken up and cannot read its rows: what is sent to it waits.
    proxy.blackhole();
    let ada = community.ada.http.clone();
    let path = community.messages();
    let flood = tokio::spawn(async move {
        let mut beat = tokio::time::interval(std::time::Duration::from_millis(50));
        for round in 0.. {
            let messages = if round == 0 { 1_500 } else { 50 };
            for _ in 0..messages {
                let body = json!({ "content": "too much" });
                let request = ada.request(reqwest::Method::POST, &path).json(&body);
                let ada = ada.clone();
                tokio::spawn(async move { drop(ada.try_send(request).await) });
            }
            beat.tick().await;
        }
    });
    named(&node, "messages wait for group/").await;
    flood.abort();
    proxy.heal();
    again(&community, "at last").await;
}
