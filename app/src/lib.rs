//! Door for people: the console. Pages are drawn on the server and are whole without script; small islands
//! make them nicer. To add a page, see `pages`; a component, see `ui`; a text, see `text`.
//!
//! **Invariant:** this is the only file with `cfg(feature)`; the browser gets `islands` and nothing else.
// A view's type nests as deep as its elements.
#![recursion_limit = "256"]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, reason = "a sum that overflows fails its test"))]

pub mod islands;

#[cfg(feature = "ssr")]
pub mod console;
#[cfg(feature = "ssr")]
pub mod context;
#[cfg(feature = "ssr")]
pub mod form;
#[cfg(any(test, feature = "gallery"))]
pub mod gallery;
#[cfg(feature = "ssr")]
pub mod layout;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod render;
#[cfg(feature = "ssr")]
pub mod routes;
#[cfg(feature = "ssr")]
pub mod shell;
#[cfg(feature = "ssr")]
pub mod snippets;
#[cfg(feature = "ssr")]
pub mod text;
#[cfg(feature = "ssr")]
pub mod ui;
