//! Who is led where.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::Path,
};

use axum::body::Body;
use http::Request;
use keywarden_domain::{
    Action, Actor, Person, SecretBytes,
    audit::Query,
    authz::PolicyScope,
    keys::{NewKey, Place},
    messages::{ChannelOwner, Kinds, NewChannel, Target},
    permissions::{Case, Setting},
    policy::NewPolicy,
    policy_tests::NewPolicyTest,
    roles::Holder,
    secrets::{About, NewShare, NewValue, PutSecret, ShareLife, Validity},
    standards::{NewStandard, Rules},
    workloads::{NewWorkload, TokenLifetime},
};
use keywarden_model::{ChannelKind, Description, ProblemKind, Role, SecretKind, TypedId as _, UserId};

use super::{Came, Stage, person, undecided};

#[tokio::test]
async fn nobody_is_led_to_sign_in_and_back() {
    let stage = Stage::new().await;
    for path in ["/account", "/people?q=a&state=active", "/teams/new", "/account/recovery-codes"] {
        let came = stage.get(Actor::Nobody, path).await;
        assert_eq!(came.status, 303, "{path}");
        let query = came.to.strip_prefix("/sign-in?next=").unwrap();
        let next = form_urlencoded::parse(format!("next={query}").as_bytes()).next().unwrap().1.into_owned();
        assert_eq!(next, path);
    }
    let posted = stage.post(Actor::Nobody, "/teams/new", "name=a").await;
    assert_eq!(posted.to, "/sign-in?next=%2F");
}

#[tokio::test]
async fn a_recovering_session_reaches_nothing_but_the_new_passkey_and_the_way_out() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let Actor::Person(whole) = person(&alice) else { unreachable!() };
    let recovering = Actor::Person(Person { recovering: true, passkey: None, asserted_at: None, ..whole });
    for path in ["/account", "/people", "/teams", "/account/passkeys/new", "/step-up"] {
        let came = stage.get(recovering.clone(), path).await;
        assert_eq!((came.status.as_u16(), came.to.as_str()), (303, "/enrol"), "{path}");
    }
    let came = stage.get(recovering.clone(), "/enrol").await;
    assert_eq!(came.status, 200);
    assert!(came.body.contains("action=\"/sign-out\""));
    assert!(!came.body.contains("class=\"framed\""), "no navigation leads anywhere");
}

#[tokio::test]
async fn what_is_not_there_and_what_may_not_be_seen_look_alike() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let ghost: UserId = UserId::from_parts(stage.cast.now(), 7);
    let mut pages = Vec::new();
    for id in [alice.id, ghost] {
        let came = stage.get(person(&mallory), &format!("/people/{id}/hand-over")).await;
        assert_eq!(came.status, 404);
        pages.push(undecided(&came.body).replace(&id.to_string(), "ID"));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn whoever_may_see_but_not_do_is_told_what_is_missing() {
    let stage = Stage::new().await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let came = stage.post(person(&mallory), "/teams/new", "name=Payments&slug=payments").await;
    assert_eq!(came.status, 403);
    assert!(came.body.contains("team.create"), "{}", came.body);
}

#[tokio::test]
async fn every_kind_of_problem_has_its_anchor_with_cause_and_remedy() {
    let stage = Stage::new().await;
    let page = stage.get(Actor::Nobody, "/api/docs/problems").await;
    assert_eq!(page.status, 200);
    for kind in ProblemKind::ALL {
        let address = kind.address();
        let anchor = address.strip_prefix("/api/docs/problems#").unwrap();
        let (_, after) = page.body.split_once(&format!("id=\"{anchor}\"")).expect(anchor);
        let item = after.split("</div>").next().unwrap();
        for said in [kind.title(), kind.cause(), kind.remedy()] {
            let shown = leptos_escaped(said);
            assert!(item.contains(&shown), "{anchor}: {shown}");
        }
    }
}

/// Text as a page holds it.
fn leptos_escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Addresses of pages, as their source names them.
fn templates() -> BTreeSet<String> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src/pages")];
    let mut all = BTreeSet::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let text = fs::read_to_string(entry).unwrap();
            let named =
                text.split(".route(").skip(1).filter_map(|after| after.trim_start().strip_prefix('"'));
            let named =
                named.filter_map(|after| Some(after.split_once('"')?.0)).filter(|it| it.starts_with('/'));
            all.extend(named.map(str::to_owned));
        }
    }
    all
}

/// The same with something for each parameter.
fn addresses() -> BTreeSet<String> {
    templates().into_iter().map(|address| address.replace(['{', '}'], "")).collect()
}

/// A parameter of an address below a noun: what is there, and what is nowhere.
type Parameter = (&'static str, String, String);

/// One of everything that belongs to a project, by the noun that its address begins with.
async fn belongings(stage: &Stage) -> Vec<(&'static str, Vec<Parameter>)> {
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let quay = stage.cast.project("zebra-quay").await;
    let domain = &stage.cast.domain;
    let place = Place::Environment(quay.live);
    let issued =
        domain.issue_key(&alice.op(), NewKey::named(place.clone(), "a".parse().unwrap())).await.unwrap();
    let key = domain.key(&alice.op(), issued.id).await.unwrap();
    let put = PutSecret {
        value: NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"hunter2")).unwrap(),
        label: None,
        expected: None,
        about: About::default(),
        validity: Validity::default(),
    };
    let secret = domain.put_secret(&alice.op(), &place, &"db/password".parse().unwrap(), put).await.unwrap();
    let new =
        NewWorkload { name: "pump".parse().unwrap(), project: Some(quay.id), role: Some(Role::Verifier) };
    let link = NewShare { version: 1, recipient: None, life: ShareLife::Day };
    let share = domain.share_secret(&alice.op(), secret.id, link).await.unwrap().id;
    let rewrap = domain.rotate_project_key(&alice.op(), quay.id).await.unwrap().rewrap;
    let workload = domain.create_workload(&alice.op(), new).await.unwrap();
    let token = domain.issue_service_token(&alice.op(), workload, TokenLifetime::default()).await.unwrap();
    let held = domain.workload(&alice.op(), workload).await.unwrap().roles[0].id;
    let rule = "keys=discovery&issuer=https%3A%2F%2Fissuer.example&audience=https%3A%2F%2Fkeys.example.com&claims=sub%3Dshop";
    let made = stage.post(person(&alice), &format!("/workloads/{workload}/rules/new"), rule).await;
    let rule = made.to.rsplit_once('/').expect(&made.body).1.to_owned();
    let of_key = Query { resource: Some(issued.id.to_string()), limit: 1, ..Query::default() };
    let event = domain.events(&alice.op(), &of_key).await.unwrap().events[0].id;
    let new = NewPolicy {
        scope: PolicyScope::Project(quay.id),
        name: "nobody purges".parse().unwrap(),
        text: "forbid (principal, action == Action::\"secret.purge\", resource);".into(),
        note: Description::default(),
    };
    let policy = domain.draft_policy(&alice.op(), new).await.unwrap();
    let case = Case {
        holder: Holder::Person(alice.id),
        action: Action::CreateEnvironment,
        thing: quay.id.to_string(),
        setting: Setting::default(),
    };
    let (scope, name) = (PolicyScope::Project(quay.id), "alice makes environments".parse().unwrap());
    let test = NewPolicyTest { scope, name, case, allowed: true };
    let test = domain.save_policy_test(&alice.op(), test).await.unwrap();
    let standard = NewStandard {
        scope: PolicyScope::Project(quay.id),
        name: "teams own keys".parse().unwrap(),
        rules: Rules { team_owner: true, ..Rules::default() },
        note: Description::default(),
    };
    let standard = domain.draft_standard(&alice.op(), standard).await.unwrap();
    let channel = NewChannel {
        owner: ChannelOwner::Organization,
        name: "duty".parse().unwrap(),
        target: Target::parse(ChannelKind::Webhook, "https://hooks.example.com/in").unwrap(),
        kinds: Kinds::default(),
    };
    let channel = domain.create_channel(&alice.op(), channel).await.unwrap().id;
    let of = |name: &'static str, there: String| {
        let (prefix, _) = there.split_once('_').unwrap();
        (name, there.clone(), format!("{prefix}_01JDB2W1N9F6Q3R8T5V7X9Z0AB"))
    };
    let same = |name: &'static str, there: &str| (name, there.to_owned(), there.to_owned());
    vec![
        ("/audit/", vec![of("{id}", event.to_string())]),
        ("/channels/", vec![of("{id}", channel.to_string())]),
        ("/keys/", vec![of("{id}", issued.id.to_string()), of("{value}", key.values[0].id.to_string())]),
        (
            "/projects/",
            vec![
                ("{slug}", "zebra-quay".into(), "elsewhere".into()),
                same("{environment}", "live"),
                of("{binding}", held.to_string()),
            ],
        ),
        ("/policies/tests/", vec![of("{id}", test.to_string())]),
        (
            "/policies/",
            vec![of("{id}", policy.to_string()), same("{number}", "1"), same("{step}", "activate")],
        ),
        (
            "/standards/",
            vec![of("{id}", standard.to_string()), same("{number}", "1"), same("{step}", "activate")],
        ),
        ("/rewraps/", vec![of("{id}", rewrap.to_string())]),
        (
            "/secrets/",
            vec![
                of("{id}", secret.id.to_string()),
                of("{share}", share.to_string()),
                same("{number}", "1"),
                same("{label}", "current"),
                same("{dialect}", "azure"),
                same("{environment}", "test"),
            ],
        ),
        (
            "/workloads/",
            vec![of("{id}", workload.to_string()), of("{token}", token.id.to_string()), of("{rule}", rule)],
        ),
    ]
}

/// A file that waits is nobody's but its sender's.
const WAITING: &str = "/secrets/import/{file}";

#[tokio::test]
async fn what_belongs_to_another_project_looks_like_what_is_not_there() {
    let stage = Stage::new().await;
    let belongings = belongings(&stage).await;
    let hr = stage.cast.project("hr").await;
    let before = stage.cast.rows().await;
    let mut tried = 0;
    for role in [Role::Viewer, Role::Manager] {
        let vera = stage.cast.person(role.as_str(), &[(role, Some(hr.id))]).await;
        for (noun, parameters) in &belongings {
            for template in templates().into_iter().filter(|it| it.starts_with(noun) && it.contains('{')) {
                let filled = |which: fn(&Parameter) -> &String| {
                    parameters.iter().fold(template.clone(), |path, it| path.replace(it.0, which(it)))
                };
                let (there, nowhere) = (filled(|it| &it.1), filled(|it| &it.2));
                if template == WAITING {
                    continue;
                }
                assert!(!there.contains('{'), "say in `belongings` what is at {template}");
                // Both are the same but for what was asked for.
                let told = |came: Came| {
                    let without = |text: String, it: &Parameter| text.replace(&it.1, &it.2);
                    let body = parameters.iter().fold(undecided(&came.body), without);
                    (came.status.as_u16(), parameters.iter().fold(came.to, without), body)
                };
                let read = [
                    told(stage.get(person(&vera), &there).await),
                    told(stage.get(person(&vera), &nowhere).await),
                ];
                // What only takes posts leads to the page that it is of.
                assert!([303, 404, 405].contains(&read[0].0), "{role} GET {there}: {}", read[0].0);
                assert_eq!(read[0], read[1], "{role} GET {there}");
                let posted = [
                    told(stage.post(person(&vera), &there, "name=a").await),
                    told(stage.post(person(&vera), &nowhere, "name=a").await),
                ];
                assert!((400..500).contains(&posted[0].0), "{role} POST {there}: {}", posted[0].0);
                assert_eq!((posted[0].0, &posted[0].1), (posted[1].0, &posted[1].1), "{role} POST {there}");
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
    // Whoever may look at nothing of it has left nothing there but the persons that were made for the walk.
    let grown = ["changes", "role_bindings", "users"];
    let others = |mut rows: BTreeMap<&'static str, i64>| {
        rows.retain(|table, _| !grown.contains(table));
        rows
    };
    assert_eq!(others(before), others(stage.cast.rows().await));
}

#[tokio::test]
async fn an_id_of_another_project_in_a_form_looks_like_one_of_nothing() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let quay = stage.cast.project("zebra-quay").await;
    let hr = stage.cast.project("hr").await;
    let new = NewKey::named(Place::Environment(quay.live), "a".parse().unwrap());
    let key = stage.cast.domain.issue_key(&alice.op(), new).await.unwrap().id.to_string();
    let mae = stage.cast.person("Mae", &[(Role::Manager, Some(hr.id))]).await;
    let before = stage.cast.rows().await;
    let place = (quay.live.to_string(), "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB".to_owned());
    let slug = (quay.slug.clone(), "elsewhere".to_owned());
    let project = (quay.id.to_string(), "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB".to_owned());
    let roles = format!("/people/{}/roles/new", mae.id);
    for (path, form, (there, nowhere)) in [
        ("/keys/new", "name=b&expiry=90&rate_window=60&environment=", &place),
        (
            "/keys/import",
            "name=b&value=legacy-0123456789-abcdef&last_day=2090-01-01T00:00&expiry=longest&rate_window=60&environment=",
            &place,
        ),
        ("/secrets/new", "how=write&kind=text&path=db/password&value=x&environment=", &place),
        ("/keys/revoke", "reason=superseded&ids=", &(key, "key_01JDB2W1N9F6Q3R8T5V7X9Z0AB".to_owned())),
        ("/people/invite", "name=b&role=viewer&project=", &project),
        (roles.as_str(), "role=viewer&project=", &project),
        ("/workloads/new", "name=b&role=viewer&project=", &slug),
        ("/workloads/new", "name=b&role=viewer&project=", &project),
    ] {
        let [real, made_up] = [
            stage.post(person(&mae), path, &format!("{form}{there}")).await,
            stage.post(person(&mae), path, &format!("{form}{nowhere}")).await,
        ];
        // Whom admins alone may invite is no secret.
        let shut = if path == "/people/invite" { 403 } else { 404 };
        assert_eq!((real.status.as_u16(), made_up.status.as_u16()), (shut, shut), "{path}: {}", real.body);
        assert_eq!(undecided(&real.body).replace(there, nowhere), undecided(&made_up.body), "{path}");
    }
    assert_eq!(stage.cast.rows().await, before);
}

/// A page without what each rendering draws at random for its forms.
fn without_seeds(body: &str) -> String {
    let mut parts = body.split("name=\"idempotency_key\" value=\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |page, part| page + part.split_once('"').map_or("", |(_, after)| after))
}

#[tokio::test]
async fn another_projects_name_in_an_address_looks_like_one_of_nothing() {
    let stage = Stage::new().await;
    stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let quay = stage.cast.project("zebra-quay").await;
    let hr = stage.cast.project("hr").await;
    let mae = stage.cast.person("Mae", &[(Role::Manager, Some(hr.id))]).await;
    let names = [
        (quay.slug.clone(), "elsewhere"),
        (quay.id.to_string(), "prj_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
        (quay.live.to_string(), "env_01JDB2W1N9F6Q3R8T5V7X9Z0AB"),
    ];
    let told = |came: Came| {
        let plain = |text: String| {
            names.iter().fold(text, |text, (there, nowhere)| text.replace(there.as_str(), nowhere))
        };
        (came.status.as_u16(), plain(came.to), plain(without_seeds(&undecided(&came.body))))
    };
    let [(slug, no_slug), (project, no_project), (environment, no_environment)] = &names;
    let mut tried = 0;
    for path in templates().into_iter().filter(|it| !it.contains('{')) {
        let nouns = [
            "/audit",
            "/keys",
            "/leaks",
            "/people",
            "/policies",
            "/projects",
            "/secrets",
            "/standards",
            "/workloads",
        ];
        // The file is in the record, and so in the next one.
        if path == "/audit.csv" || !nouns.iter().any(|noun| path.starts_with(noun)) {
            continue;
        }
        for [there, nowhere] in [
            [format!("project={slug}"), format!("project={no_slug}")],
            [format!("project={project}"), format!("project={no_project}")],
            [format!("project={slug}&environment=live"), format!("project={no_slug}&environment=live")],
            [format!("environment={environment}"), format!("environment={no_environment}")],
        ] {
            let [there, nowhere] = [format!("{path}?{there}"), format!("{path}?{nowhere}")];
            let read = told(stage.get(person(&mae), &there).await);
            assert_eq!(read, told(stage.get(person(&mae), &nowhere).await), "GET {there}");
            let posted = told(stage.post(person(&mae), &there, "name=a").await);
            assert_eq!(posted, told(stage.post(person(&mae), &nowhere, "name=a").await), "POST {there}");
            tried += 1;
        }
    }
    assert!(tried > 60, "{tried}");
}

#[tokio::test]
async fn what_strangers_find_at_every_address() {
    let stage = Stage::new().await;
    stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mut seen = String::new();
    for path in addresses() {
        let read = stage.get(Actor::Nobody, &path).await;
        let posted = stage.post(Actor::Nobody, &path, "name=a").await;
        let told = |came: &Came| format!("{} {}", came.status.as_u16(), came.to);
        writeln!(seen, "{path}: GET {}, POST {}", told(&read).trim_end(), told(&posted).trim_end()).unwrap();
    }
    insta::assert_snapshot!(seen);
}

#[tokio::test]
async fn whatever_is_refused_to_a_browser_is_a_page() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mut refused = 0;
    for path in addresses() {
        let came = stage.get(person(&alice), &path).await;
        if came.status.as_u16() >= 400 {
            refused += 1;
            assert_eq!(came.response.headers()["content-type"], "text/html; charset=utf-8", "{path}");
            assert!(came.body.contains("<h1>"), "{path}: {}", came.body);
        }
    }
    assert!(refused > 20, "{refused}");
    let odd = stage.send(person(&alice), Request::delete("/keys").body(Body::empty()).unwrap()).await;
    assert_eq!(odd.status, 405);
    assert_eq!(odd.response.headers()["allow"], "GET,HEAD");
    assert!(odd.body.contains("There is nothing to show at this address"), "{}", odd.body);
}
