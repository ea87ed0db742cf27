//! The README's part about routes and events, written from the router and the enum of events.

use std::fmt::Write;

use rookery_node::http::ROUTES;
use rookery_protocol::event::EventName;

/// What the generated part is between.
pub const BEGIN: &str =
    "<!-- generated: `ROOKERY_UPDATE=1 cargo nextest run --workspace -E 'test(readme)'` -->";
/// The end of the generated part.
pub const END: &str = "<!-- end of the generated part -->";

/// The generated part, without its marks.
pub fn generated() -> String {
    let mut text = String::from("| path below `/api/v10` | methods |\n| --- | --- |\n");
    let mut rest = ROUTES;
    while let Some((_, path)) = rest.first() {
        let same = rest.iter().take_while(|(_, other)| other == path).count();
        let methods: Vec<String> = rest[..same]
            .iter()
            .map(|(method, _)| method.to_uppercase())
            .collect();
        let _ = writeln!(text, "| `{path}` | {} |", methods.join(", "));
        rest = &rest[same..];
    }
    let events: Vec<String> = EventName::ALL
        .iter()
        .map(|name| format!("`{}`", name.wire()))
        .collect();
    let _ = write!(text, "\nGateway events: {}.\n", events.join(", "));
    text
}

/// A text with the part between its marks replaced; none when the marks are not there.
pub fn updated(readme: &str) -> Option<String> {
    let (before, rest) = readme.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}{END}{after}", generated()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    fn root() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn the_readme_lists_the_routes_and_events_there_are() {
        let path = root().join("README.md");
        let readme = fs::read_to_string(&path).unwrap();
        let now = updated(&readme).expect("the marks of the generated part");
        if std::env::var_os("ROOKERY_UPDATE").is_some() {
            fs::write(&path, now).unwrap();
        } else {
            assert_eq!(readme, now, "stale: run it with ROOKERY_UPDATE=1");
        }
    }

    /// The text of every source file below a folder that is no test.
    fn sources(folder: &Path, into: &mut String) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("tests") {
                sources(&path, into);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                into.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn every_event_is_emitted_somewhere() {
        let mut code = String::new();
        for krate in ["actors/src", "node/src"] {
            sources(&root().join(krate), &mut code);
        }
        let silent: Vec<_> = EventName::ALL
            .iter()
            .filter(|name| !code.contains(&format!("EventName::{name:?}")))
            .collect();
        assert!(silent.is_empty(), "nobody emits {silent:?}");
    }
}
