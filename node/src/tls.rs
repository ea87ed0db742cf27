//! The certificate: read from PEM files, read again when they change, without a restart.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::Mutex;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("the file {} cannot be read: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no certificate in the file.
    #[error("the file {} holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// Certificate and key are not used together.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The certificate in use, and its files.
#[derive(Debug)]
pub struct Certificates {
    cert: PathBuf,
    key: PathBuf,
    current: Mutex<(Arc<ServerConfig>, Stamp)>,
}

/// What the files looked like when they were read.
type Stamp = [Option<(SystemTime, u64)>; 2];

impl Certificates {
    /// Reads the files of the settings; `None` when the node does not speak TLS.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn load(tls: &Tls) -> Result<Option<Self>, TlsError> {
        let (Some(cert), Some(key)) = (&tls.cert, &tls.key) else {
            return Ok(None);
        };
        let seen = stamp(cert, key);
        let config = read(cert, key)?;
        Ok(Some(Self {
            cert: cert.clone(),
            key: key.clone(),
            current: Mutex::new((config, seen)),
        }))
    }

    /// An acceptor of handshakes with the certificate in use now.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.current.lock().0))
    }

    /// Reads the files again if they have changed, or in any case if `is_forced`. If they cannot be used the old
    /// certificate stays. Blocks on the disk.
    pub fn reload(&self, is_forced: bool) {
        let seen = stamp(&self.cert, &self.key);
        if !is_forced && seen == self.current.lock().1 {
            return;
        }
        match read(&self.cert, &self.key) {
            Ok(config) => {
                *self.current.lock() = (config, seen);
                tracing::info!("new certificate in use");
            }
            Err(error) => {
                // Said once per change, not at every look.
                self.current.lock().1 = seen;
                tracing::error!(%error, "the new certificate cannot be used; the old one stays");
            }
        }
    }
}

fn stamp(cert: &Path, key: &Path) -> Stamp {
    [cert, key].map(|path| {
        let meta = std::fs::metadata(path).ok()?;
        Some((meta.modified().ok()?, meta.len()))
    })
}

fn read(cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |error: rustls::pki_types::pem::Error| TlsError::File {
            path,
            reason: match error {
                rustls::pki_types::pem::Error::Io(error) => io_reason(&error),
                error => error.to_string(),
            },
        }
    };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(failed(cert))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate(cert.to_path_buf()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(failed(key))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it is not there".to_owned(),
        _ => error.to_string(),
    }
}
