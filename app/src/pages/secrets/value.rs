//! A value as a form asks for it: written by whoever sends it, or made on the server and seen by nobody.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keywarden_domain::{
    Domain, SecretBytes,
    secrets::{NewValue, ValueError, Version},
};
use keywarden_model::{ContentType, SecretKind};
use leptos::prelude::*;

use super::{
    around,
    generate::{self, Alphabet, LENGTHS},
    template,
};
use crate::{
    form::{Errors, Fields},
    text::Text,
    ui::{FieldGroup, RadioGroup, SelectField, TextArea, TextField, TextKind, Writes, choice},
};

/// What the fields begin with.
#[derive(Default)]
pub(super) struct Start {
    kind: Option<SecretKind>,
    /// Empty: the kind's own.
    content_type: String,
    is_template: bool,
}

impl Start {
    /// As the version before.
    pub(super) fn of(before: &Version) -> Self {
        let own = before.content_type == before.kind.content_type();
        let content_type = if own { String::new() } else { before.content_type.to_string() };
        Self { kind: Some(before.kind), content_type, is_template: before.template }
    }
}

/// A value that was refused is typed again: it is in no page. It has at most so many bytes.
pub(super) fn fields(t: Text, start: Start, most: usize) -> AnyView {
    let kind = start.kind.unwrap_or(SecretKind::Text);
    let how = vec![
        choice("write", t.secrets_write()).hint(t.secrets_write_hint()),
        choice("generate", t.secrets_generate()).hint(t.secrets_generate_hint()),
    ];
    let kinds = [SecretKind::Text, SecretKind::Json, SecretKind::Binary]
        .map(|it| choice(it.as_str(), around::kind(t, it)))
        .to_vec();
    // In base64, in lines.
    let longest = most.saturating_add(most / 2).saturating_add(4);
    let longest = u32::try_from(longest).unwrap_or(u32::MAX);
    let longest_type = u32::try_from(ContentType::MAX).unwrap_or(u32::MAX);
    let hint = t.secrets_value_hint(&t.number(most as u64));
    view! {
        <FieldGroup label=t.secrets_value()>
            <RadioGroup name="how" label=t.secrets_how() required=true choices=how value="write"/>
            <div class="value-typed">
                <SelectField name="kind" label=t.secrets_kind() required=true choices=kinds value=kind.as_str() hint=t.secrets_kind_hint()/>
                <TextArea name="value" label=t.secrets_value() writes=Writes::Secret required=true rows=5 maxlength=longest hint=hint/>
                {template::field(t, start.is_template)}
            </div>
            <div class="value-made">{making_fields(t)}</div>
            <TextField name="content_type" label=t.secrets_content_type() mono=true maxlength=longest_type value=start.content_type hint=t.secrets_content_type_hint()/>
        </FieldGroup>
    }
    .into_any()
}

/// How a value is made that nobody thought of.
pub(super) fn making_fields(t: Text) -> AnyView {
    let alphabets = Alphabet::ALL.map(|it| choice(it.as_str(), alphabet_name(t, it))).to_vec();
    view! {
        <TextField name="length" label=t.secrets_length() kind=TextKind::Number required=true min=LENGTHS.start().to_string() max=LENGTHS.end().to_string() value="32"/>
        <SelectField name="alphabet" label=t.secrets_alphabet() required=true choices=alphabets value=Alphabet::LettersAndDigits.as_str()/>
    }
    .into_any()
}

/// The value; what is wrong with it is noted.
pub(super) fn read(t: Text, domain: &Domain, fields: &Fields, errors: &mut Errors) -> Option<NewValue> {
    let content_type = match fields.text("content_type") {
        "" => Ok(None),
        text => text.parse::<ContentType>().map(Some),
    };
    let content_type = content_type.map_err(|_| errors.at("content_type", t.secrets_content_type_wrong()));
    let bytes = match fields.text("how") {
        "generate" => made(t, domain, fields, errors),
        "write" => written(t, fields, errors),
        _ => {
            errors.at("how", t.form_choose());
            None
        }
    };
    let (kind, bytes) = bytes?;
    let most = domain.settings().max_value;
    let value = NewValue::new(kind, content_type.ok()?, bytes).and_then(|value| value.within(most));
    let value = value.map_err(|wrong| errors.at("value", said(t, wrong))).ok()?;
    if fields.text("how") == "write" { template::read(t, fields, value, errors) } else { Some(value) }
}

/// Says beside what else is wrong that the value has to be typed again.
pub(super) fn again(t: Text, fields: &Fields, errors: &mut Errors) {
    if errors.any() && fields.text("how") == "write" && !fields.raw("value").is_empty() {
        errors.at("value", t.secrets_value_again());
    }
}

fn made(t: Text, domain: &Domain, fields: &Fields, errors: &mut Errors) -> Option<(SecretKind, SecretBytes)> {
    let (alphabet, length) = read_making(t, fields, errors)?;
    Some((SecretKind::Text, generate::value(domain.env(), alphabet, length)))
}

/// What a made value consists of, and how long it is; what is wrong with that is noted.
pub(super) fn read_making(t: Text, fields: &Fields, errors: &mut Errors) -> Option<(Alphabet, usize)> {
    if fields.text("length").is_empty() {
        errors.at("length", t.form_missing());
    }
    let length = errors.number(t, fields, "length", LENGTHS).and_then(|it| usize::try_from(it).ok());
    let alphabet = Alphabet::named(fields.text("alphabet"));
    if alphabet.is_none() {
        errors.at("alphabet", t.form_choose());
    }
    alphabet.zip(length)
}

fn written(t: Text, fields: &Fields, errors: &mut Errors) -> Option<(SecretKind, SecretBytes)> {
    let Ok(kind) = fields.text("kind").parse::<SecretKind>() else {
        errors.at("kind", t.form_choose());
        return None;
    };
    let text = fields.raw("value");
    let bytes = match kind {
        SecretKind::Binary => decoded(text),
        SecretKind::Json | SecretKind::Text => Some(SecretBytes::copy_of(text.as_bytes())),
    };
    if bytes.is_none() {
        errors.at("value", t.secrets_value_not_base64());
    }
    Some((kind, bytes?))
}

/// Base64 as tools write it: in lines.
fn decoded(text: &str) -> Option<SecretBytes> {
    let text = zeroize::Zeroizing::new(text.split_ascii_whitespace().collect::<String>());
    STANDARD.decode(text.as_bytes()).map(SecretBytes::new).ok()
}

pub(super) fn said(t: Text, wrong: ValueError) -> String {
    match wrong {
        ValueError::Empty => t.form_missing().to_owned(),
        ValueError::NotJson => t.secrets_value_not_json().to_owned(),
        ValueError::NotText => t.secrets_value_not_text().to_owned(),
        ValueError::TooLong(most) => t.secrets_value_too_long(&t.number(most as u64)),
    }
}

fn alphabet_name(t: Text, alphabet: Alphabet) -> &'static str {
    match alphabet {
        Alphabet::Hexadecimal => t.secrets_alphabet_hexadecimal(),
        Alphabet::LettersAndDigits => t.secrets_alphabet_letters(),
        Alphabet::Symbols => t.secrets_alphabet_symbols(),
    }
}

#[cfg(test)]
mod tests {
    use keywarden_domain::cast::{Engine, House};

    use super::*;

    #[tokio::test]
    async fn a_value_is_written_or_made_and_what_is_wrong_is_said_at_its_field() {
        let house = House::new(Engine::Sqlite).await;
        let read = |body: &str| {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            let (t, mut errors) = (Text::default(), Errors::new());
            let value = read(t, &house.domain, &fields, &mut errors);
            again(t, &fields, &mut errors);
            (value.map(|it| it.kind()), errors)
        };
        for (body, kind) in [
            ("how=write&kind=text&value=+a%0D%0Ab", SecretKind::Text),
            ("how=write&kind=json&value={}", SecretKind::Json),
            ("how=write&kind=binary&value=/w%0D%0A==", SecretKind::Binary),
            ("how=write&kind=text&value=${", SecretKind::Text),
            ("how=write&kind=text&value=${a/b/c}&template=1", SecretKind::Text),
            ("how=generate&length=16&alphabet=symbols&template=1", SecretKind::Text),
            ("how=generate&length=16&alphabet=symbols", SecretKind::Text),
            ("how=write&kind=text&value=a&content_type=+application/x-pem-file", SecretKind::Text),
        ] {
            let (found, errors) = read(body);
            assert_eq!(found, Some(kind), "{body}: {errors:?}");
            assert!(!errors.any(), "{body}");
        }
        for (body, field) in [
            ("", "how"),
            ("how=write&kind=text&value=", "value"),
            ("how=write&value=a", "kind"),
            ("how=write&value=a", "value"),
            ("how=write&kind=json&value={", "value"),
            ("how=write&kind=binary&value=hunter2", "value"),
            ("how=write&kind=text&value=${a/b}&template=1", "value"),
            ("how=write&kind=binary&value=/w%3D%3D&template=1", "value"),
            ("how=generate&length=15&alphabet=symbols", "length"),
            ("how=generate&alphabet=symbols", "length"),
            ("how=generate&length=16&alphabet=runes", "alphabet"),
            ("how=generate&length=16&alphabet=symbols&content_type=pem", "content_type"),
            ("how=write&kind=text&value=a&content_type=text/Plain", "content_type"),
            ("how=write&kind=json&value={&content_type=pem", "content_type"),
        ] {
            let (found, errors) = read(body);
            assert!(found.is_none() && errors.of(field).is_some(), "{body}: {errors:?}");
        }
    }
}
