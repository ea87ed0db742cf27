//! The certificates of a cluster: its authority, and one for each node. Files are never overwritten.

use std::fs::{DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rookery_protocol::cluster::is_cluster_name;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use time::{Duration, OffsetDateTime};

use super::identity::certificate_name;

/// What the authority is called. Every cluster's is called so; its key is what counts.
const AUTHORITY: &str = "Rookery cluster";
/// Days that the authority is valid.
const AUTHORITY_DAYS: i64 = 20 * 365;
/// Days that a node's certificate is valid.
pub const NODE_DAYS: u32 = 2 * 365;
/// Days that clocks of nodes may be behind the one that issues.
const SLACK: Duration = Duration::days(1);

/// Why there is no certificate.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The file is there already.
    #[error("{} is there already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// There is no authority.
    #[error("{} is not there: make it with `rookery cluster init-ca`", .0.display())]
    NoAuthority(PathBuf),
    /// The two files of the authority are not of one.
    #[error("ca-key.pem is not the key of ca.pem")]
    Mismatch,
    /// A name that no node of a cluster has.
    #[error(
        "`{0}` cannot be the name of a node in a cluster: 1 to 63 lower-case letters, digits or `-` in between"
    )]
    Name(String),
    /// A host that is none.
    #[error("`{0}` is no host name or address")]
    Host(String),
    /// The disk.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: io::Error,
    },
    /// A file that cannot be read, or anything else that certificates can be wrong in.
    #[error("{0}")]
    Certificate(String),
}

impl From<rcgen::Error> for IssueError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// The files of an authority in a folder.
fn authority_files(folder: &Path) -> (PathBuf, PathBuf) {
    (folder.join("ca.pem"), folder.join("ca-key.pem"))
}

/// Makes the authority of a cluster: `ca.pem`, which every node has, and `ca-key.pem`, which only who issues certificates
/// needs. Answers what to say.
///
/// # Errors
/// Nothing was written.
pub fn init_authority(folder: &Path) -> Result<String, IssueError> {
    let (cert_file, key_file) = authority_files(folder);
    let now = OffsetDateTime::now_utc();
    let mut params = authority()?;
    params.not_before = now - SLACK;
    params.not_after = now + Duration::days(AUTHORITY_DAYS);
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    write_pair(
        folder,
        (&cert_file, &certificate.pem()),
        (&key_file, &key.serialize_pem()),
    )?;
    let (cert, key) = (cert_file.display(), key_file.display());
    Ok(format!(
        "made {cert} for every node, and {key}, which stays with you: who has it can let nodes into the cluster"
    ))
}

/// Makes the certificate of a node: `NAME.pem` and `NAME-key.pem`, valid for so many days, also for some hosts. Answers what to
/// say.
///
/// # Errors
/// Nothing was written.
pub fn issue(folder: &Path, node: &str, hosts: &[String], days: u32) -> Result<String, IssueError> {
    if !is_cluster_name(node) {
        return Err(IssueError::Name(node.to_owned()));
    }
    let (ca_file, ca_key_file) = authority_files(folder);
    let ca = read(&ca_file)?;
    let ca_key = KeyPair::from_pem(&read(&ca_key_file)?).map_err(|error| {
        IssueError::Certificate(format!("{} is no key: {error}", ca_key_file.display()))
    })?;
    let now = OffsetDateTime::now_utc();
    let mut params = of_node(node, hosts)?;
    params.not_before = now - SLACK;
    params.not_after = now + Duration::days(i64::from(days));
    let key = KeyPair::generate()?;
    let certificate = params.signed_by(&key, &Issuer::new(authority()?, ca_key))?;
    check(&ca, certificate.der())?;
    let cert_file = folder.join(format!("{node}.pem"));
    let key_file = folder.join(format!("{node}-key.pem"));
    write_pair(
        folder,
        (&cert_file, &certificate.pem()),
        (&key_file, &key.serialize_pem()),
    )?;
    let (cert, key, ca) = (cert_file.display(), key_file.display(), ca_file.display());
    Ok(format!(
        "made {cert} and {key}, valid for {days} days: copy them to the node `{node}` with {ca}"
    ))
}

/// The authority as far as it is in every certificate; its key makes it one.
fn authority() -> Result<CertificateParams, rcgen::Error> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, AUTHORITY);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok(params)
}

/// What is in the certificate of a node, but for when it is valid.
fn of_node(node: &str, hosts: &[String]) -> Result<CertificateParams, IssueError> {
    let mut params = CertificateParams::new(vec![certificate_name(node)])?;
    for host in hosts {
        let is_host = rustls::pki_types::ServerName::try_from(host.as_str()).is_ok();
        let named = CertificateParams::new(vec![host.clone()]);
        match named {
            Ok(named) if is_host => params.subject_alt_names.extend(named.subject_alt_names),
            Ok(_) | Err(_) => return Err(IssueError::Host(host.clone())),
        }
    }
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, node);
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

/// Whether a certificate is of the authority in a PEM text.
fn check(ca: &str, certificate: &CertificateDer<'_>) -> Result<(), IssueError> {
    let other = |error: String| IssueError::Certificate(format!("ca.pem: {error}"));
    let ca = CertificateDer::from_pem_slice(ca.as_bytes()).map_err(|e| other(e.to_string()))?;
    let mut roots = RootCertStore::empty();
    roots.add(ca).map_err(|e| other(e.to_string()))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .map_err(|e| other(e.to_string()))?;
    match verifier.verify_client_cert(certificate, &[], UnixTime::now()) {
        Ok(_) => Ok(()),
        Err(rustls::Error::InvalidCertificate(
            rustls::CertificateError::UnknownIssuer | rustls::CertificateError::BadSignature,
        )) => Err(IssueError::Mismatch),
        Err(error) => Err(other(error.to_string())),
    }
}

fn read(path: &Path) -> Result<String, IssueError> {
    std::fs::read_to_string(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => IssueError::NoAuthority(path.to_owned()),
        _ => failed(path, source),
    })
}

fn failed(path: &Path, source: io::Error) -> IssueError {
    match source.kind() {
        io::ErrorKind::AlreadyExists => IssueError::Exists(path.to_owned()),
        _ => {
            let path = path.to_owned();
            IssueError::File { path, source }
        }
    }
}

/// Writes a certificate and its key, both or neither.
fn write_pair(
    folder: &Path,
    (cert_file, cert): (&Path, &str),
    (key_file, key): (&Path, &str),
) -> Result<(), IssueError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|source| failed(folder, source))?;
    write(key_file, key, 0o600)?;
    write(cert_file, cert, 0o644).inspect_err(|_| {
        // The key is of no use alone, and would be in the way of the next try.
        let _ = std::fs::remove_file(key_file);
    })
}

/// Writes a file that is not there yet.
fn write(path: &Path, text: &str, mode: u32) -> Result<(), IssueError> {
    let mut options = File::options();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    let mut file = file.map_err(|source| failed(path, source))?;
    file.write_all(text.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(|source| {
            let _ = std::fs::remove_file(path);
            failed(path, source)
        })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::super::identity::Identity;
    use super::*;
    use crate::config::Cluster;

    fn settings(folder: &Path, ca: &str, cert: &str, key: &str) -> Cluster {
        Cluster {
            ca: Some(folder.join(ca)),
            cert: Some(folder.join(cert)),
            key: Some(folder.join(key)),
            ..Cluster::default()
        }
    }

    #[test]
    fn what_is_issued_can_be_used_and_everything_else_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let missing = issue(folder, "a", &[], 1).unwrap_err().to_string();
        assert!(
            missing.ends_with("make it with `rookery cluster init-ca`"),
            "{missing}"
        );
        init_authority(folder).unwrap();
        let hosts = ["node-a.example".to_owned(), "::1".to_owned()];
        issue(folder, "a", &hosts, NODE_DAYS).unwrap();
        issue(folder, "b", &[], NODE_DAYS).unwrap();
        let mode = |name: &str| {
            let meta = std::fs::metadata(folder.join(name)).unwrap();
            meta.permissions().mode() & 0o777
        };
        assert_eq!((mode("ca-key.pem"), mode("a-key.pem")), (0o600, 0o600));
        let again = init_authority(folder).unwrap_err();
        assert!(matches!(again, IssueError::Exists(_)), "{again}");
        let again = issue(folder, "a", &[], 1).unwrap_err();
        assert!(matches!(again, IssueError::Exists(_)), "{again}");
        for (name, hosts) in [
            ("A", vec![]),
            ("a_b", vec![]),
            ("c", vec!["a b".to_owned()]),
        ] {
            assert!(issue(folder, name, &hosts, 1).is_err(), "{name}");
        }

        let load = |node: &str, ca: &str, cert: &str, key: &str| {
            Identity::load(node, &settings(folder, ca, cert, key)).map(drop)
        };
        assert_eq!(load("a", "ca.pem", "a.pem", "a-key.pem"), Ok(()));
        let sentence = |node, ca, cert, key| load(node, ca, cert, key).unwrap_err().to_string();
        let other = folder.join("other");
        init_authority(&other).unwrap();
        let text = sentence("a", "other/ca.pem", "a.pem", "a-key.pem");
        assert_eq!(
            text,
            "cluster.cert: the certificate is not of the authority in `cluster.ca`"
        );
        let text = sentence("b", "ca.pem", "a.pem", "a-key.pem");
        assert!(
            text.starts_with("cluster.cert: the certificate is not for the node `b`"),
            "{text}"
        );
        let text = sentence("a", "ca.pem", "a.pem", "b-key.pem");
        assert!(
            text.starts_with("cluster.key: the key does not belong"),
            "{text}"
        );
        let text = sentence("a", "ca.pem", "nothing.pem", "a-key.pem");
        assert!(text.starts_with("cluster.cert: the file "), "{text}");
        let text = sentence("a", "a-key.pem", "a.pem", "a-key.pem");
        assert!(
            text.starts_with("cluster.ca: ") && text.contains("holds no certificate"),
            "{text}"
        );
        let text = sentence("A", "ca.pem", "a.pem", "a-key.pem");
        assert!(text.starts_with("node: `A` cannot be"), "{text}");
        std::fs::remove_file(folder.join("b.pem")).unwrap();
        std::fs::remove_file(folder.join("b-key.pem")).unwrap();
        let mut old = of_node("old", &[]).unwrap();
        old.not_after = OffsetDateTime::now_utc() - Duration::days(1);
        let ca_key = KeyPair::from_pem(&read(&folder.join("ca-key.pem")).unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let issuer = Issuer::new(authority().unwrap(), ca_key);
        let certificate = old.signed_by(&key, &issuer).unwrap();
        write(&folder.join("old.pem"), &certificate.pem(), 0o644).unwrap();
        write(&folder.join("old-key.pem"), &key.serialize_pem(), 0o600).unwrap();
        let text = sentence("old", "ca.pem", "old.pem", "old-key.pem");
        assert!(
            text.starts_with("cluster.cert: the certificate is not valid at this time"),
            "{text}"
        );
        std::fs::copy(other.join("ca-key.pem"), folder.join("ca-key.pem")).unwrap();
        let mixed = issue(folder, "b", &[], 1).unwrap_err();
        assert!(matches!(mixed, IssueError::Mismatch), "{mixed}");
        assert!(!folder.join("b-key.pem").exists());
    }
}
