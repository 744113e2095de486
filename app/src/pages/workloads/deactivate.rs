use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Refused,
    workloads::{DeactivateWorkloadError, ShownWorkload, TokenState},
};
use leptos::prelude::*;

use crate::{
    context::{Asking, House, Posted},
    form::{Draft, Errors},
    render::{self, page},
    shell::{Section, Shell},
    ui::{Confirm, Form, PageHeader, crumb},
};

pub(super) async fn ask(State(house): State<House>, asking: Asking, Path(id): Path<String>) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads);
    match load(&house, &op, &id).await {
        Ok(shown) => draw(&shell, &shown, Draft::default()),
        Err(refused) => render::refused(&shell, refused),
    }
}

pub(super) async fn deactivate(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    posted: Posted,
) -> Response {
    let Asking { shell, op } = asking.at(Section::Workloads).once(&posted);
    let t = shell.text;
    let shown = match load(&house, &op, &id).await {
        Ok(shown) => shown,
        Err(refused) => return house.refused(&shell, &op, &posted, refused).await,
    };
    match house.domain.deactivate_workload(&op, shown.workload.id).await {
        Ok(id) => render::done(
            &shell,
            &format!("/workloads/{id}"),
            t.workloads_deactivated_now(&shown.workload.name),
        ),
        Err(DeactivateWorkloadError::Deactivated) => {
            let mut errors = Errors::new();
            errors.whole(t.workloads_is_deactivated());
            draw(&shell, &shown, Draft::refused(posted.fields, errors))
        }
        Err(DeactivateWorkloadError::Refused(refused)) => house.refused(&shell, &op, &posted, refused).await,
    }
}

async fn load(house: &House, op: &keywarden_domain::Op, id: &str) -> Result<ShownWorkload, Refused> {
    house.domain.workload(op, id.parse().map_err(|_| Refused::NotFound)?).await
}

fn draw(shell: &Shell, shown: &ShownWorkload, draft: Draft) -> Response {
    let t = shell.text;
    let workload = shown.workload.clone();
    let good = shown.tokens.iter().filter(|token| token.state == TokenState::Active).count();
    page(shell, t.workloads_deactivate()).of(&draft).show(move || {
        let back = format!("/workloads/{}", workload.id);
        let consequences =
            vec![t.workloads_deactivate_tokens(good as u64), t.workloads_deactivate_final().to_owned()];
        view! {
            <PageHeader title=t.workloads_deactivate() crumbs=vec![crumb(t.workloads(), "/workloads"), crumb(workload.name.clone(), back.clone())]/>
            <Confirm title=t.workloads_deactivate_title(&workload.name) consequences=consequences>
                <Form draft=draft submit=t.workloads_deactivate() danger=true cancel=back/>
            </Confirm>
        }
    })
}
