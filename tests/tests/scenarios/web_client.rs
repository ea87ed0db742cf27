//! The web client as the node serves it: for browsers at `/` and at its places, and for nobody who wants something else.

use reqwest::Method;
use rookery_tests::harness::{Answer, Gateway, Node};

/// What browsers say they want.
const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn look(node: &Node, path: &str, accept: &str) -> Answer {
    let request = node.http().request(Method::GET, &format!("/{path}"));
    node.http().send(request.header("accept", accept)).await
}

#[tokio::test]
async fn browsers_get_the_client_and_programs_what_they_ask_for() {
    let node = Node::start().await;
    for place in ["/", "/friends", "/invite/abc", "/g/1/2"] {
        let page = look(&node, place, BROWSER).await;
        assert_eq!(page.status, 200, "{place}");
        assert!(page.text.contains("<title>Rookery</title>"), "{place}");
        let policy = page.header("content-security-policy").unwrap();
        assert!(
            policy.contains("script-src 'self';") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("x-frame-options"), Some("DENY"));
        assert_eq!(page.header("cache-control"), Some("no-cache"));
    }
    for (path, accept) in [
        ("/friends", "application/json"),
        ("/api/v10/nothing", BROWSER),
        ("/api", BROWSER),
        ("/assets/gone.js", BROWSER),
        ("/avatars/1/x.png", BROWSER),
    ] {
        let answer = look(&node, path, accept).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.body["code"], 0, "{path}");
    }
    // The same address is the gateway's.
    let url = format!("{}/", node.gateway_url());
    Gateway::connect_to(&url, None).await.heartbeat().await;
}

#[tokio::test]
async fn what_the_page_loads_is_there_for_ever_and_is_not_sent_twice() {
    let node = Node::start().await;
    let page = look(&node, "/", BROWSER).await;
    let scripts: Vec<&str> = page
        .text
        .split('"')
        .filter(|part| part.starts_with("/assets/"))
        .collect();
    assert!(!scripts.is_empty(), "{}", page.text);
    for path in scripts {
        let file = look(&node, path, "*/*").await;
        assert_eq!(file.status, 200, "{path}");
        let caching = file.header("cache-control").unwrap();
        assert!(caching.contains("immutable"), "{path}: {caching}");
        let tag = file.header("etag").unwrap().to_owned();
        let request = node.http().request(Method::GET, &format!("/{path}"));
        let again = node.http().send(request.header("if-none-match", tag)).await;
        assert_eq!((again.status, again.text.as_str()), (304, ""), "{path}");
    }
}
