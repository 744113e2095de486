//! The navigation: where things are, which project, whose account.

use leptos::prelude::*;

use super::account;
use crate::shell::{ProjectLink, Section, Shell};

/// Project switcher, sections, account. Drawn twice: beside the page, and in the menu of narrow screens; only
/// one of them is ever displayed.
pub(super) fn side(shell: &Shell) -> AnyView {
    let t = shell.text;
    let link = |section: Section| {
        let current = (shell.section == Some(section)).then_some("page");
        view! { <li><a href=section.href() aria-current=current>{section.name(t)}</a></li> }
    };
    let waiting = (shell.access_waiting > 0).then(|| {
        let n = shell.access_waiting;
        view! { " " <a href="/access/inbox" class="nav-count" aria-label=t.access_waiting(n)>{n}</a> }
    });
    let access = {
        let current = (shell.section == Some(Section::Access)).then_some("page");
        view! { <li><a href=Section::Access.href() aria-current=current>{Section::Access.name(t)}</a>{waiting}</li> }
    };
    view! {
        {projects(shell)}
        <nav class="nav" aria-label=t.shell_nav()>
            <ul>
                {link(Section::Home)}
                {link(Section::Keys)}
                {link(Section::Secrets)}
                {link(Section::Projects)}
            </ul>
            <p class="nav-heading">{t.shell_access()}</p>
            <ul>
                {access}
                {link(Section::People)}
                {link(Section::Workloads)}
                {shell.policies.then(|| link(Section::Policies))}
            </ul>
            <ul class="nav-apart">
                {link(Section::Audit)}
                {link(Section::System)}
            </ul>
            <ul class="nav-apart">{link(Section::Leaks)}</ul>
        </nav>
        {account::menu(shell)}
    }
    .into_any()
}

/// Links, so that it works everywhere; a list of more than this belongs on the projects' own page.
const MOST: usize = 12;

fn projects(shell: &Shell) -> AnyView {
    let t = shell.text;
    if shell.projects.is_empty() {
        return ().into_any();
    }
    let (current, named) = match &shell.project {
        Some(project) => (project.name.clone(), Some("no")),
        None => (t.shell_all_projects().to_owned(), None),
    };
    // Whoever looks at secrets goes on looking at secrets.
    let list = match shell.section {
        Some(Section::Secrets) => Section::Secrets.href(),
        _ => Section::Keys.href(),
    };
    let links = shell
        .projects
        .iter()
        .take(MOST)
        .map(|ProjectLink { slug, name }| {
            let here = shell.project.as_ref().is_some_and(|project| project.slug == *slug);
            let href = format!("{list}?project={slug}");
            view! { <li><a href=href translate="no" aria-current=here.then_some("true")>{name.clone()}</a></li> }
        })
        .collect_view();
    view! {
        <details class="menu switcher">
            <summary>
                <span class="switcher-label">{t.shell_project()}</span>
                <span translate=named>{current}</span>
            </summary>
            <ul class="menu-body">
                <li><a href=list>{t.shell_all_projects()}</a></li>
                {links}
                <li><a href="/projects">{t.shell_manage_projects()}</a></li>
            </ul>
        </details>
    }
    .into_any()
}
