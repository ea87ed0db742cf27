//! Which requests share a rate limit, and Discord's headers and body about it.
//!
//! Source: <https://discord.com/developers/docs/topics/rate-limits>

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use rookery_protocol::ids::UserId;
use rookery_protocol::time::Millis;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::refusal::json;
use crate::config::RateLimits;
use crate::limit::{Buckets, Decision, Quota, Take};

/// Who is limited.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Who {
    /// A user.
    User(UserId),
    /// A client without a valid token, or one that asks for an account or a token.
    Address(IpAddr),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user:{user}"),
            Self::Address(address) => write!(f, "address:{address}"),
        }
    }
}

/// The rate limits.
pub struct Limits {
    quotas: RateLimits,
    buckets: Arc<dyn Buckets>,
    /// What names that people log in with are hashed with: they may be e-mail addresses, which Redis need not know.
    names: Sha256,
}

/// A request let through, with what its answer says of its bucket.
#[derive(Debug)]
pub struct Admitted {
    decision: Decision,
    bucket: u64,
    now: Millis,
}

impl Limits {
    /// With these quotas, over `buckets`; `key` is the same on every node.
    pub fn new(quotas: RateLimits, buckets: Arc<dyn Buckets>, key: [u8; 32]) -> Self {
        Self {
            quotas,
            buckets,
            names: Sha256::new_with_prefix(key),
        }
    }

    /// Counts a request. `route` is the path as it is routed, below the API's prefix.
    ///
    /// # Errors
    /// The 429 to answer with.
    pub async fn admit(
        &self,
        who: &Who,
        method: &Method,
        route: &str,
        path: &str,
        now: Millis,
    ) -> Result<Option<Admitted>, Box<Response>> {
        if !self.quotas.enabled {
            return Ok(None);
        }
        let bucket = fnv(method.as_str().bytes().chain(route.bytes()));
        let takes = [
            Take {
                bucket: who.to_string(),
                quota: self.quotas.global,
            },
            Take {
                bucket: format!("{who}:{bucket:x}:{}", major(path)),
                quota: self.quota(method, route),
            },
        ];
        match self.buckets.take(&takes, now).await.as_slice() {
            [_, decision] if decision.is_allowed => Ok(Some(Admitted {
                decision: *decision,
                bucket,
                now,
            })),
            [_, decision] => Err(Box::new(refused(decision, Some(bucket), now))),
            [global] => Err(Box::new(refused(global, None, now))),
            _ => Ok(None),
        }
    }

    /// Counts an attempt to log in to the account of a name, whether or not there is one.
    ///
    /// # Errors
    /// The 429 to answer with.
    pub async fn admit_login(
        &self,
        name: &str,
        from: IpAddr,
        now: Millis,
    ) -> Result<(), Box<Response>> {
        if !self.quotas.enabled {
            return Ok(());
        }
        let digest = self.names.clone().chain_update(name).finalize();
        let takes = [
            Take {
                bucket: format!("{}:login", Who::Address(from)),
                quota: self.quotas.login_address,
            },
            Take {
                bucket: format!("login:{}", BASE64.encode(digest)),
                quota: self.quotas.login_account,
            },
        ];
        let decisions = self.buckets.take(&takes, now).await;
        match decisions.iter().find(|decision| !decision.is_allowed) {
            None => Ok(()),
            Some(decision) => Err(Box::new(refused(decision, None, now))),
        }
    }

    fn quota(&self, method: &Method, route: &str) -> Quota {
        let quotas = &self.quotas;
        match (method, route) {
            (&Method::POST, "/channels/{channel_id}/messages") => quotas.messages,
            (&Method::POST, "/guilds" | "/applications" | "/channels/{channel_id}/invites")
            | (&Method::POST, "/users/@me/relationships" | "/users/@me/channels")
            | (&Method::PUT, "/users/@me/relationships/{user_id}") => quotas.create,
            _ if counts_address(route) => quotas.accounts,
            _ => quotas.default,
        }
    }
}

impl Admitted {
    /// Says in an answer how its bucket stands.
    pub fn describe(&self, headers: &mut HeaderMap) {
        describe(headers, &self.decision, self.bucket, self.now);
    }
}

/// The 429. Without a bucket it is a limit over everything.
fn refused(decision: &Decision, bucket: Option<u64>, now: Millis) -> Response {
    let is_global = bucket.is_none();
    let seconds = seconds(decision.retry_after_ms);
    let body = json!({
        "message": "You are being rate limited.",
        "retry_after": seconds,
        "global": is_global,
    });
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, &body);
    let headers = response.headers_mut();
    let whole = decision.retry_after_ms.div_ceil(1_000);
    headers.insert(RETRY_AFTER, HeaderValue::from(whole));
    let scope = if is_global { "global" } else { "user" };
    put(headers, "x-ratelimit-scope", scope);
    if is_global {
        put(headers, "x-ratelimit-global", "true");
    }
    if let Some(bucket) = bucket {
        describe(headers, decision, bucket, now);
    }
    response
}

fn describe(headers: &mut HeaderMap, decision: &Decision, bucket: u64, now: Millis) {
    // A refused client that waits for the reset needs one token, not a full bucket.
    let reset_ms = if decision.is_allowed {
        decision.reset_after_ms
    } else {
        decision.retry_after_ms
    };
    put(headers, "x-ratelimit-limit", &decision.limit.to_string());
    put(
        headers,
        "x-ratelimit-remaining",
        &decision.remaining.to_string(),
    );
    let reset = format!("{:.3}", seconds(now.plus(reset_ms).0));
    put(headers, "x-ratelimit-reset", &reset);
    put(
        headers,
        "x-ratelimit-reset-after",
        &format!("{:.3}", seconds(reset_ms)),
    );
    put(headers, "x-ratelimit-bucket", &format!("{bucket:016x}"));
}

fn put(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Seconds, exact to the millisecond.
fn seconds(ms: u64) -> f64 {
    #[allow(
        clippy::cast_precision_loss,
        reason = "milliseconds since 1970 fit in 53 bits"
    )]
    let ms = ms as f64;
    ms / 1_000.0
}

/// Whether requests of a route count for the address that they come from, whatever token they have: every account brings a
/// token, and none may bring a quota of accounts with it.
pub(super) fn counts_address(route: &str) -> bool {
    matches!(route, "/auth/register" | "/auth/refresh")
}

/// The channel or group that a path is about; requests about different ones do not share a bucket.
fn major(path: &str) -> u64 {
    let mut parts = path.split('/');
    while let Some(part) = parts.next() {
        if matches!(part, "channels" | "guilds") {
            return parts.next().and_then(|id| id.parse().ok()).unwrap_or(0);
        }
    }
    0
}

/// FNV-1a: the same on every node and in every version.
fn fnv(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::limit::Limiter;

    const ROUTE: &str = "/channels/{channel_id}/messages";
    const NOW: Millis = Millis(1_795_412_460_000);

    fn limits(quotas: RateLimits) -> Limits {
        Limits::new(quotas, Arc::new(Limiter::new()), [7; 32])
    }

    async fn post(limits: &Limits, user: u64, channel: u64) -> Result<HeaderMap, HeaderMap> {
        let path = format!("/api/v10/channels/{channel}/messages");
        let who = Who::User(UserId(user));
        match limits.admit(&who, &Method::POST, ROUTE, &path, NOW).await {
            Ok(admitted) => {
                let mut headers = HeaderMap::new();
                admitted.unwrap().describe(&mut headers);
                Ok(headers)
            }
            Err(response) => Err(response.headers().clone()),
        }
    }

    #[tokio::test]
    async fn a_bucket_is_of_one_user_in_one_channel() {
        let limits = limits(Config::default().limits);
        let first = post(&limits, 1, 7).await.unwrap();
        assert_eq!(first["x-ratelimit-limit"], "5");
        assert_eq!(first["x-ratelimit-remaining"], "4");
        assert_eq!(first["x-ratelimit-reset-after"], "1.000");
        assert_eq!(first["x-ratelimit-reset"], "1795412461.000");
        for _ in 0..4 {
            post(&limits, 1, 7).await.unwrap();
        }
        let refused = post(&limits, 1, 7).await.unwrap_err();
        assert_eq!(refused["retry-after"], "1");
        assert_eq!(refused["via"], "1.1 rookery");
        assert_eq!(refused["x-ratelimit-scope"], "user");
        assert_eq!(refused["x-ratelimit-bucket"], first["x-ratelimit-bucket"]);
        assert!(refused.get("x-ratelimit-global").is_none());
        post(&limits, 1, 8).await.unwrap();
        post(&limits, 2, 7).await.unwrap();
    }

    #[tokio::test]
    async fn a_global_limit_counts_everything() {
        let mut quotas = Config::default().limits;
        quotas.global = Quota::per_seconds(2, 1);
        let limits = limits(quotas);
        post(&limits, 1, 1).await.unwrap();
        post(&limits, 1, 2).await.unwrap();
        let refused = post(&limits, 1, 3).await.unwrap_err();
        assert_eq!(refused["x-ratelimit-global"], "true");
        assert_eq!(refused["x-ratelimit-scope"], "global");
    }

    #[tokio::test]
    async fn attempts_to_log_in_are_counted_per_name_and_per_address() {
        let mut quotas = Config::default().limits;
        quotas.login_account = Quota::per_seconds(2, 60);
        quotas.login_address = Quota::per_seconds(3, 60);
        let limits = limits(quotas);
        let from = |n: u8| IpAddr::from([10, 0, 0, n]);
        assert!(limits.admit_login("ada", from(1), NOW).await.is_ok());
        assert!(limits.admit_login("ada", from(2), NOW).await.is_ok());
        assert!(limits.admit_login("ada", from(3), NOW).await.is_err());
        assert!(limits.admit_login("ben", from(3), NOW).await.is_ok());
        assert!(limits.admit_login("cy", from(3), NOW).await.is_ok());
        assert!(limits.admit_login("dan", from(3), NOW).await.is_err());
    }

    #[tokio::test]
    async fn switched_off_nothing_is_limited() {
        let mut quotas = Config::default().limits;
        quotas.enabled = false;
        let limits = limits(quotas);
        for _ in 0..1_000 {
            let who = Who::Address(IpAddr::from([10, 0, 0, 1]));
            assert!(
                limits
                    .admit(&who, &Method::GET, "/x", "/x", NOW)
                    .await
                    .unwrap()
                    .is_none()
            );
            assert!(
                limits
                    .admit_login("ada", IpAddr::from([10, 0, 0, 1]), NOW)
                    .await
                    .is_ok()
            );
        }
    }
}
