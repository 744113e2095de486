//! A policy that is read as a form and written down again is the same policy: shown by the solver for a hundred of them.

use keywarden_domain::authz::Rules;
use keywarden_domain::policy::form::Form;
use keywarden_domain::policy::proof::Claim;

use super::*;

/// A hundred policies, with conditions that the form has rows for and with some that it keeps as text.
fn corpus() -> Vec<String> {
    let heads = [
        r#"forbid (principal, action == Action::"secret.read", resource)"#,
        r#"permit (principal is Workload, action in [Action::"key.rotate", Action::"key.suspend"], resource)"#,
        r#"forbid (principal is Person, action == Action::"key.issue", resource)"#,
        r#"permit (principal in OrganizationRole::"auditor", action == Action::"secret.put", resource)"#,
        r#"forbid (principal in OrganizationRole::"admin", action == Action::"project.create", resource)"#,
    ];
    let when = [
        "",
        "when { context.weekday > 5 }",
        "when { context.weekday == 1 || context.weekday == 5 }",
        r#"when { context.signInMethod == "token" && context.weekday < 6 }"#,
        r#"when { context.now > datetime("2027-01-01T00:00:00Z") }"#,
    ];
    let unless = [
        "",
        r#"unless { context has address && context.address.isInRange(ip("192.0.2.0/24")) }"#,
        "unless { context has passkeyAge && context.passkeyAge < 60 }",
        r#"unless { principal in OrganizationRole::"owner" }"#,
    ];
    let mut all = Vec::new();
    for head in heads {
        for when in when {
            all.extend(unless.map(|unless| format!("{head} {when} {unless};")));
        }
    }
    all
}

#[tokio::test]
async fn a_hundred_policies_mean_the_same_after_form_and_text() {
    let Some(solver) = cvc5().await else { return };
    let (schema, corpus) = (Arc::new(Rules::schema().unwrap()), corpus());
    assert_eq!(corpus.len(), 100);
    for text in corpus {
        let form = Form::read(&text).unwrap_or_else(|it| panic!("{text}: {it:?}"));
        let again = form.to_text().unwrap_or_else(|it| panic!("{text}: {it:?}"));
        let (before, after) = (set(&text), set(&again));
        for environment in schema.request_envs().filter(|it| is_about(&text, it)) {
            for (narrow, wide) in [(&before, &after), (&after, &before)] {
                let claim = Claim::Implies { narrow: Box::new(narrow.clone()), wide: Box::new(wide.clone()) };
                let question =
                    Question { schema: Arc::clone(&schema), environment: environment.clone(), claim };
                let shown = solver.show(question, Duration::from_mins(1)).await;
                assert!(matches!(shown, Shown::Holds), "{text}\n{again}\n{shown:?}");
            }
        }
    }
}

/// As many policies as are put together, with conditions as long as texts may have: whoever goes down into them has room for that.
#[tokio::test]
async fn as_many_long_policies_as_there_may_be_end_in_an_answer() {
    let Some(solver) = cvc5().await else { return };
    let schema = Arc::new(Rules::schema().unwrap());
    let long = |n: i64| {
        let days: Vec<_> = (0..37).map(|it| format!("context.weekday == {}", n * 100 + it)).collect();
        let deep = format!("{}context.weekday > {n}{}", "!(".repeat(22), ")".repeat(22));
        format!(
            r#"permit (principal, action == Action::"secret.read", resource) when {{ {} }};
               permit (principal, action == Action::"secret.read", resource) when {{ {deep} }};"#,
            days.join(" || ")
        )
    };
    let wide: cedar_policy::PolicySet = (0..150).map(long).collect::<String>().parse().unwrap();
    let narrow: cedar_policy::PolicySet = (0..149).map(long).collect::<String>().parse().unwrap();
    let environment = schema.request_envs().find(|it| is_about(r#"Action == "secret.read""#, it)).unwrap();
    let claim = Claim::Implies { narrow: Box::new(narrow), wide: Box::new(wide) };
    let shown = solver.show(Question { schema, environment, claim }, Duration::from_secs(20)).await;
    assert!(matches!(shown, Shown::Holds), "{shown:?}");
}

/// The policy beside one that permits everything: what it forbids shows, too. One that permits is asked alone.
fn set(text: &str) -> cedar_policy::PolicySet {
    let everything =
        if text.trim_start().starts_with("forbid") { "permit (principal, action, resource);" } else { "" };
    format!("{text}\n{everything}").parse().unwrap()
}

/// Whether its head names the action.
fn is_about(text: &str, environment: &cedar_policy::RequestEnv) -> bool {
    text.contains(&format!("\"{}\"", environment.action().id().unescaped()))
}
