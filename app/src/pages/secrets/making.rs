//! How a version came to be: by which door, from which value and why.

use keywarden_domain::secrets::{Making, Origin};
use leptos::prelude::*;

use super::{around, delivered};
use crate::{
    text::Text,
    ui::{Fact, fact},
};

pub(super) fn facts(t: Text, making: Option<Making>) -> Vec<Fact> {
    let Some(Making { way, reason, origin, record }) = making else { return Vec::new() };
    let mut facts = vec![fact(t.making_way(), delivered::named(t, way))];
    facts.extend(origin.map(|origin| fact(t.making_from(), whence(t, origin))));
    facts
        .extend(reason.map(|reason| fact(t.reasons_label(), view! { <span translate="no">{reason}</span> })));
    if let Some(record) = record {
        facts.extend(
            record.address.map(|it| fact(t.account_address(), view! { <code translate="no">{it}</code> })),
        );
        let event = format!("/audit/{}", record.event);
        facts.push(fact(t.making_event(), view! { <a href=event>{t.making_event_show()}</a> }));
    }
    facts
}

fn whence(t: Text, origin: Origin) -> AnyView {
    match origin {
        Origin::Edited(number) => t.making_edited(number).into_any(),
        Origin::Promoted(None) => t.making_unseen().into_any(),
        Origin::Promoted(Some((secret, number))) => {
            let said = t.making_promoted(number, &secret.environment_slug);
            view! { <a href=around::path(&secret)>{said}</a> }.into_any()
        }
        Origin::Rotated(number) => t.making_rotated(number).into_any(),
    }
}
