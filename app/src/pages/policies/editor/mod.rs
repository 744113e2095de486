//! The editor: a policy as a form and as text, on one page. Its buttons are posts that return the page; only the last one
//! keeps something.
//!
//! **Invariant:** nothing is kept that nobody saw: where form and text were both changed, their author says which counts.

mod acts;
mod draw;
mod offered;
mod posted;
mod words;

use keywarden_domain::{
    Domain, Op, Refused,
    authz::{PolicyScope, TextError},
    policy::{
        DraftPolicyError,
        form::{self, Condition, Flaw, Form as Policy, NotShown, Wrong},
    },
};
use keywarden_model::Description;
use leptos::prelude::*;

use super::{
    names::{Names, Place},
    sentence::sentence,
};
use crate::{
    form::{Draft, Errors, Fields},
    islands::TwoSides,
    text::Text,
    ui::{Banner, Form, Hidden, Panel, TextArea, TextField, Tone, Writes},
};
use acts::Act;
pub(super) use posted::zoned;

/// What the page shows of a policy that is being written.
pub(super) struct Editor {
    /// What it is called, on a new one.
    name: Option<String>,
    note: String,
    shown: Result<Policy, NotShown>,
    text: String,
    /// The text when form and text last said the same.
    seen: String,
    said: Option<&'static str>,
    errors: Errors,
    /// The browser asks again while somebody writes, and shows parts of the answer: what is wrong so far is no failure.
    live: bool,
}

/// What a post asks for.
pub(super) enum Asked {
    /// The page again.
    Page,
    /// To keep this text, with this said about it.
    Save { text: String, note: Description },
}

impl Editor {
    /// An editor that begins with a form.
    pub(super) fn with(policy: Policy) -> Self {
        let text = policy.to_text().unwrap_or_default();
        Self {
            name: Some(String::new()),
            note: String::new(),
            shown: Ok(policy),
            seen: text.clone(),
            text,
            said: None,
            errors: Errors::new(),
            live: false,
        }
    }

    /// An editor that begins with a text.
    pub(super) fn of(text: &str) -> Self {
        Self {
            name: None,
            note: String::new(),
            shown: Policy::read(text),
            text: text.to_owned(),
            seen: text.to_owned(),
            said: None,
            errors: Errors::new(),
            live: false,
        }
    }

    /// As it was posted, after what its button asks for.
    pub(super) fn posted(t: Text, fields: &Fields, named: bool) -> (Self, Asked) {
        let (text, seen) = (fields.raw("text").to_owned(), fields.raw("text_seen").to_owned());
        let drawn = fields.ticked("effect");
        let mut editor = Self {
            name: named.then(|| fields.text("name").to_owned()),
            note: fields.text("note").to_owned(),
            shown: if drawn { Ok(posted::form(fields)) } else { Policy::read(&text) },
            text,
            seen,
            said: None,
            errors: Errors::new(),
            live: fields.ticked("live"),
        };
        let act = Act::of(fields);
        let typed_nothing = editor.text.trim() == editor.seen.trim();
        if act == Act::Save {
            return editor.save(t, fields, drawn);
        }
        match (&act, &mut editor.shown) {
            (Act::FromText, _) => {
                editor.shown = Policy::read(&editor.text);
                editor.seen.clone_from(&editor.text);
                editor.said = editor.shown.is_ok().then(|| t.policies_form_made());
            }
            (Act::FollowText, _) => {
                editor.shown = Policy::read(&editor.text);
                editor.seen.clone_from(&editor.text);
            }
            (Act::FollowForm, Ok(_)) => editor.follow_form(),
            (Act::ToText, Ok(policy)) => match policy.to_text() {
                Ok(text) => {
                    editor.said = Some(t.policies_text_made());
                    editor.take(text);
                }
                Err(flaws) => editor.wrong(t, fields, &flaws),
            },
            (act, Ok(policy)) => {
                act.apply(policy, fields);
                if count(policy) >= posted::MOST {
                    editor.errors.whole(t.policies_too_many());
                }
                if typed_nothing {
                    editor.follow_form();
                }
            }
            (_, Err(_)) => {}
        }
        (editor, Asked::Page)
    }

    /// The text that counts: what of form and text was changed.
    fn save(mut self, t: Text, fields: &Fields, drawn: bool) -> (Self, Asked) {
        let typed = self.text.trim() != self.seen.trim();
        let made = self.shown.as_ref().ok().filter(|_| drawn).map(Policy::to_text);
        let text = match made {
            Some(Ok(made)) if form::same(&made, &self.text) => Some(self.text.clone()),
            // What the form cannot keep goes when its author says so, by the button that writes the text.
            Some(Ok(made)) if !form::same(&made, &self.seen) => {
                (!typed && !self.has_comments()).then_some(made)
            }
            Some(Err(flaws)) if !typed => {
                self.wrong(t, fields, &flaws);
                return (self, Asked::Page);
            }
            Some(Err(_)) => None,
            Some(Ok(_)) | None => Some(self.text.clone()),
        };
        let Some(text) = text else {
            self.errors.whole(if typed { t.policies_both_changed() } else { t.policies_comments_lost() });
            return (self, Asked::Page);
        };
        match self.note.parse() {
            Ok(note) => {
                self.take(text.clone());
                (self, Asked::Save { text, note })
            }
            Err(error) => {
                self.errors.at("note", t.name_wrong(&error));
                (self, Asked::Page)
            }
        }
    }

    /// Has the text say what the form says, unless something in it would be lost, or the form has gaps.
    fn follow_form(&mut self) {
        let made = self.shown.as_ref().ok().and_then(|policy| policy.to_text().ok());
        match made {
            Some(made) if form::same(&made, &self.text) => self.seen.clone_from(&self.text),
            Some(made) if !self.has_comments() => self.take(made),
            _ => {}
        }
    }

    /// Whether the text has something in it that the form does not keep. A slash pair in a string is taken for one, too.
    fn has_comments(&self) -> bool {
        self.text.contains("//")
    }

    /// What form and text are to each other, in a word for the browser.
    fn state(&self) -> &'static str {
        match self.shown.as_ref().map(Policy::to_text) {
            Ok(Ok(made)) if form::same(&made, &self.text) => "same",
            Ok(Ok(_)) => "apart",
            Ok(Err(_)) => "unfinished",
            Err(NotShown::Unreadable) => "unreadable",
            Err(_) => "text",
        }
    }

    fn take(&mut self, text: String) {
        self.seen.clone_from(&text);
        self.text = text;
    }

    /// Says at each field of the form what is wrong with it.
    fn wrong(&mut self, t: Text, fields: &Fields, flaws: &[Flaw]) {
        let what = |at: &str| fields.text(&posted::name(at, "what")).to_owned();
        for Flaw { at, wrong } in flaws {
            let field = match (at.as_str(), wrong) {
                ("who" | "what" | "things", _) => at.clone(),
                (at, Wrong::Empty) => posted::name(at, "new"),
                (at, Wrong::Deep) => posted::name(at, "kind"),
                (at, Wrong::Zone) => posted::name(at, "zone"),
                (at, Wrong::Days) => posted::days(at),
                (at, Wrong::Missing) if what(at).starts_with("weekday:") => posted::days(at),
                (at, Wrong::Missing) if what(at).starts_with("local-") => posted::name(at, "zone"),
                (at, _) => posted::name(at, "value"),
            };
            self.errors.at(&field, t.policies_wrong(wrong));
        }
    }

    /// Says at the text what is wrong with it, by line and column.
    pub(super) fn wrong_text(&mut self, t: Text, errors: &[TextError]) {
        let lines = errors.iter().map(|it| t.policies_at_line(it.line, it.column, &it.says));
        self.errors.at("text", lines.collect::<Vec<_>>().join(" "));
    }

    /// Says why nothing was kept.
    pub(super) fn not_kept(&mut self, t: Text, error: DraftPolicyError) {
        match error {
            DraftPolicyError::Archived => self.errors.whole(t.policies_archived()),
            DraftPolicyError::ChangedMeanwhile => self.errors.whole(t.policies_changed_meanwhile()),
            DraftPolicyError::NameReserved => self.errors.at("name", t.policies_name_reserved()),
            DraftPolicyError::NameTaken => self.errors.at("name", t.policies_name_taken()),
            // The page of what was refused is another one.
            DraftPolicyError::Refused(_) => self.errors.whole(t.form_unreadable()),
            DraftPolicyError::Text(errors) => self.wrong_text(t, &errors),
            DraftPolicyError::TooMany => self.errors.whole(t.policies_full()),
        }
    }

    /// Says what is wrong with a field, or with all of it.
    pub(super) fn errors(&mut self) -> &mut Errors {
        &mut self.errors
    }

    /// Looks at a text that the form does not show, so that it is said where it is wrong.
    pub(super) async fn look(
        &mut self,
        t: Text,
        domain: &Domain,
        op: &Op,
        scope: PolicyScope,
    ) -> Result<(), Refused> {
        if matches!(self.shown, Err(NotShown::Unreadable))
            && let Err(errors) = domain.check_policy(op, scope, &self.text).await?
        {
            self.wrong_text(t, &errors);
        }
        Ok(())
    }

    /// For the page's status.
    pub(super) fn draft(&self) -> Draft {
        if self.live { Draft::default() } else { Draft::drawn(self.errors.clone()) }
    }

    /// The whole form, with what else it carries along.
    pub(super) fn view(
        self,
        t: Text,
        names: &Names,
        place: &Place,
        cancel: String,
        row_version: Option<i64>,
    ) -> AnyView {
        let draft = Draft::drawn(self.errors.clone());
        let said = self.said.map(|said| view! { <Banner title=said/> });
        let words = self.shown.as_ref().ok().map(|policy| {
            let words = sentence(t, policy, names);
            view! { <Panel id="says" title=t.policies_says()>{words}</Panel> }
        });
        let (state, says) = (self.state(), words::says(t));
        // The browser has the words since the page came.
        let vocabulary = if self.live { String::new() } else { words::vocabulary(t, names) };
        let comments =
            self.has_comments().then(|| view! { <p class="field-hint">{t.policies_comments_lost()}</p> });
        let to_text = self.shown.is_ok().then(|| {
            view! { <button type="submit" class="button" name="do" value="text">{t.policies_to_text()}</button> }
        });
        let name = self.name.map(|name| {
            view! { <TextField name="name" label=t.policies_name() required=true maxlength=120 value=name/> }
        });
        let seen = row_version.map(|it| view! { <Hidden name="row_version" value=it.to_string()/> });
        // Drawn within the form: fields look there for what is wrong with them.
        let (names, place, shown) = (names.clone(), place.clone(), self.shown);
        let parts = move || match &shown {
            Ok(policy) => draw::parts(t, policy, &names, &place),
            Err(why) => {
                let why = t.policies_not_shown(why);
                view! { <Banner tone=Tone::Warn title=t.policies_only_text()>{why}</Banner> }.into_any()
            }
        };
        view! {
            {said}
            <div id="policy-says">{words}</div>
            <Form draft=draft submit=t.policies_save() cancel=cancel>
                {seen}
                {name}
                <div class="policy-sides" data-state=state>
                    <fieldset class="policy-form" aria-label=t.policies_as_form()>{parts()}</fieldset>
                    <div class="policy-text">
                        <TextArea name="text" label=t.policies_as_text() hint=t.policies_as_text_hint() writes=Writes::Code required=true maxlength=16384 rows=16 value=self.text/>
                        <input type="hidden" name="text_seen" value=self.seen/>
                        <TwoSides says=says vocabulary=vocabulary offers=t.policies_live_offers()/>
                        {comments}
                        <div class="actions">
                            {to_text}
                            <button type="submit" class="button" name="do" value="form">{t.policies_to_form()}</button>
                        </div>
                    </div>
                </div>
                <TextArea name="note" label=t.policies_note() hint=t.policies_note_hint() maxlength=1000 rows=2 value=self.note/>
            </Form>
        }
        .into_any()
    }
}

/// How many conditions a form has.
fn count(policy: &Policy) -> usize {
    fn of(conditions: &[Condition]) -> usize {
        let each = conditions.iter().map(|it| match it {
            Condition::Group(group) | Condition::Not(group) => of(&group.of).saturating_add(1),
            Condition::Test(_) | Condition::Text(_) => 1,
        });
        each.sum()
    }
    policy.clauses.iter().map(|clause| of(&clause.group.of)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = "permit (principal, action, resource);\n";

    fn fields(effect: &str, text: &str, seen: &str, button: &str) -> Fields {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([
                ("effect", effect),
                ("who", "all"),
                ("things", "all"),
                ("text", text),
                ("text_seen", seen),
            ])
            .extend_pairs([("do", button)])
            .finish();
        Fields::parse(body.as_bytes()).unwrap()
    }

    fn saved(effect: &str, text: &str) -> Option<String> {
        match Editor::posted(Text::default(), &fields(effect, text, SEEN, ""), false).1 {
            Asked::Save { text, .. } => Some(text),
            Asked::Page => None,
        }
    }

    #[test]
    fn what_was_changed_is_kept_and_of_two_changes_none() {
        let forbid = "forbid (principal, action, resource);\n";
        let other = "permit (principal, action, resource) when { true };";
        let commented = "// why\npermit (principal, action, resource);";
        assert_eq!(saved("permit", SEEN).as_deref(), Some(SEEN));
        assert_eq!(saved("forbid", SEEN).as_deref(), Some(forbid));
        assert_eq!(saved("permit", other).as_deref(), Some(other));
        assert_eq!(saved("permit", commented).as_deref(), Some(commented));
        assert_eq!(saved("forbid", forbid).as_deref(), Some(forbid));
        assert_eq!(saved("forbid", other), None);
        let change = fields("forbid", commented, commented, "");
        let (editor, asked) = Editor::posted(Text::default(), &change, false);
        assert!(
            matches!(asked, Asked::Page) && editor.errors.any(),
            "a comment goes by its author's word alone"
        );
        assert_eq!(editor.text, commented);
    }

    #[test]
    fn form_and_text_are_made_from_each_other() {
        let (editor, _) = Editor::posted(Text::default(), &fields("forbid", SEEN, SEEN, "text"), false);
        assert_eq!(editor.text, "forbid (principal, action, resource);\n");
        let text = "forbid (principal, action, resource);";
        let (editor, _) = Editor::posted(Text::default(), &fields("permit", text, SEEN, "form"), false);
        assert_eq!(editor.shown.unwrap().effect, form::Effect::Forbid);
        let (editor, _) = Editor::posted(Text::default(), &fields("permit", "forbid(", SEEN, "form"), false);
        assert_eq!(editor.shown, Err(NotShown::Unreadable));
        assert_eq!(editor.text, "forbid(");
    }
}
