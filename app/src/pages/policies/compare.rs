//! `GET /policies/<id>/compare?from=…&to=…`: what one version says otherwise than another.

use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::Refused;
use leptos::prelude::*;

use super::{
    diff::{Line, lines},
    load, path, way_to,
};
use crate::{
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    ui::{EmptyState, LinkButton, PageHeader},
};

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Policies);
    let found = load(&house.domain, &op, &id).await.and_then(|shown| {
        let version = |name: &str, otherwise: i64| {
            let number = params.read(name).unwrap_or(otherwise);
            shown.versions.iter().find(|it| it.number == number).cloned().ok_or(Refused::NotFound)
        };
        let newest = shown.policy.newest;
        let older = version("from", newest.saturating_sub(1).max(1))?;
        let newer = version("to", newest)?;
        Ok((shown.policy, older, newer))
    });
    let (policy, older, newer) = match found {
        Ok(found) => found,
        Err(refused) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let title = t.policies_compare_title(older.number, newer.number);
    page(&shell, title.clone()).show(move || {
        let body = if older.text == newer.text {
            view! { <EmptyState title=t.policies_same()>{t.policies_same_why()}</EmptyState> }.into_any()
        } else {
            let rows = lines(&older.text, &newer.text).into_iter().map(|line| {
                let (class, sign, word, text) = match line {
                    Line::Added(text) => ("diff-added", "+", t.policies_line_added(), text),
                    Line::Removed(text) => ("diff-removed", "−", t.policies_line_removed(), text),
                    Line::Same(text) => ("diff-same", "", t.policies_line_same(), text),
                };
                let text = text.to_owned();
                view! {
                    <tr class=class>
                        <td class="diff-sign"><span aria-hidden="true">{sign}</span><span class="visually-hidden">{word}</span></td>
                        <td><code translate="no">{text}</code></td>
                    </tr>
                }
            });
            let rows = rows.collect_view();
            view! {
                <div class="table-frame" role="group" aria-label=title.clone() tabindex="0">
                    <table class="policy-diff">
                        <caption class="visually-hidden">{title.clone()}</caption>
                        <thead>
                            <tr>
                                <th scope="col"><span class="visually-hidden">{t.policies_compare()}</span></th>
                                <th scope="col"><span class="visually-hidden">{t.policies_line()}</span></th>
                            </tr>
                        </thead>
                        <tbody>{rows}</tbody>
                    </table>
                </div>
            }
            .into_any()
        };
        let back = view! { <LinkButton label=t.policies_versions() href=format!("{}#versions", path(&policy))/> };
        view! {
            <PageHeader title=title crumbs=way_to(t, &policy) actions=back.into_any()/>
            {body}
        }
    })
}
