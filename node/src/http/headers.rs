//! Headers that every answer has: security for browsers, and leave for the web pages that the settings name (CORS).

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL, CONTENT_SECURITY_POLICY, ORIGIN, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal::no_content;
use crate::app::App;

/// Answers are data for one client: not kept, not framed, not sniffed.
const SECURITY: [(HeaderName, &str); 5] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (CACHE_CONTROL, "no-store"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

/// What a page may send.
const ALLOWED: &str = "Authorization, Content-Type, X-Audit-Log-Reason";
/// What a page may read.
const EXPOSED: &str = "Retry-After, X-RateLimit-Bucket, X-RateLimit-Global, X-RateLimit-Limit, \
                       X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Reset-After, X-RateLimit-Scope";

/// Adds the headers, and answers the preflights of allowed pages.
pub(super) async fn add(State(app): State<App>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(ORIGIN).cloned();
    let allowed = origin.and_then(|origin| allow(&app.config.cors_origins, &origin));
    let is_preflight = request.method() == Method::OPTIONS
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match &allowed {
        Some(_) if is_preflight => {
            let mut response = no_content();
            let headers = response.headers_mut();
            put(
                headers,
                ACCESS_CONTROL_ALLOW_METHODS,
                "GET, POST, PUT, PATCH, DELETE",
            );
            put(headers, ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED);
            put(headers, ACCESS_CONTROL_MAX_AGE, "3600");
            response
        }
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    if !app.config.cors_origins.is_empty() {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    if let Some(allowed) = allowed {
        if allowed != "*" {
            put(headers, ACCESS_CONTROL_ALLOW_CREDENTIALS, "true");
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        put(headers, ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
    for (name, value) in SECURITY {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    response
}

/// What `Access-Control-Allow-Origin` says to a page: itself if it is listed, `*` if everybody is.
fn allow(origins: &[String], origin: &HeaderValue) -> Option<HeaderValue> {
    if origins.iter().any(|allowed| origin == allowed.as_str()) {
        return Some(origin.clone());
    }
    let any = origins.iter().any(|allowed| allowed == "*");
    any.then(|| HeaderValue::from_static("*"))
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_pages_are_allowed_and_a_star_gives_no_credentials() {
        let origins = |list: &[&str]| list.iter().map(|o| (*o).to_owned()).collect::<Vec<_>>();
        let page = HeaderValue::from_static("https://a.example");
        assert_eq!(allow(&[], &page), None);
        assert_eq!(allow(&origins(&["https://b.example"]), &page), None);
        let listed = allow(&origins(&["*", "https://a.example"]), &page);
        assert_eq!(listed, Some(page.clone()));
        let star = allow(&origins(&["*"]), &page);
        assert_eq!(star, Some(HeaderValue::from_static("*")));
    }
}
