//! The files of the web client, embedded; `build.rs` lists them.

/// A file with its compressed variants.
#[derive(Debug)]
pub(super) struct Asset {
    /// From the root, with a slash in front.
    pub(super) path: &'static str,
    /// Tells this content from others.
    pub(super) mark: &'static str,
    /// As it is.
    pub(super) plain: &'static [u8],
    /// Smaller.
    pub(super) brotli: Option<&'static [u8]>,
    /// Smaller, for browsers that take brotli only over TLS.
    pub(super) gzip: Option<&'static [u8]>,
}

/// All of them, by path.
const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The page that is the client.
pub(super) const PAGE: &str = "/index.html";

/// The file of a path.
pub(super) fn find(path: &str) -> Option<&'static Asset> {
    let at = ASSETS.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    ASSETS.get(at)
}

impl Asset {
    /// Whether its name changes with its content.
    pub(super) fn is_hashed(&self) -> bool {
        self.path.starts_with("/assets/")
    }

    /// What its bytes are.
    pub(super) fn content_type(&self) -> &'static str {
        match self.path.rsplit_once('.').map_or("", |(_, ending)| ending) {
            "html" => "text/html; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "json" => "application/json",
            "webmanifest" => "application/manifest+json",
            "svg" => "image/svg+xml",
            "png" => "image/png",
            _ => "application/octet-stream",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_found_and_has_a_type() {
        assert!(ASSETS.is_sorted_by(|a, b| a.path < b.path));
        for asset in ASSETS {
            assert_eq!(find(asset.path).unwrap().mark, asset.mark);
            let kind = asset.content_type();
            assert_ne!(kind, "application/octet-stream", "{}", asset.path);
        }
        assert!(find(PAGE).is_some());
        assert!(find("/").is_none() && find("/index.html.br").is_none());
    }
}
