//! Channels: by which ways messages leave, of the organization and one's own.

mod acts;
mod deliveries;
mod edit;
mod list;
mod new;
mod show;

use axum::{Router, routing::get};
use keywarden_domain::{
    Op, Refused,
    messages::{Channel, Kinds, ShownChannel},
};
use keywarden_model::{ChannelId, ChannelKind, MessageKind};

use crate::{
    context::House,
    form::Fields,
    pages::{elsewhere, notices::kind_name},
    text::Text,
    ui::{Choice, Crumb, choice, crumb},
};

const LIST: &str = "/channels";

pub(crate) fn routes() -> Router<House> {
    Router::new()
        .route("/channels", get(list::show))
        .route("/channels/new", get(new::ask).post(new::make))
        .route("/channels/{id}", get(show::show))
        .route("/channels/{id}/edit", get(edit::ask).post(edit::save))
        .route("/channels/{id}/test", elsewhere::up().post(acts::test))
        .route("/channels/{id}/pause", elsewhere::up().post(acts::pause))
        .route("/channels/{id}/resume", elsewhere::up().post(acts::resume))
        .route("/channels/{id}/secret", get(acts::before_rotation).post(acts::rotate))
        .route("/channels/{id}/delete", get(acts::before_deletion).post(acts::delete))
        .route("/channels/{id}/deliveries/retry", elsewhere::to(LIST).post(deliveries::retry))
}

fn home(id: ChannelId) -> String {
    format!("{LIST}/{id}")
}

fn way(t: Text) -> Vec<Crumb> {
    vec![crumb(t.notices(), "/notices"), crumb(t.channels(), LIST)]
}

fn way_to(t: Text, channel: &Channel) -> Vec<Crumb> {
    let mut way = way(t);
    way.push(crumb(channel.name.clone(), home(channel.id)));
    way
}

async fn find(house: &House, op: &Op, id: &str) -> Result<ShownChannel, Refused> {
    let id: ChannelId = id.parse().map_err(|_| Refused::NotFound)?;
    house.domain.channel(op, id).await
}

fn way_name(t: Text, kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Mail => t.channels_mail(),
        ChannelKind::Slack => t.channels_slack(),
        ChannelKind::Webhook => t.channels_webhook(),
    }
}

/// What a channel listens to, in words.
fn carries(t: Text, kinds: &Kinds) -> String {
    let named: Vec<_> = kinds.named().map(|kind| kind_name(t, kind)).collect();
    if named.is_empty() { t.channels_everything().to_owned() } else { named.join(", ") }
}

fn kind_choices(t: Text) -> Vec<Choice> {
    MessageKind::chosen().map(|kind| choice(kind.as_str(), kind_name(t, kind))).collect()
}

fn posted_kinds(fields: &Fields) -> Kinds {
    Kinds::these(fields.many("kinds[]").filter_map(|word| word.parse().ok()))
}
