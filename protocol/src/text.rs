//! What names and texts may hold. Control characters and invisible formatting that lets one name pass for another are
//! removed or refused; usernames are ASCII, so that no letter has a look-alike.

use unicode_normalization::UnicodeNormalization;

use crate::limits;

/// What the names of deleted users begin with; nobody can take one of them.
pub const DELETED_USER: &str = "deleted_user_";

/// Whether `name` is a username: 2 to 32 of `a-z 0-9 _ .`, no two dots in a row, and not that of a deleted user.
pub fn is_username(name: &str) -> bool {
    limits::USERNAME_CHARS.contains(&name.len())
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.'))
        && !name.contains("..")
        && !name.starts_with(DELETED_USER)
}

/// Characters that a name must not hold: controls, bidirectional overrides, zero-width and other invisible ones.
fn is_forbidden_in_name(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// A display name, group name, channel name or topic in its clean form: NFC, forbidden characters left out, runs of
/// white space made one blank, trimmed. May be empty: check the length afterwards.
pub fn clean_name(name: &str) -> String {
    let kept: String = name
        .nfc()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|&c| !is_forbidden_in_name(c))
        .collect();
    kept.split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The content of a message in its clean form: NUL and other controls but line breaks and tabs left out, trimmed.
pub fn clean_content(content: &str) -> String {
    let kept: String = content
        .chars()
        .filter(|&c| !c.is_control() || matches!(c, '\n' | '\t'))
        .collect();
    kept.trim().to_owned()
}

/// The ids of users that a content mentions (`<@1>`, `<@!1>`), each once, in their order.
pub fn mentioned_users(content: &str) -> Vec<crate::ids::UserId> {
    let mut users = Vec::new();
    for rest in content.split("<@").skip(1) {
        let Some((id, _)) = rest.split_once('>') else {
            continue;
        };
        if let Ok(id) = id.trim_start_matches('!').parse()
            && !users.contains(&id)
        {
            users.push(id);
            if users.len() == limits::MENTIONS_PER_MESSAGE {
                break;
            }
        }
    }
    users
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::UserId;

    #[test]
    fn usernames_have_no_look_alikes() {
        for good in ["ada", "a.b_c9", "12"] {
            assert!(is_username(good), "{good}");
        }
        for bad in [
            "a",
            "Ada",
            "а\u{434}a",
            "a..b",
            "a b",
            "a\0b",
            "é",
            "ada\u{200b}",
            &"x".repeat(33),
            "deleted_user_1",
        ] {
            assert!(!is_username(bad), "{bad}");
        }
    }

    #[test]
    fn names_lose_what_cannot_be_seen() {
        assert_eq!(clean_name("  A\u{202e}da\u{200b} \t\n L\0. "), "Ada L.");
        assert_eq!(clean_name("e\u{301}"), "\u{e9}");
        assert_eq!(clean_name("\u{3164}\u{200d}"), "");
    }

    #[test]
    fn contents_keep_line_breaks() {
        assert_eq!(clean_content("\n a\0b\n\tc\u{1b} \r\n"), "ab\n\tc");
    }

    #[test]
    fn mentions_are_found_once_and_in_order() {
        assert_eq!(
            mentioned_users("<@2> <@!1> <@2> <@x> <@3"),
            vec![UserId(2), UserId(1)]
        );
    }
}
