//! Client TLS on the node itself: https and wss, and a new certificate without a restart.

use std::path::Path;

use rookery_tests::harness::{Gateway, Http, Node, NodeOptions, Person, trusting};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;

/// A self-signed certificate in a folder; answers it.
fn certify(folder: &Path) -> Vec<u8> {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let certificate = made.cert.pem().into_bytes();
    std::fs::write(folder.join("cert.pem"), &certificate).unwrap();
    certificate
}

async fn tls_node() -> Node {
    tls_node_with(Vec::new()).await
}

async fn tls_node_with(env: Vec<(String, String)>) -> Node {
    let folder = tempfile::tempdir().unwrap();
    let certificate = certify(folder.path());
    let options = NodeOptions {
        trust: Some(certificate),
        env,
        ..NodeOptions::default()
    };
    let tls = format!(
        "{}\n[tls]\ncert = {:?}\nkey = {:?}\n",
        options.config,
        folder.path().join("cert.pem"),
        folder.path().join("key.pem")
    );
    Node::start_in(
        folder,
        NodeOptions {
            config: tls,
            ..options
        },
    )
    .await
}

#[tokio::test]
async fn https_and_wss_serve_a_chat() {
    let node = tls_node().await;
    assert!(node.url().starts_with("https://"), "{}", node.url());
    let ada = Person::register(&node, "ada").await;
    let (_, channel) = ada.create_group("Rooks").await;
    let mut sees = ada.connect(&node).await;
    assert!(
        sees.ready["resume_gateway_url"]
            .as_str()
            .is_some_and(|url| url.starts_with("wss://")),
        "{}",
        sees.ready
    );
    ada.http.say(&channel, "sealed").await;
    sees.message("sealed").await;
    let mut again = sees.cut().resume().await;
    ada.http.say(&channel, "still sealed").await;
    again.message("still sealed").await;
    // Who trusts something else gets no connection, and plain text no answer.
    let strangers = certify(tempfile::tempdir().unwrap().path());
    let other = Http::new(node.url(), Some(&strangers));
    let request = other.request(reqwest::Method::GET, "/gateway");
    assert!(other.try_send(request).await.is_err());
    let plain = Http::new(&node.url().replacen("https", "http", 1), None);
    let request = plain.request(reqwest::Method::GET, "/gateway");
    match plain.try_send(request).await {
        Ok(answer) => assert_eq!(answer.status, 400, "{}", answer.text),
        Err(error) => assert!(!error.is_timeout(), "{error}"),
    }
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_without_a_restart() {
    let node = tls_node().await;
    let ada = Person::register(&node, "ada").await;
    let mut open = ada.connect(&node).await;
    let renewed = certify(node.folder());
    node.signal("HUP");
    // The server says nothing to clients about it: try until a handshake with the new certificate succeeds.
    let connector = trusting(&renewed);
    let handshake = async {
        loop {
            let tcp = TcpStream::connect(node.address()).await.unwrap();
            let name = ServerName::try_from("127.0.0.1").unwrap();
            if connector.connect(name, tcp).await.is_ok() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    rookery_tests::harness::soon("a handshake with the new certificate", handshake).await;
    open.heartbeat().await;
    let url = format!("{}/?v=10&encoding=json", node.gateway_url());
    Gateway::connect_to(&url, Some(&renewed))
        .await
        .heartbeat()
        .await;
}

#[tokio::test]
async fn operators_come_in_by_https_from_elsewhere() {
    let listen = ("ROOKERY_ADMIN_LISTEN".to_owned(), "0.0.0.0:0".to_owned());
    let node = tls_node_with(vec![listen]).await;
    let made = node.asked(&["token", "add", "far", "--role", "read"]).await;
    let port = node.admin_address().rsplit_once(':').unwrap().1.to_owned();
    let url = format!("https://localhost:{port}");
    let said = async |ca: Option<&str>| {
        let mut command = node.command(&["nodes", "--admin", &url]);
        command.env("ROOKERY_ADMIN_TOKEN", made["secret"].as_str().unwrap());
        if let Some(ca) = ca {
            command.arg("--admin-ca").arg(node.folder().join(ca));
        }
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        output.await.unwrap()
    };
    let good = said(Some("cert.pem")).await;
    assert!(good.status.success(), "{good:?}");
    assert!(good.stdout.starts_with(b"NODE"), "{good:?}");
    // Nobody that the system trusts has signed it.
    assert_eq!(said(None).await.status.code(), Some(3));
    assert_eq!(said(Some("no.pem")).await.status.code(), Some(2));
    let plain = reqwest::get(format!("http://localhost:{port}/nodes")).await;
    assert!(plain.is_err() || plain.unwrap().status() == 400);
}
