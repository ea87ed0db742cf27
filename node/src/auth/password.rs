//! Passwords: argon2id with OWASP's parameters, on a bounded pool of blocking threads.
//!
//! Source: <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html>

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use rookery_protocol::command::Answer;
use rookery_protocol::error::ErrorCode;
use tokio::sync::Semaphore;

use crate::random;

/// Memory of one hash in KiB.
const MEMORY_KIB: u32 = 19_456;
/// Passes over the memory.
const PASSES: u32 = 2;
/// Lanes.
const LANES: u32 = 1;
/// Hashes that may be asked for at once; above it callers are answered busy.
const QUEUE: usize = 64;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    /// Places in the queue, those at work included.
    queue: Arc<Semaphore>,
    /// Threads: each takes a core and 19 MiB.
    workers: Arc<Semaphore>,
    /// A hash that no password fits, for names that nobody has.
    dummy: Arc<str>,
}

impl Passwords {
    /// A pool of as many workers as there are cores.
    ///
    /// # Errors
    /// `Internal`, when the hash function cannot be set up.
    pub async fn new() -> Answer<Self> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut passwords = Self {
            queue: Arc::new(Semaphore::new(QUEUE)),
            workers: Arc::new(Semaphore::new(cores)),
            dummy: "".into(),
        };
        let nobodys = random::code(32);
        passwords.dummy = passwords.hash(nobodys).await?.into();
        Ok(passwords)
    }

    /// The PHC string of a password.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub async fn hash(&self, password: String) -> Answer<String> {
        self.run(move || {
            let hashed = argon2()?.hash_password(password.as_bytes()).ok()?;
            Some(hashed.to_string())
        })
        .await?
        .ok_or_else(|| ErrorCode::Internal.into())
    }

    /// Whether a password fits a PHC string. With none it takes as long and is false.
    ///
    /// # Errors
    /// `Busy` when too many are waiting.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Answer<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.dummy.to_string());
        let fits = self
            .run(move || {
                let hash = PasswordHash::new(&hash).ok()?;
                let argon2 = argon2()?;
                Some(argon2.verify_password(password.as_bytes(), &hash).is_ok())
            })
            .await?;
        Ok(known && fits == Some(true))
    }

    /// Runs `work` on a blocking thread. Both permits go with it: a caller that gives up frees no thread.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Option<T> + Send + 'static,
    ) -> Answer<Option<T>> {
        let busy = |_| ErrorCode::Busy;
        let place = Arc::clone(&self.queue).try_acquire_owned().map_err(busy)?;
        let worker = Arc::clone(&self.workers).acquire_owned().await;
        let worker = worker.map_err(|_| ErrorCode::Internal)?;
        let done = tokio::task::spawn_blocking(move || {
            let result = work();
            drop((worker, place));
            result
        });
        done.await.map_err(|_| ErrorCode::Internal.into())
    }
}

fn argon2() -> Option<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits_and_a_missing_hash_fits_none() {
        let passwords = Passwords::new().await.unwrap();
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        let verify = |password: &str, hash| passwords.verify(password.into(), hash);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("wrong horse", Some(hash)).await.unwrap());
        assert!(!verify("", None).await.unwrap());
        assert!(!verify("x", Some("no hash".into())).await.unwrap());
    }

    #[tokio::test]
    async fn a_full_queue_is_busy() {
        let passwords = Passwords::new().await.unwrap();
        let _all = passwords.queue.try_acquire_many(64).unwrap();
        let refused = passwords.hash("x".into()).await.unwrap_err();
        assert_eq!(refused.code, ErrorCode::Busy);
    }
}
