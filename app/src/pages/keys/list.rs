use axum::{extract::State, response::Response};
use keywarden_domain::{
    Action, Op, Refused,
    authz::Reach,
    keys::{KeyLine, KeyQuery, ListError, Order},
};
use leptos::prelude::*;

use super::{around, filter::Filter};
use crate::{
    cells,
    context::{Asking, House},
    form::Params,
    render::{self, page},
    shell::Section,
    text::Text,
    ui::{
        Badge, ButtonKind, Column, EmptyState, FilterSelect, KeyStateBadge, LinkButton, PageHeader, Pager,
        Row, Table, Time, Tone, choice, row,
    },
};

const PATH: &str = "/keys";
const PAGE: u32 = 50;
/// The domain counts no further.
const COUNTED: u64 = 10_000;

/// What somebody may do somewhere.
#[derive(Clone, Copy, Debug)]
struct May {
    import: bool,
    issue: bool,
    revoke: bool,
}

pub(super) async fn list(State(house): State<House>, asking: Asking, params: Params) -> Response {
    let Asking { mut shell, op } = asking.at(Section::Keys);
    let filter = match Filter::read(&house, &mut shell, &op, params, PATH).await {
        Ok(filter) => filter,
        Err(response) => return response,
    };
    let sort = filter.params().text("sort").to_owned();
    let (reversed, word) = sort.strip_prefix('-').map_or((false, sort.as_str()), |word| (true, word));
    let query = KeyQuery {
        order: Order::parse(word).unwrap_or_default(),
        reversed,
        cursor: filter.params().some("after"),
        limit: PAGE,
        ..filter.query.clone()
    };
    let loaded = async {
        let found = house.domain.keys(&op, &query).await?;
        let counted = house.domain.count_keys(&op, &query).await?;
        // Of how many, where the filter lets none through.
        let none_match = found.keys.is_empty() && filter.narrows();
        let all =
            if none_match { house.domain.count_keys(&op, &KeyQuery::default()).await? } else { counted };
        Ok::<_, ListError>((found, counted, all, may(&house, &op).await?))
    };
    let (found, counted, all, may) = match loaded.await {
        Ok(loaded) => loaded,
        Err(ListError::Cursor) => return render::see_other(&filter.params().first(PATH)),
        Err(ListError::Refused(refused)) => return render::refused(&shell, refused),
    };
    let t = shell.text;
    let order = view_order(t, &sort);
    let frame = shell.clone();
    page(&shell, t.keys()).show(move || {
        let pager = Pager {
            shown: if found.keys.is_empty() { String::new() } else { said(t, counted) },
            first: filter.params().any(&["after"]).then(|| filter.params().first(PATH)),
            next: found.next.map(|place| filter.params().after(PATH, &place)),
        };
        let some = !found.keys.is_empty();
        let rows = found.keys.into_iter().map(|it| line(t, it)).collect();
        let columns = vec![
            Column::text(t.keys_name()),
            Column::text(t.keys_value()),
            Column::text(t.keys_state()),
            Column::text(t.keys_place()),
            Column::minor(t.keys_owner()),
            Column::text(t.keys_last_used()),
            Column::text(t.keys_expires()),
        ];
        let empty = empty(t, &filter, all, may);
        let many = filter.params().first("/keys/revoke");
        let project = filter.params().text("project");
        let new = if project.is_empty() { "/keys/new".to_owned() } else { format!("/keys/new?project={project}") };
        let actions = view! {
            {(may.revoke && some).then(|| view! { <LinkButton label=t.keys_revoke_many() href=many/> })}
            {may.import.then(|| view! { <LinkButton label=t.keys_import() href="/keys/import"/> })}
            // Where there is nothing yet, the page says it below, once.
            {(may.issue && (some || filter.narrows())).then(|| view! { <LinkButton kind=ButtonKind::Primary label=t.keys_issue() href=new/> })}
        };
        view! {
            <PageHeader title=t.keys() lead=t.keys_lead() actions=actions.into_any()/>
            {filter.bar(&frame, PATH, order(filter.params().text("sort").to_owned()))}
            <Table caption=t.keys() columns=columns rows=rows pager=pager empty=empty/>
        }
    })
}

async fn may(house: &House, op: &Op) -> Result<May, Refused> {
    let somewhere = |reach: Reach| match reach {
        Reach::All => true,
        Reach::Part { projects, owners } => !(projects.is_empty() && owners.is_empty()),
    };
    Ok(May {
        import: somewhere(house.domain.reach(op, Action::ImportKey).await?),
        issue: somewhere(house.domain.reach(op, Action::IssueKey).await?),
        revoke: somewhere(house.domain.reach(op, Action::RevokeKey).await?),
    })
}

fn line(t: Text, line: KeyLine) -> Row {
    let KeyLine { key, state, values } = line;
    let shown = around::current(&values).map(|value| around::shown(t, value));
    let draining = around::draining(&values);
    let cells = cells![
        view! { <code translate="no">{shown}</code> },
        view! {
            <KeyStateBadge state=state/>
            {(draining > 0).then(|| view! { " " <Badge label=t.keys_draining() tone=Tone::Info/> })}
        },
        view! { <span translate="no">{format!("{} / {}", key.project_slug, key.environment_slug)}</span> },
        view! { <span translate="no">{key.owner_name.clone()}</span> },
        view! { <Time at=key.last_used_at/> },
        view! { <Time at=key.expires_at/> },
    ];
    row(around::path(&key), key.name.to_string(), cells)
}

fn said(t: Text, counted: u64) -> String {
    if counted >= COUNTED { t.keys_found_many(&t.number(COUNTED)) } else { t.keys_found(counted) }
}

/// The select of the order; the first choice is the domain's own.
fn view_order(t: Text, sort: &str) -> impl FnOnce(String) -> AnyView + 'static {
    let mut orders = vec![
        choice("expires", t.keys_order_expires()),
        choice("last-used", t.keys_order_last_used()),
        choice("name", t.keys_order_name()),
    ];
    if sort.starts_with('-') || sort == "created" {
        orders.push(choice(sort, sort));
    }
    move |chosen| {
        view! { <FilterSelect name="sort" label=t.keys_order() any=t.keys_order_created() chosen=chosen choices=orders/> }.into_any()
    }
}

fn empty(t: Text, filter: &Filter, all: u64, may: May) -> AnyView {
    if filter.narrows() {
        let why = t.keys_none_match_why(&said(t, all));
        return view! { <EmptyState title=t.keys_none_match() action=(t.list_clear(), PATH)>{why}</EmptyState> }.into_any();
    }
    if !may.issue {
        return view! { <EmptyState title=t.keys_first()>{t.keys_none_yours_why()}</EmptyState> }.into_any();
    }
    view! {
        <EmptyState
            title=t.keys_first()
            action=(t.keys_issue(), "/keys/new")
            cli="curl -X POST $KEYWARDEN/api/v1/keys -H \"Authorization: Bearer $KEYWARDEN_TOKEN\" -H 'Content-Type: application/json' -d '{\"project\":\"pay\",\"environment\":\"live\",\"name\":\"checkout\"}'"
        >
            {t.keys_first_why()}
        </EmptyState>
    }
    .into_any()
}
