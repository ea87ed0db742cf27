//! Accounts: registration, login, the rotation of refresh tokens, sessions and their revocation.

use reqwest::Method;
use rookery_tests::harness::{Answer, Node, NodeOptions, PASSWORD, Person, id};
use serde_json::json;

async fn refresh(node: &Node, token: &str) -> Answer {
    node.http()
        .post("/auth/refresh", json!({ "refresh_token": token }))
        .await
}

#[tokio::test]
async fn a_person_registers_logs_in_and_reads_the_account() {
    let node = Node::start().await;
    let form = json!({ "username": "ada", "password": PASSWORD, "global_name": "Ada", "email": "ada@example.org" });
    let tokens = node.http().post("/auth/register", form).await.expect(201);
    let ada = Person::from_tokens(&node, "ada", &tokens);
    for token in [ada.token.clone(), format!("Bearer {}", ada.token)] {
        let me = node
            .http()
            .with_token(&token)
            .get("/users/@me")
            .await
            .expect(200);
        assert_eq!(me["id"], ada.id);
        assert_eq!(me["username"], "ada");
        assert_eq!(me["global_name"], "Ada");
        assert_eq!(me["email"], "ada@example.org");
        assert_eq!(me["bot"], false);
    }
    let again = Person::login(&node, "ada").await;
    assert_eq!(again.id, ada.id);
    let ben = Person::register(&node, "ben").await;
    let seen = ben
        .http
        .get(&format!("/users/{}", ada.id))
        .await
        .expect(200);
    assert_eq!(seen["username"], "ada");
    assert!(seen.get("email").is_none(), "{seen}");
    let changed = ada
        .http
        .patch("/users/@me", json!({ "global_name": "Ada L." }))
        .await;
    assert_eq!(changed.expect(200)["global_name"], "Ada L.");
    let seen = ben
        .http
        .get(&format!("/users/{}", ada.id))
        .await
        .expect(200);
    assert_eq!(seen["global_name"], "Ada L.");
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_are_answered_alike() {
    let node = Node::start().await;
    Person::register(&node, "ada").await;
    let wrong = Person::try_login(&node, "ada", "not the password").await;
    let unknown = Person::try_login(&node, "nobody", "not the password").await;
    assert_eq!(wrong.status, 400, "{}", wrong.text);
    assert_eq!((wrong.status, &wrong.text), (unknown.status, &unknown.text));
}

#[tokio::test]
async fn refresh_tokens_rotate_and_reuse_of_an_old_one_revokes_the_login() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let other_login = Person::login(&node, "ada").await;
    let mut socket = ada.connect(&node).await;
    let mut others = other_login.connect(&node).await;

    let second = Person::from_tokens(
        &node,
        "ada",
        &refresh(&node, &ada.refresh).await.expect(200),
    );
    assert_ne!(second.refresh, ada.refresh);
    second.http.get("/users/@me").await.expect(200);
    let third = Person::from_tokens(
        &node,
        "ada",
        &refresh(&node, &second.refresh).await.expect(200),
    );

    // The first one again: somebody has a copy.
    assert_eq!(refresh(&node, &ada.refresh).await.status, 401);
    assert_eq!(refresh(&node, &third.refresh).await.status, 401);
    assert_eq!(socket.closed().await, Some(4004));
    for person in [&ada, &second, &third] {
        assert_eq!(person.http.get("/users/@me").await.status, 401);
    }
    // The other login is another family.
    others.heartbeat().await;
    other_login.http.get("/users/@me").await.expect(200);
    refresh(&node, &other_login.refresh).await.expect(200);
}

#[tokio::test]
async fn forged_refresh_tokens_are_refused() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let cut = &ada.refresh[..ada.refresh.len() - 4];
    for token in [
        "",
        "x",
        "a.b.c",
        &ada.token,
        cut,
        &format!("{cut}AAAA"),
        &"x".repeat(5_000),
    ] {
        let answer = refresh(&node, token).await;
        assert!(
            matches!(answer.status, 400 | 401),
            "{token}: {}",
            answer.text
        );
    }
}

/// A wrong secret closes the login that it names, so nobody may know how others' logins are named.
#[tokio::test]
async fn the_login_of_somebody_else_is_not_guessed_from_his_id() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let parts: Vec<&str> = ada.refresh.split('.').collect();
    let user: u64 = ada.id.parse().unwrap();
    for login in (user - 8..user + 8).chain((1..4).map(|ms| user + (ms << 22))) {
        let forged = format!("rt1.{user}.{login}.0.{}", "A".repeat(parts[4].len()));
        assert_eq!(refresh(&node, &forged).await.status, 401);
    }
    ada.http.get("/users/@me").await.expect(200);
    refresh(&node, &ada.refresh).await.expect(200);
}

#[tokio::test]
async fn a_browser_keeps_its_refresh_token_in_a_cookie() {
    let node = Node::start().await;
    let form = json!({ "username": "ada", "password": PASSWORD, "cookie": true });
    let answer = node.http().post("/auth/register", form).await;
    let cookie = answer.header("set-cookie").expect("a cookie").to_owned();
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert!(answer.body["refresh_token"].is_null(), "{}", answer.text);
    let lower = cookie.to_lowercase();
    for attribute in ["httponly", "samesite=strict", "path="] {
        assert!(lower.contains(attribute), "{cookie}");
    }
    let pair = cookie.split(';').next().unwrap().to_owned();
    let http = node.http();
    let send = async |pair: &str| {
        let request = http
            .request(Method::POST, "/auth/refresh")
            .header("cookie", pair);
        http.send(request.json(&json!({}))).await
    };
    let answer = send(&pair).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let next = answer
        .header("set-cookie")
        .expect("the next cookie")
        .to_owned();
    assert!(answer.body["token"].is_string() && answer.body["refresh_token"].is_null());
    assert_ne!(next.split(';').next(), Some(pair.as_str()));
    assert_eq!(send(&pair).await.status, 401, "the old cookie again");
}

#[tokio::test]
async fn logins_are_listed_and_each_can_be_ended() {
    let node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let phone = Person::login(&node, "ada").await;
    let mut phone_socket = phone.connect(&node).await;
    let mut own_socket = ada.connect(&node).await;
    let list = async |person: &Person| -> Vec<String> {
        let answer = person.http.get("/auth/sessions").await.expect(200);
        let list = answer.as_array().cloned();
        let list = list.or_else(|| answer["sessions"].as_array().cloned());
        list.unwrap_or_else(|| panic!("no list: {answer}"))
            .iter()
            .map(id)
            .collect()
    };
    let both = list(&ada).await;
    assert_eq!(both.len(), 2);
    assert_eq!(list(&phone).await, both);
    // Sessions of others are not there for anybody.
    let ben = Person::register(&node, "ben").await;
    assert_eq!(
        ben.http
            .delete(&format!("/auth/sessions/{}", both[0]))
            .await
            .status,
        404
    );

    let answer = phone.http.get("/auth/sessions").await.expect(200);
    let sessions = answer["sessions"].as_array().unwrap();
    let phones = sessions.iter().find(|one| one["current"] == true);
    let phones = id(phones.unwrap());
    ada.http
        .delete(&format!("/auth/sessions/{phones}"))
        .await
        .expect(204);
    assert_eq!(phone_socket.closed().await, Some(4004));
    assert_eq!(phone.http.get("/users/@me").await.status, 401);
    assert_eq!(refresh(&node, &phone.refresh).await.status, 401);
    assert_eq!(list(&ada).await.len(), 1);
    own_socket.heartbeat().await;

    assert!(matches!(
        ada.http.post("/auth/logout", json!({})).await.status,
        200 | 204
    ));
    assert_eq!(own_socket.closed().await, Some(4004));
    assert_eq!(ada.http.get("/users/@me").await.status, 401);
    assert_eq!(refresh(&node, &ada.refresh).await.status, 401);
    Person::login(&node, "ada").await;
}

#[tokio::test]
async fn a_revoked_login_stays_revoked_after_a_restart() {
    let mut node = Node::start().await;
    let ada = Person::register(&node, "ada").await;
    let kept = Person::login(&node, "ada").await;
    ada.http.post("/auth/logout", json!({})).await;
    node.kill();
    node.restart().await;
    assert_eq!(
        node.http()
            .with_token(&ada.token)
            .get("/users/@me")
            .await
            .status,
        401
    );
    assert_eq!(refresh(&node, &ada.refresh).await.status, 401);
    node.http()
        .with_token(&kept.token)
        .get("/users/@me")
        .await
        .expect(200);
    refresh(&node, &kept.refresh).await.expect(200);
}

#[tokio::test]
async fn two_registrations_of_one_name_at_once_make_one_account() {
    let node = Node::start().await;
    let register = async || {
        let form = json!({ "username": "ada", "password": PASSWORD });
        node.http().post("/auth/register", form).await
    };
    let answers = tokio::join!(register(), register(), register(), register());
    let answers = [answers.0, answers.1, answers.2, answers.3];
    let made = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(made, 1);
    for refused in answers.iter().filter(|answer| answer.status != 201) {
        refused.bad_field("username");
    }
}

#[tokio::test]
async fn guessing_a_password_is_slowed_down() {
    let node = Node::start_with(NodeOptions {
        config: String::new(),
        ..NodeOptions::default()
    })
    .await;
    Person::register(&node, "ada").await;
    let mut limited = None;
    for n in 0..50 {
        let answer = Person::try_login(&node, "ada", &format!("wrong password {n}")).await;
        if answer.status == 429 {
            limited = Some(answer);
            break;
        }
        assert_eq!(answer.status, 400, "{}", answer.text);
    }
    let limited = limited.expect("no limit within 50 attempts");
    assert!(
        limited.body["retry_after"]
            .as_f64()
            .is_some_and(|s| s > 0.0),
        "{}",
        limited.text
    );
    // Also the right password waits, or a guesser would know that he has it.
    assert_eq!(Person::try_login(&node, "ada", PASSWORD).await.status, 429);
}

#[tokio::test]
async fn registration_can_be_closed_and_an_operator_made_on_the_command_line() {
    let mut node = Node::start_with(NodeOptions {
        config: "[auth]\nregistration = \"closed\"\n[limits]\nenabled = false\n".to_owned(),
        ..NodeOptions::default()
    })
    .await;
    let form = json!({ "username": "ada", "password": PASSWORD });
    node.http()
        .post("/auth/register", form)
        .await
        .refused(403, 40001);
    node.terminate().await;
    let made = add_operator(&node, "ada").await;
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    node.restart().await;
    Person::login(&node, "ada")
        .await
        .create_group("Rooks")
        .await;
    // Its name is taken, and a node that serves says so, too; it makes another one itself.
    assert!(!add_operator(&node, "ada").await.status.success());
    assert!(add_operator(&node, "bea").await.status.success());
    Person::login(&node, "bea").await;
    let acts = node.asked(&["acts"]).await;
    assert_eq!(
        acts[0]["act"],
        json!({ "act": "make_operator", "name": "bea" })
    );
    assert!(!acts.to_string().contains(PASSWORD));
    // What was done while it was stopped is there, too.
    let first = acts.as_array().unwrap().last().unwrap();
    assert_eq!(
        first["act"],
        json!({ "act": "make_operator", "name": "ada" })
    );
    assert_eq!(first["by"], "local");
    let outcome = first["outcome"].as_str().unwrap();
    assert!(outcome.starts_with("the account "), "{outcome}");
    node.terminate().await;
    assert!(!add_operator(&node, "ada").await.status.success());
}

async fn add_operator(node: &Node, name: &str) -> std::process::Output {
    let node_folder = node.folder().to_owned();
    let mut command = node.command(&["operator", "add", name]);
    tokio::task::spawn_blocking(move || {
        use std::io::Write;
        use std::process::Stdio;
        command
            .current_dir(node_folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // The password comes on standard input, so that it is in no process list.
        let _ = writeln!(child.stdin.take().unwrap(), "{PASSWORD}");
        child.wait_with_output().unwrap()
    })
    .await
    .unwrap()
}
