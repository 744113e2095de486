//! What the editor's buttons do to the form before it is drawn again.

use keywarden_domain::policy::form::{Clause, Condition, Form, Group};

use super::posted::{MOST, fresh, name};
use crate::form::Fields;

/// What a button asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// One more condition in this group.
    Add(Place),
    /// One more clause.
    Clause { unless: bool },
    /// The form again, as it is.
    Draw,
    /// The form of the text.
    FromText,
    /// The text again, as the form that was just changed says it, where nothing is lost by that.
    FollowForm,
    /// The form again, as the text that was just changed says it.
    FollowText,
    /// This condition in a group of its own.
    Nest(Place),
    /// This condition away.
    Remove(Place),
    /// All of it kept.
    Save,
    /// The text of the form.
    ToText,
}

/// Where a condition is: its clause, then its place in each group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place(Vec<usize>);

impl Place {
    fn read(text: &str) -> Option<Self> {
        let steps: Option<Vec<_>> = text.split('-').map(|it| it.parse().ok()).collect();
        steps.filter(|steps| !steps.is_empty()).map(Self)
    }

    fn words(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("-")
    }
}

impl Act {
    /// The button that was pressed; none of ours draws the form again.
    pub(super) fn of(fields: &Fields) -> Self {
        let (word, place) = fields.text("do").split_once(' ').unwrap_or((fields.text("do"), ""));
        let place = Place::read(place);
        match (word, place) {
            ("", _) => Self::Save,
            ("add", Some(place)) => Self::Add(place),
            ("nest", Some(place)) => Self::Nest(place),
            ("remove", Some(place)) => Self::Remove(place),
            ("when", _) => Self::Clause { unless: false },
            ("unless", _) => Self::Clause { unless: true },
            ("form", _) => Self::FromText,
            ("live-form", _) => Self::FollowForm,
            ("live-text", _) => Self::FollowText,
            ("text", _) => Self::ToText,
            _ => Self::Draw,
        }
    }

    /// Does to the form what changes nothing else. A place that is not there changes nothing.
    pub(super) fn apply(&self, form: &mut Form, fields: &Fields) {
        match self {
            Self::Add(place) => {
                let word = fields.text(&name(&place.words(), "new"));
                if let (Some(condition), Some(group)) = (fresh(word), group_at(form, &place.0))
                    && group.of.len() < MOST
                {
                    group.of.push(condition);
                }
            }
            Self::Clause { unless } if form.clauses.len() < MOST => {
                form.clauses.push(Clause { unless: *unless, group: Group::default() });
            }
            Self::Nest(place) => nest(form, &place.0),
            Self::Remove(place) => remove(form, &place.0),
            Self::Clause { .. }
            | Self::Draw
            | Self::FollowForm
            | Self::FollowText
            | Self::FromText
            | Self::Save
            | Self::ToText => {}
        }
    }
}

fn group_at<'a>(form: &'a mut Form, place: &[usize]) -> Option<&'a mut Group> {
    let (clause, steps) = place.split_first()?;
    let mut group = &mut form.clauses.get_mut(*clause)?.group;
    for step in steps {
        group = match group.of.get_mut(*step)? {
            Condition::Group(inner) | Condition::Not(inner) => inner,
            Condition::Test(_) | Condition::Text(_) => return None,
        };
    }
    Some(group)
}

fn nest(form: &mut Form, place: &[usize]) {
    let Some((last, before)) = place.split_last() else { return };
    if before.is_empty() {
        if let Some(clause) = form.clauses.get_mut(*last) {
            let inner = std::mem::take(&mut clause.group);
            clause.group.of.push(Condition::Group(inner));
        }
        return;
    }
    if let Some(condition) = group_at(form, before).and_then(|group| group.of.get_mut(*last)) {
        let inner = std::mem::replace(condition, Condition::Text(String::new()));
        *condition = Condition::Group(Group { any: false, of: vec![inner] });
    }
}

fn remove(form: &mut Form, place: &[usize]) {
    let Some((last, before)) = place.split_last() else { return };
    if before.is_empty() {
        if *last < form.clauses.len() {
            form.clauses.remove(*last);
        }
    } else if let Some(group) = group_at(form, before)
        && *last < group.of.len()
    {
        group.of.remove(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::super::posted;
    use super::*;

    fn fields(body: &str) -> Fields {
        Fields::parse(body.as_bytes()).unwrap()
    }

    fn text(word: &str) -> Condition {
        Condition::Text(word.to_owned())
    }

    const TWO: &str = "effect=permit&who=all&things=all&c0_word=when&c0_kind=all&c0-0_kind=text&c0-0_value=a\
        &c0-1_kind=none&c0-1-0_kind=text&c0-1-0_value=b";

    fn after(button: &str) -> Form {
        let fields = fields(&format!("{TWO}&do={button}&c0-1_new=any&c0_new=text"));
        let mut form = posted::form(&fields);
        Act::of(&fields).apply(&mut form, &fields);
        form
    }

    #[test]
    fn conditions_are_added_nested_and_removed_where_the_button_stands() {
        let none = |of| Condition::Not(Group { any: true, of });
        let of = |form: Form| form.clauses.into_iter().next().map(|it| it.group.of).unwrap_or_default();
        assert_eq!(of(after("draw")), [text("a"), none(vec![text("b")])]);
        assert_eq!(of(after("add+0")), [text("a"), none(vec![text("b")]), text("")]);
        let any = Condition::Group(Group { any: true, of: Vec::new() });
        assert_eq!(of(after("add+0-1")), [text("a"), none(vec![text("b"), any])]);
        let all = |of| Condition::Group(Group { any: false, of });
        assert_eq!(of(after("nest+0-0")), [all(vec![text("a")]), none(vec![text("b")])]);
        assert_eq!(of(after("nest+0")), [all(vec![text("a"), none(vec![text("b")])])]);
        assert_eq!(of(after("remove+0-1-0")), [text("a"), none(vec![])]);
        assert!(after("remove+0").clauses.is_empty());
        assert_eq!(after("unless").clauses.len(), 2);
    }

    #[test]
    fn a_place_that_is_not_there_changes_nothing() {
        let before = after("draw");
        for button in ["add+7", "add+0-0", "nest+0-9", "remove+3", "remove+0-5", "remove+x", "add+"] {
            assert_eq!(after(button), before, "{button}");
        }
    }
}
