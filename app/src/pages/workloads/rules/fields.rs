//! What a rule says, as a form.

use keywarden_domain::trust::{GivenKeys, Keys, Terms};
use keywarden_model::{Audience, ClaimRules, HttpsUrl};
use leptos::prelude::*;

use super::presets::Preset;
use crate::{
    form::{Errors, Fields},
    text::Text,
    ui::{CheckboxField, RadioGroup, TextArea, TextField, TextKind, Writes, choice},
};

/// What the fields start with.
#[derive(Clone, Debug, Default)]
pub(super) struct Start {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) claims: String,
    keys: &'static str,
    jwks_url: String,
    jwks: String,
    single_use: bool,
}

impl Start {
    /// A new rule for this server.
    pub(super) fn new(origin: &str, preset: Option<Preset>) -> Self {
        Self {
            issuer: preset.map(|it| it.issuer.to_owned()).unwrap_or_default(),
            audience: origin.to_owned(),
            claims: preset.map(|it| it.claims.to_owned()).unwrap_or_default(),
            keys: Keys::Discovered.word(),
            single_use: preset.is_none_or(|it| it.single_use),
            ..Self::default()
        }
    }

    /// A rule as it is.
    pub(super) fn of(terms: &Terms) -> Self {
        let (jwks_url, jwks) = match &terms.keys {
            Keys::At(url) => (url.to_string(), String::new()),
            Keys::Discovered => (String::new(), String::new()),
            Keys::Given(given) => (String::new(), given.as_str().to_owned()),
        };
        Self {
            issuer: terms.issuer.to_string(),
            audience: terms.audience.to_string(),
            claims: terms.claims.to_lines(),
            keys: terms.keys.word(),
            jwks_url,
            jwks,
            single_use: terms.single_use,
        }
    }
}

pub(super) fn fields(t: Text, start: Start) -> AnyView {
    let keys = vec![
        choice("discovery", t.rules_keys_discovery()).hint(t.rules_keys_discovery_hint()),
        choice("address", t.rules_keys_address()).hint(t.rules_keys_address_hint()),
        choice("document", t.rules_keys_document()).hint(t.rules_keys_document_hint()),
    ];
    view! {
        <TextField name="issuer" label=t.rules_issuer() kind=TextKind::Url mono=true required=true maxlength=500 value=start.issuer hint=t.rules_issuer_hint()/>
        <TextField name="audience" label=t.rules_audience() mono=true required=true maxlength=250 value=start.audience hint=t.rules_audience_hint()/>
        <TextArea name="claims" label=t.rules_claims() writes=Writes::Code required=true maxlength=8000 rows=4 value=start.claims hint=t.rules_claims_hint()/>
        <CheckboxField name="single_use" label=t.rules_single_use() checked=start.single_use hint=t.rules_single_use_hint()/>
        <RadioGroup name="keys" label=t.rules_keys() required=true choices=keys value=start.keys/>
        <TextField name="jwks_url" label=t.rules_jwks_url() kind=TextKind::Url mono=true maxlength=500 value=start.jwks_url/>
        <TextArea name="jwks" label=t.rules_jwks() writes=Writes::Code maxlength=65536 rows=3 value=start.jwks hint=t.rules_jwks_hint()/>
    }
    .into_any()
}

/// Reads all of it, so that a refused form says everything at once.
pub(super) fn read(t: Text, fields: &Fields, errors: &mut Errors) -> Option<Terms> {
    let issuer = url(t, fields, errors, "issuer");
    let audience = present(t, fields, errors, "audience").and_then(|text| {
        text.parse::<Audience>().map_err(|wrong| errors.at("audience", t.audience_wrong(wrong))).ok()
    });
    let claims = ClaimRules::from_lines(fields.text("claims"));
    let claims = claims.map_err(|wrong| errors.at("claims", t.claims_wrong(&wrong))).ok();
    let keys = match fields.text("keys") {
        "discovery" => Some(Keys::Discovered),
        "address" => url(t, fields, errors, "jwks_url").map(Keys::At),
        "document" => present(t, fields, errors, "jwks").and_then(|text| {
            GivenKeys::read(text)
                .map_err(|wrong| errors.at("jwks", t.jwks_wrong(wrong)))
                .ok()
                .map(Keys::Given)
        }),
        _ => {
            errors.at("keys", t.form_choose());
            None
        }
    };
    if let (Some(issuer), Some(claims)) = (&issuer, &claims)
        && let Err(wrong) = claims.suit(issuer)
    {
        errors.at("claims", t.claims_wrong(&wrong));
        return None;
    }
    Some(Terms {
        issuer: issuer?,
        audience: audience?,
        claims: claims?,
        keys: keys?,
        single_use: fields.ticked("single_use"),
    })
}

fn present<'a>(t: Text, fields: &'a Fields, errors: &mut Errors, field: &str) -> Option<&'a str> {
    let text = fields.text(field);
    if text.is_empty() {
        errors.at(field, t.form_missing());
        return None;
    }
    Some(text)
}

fn url(t: Text, fields: &Fields, errors: &mut Errors, field: &str) -> Option<HttpsUrl> {
    let text = present(t, fields, errors, field)?;
    text.parse().map_err(|wrong| errors.at(field, t.https_wrong(wrong))).ok()
}
