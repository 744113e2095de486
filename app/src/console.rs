//! What all pages of one running console have in common.

use std::fmt;

/// Where browser files are, and how the console is reached. A router's state hands it out with `FromRef`.
#[derive(Clone, Copy)]
pub struct Console {
    /// Whether people come over HTTPS, by the public URL: cookies are `Secure` and `__Host-` then.
    pub https: bool,
    asset: fn(&str) -> Option<&'static str>,
}

impl Console {
    /// `asset` leads from a plain name (`keywarden.css`) to where the file is served under its hashed name.
    pub fn new(https: bool, asset: fn(&str) -> Option<&'static str>) -> Self {
        Self { https, asset }
    }

    /// Where the asset with this plain name is served. A binary that was built without its bundle has none:
    /// the link then leads to a 404, the page is drawn all the same.
    pub fn href(&self, name: &str) -> &'static str {
        (self.asset)(name).unwrap_or("/assets/missing")
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("https", &self.https).finish_non_exhaustive()
    }
}
