//! All that runs in the browser. Each island makes something nicer that works without it.
//!
//! Islands take plain values and finished words as props: the catalogue stays on the server. The loader
//! (`style/public/islands.js`) starts them; those in an element with `data-wake` sleep until somebody reaches
//! for them.

mod browser;
pub mod clock;
mod completion;
pub mod conceal;
pub mod copy;
pub mod countdown;
pub mod distance;
pub mod palette;
pub mod two_sides;

pub use clock::{Clock, ClockWords};
pub use conceal::Conceal;
pub use copy::Copy;
pub use countdown::Countdown;
pub use palette::{Palette, PaletteWords};
pub use two_sides::TwoSides;

/// What the loader calls before it starts the islands.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
