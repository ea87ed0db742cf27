//! What names and texts may hold. Control characters and invisible formatting that lets one name pass for another are
//! removed or refused; usernames are ASCII, so that no letter has a look-alike.

use unicode_normalization::UnicodeNormalization;

use crate::ids::{RoleId, UserId};
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
pub fn mentioned_users(content: &str) -> Vec<UserId> {
    mentioned(content, |id| {
        id.strip_prefix('!').unwrap_or(id).parse().ok()
    })
}

/// The ids of roles that a content mentions (`<@&1>`), each once, in their order.
pub fn mentioned_roles(content: &str) -> Vec<RoleId> {
    mentioned(content, |id| id.strip_prefix('&')?.parse().ok())
}

/// Whether a content mentions everybody, or everybody who is online.
pub fn mentions_everyone(content: &str) -> bool {
    spoken(content).any(|text| text.contains("@everyone") || text.contains("@here"))
}

fn mentioned<T: PartialEq>(content: &str, read: impl Fn(&str) -> Option<T>) -> Vec<T> {
    let mut found = Vec::new();
    for text in spoken(content) {
        let ids = text.split("<@").skip(1);
        for id in ids.filter_map(|rest| read(rest.split_once('>')?.0)) {
            if found.len() < limits::MENTIONS_PER_MESSAGE && !found.contains(&id) {
                found.push(id);
            }
        }
    }
    found
}

/// The parts of a content that are not code: what stands between two runs of as many backticks mentions nobody.
fn spoken(mut content: &str) -> impl Iterator<Item = &str> {
    // Where a run of this length was looked for in vain, none follows: so a text of many runs is not searched again and again.
    let mut unmatched = std::collections::BTreeSet::new();
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let Some(at) = content.get(from..)?.find('`').map(|at| at + from) else {
                let last = std::mem::take(&mut content);
                from = 1;
                return Some(last);
            };
            let ticks = run(&content[at..]);
            let after = at + ticks;
            let close = (!unmatched.contains(&ticks))
                .then(|| closing(&content[after..], ticks))
                .flatten();
            match close {
                Some(close) => {
                    let before = &content[..at];
                    content = &content[after + close + ticks..];
                    from = 0;
                    return Some(before);
                }
                None => {
                    unmatched.insert(ticks);
                    from = after;
                }
            }
        }
    })
}

/// How many backticks a text begins with.
fn run(text: &str) -> usize {
    text.bytes().take_while(|&b| b == b'`').count()
}

/// Where the next run of exactly `ticks` backticks is.
fn closing(text: &str, ticks: usize) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text.get(from..)?.find('`')?;
        let found = run(&text[at..]);
        if found == ticks {
            return Some(at);
        }
        from = at + found;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn roles_and_everybody_are_mentioned_too() {
        assert_eq!(
            mentioned_roles("<@&2> <@1> <@&1><@&2>"),
            vec![RoleId(2), RoleId(1)]
        );
        assert_eq!(mentioned_users("<@&2> <@!&3> <@!!4>"), vec![]);
        assert!(mentions_everyone("hey @everyone") && mentions_everyone("@here!"));
        assert!(!mentions_everyone("everyone @ here"));
    }

    #[test]
    fn code_mentions_nobody() {
        for (content, users) in [
            ("`<@1>` <@2>", vec![2]),
            ("```\n<@1>\n```<@2>", vec![2]),
            ("``<@1>` ``", vec![]),
            ("`<@1>", vec![1]),
            ("``<@1>`", vec![1]),
            ("`a` <@1> `b` <@2> ``c", vec![1, 2]),
            ("```<@1>`` ` <@2>", vec![1, 2]),
            ("`` ` <@1> ` <@2>", vec![2]),
        ] {
            let users: Vec<UserId> = users.into_iter().map(UserId).collect();
            assert_eq!(mentioned_users(content), users, "{content}");
        }
        assert!(!mentions_everyone("`@everyone`"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_not_code_is_a_part_of_the_content(content in "[`<@>12 é]{0,40}") {
            let parts: Vec<&str> = spoken(&content).collect();
            let mut rest = content.as_str();
            for part in parts {
                let at = rest.find(part);
                proptest::prop_assert!(at.is_some());
                rest = &rest[at.unwrap() + part.len()..];
            }
        }
    }

    #[test]
    fn mentions_are_found_once_and_in_order() {
        assert_eq!(
            mentioned_users("<@2> <@!1> <@2> <@x> <@3"),
            vec![UserId(2), UserId(1)]
        );
    }
}
