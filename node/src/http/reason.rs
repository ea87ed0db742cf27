//! Why something is done, for the audit log.
//!
//! Source: <https://discord.com/developers/docs/resources/audit-log>

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use rookery_protocol::error::ApiError;
use rookery_protocol::{limits, text};

use super::refusal::Refusal;

/// The header `X-Audit-Log-Reason`, percent-encoded UTF-8.
pub(super) struct Reason(pub(super) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for Reason {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let Some(value) = parts.headers.get("x-audit-log-reason") else {
            return Ok(Self(None));
        };
        let reason = text::clean_name(&decode(value.as_bytes()));
        let chars = reason.chars().count();
        if chars > limits::REASON_CHARS {
            let message = format!("Must be {} or fewer in length.", limits::REASON_CHARS);
            return Err(ApiError::field("reason", "BASE_TYPE_MAX_LENGTH", message).into());
        }
        Ok(Self((chars > 0).then_some(reason)))
    }
}

/// Percent-decodes; what is no escape stays as it is, what is no UTF-8 is replaced.
fn decode(mut value: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(value.len());
    while let Some((&first, rest)) = value.split_first() {
        let escaped = (first == b'%')
            .then(|| rest.get(..2))
            .flatten()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                value = &rest[2..];
            }
            None => {
                bytes.push(first);
                value = rest;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn escapes_are_decoded_and_the_rest_is_left() {
        for (value, reason) in [
            ("spam", "spam"),
            ("b%C3%B6se%20Tat", "b\u{f6}se Tat"),
            ("100%", "100%"),
            ("%zz%4", "%zz%4"),
            ("%ff", "\u{fffd}"),
        ] {
            assert_eq!(decode(value.as_bytes()), reason);
        }
    }
}
