//! Turns the wasm library and the style sheets into the files a browser loads: hashed names, compressed
//! copies beside them, and a manifest that maps the plain names to the hashed ones.
//!
//! It does what `cargo-leptos` and `wasm-bindgen-cli` would do; those take longer to build than Keywarden.
//!
//! To add a file that browsers load: put it into `style/public/` and ask the server for its plain name.

#![allow(clippy::arithmetic_side_effects, reason = "it runs in the build, and one that overflows fails")]

mod css;
mod inputs;
mod shelf;
mod wasm;

use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;

use crate::inputs::Inputs;
use crate::shelf::{Effort, Shelf};

/// Bundles the console's browser side.
#[derive(Debug, Parser)]
#[command(name = "keywarden-bundle", version)]
struct Arguments {
    /// The wasm library as rustc made it
    #[arg(long)]
    wasm: PathBuf,
    /// The folder with `main.css` and `public/`
    #[arg(long)]
    style: PathBuf,
    /// The folder to fill; what was there is replaced
    #[arg(long)]
    out: PathBuf,
    /// Drop debug names and compress as well as possible
    #[arg(long)]
    release: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let inputs = Inputs::read(&arguments.wasm, &arguments.style)?;
    let stamp = inputs.stamp(arguments.release)?;
    if shelf::is_current(&arguments.out, &stamp) {
        println!("bundle: unchanged");
        return Ok(());
    }

    let mut shelf = Shelf::default();
    for (name, bytes) in &inputs.public {
        shelf.add(name, bytes.clone())?;
    }
    let css = css::bundle(&inputs.style, |name| shelf.hashed(name))?;
    shelf.add("keywarden.css", css.into_bytes())?;
    let bound = wasm::bind(&arguments.wasm, arguments.release)?;
    let module = shelf.add("keywarden.wasm", bound.module)?;
    shelf.add("keywarden.js", wasm::point_at(&bound.script, &module)?.into_bytes())?;

    let effort = if arguments.release { Effort::Smallest } else { Effort::Quickest };
    for row in shelf.write(&arguments.out, &stamp, effort)? {
        println!("bundle: {row}");
    }
    Ok(())
}
