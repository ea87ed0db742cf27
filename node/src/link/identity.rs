//! Who a node is to others: its certificate, checked against the settings with a sentence for everything that is wrong, and the
//! TLS that links speak with it.
//!
//! A node's certificate names `<node>.rookery`. That name is the identity; hosts and addresses are not, since nodes move.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rookery_protocol::cluster::is_cluster_name;
use rustls::client::{Resumption, verify_server_name};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ParsedCertificate, ResolvesServerCert,
    WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{CertificateError, ClientConfig, InconsistentKeys, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::counters::Refusal;
use crate::config::Cluster;

/// What the names in certificates end with.
const DOMAIN: &str = "rookery";
/// Seconds before the end of a certificate from which on the log says so at each start.
const SOON_SECONDS: u64 = 30 * 24 * 3_600;

/// Why a node cannot be linked with others: one sentence that names the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {problem}")]
pub struct IdentityError {
    /// The setting.
    pub setting: &'static str,
    /// What is wrong.
    pub problem: String,
}

fn wrong(setting: &'static str, problem: impl Into<String>) -> IdentityError {
    let problem = problem.into();
    IdentityError { setting, problem }
}

/// The name in the certificate of a node.
pub(super) fn certificate_name(node: &str) -> String {
    format!("{node}.{DOMAIN}")
}

/// A node's certificate and key, and the authority that it believes.
#[derive(Clone)]
pub struct Identity {
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads and checks the files of the settings. Blocks on the disk.
    ///
    /// # Errors
    /// They cannot be used; the sentence names the setting.
    pub fn load(node: &str, cluster: &Cluster) -> Result<Self, IdentityError> {
        if !is_cluster_name(node) {
            let problem = format!(
                "`{node}` cannot be the name of a node in a cluster: 1 to 63 lower-case letters, digits or `-` in between"
            );
            return Err(wrong("node", problem));
        }
        let ca = path(&cluster.ca, "cluster.ca")?;
        let cert = path(&cluster.cert, "cluster.cert")?;
        let key = path(&cluster.key, "cluster.key")?;
        let roots = Arc::new(roots(ca)?);
        let chain = certificates("cluster.cert", cert)?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| unreadable("cluster.key", key, error, "private key"))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let verifier =
            WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider))
                .build()
                .map_err(|error| wrong("cluster.ca", error.to_string()))?;
        check_certificate(&chain, verifier.as_ref(), node)?;
        let certified = CertifiedKey::from_der(chain.clone(), key.clone_key(), &provider);
        certified.map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => wrong(
                "cluster.key",
                "the key does not belong to the certificate in `cluster.cert`",
            ),
            error => wrong("cluster.key", error.to_string()),
        })?;
        let tls = [&rustls::version::TLS13];
        let unusable = |error: rustls::Error| wrong("cluster.cert", error.to_string());
        // Nothing is resumed: each connection proves anew that its certificate is valid.
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&tls)
            .map_err(unusable)?
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain.clone(), key.clone_key())
            .map_err(unusable)?;
        server.session_storage = Arc::new(NoServerSessionStorage {});
        server.send_tls13_tickets = 0;
        let mut client = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&tls)
            .map_err(unusable)?
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .map_err(unusable)?;
        client.resumption = Resumption::disabled();
        Ok(Self {
            acceptor: TlsAcceptor::from(Arc::new(server)),
            connector: TlsConnector::from(Arc::new(client)),
        })
    }

    pub(super) fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    pub(super) fn connector(&self) -> &TlsConnector {
        &self.connector
    }
}

/// Whether a certificate is that of a node.
pub(super) fn is_of(certificate: &CertificateDer<'_>, node: &str) -> bool {
    let (Ok(parsed), Ok(name)) = (
        ParsedCertificate::try_from(certificate),
        ServerName::try_from(certificate_name(node)),
    ) else {
        return false;
    };
    verify_server_name(&parsed, &name).is_ok()
}

/// The reason that TLS gives for a handshake that failed.
pub(super) fn refusal(error: &std::io::Error) -> Refusal {
    let inner = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        None => Refusal::Closed,
        Some(rustls::Error::NoCertificatesPresented) => Refusal::NoCertificate,
        Some(rustls::Error::InvalidCertificate(error)) => match error {
            error if is_untimely(error) => Refusal::Expired,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => Refusal::Foreign,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Refusal::Name
            }
            _ => Refusal::Certificate,
        },
        Some(_) => Refusal::Tls,
    }
}

fn is_untimely(error: &CertificateError) -> bool {
    matches!(
        error,
        CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. }
    )
}

fn path<'a>(path: &'a Option<PathBuf>, setting: &'static str) -> Result<&'a Path, IdentityError> {
    let path = path.as_deref();
    path.ok_or_else(|| wrong(setting, "is missing: [cluster] needs ca, cert and key"))
}

fn unreadable(
    setting: &'static str,
    path: &Path,
    error: rustls::pki_types::pem::Error,
    what: &str,
) -> IdentityError {
    use rustls::pki_types::pem::Error;
    let path = path.display();
    let problem = match error {
        Error::Io(error) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("the file {path} is not there; `rookery cluster issue NAME` makes it")
        }
        Error::Io(error) => format!("the file {path} cannot be read: {error}"),
        Error::NoItemsFound => format!("the file {path} holds no {what}"),
        error => format!("the file {path} is no PEM file: {error}"),
    };
    wrong(setting, problem)
}

fn certificates(
    setting: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
    use rustls::pki_types::pem::Error;
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .and_then(|chain| match chain.is_empty() {
            true => Err(Error::NoItemsFound),
            false => Ok(chain),
        });
    chain.map_err(|error| unreadable(setting, path, error, "certificate"))
}

fn roots(path: &Path) -> Result<RootCertStore, IdentityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates("cluster.ca", path)? {
        roots.add(certificate).map_err(|error| {
            let path = path.display();
            let problem = format!("the file {path} holds a certificate that is none: {error}");
            wrong("cluster.ca", problem)
        })?;
    }
    Ok(roots)
}

fn check_certificate(
    chain: &[CertificateDer<'static>],
    verifier: &dyn ClientCertVerifier,
    node: &str,
) -> Result<(), IdentityError> {
    let setting = "cluster.cert";
    let Some((own, others)) = chain.split_first() else {
        return Err(wrong(setting, "there is no certificate"));
    };
    let now = UnixTime::now();
    let verified = verifier.verify_client_cert(own, others, now);
    if let Err(error) = verified {
        let problem = match &error {
            rustls::Error::InvalidCertificate(error) if is_untimely(error) => {
                format!("the certificate is not valid at this time: {error}")
            }
            rustls::Error::InvalidCertificate(
                CertificateError::UnknownIssuer | CertificateError::BadSignature,
            ) => "the certificate is not of the authority in `cluster.ca`".to_owned(),
            error => error.to_string(),
        };
        return Err(wrong(setting, problem));
    }
    if !is_of(own, node) {
        let name = certificate_name(node);
        let problem = format!(
            "the certificate is not for the node `{node}`: it does not name {name}; `rookery cluster issue {node}` makes one"
        );
        return Err(wrong(setting, problem));
    }
    let soon = UnixTime::since_unix_epoch(std::time::Duration::from_secs(
        now.as_secs().saturating_add(SOON_SECONDS),
    ));
    if verifier.verify_client_cert(own, others, soon).is_err() {
        tracing::warn!("the certificate of this node for the cluster ends within 30 days");
    }
    Ok(())
}

/// Has no certificate: for the listener that ractor insists on, so that nobody gets in there.
#[derive(Debug)]
struct NoCertificate;

impl ResolvesServerCert for NoCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

/// An acceptor with which no handshake succeeds.
///
/// # Errors
/// TLS is of no use here at all.
pub(super) fn closed_acceptor() -> Result<TlsAcceptor, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(NoCertificate));
    Ok(TlsAcceptor::from(Arc::new(config)))
}
