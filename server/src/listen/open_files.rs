//! Every connection is an open file, and what a shell allows at first is few. A program may have as many as the hard limit
//! says; it has only to ask.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Takes as many open files as this process may have. Where that fails, the server does with fewer.
pub(crate) fn allow_open_files() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, most)| setrlimit(Resource::RLIMIT_NOFILE, most, most).map(|()| most));
    match raised {
        Ok(most) => tracing::debug!(most, "files that may be open"),
        Err(cause) => tracing::warn!(%cause, "cannot raise the limit of open files"),
    }
}
