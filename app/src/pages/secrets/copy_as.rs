//! A secret as a command, a file or a step of a pipeline: texts to be copied, none of which holds the value.

use keywarden_domain::secrets::SecretView;
use keywarden_model::SecretKind;
use leptos::prelude::*;

use super::around;
use crate::{
    snippets::{Spot, Way},
    text::Text,
    ui::CodeBlock,
};

pub(super) fn view(t: Text, view: &SecretView) -> AnyView {
    let secret = &view.secret;
    let current = around::current(view);
    let kind = view.versions.iter().find(|it| Some(it.number) == current).map(|it| it.kind);
    let binary = kind == Some(SecretKind::Binary);
    let of = Spot {
        project: &secret.project_slug,
        environment: &secret.environment_slug,
        path: secret.path.as_str(),
        binary,
        asks_why: secret.reads_need_reason,
    };
    let blocks = Way::all(binary)
        .into_iter()
        .map(|way| {
            let (id, label) = named(t, way);
            view! { <CodeBlock id=format!("copy-{id}") label=label text=way.text(of)/> }
        })
        .collect_view();
    view! {
        <p>{t.secrets_copy_lead()}</p>
        {of.asks_why.then(|| view! { <p>{t.secrets_copy_why()}</p> })}
        <div class="secret-snippets">{blocks}</div>
    }
    .into_any()
}

fn named(t: Text, way: Way) -> (&'static str, &'static str) {
    match way {
        Way::Cli => ("cli", t.secrets_copy_cli()),
        Way::Curl => ("curl", t.secrets_copy_curl()),
        Way::Dotenv => ("dotenv", t.secrets_copy_dotenv()),
        Way::GitHub => ("github", t.secrets_copy_github()),
        Way::GitHubCurl => ("github-curl", t.secrets_copy_github_curl()),
        Way::GitLab => ("gitlab", t.secrets_copy_gitlab()),
        Way::GitLabCurl => ("gitlab-curl", t.secrets_copy_gitlab_curl()),
        Way::Go => ("go", t.secrets_copy_go()),
        Way::Kubernetes => ("kubernetes", t.secrets_copy_kubernetes()),
        Way::Node => ("node", t.secrets_copy_node()),
        Way::Python => ("python", t.secrets_copy_python()),
        Way::Run => ("run", t.secrets_copy_run()),
    }
}
