//! Words of the components.

use super::texts;

texts! {
    ui_copy = "Copy";
    ui_show = "Show";
    ui_hide = "Hide";
    ui_hides_again(n: u32) = "It covers itself again after {n} second; your clipboard manager may keep what you copy." | "It covers itself again after {n} seconds; your clipboard manager may keep what you copy.";
    ui_copied = "Copied";
    ui_copy_failed = "Not copied: select the text and copy it by hand.";
    ui_copy_what(what: &str) = "Copy {what}";
    ui_filter = "Filter";
    ui_filter_clear = "Clear filters";
    ui_filter_remove(filter: &str) = "Remove filter {filter}";
    ui_any = "Any";
    ui_pager = "Pages";
    ui_first_page = "First page";
    ui_next_page = "Next page";
    ui_tabs = "Views";
    ui_optional = "optional";
    ui_cancel = "Cancel";
    ui_chart_table = "The figures";
    ui_palette_title = "Search or jump to";
    ui_palette_hint = "Names, ids, pages. Arrow keys choose, Enter opens, Escape closes.";
    ui_palette_empty = "Nothing found.";
    ui_palette_failed = "The search did not answer. Try again.";
    ui_cli = "The same on the command line";
}
