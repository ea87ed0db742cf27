//! Names of files as people are shown them: no path, nothing invisible, nothing that another system takes for something
//! else. No file is ever stored under such a name.

use rookery_protocol::{limits, text};

/// What a file without a usable name is called.
const NAMELESS: &str = "file";
/// Bytes of a name: what file systems allow.
const BYTES: usize = 255;
/// The longest extension that survives when a name is shortened, in bytes.
const EXTENSION_BYTES: usize = 16;

/// Names of devices on Windows, with any extension.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("").trim_end();
    let stem = stem.to_ascii_uppercase();
    let numbered = |prefix| {
        let number = stem.strip_prefix(prefix).unwrap_or("");
        let mut chars = number.chars();
        matches!(
            (chars.next(), chars.next()),
            (Some('0'..='9' | '¹' | '²' | '³'), None)
        )
    };
    matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) || numbered("COM")
        || numbered("LPT")
}

/// The name in its clean form.
pub fn clean(name: &str) -> String {
    // NUL ends a name for some, so what follows it is a disguise.
    let name = name.split('\0').next().unwrap_or("");
    let name = name.rsplit(['/', '\\']).next().unwrap_or("");
    let name: String = text::clean_name(name)
        .chars()
        .map(|c| match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' => '_',
            other => other,
        })
        .collect();
    let name = name.trim_matches(['.', ' ']);
    let name = if is_device(name) {
        format!("_{name}")
    } else {
        name.to_owned()
    };
    let name = shorten(&name);
    if name.is_empty() {
        NAMELESS.to_owned()
    } else {
        name
    }
}

/// Cuts a name that is too long, in front of its extension.
fn shorten(name: &str) -> String {
    if name.len() <= BYTES && name.chars().count() <= limits::FILENAME_CHARS {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .map(|at| &name[at..])
        .filter(|extension| extension.len() <= EXTENSION_BYTES)
        .unwrap_or("");
    let stem = &name[..name.len() - extension.len()];
    let mut room = BYTES.min(limits::FILENAME_CHARS) - extension.len();
    while !stem.is_char_boundary(room.min(stem.len())) {
        room -= 1;
    }
    format!("{}{extension}", stem[..room.min(stem.len())].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tricks_in_names_do_nothing() {
        let long = format!("{}.png", "ü".repeat(400));
        let table = [
            ("cat.png", "cat.png"),
            ("../../etc/passwd", "passwd"),
            ("..\\..\\boot.ini", "boot.ini"),
            ("/", "file"),
            ("", "file"),
            ("...", "file"),
            (".htaccess", "htaccess"),
            ("a\0.png", "a"),
            ("\0", "file"),
            ("a\r\nSet-Cookie: b", "a Set-Cookie_ b"),
            ("CON", "_CON"),
            ("con.txt", "_con.txt"),
            ("Com1 .tar.gz", "_Com1 .tar.gz"),
            ("LPT¹", "_LPT¹"),
            ("console.log", "console.log"),
            ("COM10", "COM10"),
            ("\u{202e}gpj.exe", "gpj.exe"),
            ("a\u{200b}b\u{feff}.txt", "ab.txt"),
            ("a\"b<c>.txt", "a_b_c_.txt"),
            ("trailing. . ", "trailing"),
            ("file:stream", "file_stream"),
            ("\u{1f426}.png", "\u{1f426}.png"),
        ];
        for (name, clean_name) in table {
            assert_eq!(clean(name), clean_name, "{name:?}");
        }
        let short = clean(&long);
        assert!(short.len() <= BYTES && short.ends_with("ü.png"), "{short}");
        assert!(clean(&"x".repeat(10_000)).len() <= BYTES);
    }

    proptest! {
        #[test]
        fn a_clean_name_is_a_plain_segment(name in "\\PC*|.{0,300}|(\\.|/|\\\\| |[a-z]){0,20}") {
            let clean_name = clean(&name);
            prop_assert!(!clean_name.is_empty() && clean_name.len() <= BYTES);
            let is_bad = |c: char| c.is_control() || "/\\<>:\"|?*".contains(c);
            prop_assert!(!clean_name.chars().any(is_bad));
            prop_assert!(clean_name != "." && clean_name != "..");
            prop_assert_eq!(clean(&clean_name), clean_name);
        }
    }
}
