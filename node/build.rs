//! Lists the files of the built web client, `web/dist`, for `src/web/assets.rs` to embed. It builds nothing: the folder is
//! part of the repository, so that a node needs no Node to be compiled.
#![allow(
    clippy::print_stdout,
    reason = "this is how a build script speaks to cargo"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("web/dist");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = BTreeMap::new();
    list(&root, &root, &mut files)
        .map_err(|error| format!("{}: {error}; it is part of the repository", root.display()))?;
    let mut table = String::from("&[\n");
    for (name, path) in &files {
        if name.ends_with(".br") || name.ends_with(".gz") {
            continue;
        }
        let include = |path: &Path| format!("include_bytes!({path:?})");
        let variant = |ending: &str| match files.get(&format!("{name}.{ending}")) {
            Some(path) => format!("Some({})", include(path)),
            None => "None".to_owned(),
        };
        writeln!(
            table,
            "    Asset {{ path: {name:?}, mark: {:?}, plain: {}, brotli: {}, gzip: {} }},",
            mark(&fs::read(path)?),
            include(path),
            variant("br"),
            variant("gz"),
        )?;
    }
    table.push(']');
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("assets.rs"), table)?;
    Ok(())
}

/// All files below a folder, by their path from the root.
fn list(root: &Path, folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str) {
            files.insert(format!("/{name}"), path);
        }
    }
    Ok(())
}

/// Tells a file's content from others (FNV-1a); it need not withstand anybody.
fn mark(content: &[u8]) -> String {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", content.iter().fold(0xcbf2_9ce4_8422_2325, mix))
}
