//! The command line: what is wrong is said in one sentence, and a data folder has one server.

use std::process::Output;

use rookery_tests::harness::{Node, NodeOptions, Person, binary, untold};

/// The only thing an operator reads: one line, no backtrace, and it names the culprit.
#[track_caller]
fn one_sentence(output: &Output, names: &str) {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "it went on: {text}");
    assert!(text.contains(names), "{names:?} is not named: {text}");
    assert!(
        !text.contains("panicked") && !text.contains("RUST_BACKTRACE"),
        "{text}"
    );
    assert!(text.trim().lines().count() <= 5, "{text}");
}

#[tokio::test]
async fn a_second_server_on_the_same_folder_is_refused() {
    let node = Node::start().await;
    let second = node.run(&["serve", "--listen", "127.0.0.1:0"]).await;
    let text = String::from_utf8_lossy(&second.stderr).to_lowercase();
    assert!(!second.status.success());
    assert!(text.contains("data") && text.contains("another"), "{text}");
    assert!(!text.contains("panicked"), "{text}");
    Person::register(&node, "ada").await;
}

#[tokio::test]
async fn bad_settings_end_with_a_sentence_that_names_them() {
    let node = Node::start().await;
    let folder = tempfile::tempdir().unwrap();
    let try_config = async |text: &str| {
        let path = folder.path().join("bad.toml");
        std::fs::write(&path, text).unwrap();
        let mut command = untold(binary());
        command
            .args(["serve", "--listen", "127.0.0.1:0", "--config"])
            .arg(&path)
            .arg("--data")
            .arg(folder.path().join("data"))
            .current_dir(folder.path());
        run(command).await
    };
    one_sentence(&try_config("colour = \"red\"\n").await, "colour");
    one_sentence(
        &try_config("[auth]\nregistration = \"perhaps\"\n").await,
        "registration",
    );
    one_sentence(&try_config("listen = 7\n").await, "listen");
    one_sentence(&try_config("listen = \n").await, "bad.toml");
    one_sentence(
        &try_config("[tls]\ncert = \"/nowhere/cert.pem\"\nkey = \"/nowhere/key.pem\"\n").await,
        "/nowhere/",
    );
    let missing = node.command(&["serve"]);
    let mut missing_file = untold(missing.get_program());
    missing_file
        .args(["serve", "--config", "/nowhere/cluster.toml", "--data"])
        .arg(folder.path().join("data"));
    one_sentence(&run(missing_file).await, "/nowhere/cluster.toml");
    one_sentence(
        &node.run(&["serve", "--listen", "nowhere"]).await,
        "nowhere",
    );
    one_sentence(&node.run(&["serve", "--colour", "red"]).await, "--colour");
    let address = node.address().to_string();
    let mut taken = untold(binary());
    taken
        .args(["serve", "--listen", &address, "--data"])
        .arg(folder.path().join("other"))
        .current_dir(folder.path());
    one_sentence(&run(taken).await, &address);
}

async fn run(mut command: std::process::Command) -> Output {
    let run = tokio::task::spawn_blocking(move || command.output().unwrap());
    rookery_tests::harness::soon("the end of the process", run)
        .await
        .unwrap()
}

#[tokio::test]
async fn flags_go_over_variables_over_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let options = NodeOptions {
        config: "node = \"from-file\"\nlisten = \"127.0.0.1:1\"\n".to_owned(),
        env: vec![("ROOKERY_LISTEN".to_owned(), "127.0.0.1:2".to_owned())],
        ..NodeOptions::default()
    };
    // The harness passes --listen 127.0.0.1:0: had the file or the variable won, the port would be 1 or 2.
    let node = Node::start_in(folder, options).await;
    assert!(node.address().port() > 2);
}

#[tokio::test]
async fn help_and_version_are_there() {
    let node = Node::start().await;
    let mut help = untold(binary());
    help.arg("--help");
    let help = run(help).await;
    let text = String::from_utf8_lossy(&help.stdout);
    assert!(
        help.status.success() && text.contains("serve") && text.contains("operator"),
        "{text}"
    );
    drop(node);
}
