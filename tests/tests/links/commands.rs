//! `rookery cluster init-ca` and `issue`, as an operator uses them.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rookery_tests::harness::{binary, untold};

/// What a command says, and whether it succeeds.
fn rookery(folder: &Path, words: &str) -> (bool, String) {
    let output = untold(binary())
        .args(words.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[test]
fn an_operator_makes_an_authority_and_certificates() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (done, said) = rookery(folder, "cluster issue node-1");
    assert!(
        !done && said.contains("make it with `rookery cluster init-ca`"),
        "{said}"
    );
    let (done, said) = rookery(folder, "cluster init-ca");
    assert!(
        done && said.starts_with("made ./cluster/ca.pem for every node"),
        "{said}"
    );
    let (done, said) = rookery(
        folder,
        "cluster issue node-1 --host node-1.example --host 10.0.0.1",
    );
    assert!(
        done && said.contains("copy them to the node `node-1`"),
        "{said}"
    );
    let files = ["ca.pem", "ca-key.pem", "node-1.pem", "node-1-key.pem"];
    let modes = files.map(|file| {
        let meta = std::fs::metadata(folder.join("cluster").join(file)).unwrap();
        meta.permissions().mode() & 0o777
    });
    assert_eq!([modes[1], modes[3]], [0o600; 2], "{modes:?}");
    for again in ["cluster init-ca", "cluster issue node-1"] {
        let (done, said) = rookery(folder, again);
        assert!(
            !done && said.contains("is there already and is not overwritten"),
            "{said}"
        );
    }
    let (done, said) = rookery(folder, "cluster issue Node_1");
    assert!(
        !done && said.contains("`Node_1` cannot be the name of a node"),
        "{said}"
    );
    let (done, said) = rookery(folder, "cluster issue node-2 --host a..b");
    assert!(
        !done && said.contains("`a..b` is no host name or address"),
        "{said}"
    );
    let (done, _) = rookery(folder, "cluster init-ca --dir elsewhere");
    assert!(done && folder.join("elsewhere/ca.pem").is_file());
}
