//! The JavaScript side of the wasm library.

use std::path::Path;

use anyhow::{Result, anyhow, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

/// The name under which the generated script asks for its module.
const MODULE: &str = "keywarden_bg.wasm";

/// A browser module: a script and the wasm that it loads.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) script: String,
    pub(crate) module: Vec<u8>,
}

/// Makes the browser module (an ES module for `<script type=module>`) of what rustc made.
pub(crate) fn bind(wasm: &Path, release: bool) -> Result<Bound> {
    let mut output = Bindgen::new()
        .input_path(wasm)
        .out_name("keywarden")
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .debug(!release)
        .demangle(!release)
        .keep_debug(!release)
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()?;
    // Crates that bring none are listed, too.
    let snippets = output.snippets().values().map(Vec::len).sum::<usize>() + output.local_modules().len();
    ensure!(
        snippets == 0,
        "the wasm library brings {snippets} JavaScript snippets: only one script is bundled"
    );
    Ok(Bound { script: output.js().to_owned(), module: output.wasm_mut().emit_wasm() })
}

/// The script, asking for the module under its hashed name.
pub(crate) fn point_at(script: &str, module: &str) -> Result<String> {
    match script.matches(MODULE).count() {
        0 => bail!("the generated script does not name `{MODULE}`"),
        1 => Ok(script.replace(MODULE, module)),
        many => Err(anyhow!("the generated script names `{MODULE}` {many} times")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_asks_for_the_hashed_module() {
        let script = "module_or_path = new URL('keywarden_bg.wasm', import.meta.url);";
        assert_eq!(
            point_at(script, "keywarden.0a.wasm").unwrap(),
            "module_or_path = new URL('keywarden.0a.wasm', import.meta.url);"
        );
    }

    #[test]
    fn a_script_that_names_no_module_or_several_is_refused() {
        assert!(point_at("init()", "x").is_err());
        assert!(point_at("'keywarden_bg.wasm' 'keywarden_bg.wasm'", "x").is_err());
    }
}
