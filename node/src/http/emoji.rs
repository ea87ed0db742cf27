//! Emoji in paths.

use rookery_protocol::error::ErrorCode;
use rookery_protocol::limits;

use super::body::Params;
use super::refusal::Refusal;

/// The emoji of the path, which axum has percent-decoded.
///
/// # Errors
/// `UnknownEmoji`.
pub(super) fn of(params: &Params) -> Result<String, Refusal> {
    let found = find(params.text("emoji"));
    found.ok_or_else(|| ErrorCode::UnknownEmoji.into())
}

/// A unicode emoji in its fully qualified form, in which all ways to write it are one; or one of the letters that flags are
/// made of, which people react with to spell words. A guild's own emoji there are none.
fn find(text: &str) -> Option<String> {
    if text.len() > limits::EMOJI_BYTES {
        return None;
    }
    let mut letters = text.chars();
    if let (Some('\u{1f1e6}'..='\u{1f1ff}'), None) = (letters.next(), letters.next()) {
        return Some(text.to_owned());
    }
    emojis::get(text).map(|emoji| emoji.as_str().to_owned())
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn emoji_are_known_in_all_their_forms() {
        for emoji in [
            "\u{1f44d}",
            "\u{1f44d}\u{1f3fd}",
            "\u{2764}\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "\u{1f1e9}\u{1f1ea}",
            "\u{1f1e6}",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}\u{200d}\u{1f466}",
            "\u{1f3f4}\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        ] {
            assert_eq!(find(emoji).as_deref(), Some(emoji), "{emoji}");
        }
        assert_eq!(find("\u{2764}").as_deref(), Some("\u{2764}\u{fe0f}"));
    }

    #[test]
    fn what_is_no_emoji_is_unknown() {
        for text in [
            "",
            "a",
            "1",
            "/",
            "thumbsup",
            ":thumbsup:",
            "name:123456789012345678",
            "\u{1f44d}\u{1f44d}",
            "\u{1f44d}x",
            "\u{fe0f}",
            "\u{200d}",
            "\u{1f1e6}\u{1f1e6}",
            "\u{0}",
        ] {
            assert_eq!(find(text), None, "{text:?}");
        }
        assert_eq!(find(&"\u{1f44d}".repeat(100)), None);
    }
}
