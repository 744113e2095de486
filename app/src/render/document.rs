//! The document around a view.

use std::sync::Arc;

use http::StatusCode;
use hydration_context::SsrSharedContext;
use leptos::{prelude::*, reactive::owner::Owner};

use super::Page;
use crate::{layout, shell::Shell, shell::Theme};

/// Runs `draw` under an owner that ends with it, with what components ask for in its context.
pub(super) fn within<T>(shell: &Shell, draw: impl FnOnce() -> T) -> T {
    let owner = Owner::new_root(Some(Arc::new(SsrSharedContext::new_islands())));
    let drawn = owner.with(|| {
        provide_context(super::words(shell));
        draw()
    });
    owner.unset_with_forced_cleanup();
    drawn
}

pub(super) fn draw<V: IntoView + 'static>(page: Page<'_>, view: impl FnOnce() -> V) -> String {
    let Page { shell, title, status, scripts, address } = page;
    within(shell, || {
        let body = layout::body(shell, view().into_any()).to_html();
        // Beside a passkey runs nothing but its script, however long the page stays open.
        let islands = if scripts.is_empty() { Islands::on(&body) } else { Islands::Never };
        let title = full_title(shell, &title, status);
        let head = layout::head(shell, title, address, &scripts, islands).to_html();
        let lang = shell.text.locale().tag();
        let theme = match shell.theme {
            Theme::System => String::new(),
            theme => format!(" data-theme=\"{}\"", theme.as_str()),
        };
        format!("<!DOCTYPE html><html lang=\"{lang}\"{theme}>{head}{body}</html>")
    })
}

/// `Error: pay-prod · Keys — Keywarden` (WCAG 2.4.2; the prefix because a refused form has the same address).
fn full_title(shell: &Shell, title: &str, status: StatusCode) -> String {
    let t = shell.text;
    let mut full = String::new();
    if status == StatusCode::UNPROCESSABLE_ENTITY {
        full.push_str(t.form_error_prefix());
        full.push(' ');
    }
    full.push_str(title);
    if let Some(section) = shell.section.map(|section| section.name(t)).filter(|name| *name != title) {
        full.push_str(" · ");
        full.push_str(section);
    }
    // The product's name is the same in every language.
    full.push_str(" — Keywarden");
    full
}

/// Which script a page needs. The browser side is fetched only where an island is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Islands {
    /// The page's own islands: as soon as the browser is idle.
    AtOnce,
    /// None.
    Never,
    /// Only the frame's: when somebody reaches for one of them.
    WhenAsked,
}

impl Islands {
    fn on(html: &str) -> Self {
        let all = html.matches("<leptos-island ").count();
        let lazy = html.matches("<div data-wake=").count();
        match all.saturating_sub(lazy) {
            0 if all == 0 => Self::Never,
            0 => Self::WhenAsked,
            _ => Self::AtOnce,
        }
    }
}
