//! Where actors live, as an operator is told.

use rookery_tests::harness::{Node, soon};
use serde_json::Value;

/// Asks again until an answer is as it should be.
pub(super) async fn until(
    node: &Node,
    arguments: &[&str],
    what: &str,
    is: impl Fn(&Value) -> bool,
) -> Value {
    soon(what, async {
        loop {
            let answer = node.asked(arguments).await;
            if is(&answer) {
                return answer;
            }
        }
    })
    .await
}

/// Where an actor lives, once it is active.
pub(super) async fn home(node: &Node, actor: &str) -> String {
    soon(actor, async {
        loop {
            let output = node.run(&["actor", "show", actor, "--json"]).await;
            if output.status.success() {
                let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
                return shown["row"]["node"].as_str().unwrap().to_owned();
            }
        }
    })
    .await
}

/// Waits until an actor lives where it should.
pub(super) async fn lives(node: &Node, actor: &str, is: impl Fn(&str) -> bool) -> String {
    soon("a move", async {
        loop {
            let at = home(node, actor).await;
            if is(&at) {
                return at;
            }
        }
    })
    .await
}
