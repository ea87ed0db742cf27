//! The web client: its files, and its page for every address that is a place in it.

mod assets;

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use self::assets::{Asset, PAGE};

/// The page loads what this node serves, runs no script that stands in it, and is framed by nobody. `blob:` is for what
/// people are about to send.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      media-src 'self' blob:; font-src 'self'; connect-src 'self'; manifest-src 'self'; \
                      worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// What the page may ask the browser for.
const PERMISSIONS: &str =
    "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=(), usb=()";
/// What the page says besides; the headers of every answer come on top.
const OF_PAGE: [(HeaderName, &str); 4] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// What is named by its hash never changes.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// The rest may change with the next version: browsers ask, and mostly hear that it has not.
const ASK: &str = "no-cache";

/// Where other things than the client's places are.
const ELSEWHERE: [&str; 9] = [
    "/api",
    "/assets",
    "/attachments",
    "/avatars",
    "/channel-icons",
    "/embed",
    "/gateway",
    "/icons",
    "/voice",
];

/// The client's page.
pub(crate) fn page(headers: &HeaderMap) -> Option<Response<Body>> {
    assets::find(PAGE).map(|asset| deliver(asset, headers))
}

/// Lets the page open sockets at other nodes of a cluster, where voice rooms may be, with or without TLS as `origin` has it.
/// Which nodes there are changes while pages are open, so the scheme is all that is said of them.
pub(crate) fn admit_sockets(response: &mut Response<Body>, origin: &str) {
    let scheme = if origin.starts_with("https") {
        "wss:"
    } else {
        "ws:"
    };
    let headers = response.headers_mut();
    let policy = headers.get(CONTENT_SECURITY_POLICY);
    let Some(policy) = policy.and_then(|policy| policy.to_str().ok()) else {
        return;
    };
    let policy = policy.replace(
        "connect-src 'self'",
        &format!("connect-src 'self' {scheme}"),
    );
    // ASCII, as it was.
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
}

/// A file of the client, or its page where somebody looks for a place in it; nothing else is its own.
pub(crate) fn serve(method: &Method, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return None;
    }
    if let Some(asset) = assets::find(path) {
        return Some(deliver(asset, headers));
    }
    let is_place = !ELSEWHERE.iter().any(|other| is_below(path, other)) && !is_file(path);
    (is_place && wants_html(headers))
        .then(|| page(headers))
        .flatten()
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a path ends like that of a file.
fn is_file(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|last| last.contains('.'))
}

/// Whether somebody asks for a page, and not a program for data.
fn wants_html(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter();
    accepted
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/html"))
}

/// Whether a coding is accepted; one with a quality of zero is not.
fn accepts(headers: &HeaderMap, coding: &str) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let is_named = parts
                .next()
                .is_some_and(|name| name.eq_ignore_ascii_case(coding));
            let is_refused =
                parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            is_named && !is_refused
        })
}

fn deliver(asset: &'static Asset, headers: &HeaderMap) -> Response<Body> {
    let (coding, bytes) = match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if accepts(headers, "br") => ("br", bytes),
        (_, Some(bytes)) if accepts(headers, "gzip") => ("gzip", bytes),
        _ => ("", asset.plain),
    };
    let tag = format!("\"{}{coding}\"", asset.mark);
    let known = headers.get_all(IF_NONE_MATCH).iter();
    let is_known = known
        .filter_map(|known| known.to_str().ok())
        .flat_map(|known| known.split(','))
        .any(|known| known.trim().trim_start_matches("W/") == tag);
    let mut response = Response::new(Body::empty());
    let answer = response.headers_mut();
    let mut put = |name: HeaderName, value: &str| {
        // All values are ASCII.
        if let Ok(value) = HeaderValue::from_str(value) {
            answer.insert(name, value);
        }
    };
    put(
        CACHE_CONTROL,
        if asset.is_hashed() { FOR_EVER } else { ASK },
    );
    put(ETAG, &tag);
    put(VARY, "Accept-Encoding");
    if asset.path == PAGE {
        for (name, value) in OF_PAGE {
            put(name, value);
        }
    }
    if is_known {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    put(CONTENT_TYPE, asset.content_type());
    if !coding.is_empty() {
        put(CONTENT_ENCODING, coding);
    }
    *response.body_mut() = Body::from(bytes);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(list: &[(HeaderName, &str)]) -> HeaderMap {
        let pairs = list.iter().cloned();
        pairs
            .map(|(name, value)| (name, HeaderValue::from_str(value).unwrap()))
            .collect()
    }

    fn get(path: &str, list: &[(HeaderName, &str)]) -> Option<Response<Body>> {
        serve(&Method::GET, path, &headers(list))
    }

    #[test]
    fn places_are_the_page_and_everything_else_is_not() {
        let browser = [(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")];
        for place in ["/friends", "/invite/abc", "/g/1/2/3", "/d/1", "/apiary"] {
            let response = get(place, &browser).unwrap();
            let policy = response.headers().get(CONTENT_SECURITY_POLICY).unwrap();
            assert_eq!(policy, POLICY, "{place}");
            assert_eq!(response.headers().get(CACHE_CONTROL).unwrap(), ASK);
            assert!(get(place, &[]).is_none(), "{place}");
            assert!(serve(&Method::POST, place, &headers(&browser)).is_none());
        }
        let others = [
            "/api",
            "/api/v10/x",
            "/api/v11/users",
            "/gateway",
            "/avatars/1/x",
            "/assets/gone.js",
            "/favicon.ico",
            "/../etc/passwd.txt",
        ];
        for other in others {
            assert!(get(other, &browser).is_none(), "{other}");
        }
    }

    #[test]
    fn a_known_file_is_not_sent_again_and_the_smallest_accepted_is_sent() {
        for (accepted, coding) in [
            ("gzip, deflate, br", Some("br")),
            ("gzip;q=1.0, br;q=0", Some("gzip")),
            ("deflate", None),
            ("", None),
        ] {
            let response = get(PAGE, &[(ACCEPT_ENCODING, accepted)]).unwrap();
            let said = response.headers().get(CONTENT_ENCODING);
            assert_eq!(
                said.map(|value| value.to_str().unwrap()),
                coding,
                "{accepted}"
            );
            let tag = response.headers().get(ETAG).unwrap().to_str().unwrap();
            let again = [(ACCEPT_ENCODING, accepted), (IF_NONE_MATCH, tag)];
            let again = get(PAGE, &again).unwrap();
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{accepted}");
        }
    }
}
