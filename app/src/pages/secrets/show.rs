use axum::{
    extract::{Path, State},
    response::Response,
};
use keywarden_domain::{
    Action, Fault, Op, Refused, Resource,
    audit::{Page, Query},
    secrets::{Address, Held, Readers, Secret, SecretView},
};
use leptos::prelude::*;

use super::{
    access,
    around::{self, May},
    audit, copy_as, object,
    overview::{self, Beside},
    promote::Elsewhere,
    who::{self, Names},
};
use crate::{
    context::{Asking, House},
    form::Params,
    pages::{permissions, standards::held as standards},
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{Badge, Banner, ButtonKind, LinkButton, PageHeader, Tabs, Tone, tab, words},
};

const EVENTS: u32 = 50;

/// What the chosen tab shows.
enum Shown {
    Access(Readers),
    Audit(Page),
    CopyAs,
    Overview(Names, Beside),
}

pub(super) async fn show(
    State(house): State<House>,
    asking: Asking,
    Path(id): Path<String>,
    params: Params,
) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Secrets);
    let loaded = async {
        let view = around::load(&house, &op, &id).await?;
        let may = May::of(&house, &op, &view.secret).await?;
        let may_audit = who::may_audit(&house, &op, &view.secret).await?;
        let may_people = house.domain.would(&op, Action::ViewUsers, &Resource::Organization).await?;
        let shown = match params.text("tab") {
            "audit" if may_audit => {
                let before = params.some("after").map(|text| text.parse().map_err(|_| Refused::NotFound));
                let query = Query {
                    resource: Some(view.secret.id.to_string()),
                    before: before.transpose()?,
                    limit: EVENTS,
                    ..Query::default()
                };
                Shown::Audit(house.domain.events(&op, &query).await?)
            }
            "access" if may_people => {
                Shown::Access(house.domain.secret_readers(&op, &Address::Id(view.secret.id)).await?)
            }
            "copy" => Shown::CopyAs,
            _ => {
                let (names, deliveries) = if may_audit {
                    let names = Names::of(&house, &op, &view).await?;
                    (names, Some(house.domain.secret_deliveries(&op, view.secret.id).await?))
                } else {
                    (Names::default(), None)
                };
                let beside = Beside {
                    elsewhere: Elsewhere::of(&house, &op, &view, may).await?,
                    shares: house.domain.shares(&op, view.secret.id).await?,
                    references: house.domain.secret_references(&op, view.secret.id).await?,
                    reuse: reuse(&house, &op, &view.secret).await?,
                    deliveries,
                };
                Shown::Overview(names, beside)
            }
        };
        let who = permissions::way_for(&house, &op, &view.secret.resource()).await?;
        let breaches = house.domain.breaches_of_secret(&op, &view).await?;
        Ok((view, may, (may_audit, may_people), who, shown, breaches))
    };
    let (view, may, (may_audit, may_people), who, shown, breaches) = match loaded.await {
        Ok(loaded) => loaded,
        Err(refused) => return render::refused(&shell, refused),
    };
    around::place(&mut shell, &view.secret.project_slug);
    let t = shell.text;
    page(&shell, view.secret.path.name().to_owned()).show(move || {
        let path = around::path(&view.secret);
        let mut tabs =
            vec![tab(t.keys_tab_overview(), path.clone()).current(matches!(shown, Shown::Overview(..)))];
        if may_people {
            let access = tab(t.secrets_access(), format!("{path}?tab=access"));
            tabs.push(access.current(matches!(shown, Shown::Access(_))));
        }
        if may_audit {
            let audit = tab(t.audit(), format!("{path}?tab=audit"));
            tabs.push(audit.current(matches!(shown, Shown::Audit(_))));
        }
        tabs.push(
            tab(t.secrets_copy_as(), format!("{path}?tab=copy")).current(matches!(shown, Shown::CopyAs)),
        );
        let body = match shown {
            Shown::Access(found) => access::view(t, &view.secret, found, may_audit),
            Shown::CopyAs => copy_as::view(t, &view),
            Shown::Audit(found) => audit::view(t, &view.secret, &params, found),
            Shown::Overview(names, beside) => overview::view(t, &view, may, &names, beside, &params),
        };
        view! {
            {header(t, &view, may, who)}
            {standards::banner(t, &breaches)}
            <Tabs tabs=tabs/>
            {body}
        }
    })
}

/// A value that does not open now says nothing here; the page is there all the same.
async fn reuse(house: &House, op: &Op, secret: &Secret) -> Result<Vec<Held>, Refused> {
    match house.domain.secret_reuse(op, secret.id).await {
        Err(Refused::Fault(Fault::Damaged(_) | Fault::KeyAway(_) | Fault::ProjectSealed { .. })) => {
            Ok(Vec::new())
        }
        found => found,
    }
}

fn header(t: Text, view: &SecretView, may: May, who: Option<String>) -> AnyView {
    let secret = &view.secret;
    let path = around::path(secret);
    let badges = view! {
        <Badge label=format!("{} / {}", secret.project_slug, secret.environment_slug) named=true/>
        {secret.deletion.map(|_| view! { <Badge label=t.state_soft_deleted() tone=Tone::Warn/> })}
    };
    let link = |may: bool, label: &'static str, verb: &str| {
        may.then(|| view! { <LinkButton label=label href=format!("{path}/{verb}")/> })
    };
    let fields = may.put && may.read && object::editable(view).is_some_and(|it| it.is_read(words().now));
    let main = if may.restore {
        Some((t.secrets_restore(), format!("{path}/restore")))
    } else {
        may.put.then(|| (t.secrets_new_version(), format!("{path}/versions/new")))
    };
    let actions = view! {
        {who.map(|href| view! { <LinkButton label=t.permissions_who_can() href=href/> })}
        {link(may.edit, t.edit(), "edit")}
        {link(fields, t.fields_edit(), "fields")}
        {link(may.rotate, t.data_key_rotate(), "data-key")}
        {link(may.delete, t.secrets_delete(), "delete")}
        {link(may.purge, t.secrets_destroy(), "purge")}
        {main.map(|(label, href)| view! { <LinkButton kind=ButtonKind::Primary label=label href=href/> })}
    };
    let deleted = secret.deletion.map(|it| {
        let title = t.secrets_deleted_until(&around::day(t, it.purge_at));
        view! { <Banner tone=Tone::Warn title=title>{t.secrets_deleted_why()}</Banner> }
    });
    view! {
        <PageHeader
            title=secret.path.name().to_owned()
            named=true
            crumbs=around::crumbs(t, secret)
            state=badges.into_any()
            actions=actions.into_any()
        />
        {deleted}
    }
    .into_any()
}
