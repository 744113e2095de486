//! The rows of the form: a field that is there, or room for a new one. Values are typed again after a refusal.

use std::collections::BTreeSet;

use keywarden_domain::{
    Env, SecretString,
    secrets::{Field, FieldChange, FieldSort},
};
use leptos::prelude::*;

use super::super::{
    generate::{self, Alphabet},
    value,
};
use crate::{
    form::{Errors, Fields},
    text::Text,
    ui::{FieldGroup, Hidden, RadioGroup, TextArea, TextField, Writes, choice},
};

/// New fields that one form adds.
const NEW: usize = 3;

/// What a row asks about.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// A field that is there.
    Known {
        name: String,
        /// A string; anything else is written as JSON.
        text: bool,
    },
    /// A field that is not.
    New,
}

impl Row {
    /// Of fields that were listed, and room for new ones.
    pub(super) fn of(fields: Vec<Field>) -> Vec<Self> {
        let known = fields
            .into_iter()
            .map(|it| Self::Known { name: it.name.expose().to_owned(), text: it.sort == FieldSort::Text });
        known.chain((0..NEW).map(|_| Self::New)).collect()
    }

    /// Of a form that was posted.
    pub(super) fn posted(fields: &Fields) -> Vec<Self> {
        let rows = (0..).take_while(|at| fields.ticked(&named("field", *at)));
        rows.map(|at| match fields.text(&named("sort", at)) {
            "" => Self::New,
            sort => Self::Known { name: fields.raw(&named("field", at)).to_owned(), text: sort == "text" },
        })
        .collect()
    }

    /// Draws it; `at` is its place among all, `new` among the new ones. What is typed has at most so many characters.
    fn view(self, t: Text, (at, new): (usize, usize), longest: u32) -> AnyView {
        let write = choice("write", t.fields_replace());
        let generate = choice("generate", t.fields_generate()).hint(t.secrets_generate_hint());
        match self {
            Self::Known { name, text } => {
                let mut choices = vec![choice("keep", t.fields_keep()), write];
                choices.extend(text.then_some(generate));
                choices.push(choice("remove", t.fields_remove()));
                let label = t.fields_value_of(&name);
                let typed = if text {
                    view! { <TextArea name=named("value", at) label=label writes=Writes::Secret either=true rows=2 maxlength=longest/> }.into_any()
                } else {
                    view! { <TextArea name=named("value", at) label=label writes=Writes::Secret either=true rows=2 maxlength=longest hint=t.fields_json_hint()/> }.into_any()
                };
                view! {
                    <FieldGroup label=name.clone()>
                        <Hidden name=named("field", at) value=name.clone()/>
                        <Hidden name=named("sort", at) value=if text { "text" } else { "json" }/>
                        <RadioGroup name=named("do", at) label=t.fields_becomes(&name) required=true choices=choices value="keep"/>
                        <div class="value-typed">{typed}</div>
                    </FieldGroup>
                }
                .into_any()
            }
            Self::New => view! {
                <FieldGroup label=t.fields_new(new)>
                    <TextField name=named("field", at) label=t.fields_new_name(new) mono=true hint=t.fields_new_name_hint()/>
                    <RadioGroup name=named("do", at) label=t.secrets_how() required=true choices=vec![choice("write", t.secrets_write()), generate] value="write"/>
                    <div class="value-typed">
                        <TextArea name=named("value", at) label=t.fields_new_value(new) writes=Writes::Secret either=true rows=2 maxlength=longest/>
                    </div>
                </FieldGroup>
            }
            .into_any(),
        }
    }
}

/// `value_3`.
pub(super) fn named(part: &str, at: usize) -> String {
    format!("{part}_{at}")
}

/// All rows, and how those are made that are to be generated. A value has at most so many bytes.
pub(super) fn view(t: Text, rows: Vec<Row>, most: usize) -> AnyView {
    let longest = u32::try_from(most).unwrap_or(u32::MAX);
    let mut new = 0_usize;
    let rows = rows.into_iter().enumerate().map(|(at, row)| {
        new = new.saturating_add(usize::from(row == Row::New));
        row.view(t, (at, new), longest)
    });
    let rows: Vec<_> = rows.collect();
    view! {
        {rows}
        <div class="fields-made">
            <FieldGroup label=t.fields_made()>{value::making_fields(t)}</FieldGroup>
        </div>
    }
    .into_any()
}

/// What is to be done.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Which row each change is of.
    pub(super) rows: Vec<usize>,
    pub(super) changes: Vec<(SecretString, FieldChange)>,
}

/// The changes; what is wrong with them is noted.
pub(super) fn read(t: Text, env: &Env, fields: &Fields, errors: &mut Errors) -> Wanted {
    let rows = Row::posted(fields);
    let is_made = |at| fields.text(&named("do", at)) == "generate";
    let making = (0..rows.len()).any(is_made).then(|| value::read_making(t, fields, errors)).flatten();
    let (mut wanted, mut names) = (Wanted::default(), BTreeSet::new());
    for (at, row) in rows.into_iter().enumerate() {
        let typed = fields.raw(&named("value", at));
        let (name, known) = match row {
            Row::Known { name, .. } => (name, true),
            Row::New => (fields.text(&named("field", at)).to_owned(), false),
        };
        if !known && name.is_empty() {
            if !typed.is_empty() || is_made(at) {
                errors.at(&named("field", at), t.form_missing());
            }
            continue;
        }
        if !names.insert(name.clone()) {
            errors.at(&named("field", at), t.fields_twice());
        }
        let set = if known { FieldChange::Write } else { FieldChange::Add };
        let change = match fields.text(&named("do", at)) {
            "keep" if known => continue,
            "remove" if known => FieldChange::Remove,
            "generate" => match making {
                Some(making) => set(made(env, making)),
                None => continue,
            },
            "write" if typed.is_empty() => {
                errors.at(&named("value", at), t.form_missing());
                continue;
            }
            "write" => set(SecretString::new(typed.to_owned())),
            _ => {
                errors.at(&named("do", at), t.form_choose());
                continue;
            }
        };
        wanted.rows.push(at);
        wanted.changes.push((SecretString::new(name), change));
    }
    if wanted.changes.is_empty() && !errors.any() {
        errors.whole(t.fields_unchanged());
    }
    wanted
}

/// Says beside what else is wrong which values have to be typed again.
pub(super) fn again(t: Text, fields: &Fields, errors: &mut Errors) {
    for at in 0..Row::posted(fields).len() {
        let value = named("value", at);
        if fields.text(&named("do", at)) == "write" && !fields.raw(&value).is_empty() {
            errors.at(&value, t.secrets_value_again());
        }
    }
}

/// Its characters are of the alphabet, which is ASCII.
fn made(env: &Env, (alphabet, length): (Alphabet, usize)) -> SecretString {
    let value = generate::value(env, alphabet, length);
    SecretString::new(value.expose().iter().copied().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use keywarden_domain::cast::{Engine, House};

    use super::*;

    #[tokio::test]
    async fn each_row_says_what_becomes_of_its_field_and_what_is_wrong_is_said_there() {
        let house = House::new(Engine::Sqlite).await;
        let read = |body: &str| {
            let fields = Fields::parse(body.as_bytes()).unwrap();
            let (t, mut errors) = (Text::default(), Errors::new());
            (read(t, house.domain.env(), &fields, &mut errors), errors)
        };
        let known = "field_0=user&sort_0=text&do_0=";
        let body = format!(
            "{known}write&value_0=+a&field_1=a+b+&sort_1=json&do_1=remove&field_2=&sort_2=text&do_2=keep\
             &field_3=new&do_3=generate&value_3=&field_4=&do_4=write&value_4=&length=16&alphabet=hexadecimal"
        );
        let (wanted, errors) = read(&body);
        assert!(!errors.any(), "{errors:?}");
        assert_eq!(wanted.rows, [0, 1, 3], "a name may be empty, and is kept here; the last row is not used");
        let told = wanted.changes.iter().map(|(name, change)| match change {
            FieldChange::Add(value) => ("add", name.expose(), value.expose()),
            FieldChange::Remove => ("remove", name.expose(), ""),
            FieldChange::Write(value) => ("write", name.expose(), value.expose()),
        });
        let told: Vec<_> = told.collect();
        assert_eq!(
            told[..2],
            [("write", "user", " a"), ("remove", "a b ", "")],
            "as it was typed, as it is called"
        );
        assert_eq!((told[2].0, told[2].1, told[2].2.len()), ("add", "new", 16));

        for (body, field) in [
            (format!("{known}write&value_0="), "value_0"),
            (format!("{known}burn"), "do_0"),
            (format!("{known}keep&field_1=&do_1=write&value_1=a"), "field_1"),
            (format!("{known}keep&field_1=user&do_1=write&value_1=a"), "field_1"),
            (format!("{known}keep&field_1=b&do_1=keep"), "do_1"),
            (format!("{known}generate&length=15&alphabet=hexadecimal"), "length"),
            (format!("{known}generate&length=16"), "alphabet"),
        ] {
            let (_, errors) = read(&body);
            assert!(errors.of(field).is_some(), "{body}: {errors:?}");
        }
        for body in [format!("{known}keep"), String::new()] {
            let (_, errors) = read(&body);
            assert!(errors.summary().0.is_some(), "{body}: {errors:?}");
        }
    }

    #[test]
    fn what_has_to_be_typed_again_is_said_where_it_was_typed() {
        let fields = "field_0=a&sort_0=text&do_0=write&value_0=x&field_1=b&sort_1=text&do_1=keep&value_1=y";
        let fields = Fields::parse(fields.as_bytes()).unwrap();
        let mut errors = Errors::new();
        again(Text::default(), &fields, &mut errors);
        assert!(errors.of("value_0").is_some() && errors.of("value_1").is_none(), "{errors:?}");
    }
}
