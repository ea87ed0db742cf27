//! Folders with the certificates of a cluster.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
};
use rookery_node::link::issue::{init_authority, issue};
use tempfile::TempDir;

/// The authority of a cluster, in a folder that goes with it.
#[derive(Debug)]
pub struct Authority {
    folder: TempDir,
}

impl Authority {
    /// A new one that has issued certificates for some nodes.
    pub fn with(nodes: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        init_authority(folder.path()).expect("an authority");
        for node in nodes {
            issue(folder.path(), node, &[], 30).expect("a certificate");
        }
        Self { folder }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// Adds a certificate for a node that has been expired for a day.
pub fn expired(authority: &Authority, node: &str) {
    let key = std::fs::read_to_string(authority.file("ca-key.pem")).expect("a key");
    let mut ca = CertificateParams::new(Vec::new()).expect("no names");
    ca.distinguished_name = DistinguishedName::new();
    let name = "Rookery cluster";
    ca.distinguished_name.push(DnType::CommonName, name);
    ca.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let issuer = Issuer::new(ca, KeyPair::from_pem(&key).expect("a key"));
    let mut params = CertificateParams::new(vec![format!("{node}.rookery")]).expect("a name");
    params.not_after = rcgen::date_time_ymd(2026, 1, 1);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, &issuer).expect("a certificate");
    let write = |name: String, text: String| {
        std::fs::write(authority.file(&name), text).expect("a file");
    };
    write(format!("{node}.pem"), certificate.pem());
    write(format!("{node}-key.pem"), key.serialize_pem());
}
