//! What a file is, as its bytes say; what the client says does not matter. Only a few types are delivered as what they
//! are: those that browsers show without running anything. The rest are bytes to be saved.

/// What is unknown, or not on the list.
pub const BYTES: &str = "application/octet-stream";
/// Text; shown as such, whatever markup it holds.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Bytes of a file's beginning that are looked at.
pub const HEAD: usize = 4_096;

/// Types that are delivered as what they are.
const SAFE: [&str; 12] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/avif",
    "video/mp4",
    "video/webm",
    "audio/ogg",
    "audio/mpeg",
    "audio/wav",
    "audio/flac",
    TEXT,
];

/// The type of a file that begins like this.
pub fn sniff(head: &[u8]) -> &'static str {
    let at = |offset: usize, magic: &[u8]| {
        head.get(offset..)
            .is_some_and(|rest| rest.starts_with(magic))
    };
    if at(0, b"\x89PNG\r\n\x1a\n") {
        "image/png"
    } else if at(0, b"\xff\xd8\xff") {
        "image/jpeg"
    } else if at(0, b"GIF87a") || at(0, b"GIF89a") {
        "image/gif"
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        "image/webp"
    } else if at(0, b"RIFF") && at(8, b"WAVE") {
        "audio/wav"
    } else if at(4, b"ftyp") {
        match head.get(8..12) {
            Some(b"avif" | b"avis") => "image/avif",
            Some(
                b"isom" | b"iso2" | b"iso4" | b"iso5" | b"iso6" | b"mp41" | b"mp42" | b"avc1"
                | b"dash" | b"M4V " | b"M4A " | b"MSNV",
            ) => "video/mp4",
            _ => BYTES,
        }
    } else if at(0, b"\x1a\x45\xdf\xa3") {
        // Matroska; only its subset for the web is on the list.
        let doctype = head.get(..64).unwrap_or(head);
        let is_web = doctype.windows(4).any(|window| window == b"webm");
        if is_web { "video/webm" } else { BYTES }
    } else if at(0, b"OggS") {
        "audio/ogg"
    } else if at(0, b"fLaC") {
        "audio/flac"
    } else if at(0, b"ID3") || matches!(head, [0xff, 0xfa | 0xfb | 0xf2 | 0xf3, ..]) {
        "audio/mpeg"
    } else if is_text(head) {
        TEXT
    } else {
        BYTES
    }
}

/// Whether it is UTF-8 without controls; the last character may be cut off.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && head.len() >= HEAD => {
            std::str::from_utf8(&head[..error.valid_up_to()]).unwrap_or("")
        }
        Err(_) => return false,
    };
    let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t' | '\u{c}' | '\u{1b}');
    !text.is_empty() && !text.chars().any(is_odd)
}

/// The type that a file of a recorded type is delivered as.
pub fn pinned(kind: &str) -> &'static str {
    let safe = SAFE.into_iter().find(|safe| *safe == kind);
    safe.unwrap_or(BYTES)
}

/// Whether it is shown in its place, instead of being saved.
pub fn is_shown(kind: &str) -> bool {
    ["image/", "video/", "audio/"]
        .iter()
        .any(|prefix| kind.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bytes_say_what_a_file_is() {
        let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
        let table: [(&[u8], &str); 20] = [
            (b"\x89PNG\r\n\x1a\n<html><script>", "image/png"),
            (b"\xff\xd8\xff\xe0..JFIF", "image/jpeg"),
            (b"GIF89a=1;alert(1)//", "image/gif"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
            (b"RIFF\x10\0\0\0WAVEfmt ", "audio/wav"),
            (b"RIFF\x10\0\0\0AVI LIST", BYTES),
            (b"\0\0\0\x20ftypavif", "image/avif"),
            (b"\0\0\0\x20ftypisom", "video/mp4"),
            (b"\0\0\0\x20ftypheic", BYTES),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm", "video/webm"),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska", BYTES),
            (b"OggS\0", "audio/ogg"),
            (b"fLaC\0", "audio/flac"),
            (b"ID3\x04", "audio/mpeg"),
            (b"\xff\xfb\x90", "audio/mpeg"),
            (svg, TEXT),
            (b"<!doctype html><script>alert(1)</script>", TEXT),
            (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", BYTES),
            (b"MZ\x90\0", BYTES),
            (b"", BYTES),
        ];
        for (head, kind) in table {
            assert_eq!(sniff(head), kind, "{head:?}");
        }
        let cut = "\u{e9}".repeat(HEAD);
        assert_eq!(sniff(&cut.as_bytes()[..HEAD]), TEXT);
        assert_eq!(sniff(&cut.as_bytes()[1..]), BYTES);
        assert_eq!(sniff(b"\xff\xfeh\0i\0"), BYTES);
    }

    #[test]
    fn nothing_is_delivered_as_what_runs() {
        for kind in [
            "text/html",
            "image/svg+xml",
            "application/pdf",
            "text/javascript",
            "",
        ] {
            assert_eq!(pinned(kind), BYTES);
            assert!(!is_shown(pinned(kind)));
        }
        assert!(!is_shown(TEXT));
        assert_eq!(pinned(TEXT), TEXT);
    }

    proptest! {
        #[test]
        fn whatever_the_bytes_the_type_is_on_the_list(head in proptest::collection::vec(any::<u8>(), 0..80)) {
            let kind = sniff(&head);
            prop_assert!(kind == BYTES || pinned(kind) == kind);
        }
    }
}
