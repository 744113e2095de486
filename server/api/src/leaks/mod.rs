//! "Found a key?": what to do with a value that was found where it should not be.

pub(crate) mod look_up;
