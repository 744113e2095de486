//! What pages promise of effective permissions: who can is shown with its paths, to whom it may be; a refusal has an id that
//! says nothing to who was refused.

use keywarden_domain::{
    authz::PolicyScope,
    policy::{Activate, NewPolicy},
};
use keywarden_model::{Description, Role};

use super::{Stage, person};

/// The text between two marks, or what is there instead.
fn between<'a>(body: &'a str, from: &str, to: &str) -> &'a str {
    body.split(from).nth(1).unwrap_or(body).split(to).next().unwrap_or_default()
}

#[tokio::test]
async fn who_can_is_shown_with_its_paths_as_a_table_a_picture_and_a_file() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let bob = stage.cast.person("=Bob", &[]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    stage.cast.team("night-shift", &[bob.id], &[(Role::Issuer, Some(pay.id))]).await;
    stage.cast.workload("deployer", Role::Manager, Some(pay.id)).await;
    let asked = format!("resource={}&action=key.issue", pay.live);

    let environment = stage.get(person(&olga), "/projects/pay/environments/live").await.body;
    assert!(environment.contains(&format!("/permissions?resource={}", pay.live)), "{environment}");
    let whole = stage.get(person(&olga), &format!("/permissions?{asked}")).await.body;
    let table = between(&whole, "<tbody>", "</tbody>");
    for part in [
        "Olga",
        "=Bob",
        "deployer",
        "Issuer of the project, by team night-shift",
        "Owner of the organization",
    ] {
        assert!(table.contains(part), "{part}: {table}");
    }
    assert!(!table.contains("Vera"), "{table}");
    let picture = between(&whole, "permissions-picture", "</svg>");
    assert_eq!(picture.matches("class=\"principal\"").count(), 3, "{picture}");
    assert_eq!(picture.matches("class=\"path\"").count(), 3, "{picture}");
    assert!(picture.contains("<title>live</title>") && !picture.contains("style="), "{picture}");

    let only = stage.get(person(&olga), &format!("/permissions?{asked}&kind=workload")).await.body;
    let table = between(&only, "<tbody>", "</tbody>");
    assert!(table.contains("deployer") && !table.contains("Olga"), "{table}");
    let none = stage.get(person(&olga), &format!("/permissions?{asked}&q=zzz")).await.body;
    assert!(none.contains("Nobody who can fits this filter"), "{none}");

    let file = stage.get(person(&olga), &format!("/permissions.csv?{asked}&role=issuer")).await.body;
    let lines: Vec<_> = file.lines().collect();
    assert_eq!(lines.len(), 2, "{file}");
    assert!(
        lines[1].contains(",'=Bob,\"Issuer of the project, by team night-shift\",project-issuer"),
        "{file}"
    );

    // The usual action is chosen where none is named, and one that is not done to such a thing is not there.
    let usual = stage.get(person(&olga), &format!("/permissions?resource={}", pay.live)).await.body;
    assert!(usual.contains("Who can: key.issue"), "{usual}");
    for wrong in [format!("resource={}&action=secret.read", pay.live), "resource=nothing".into()] {
        assert_eq!(stage.get(person(&olga), &format!("/permissions?{wrong}")).await.status, 404, "{wrong}");
    }
    for path in [format!("/permissions?{asked}"), format!("/permissions.csv?{asked}"), "/permissions".into()]
    {
        assert_eq!(stage.get(person(&vera), &path).await.status, 403, "{path}");
    }
    let project = stage.get(person(&vera), "/projects/pay").await.body;
    assert!(!project.contains("/permissions"), "{project}");
}

#[tokio::test]
async fn many_who_can_are_grouped_in_the_picture_and_paged_in_the_table() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let mona = stage.cast.person("Mona", &[(Role::Manager, Some(pay.id))]).await;
    let mut crowd = Vec::new();
    for n in 0..60 {
        crowd.push(stage.cast.person(&format!("Person {n:02}"), &[]).await.id);
    }
    stage.cast.team("crowd", &crowd, &[(Role::Viewer, Some(pay.id))]).await;
    // A manager begins in their own project.
    let first = stage.get(person(&mona), "/permissions").await.body;
    assert!(first.contains("Who can: project.view"), "{first}");
    assert!(between(&first, "permissions-picture", "</svg>").contains("60 people"), "{first}");
    assert_eq!(between(&first, "<tbody>", "</tbody>").matches("<tr").count(), 50);
    let pager = between(&first, "class=\"pager\"", "</nav>");
    let next = between(pager, "href=\"", "\"").replace("&amp;", "&");
    let second = stage.get(person(&mona), &next).await.body;
    assert_eq!(between(&second, "<tbody>", "</tbody>").matches("<tr").count(), 11, "{next}");
    assert!(between(&second, "permissions-picture", "</svg>").contains("60 people"));
}

#[tokio::test]
async fn the_simulator_says_no_and_which_role_would_do() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let ask = async |more: &str| {
        let path = format!("/permissions/simulator?principal={}&resource={}{more}", vera.id, pay.live);
        stage.get(person(&olga), &path).await
    };
    let no = ask("&action=key.issue").await.body;
    assert!(no.contains("No, it is not allowed") && no.contains("Issuer in pay"), "{no}");
    assert!(no.contains("principal in resource.project.issuer") || no.contains("resource"), "{no}");
    assert!(no.contains(&format!("value=\"{}\"", vera.id)), "the question stays in the form: {no}");
    // Whoever and whatever can be chosen is called by its name, and what cannot be read is said.
    for part in ["person Vera", "project pay", "environment pay / live", "The organization"] {
        assert!(no.contains(part), "{part}: {no}");
    }
    let wrong = ask("&action=key.issue&address=office").await.body;
    assert!(wrong.contains("This cannot be read: From address"), "{wrong}");
    let empty = stage.get(person(&olga), "/permissions/simulator").await.body;
    assert!(!empty.contains("it is not allowed") && !empty.contains("There is no such"), "{empty}");
    let unknown = ask("&action=key.nothing").await;
    assert!(unknown.status == 200 && unknown.body.contains("There is no such thing"), "{}", unknown.body);
    let itself =
        format!("/permissions/simulator?principal={}&action=passkey.add&resource={}", vera.id, vera.id);
    let yes = stage.get(person(&olga), &itself).await.body;
    assert!(yes.contains("Yes, it is allowed") && yes.contains("It is their own account"), "{yes}");
    let again = stage.get(person(&olga), &format!("{itself}&passkey_age=600")).await.body;
    assert!(again.contains("Yes, once a passkey is shown again"), "{again}");
    let held = stage.get(person(&olga), &format!("/people/{}/permissions?place=project", vera.id)).await.body;
    assert!(
        held.contains("key.view") && held.contains("Viewer of the project") && !held.contains("passkey.add"),
        "{held}"
    );
    for path in
        [format!("/people/{}/permissions", olga.id), "/permissions/simulator".into(), "/decisions".into()]
    {
        assert_eq!(stage.get(person(&vera), &path).await.status, 403, "{path}");
    }
}

#[tokio::test]
async fn what_people_wrote_is_shown_by_its_name_with_the_way_there() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let bob = stage.cast.person("Bob", &[]).await;
    let mona = stage.cast.person("Mona", &[(Role::Manager, Some(pay.id))]).await;
    let night = stage.cast.team("night-shift", &[bob.id], &[]).await;
    let text = format!(
        r#"permit (principal in Team::"{night}", action == Action::"key.issue", resource) when {{
            context has address && context.address.isInRange(ip("192.0.2.0/24"))
        }};"#
    );
    let new = NewPolicy {
        scope: PolicyScope::Project(pay.id),
        name: "Night shift".parse().unwrap(),
        text,
        note: Description::default(),
    };
    let id = stage.cast.domain.draft_policy(&olga.op(), new).await.unwrap();
    let question = format!("principal={}&action=key.issue&resource={}&address=192.0.2.7", bob.id, pay.live);
    let ask = async |more: &str| {
        stage.get(person(&olga), &format!("/permissions/simulator?{question}{more}")).await.body
    };
    let before = ask("").await;
    assert!(before.contains("No, it is not allowed"), "{before}");
    assert!(before.contains("Night shift, version 1"), "a draft can be chosen: {before}");
    let draft = ask(&format!("&under={id}@1")).await;
    assert!(draft.contains("Yes, it is allowed") && draft.contains("Policy Night shift"), "{draft}");
    assert!(draft.contains(&format!("href=\"/policies/{id}?version=1\"")), "{draft}");

    let now = Activate { version: 1, at: None, row_version: 1 };
    stage.cast.domain.activate_policy(&olga.op(), id, now).await.unwrap();
    assert!(ask("").await.contains("Yes, it is allowed"));
    let elsewhere = ask("&address=198.51.100.7").await;
    assert!(elsewhere.contains("Yes, it is allowed"), "the first of a name counts: {elsewhere}");
    let who = format!("/permissions?action=key.issue&resource={}", pay.live);
    let listed = stage.get(person(&mona), &who).await.body;
    assert!(listed.contains("Policies look at the moment, too"), "{listed}");
    assert!(!between(&listed, "<tbody>", "</tbody>").contains("Bob"), "no address is known: {listed}");
}

#[tokio::test]
async fn a_simulation_is_saved_as_a_test_that_keeps_a_policy_from_deciding() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let bob = stage.cast.person("Bob", &[(Role::Issuer, Some(pay.id))]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let question = format!("principal={}&action=key.issue&resource={}", bob.id, pay.live);
    let asked = stage.get(person(&olga), &format!("/permissions/simulator?{question}")).await.body;
    assert!(asked.contains("Save as test"), "{asked}");
    let new = format!("/policies/tests/new?{question}");
    let form = stage.get(person(&olga), &new).await;
    assert!(form.status == 200 && form.body.contains("key.issue"), "{}", form.body);
    let nameless = stage.post(person(&olga), &new, "name=&expected=allowed&scope=organization").await;
    assert_eq!(nameless.status, 422, "{}", nameless.body);
    let body = "name=Bob+issues+keys&expected=allowed&scope=organization";
    let saved = stage.post(person(&olga), &new, body).await;
    assert_eq!((saved.status.as_u16(), saved.to.as_str()), (303, "/policies/tests"), "{}", saved.body);
    let list = stage.get(person(&olga), "/policies/tests").await.body;
    assert!(list.contains("Bob issues keys") && list.contains("Passes"), "{list}");

    let draft = NewPolicy {
        scope: PolicyScope::Organization,
        name: "Never".parse().unwrap(),
        text: r#"forbid (principal, action == Action::"key.issue", resource);"#.into(),
        note: Description::default(),
    };
    let id = stage.cast.domain.draft_policy(&olga.op(), draft).await.unwrap();
    let shown = stage.get(person(&olga), &format!("/policies/{id}")).await.body;
    assert!(shown.contains("Bob issues keys") && shown.contains("Fails"), "{shown}");
    let activate = format!("/policies/{id}/versions/1/activate");
    let refused = stage.post(person(&olga), &activate, "row_version=1").await;
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("These tests would fail: Bob issues keys"), "{}", refused.body);

    let test = between(&list, "/policies/tests/pts_", "/delete");
    let delete = format!("/policies/tests/pts_{test}/delete");
    for path in ["/policies/tests", new.as_str(), delete.as_str()] {
        assert!([403, 404].contains(&stage.get(person(&vera), path).await.status.as_u16()), "{path}");
    }
    assert_eq!(stage.get(person(&olga), &delete).await.status, 200);
    let gone = stage.post(person(&olga), &delete, "").await;
    assert_eq!((gone.status.as_u16(), gone.to.as_str()), (303, "/policies/tests"), "{}", gone.body);
    let activated = stage.post(person(&olga), &activate, "row_version=1").await;
    assert_eq!(activated.status, 303, "{}", activated.body);
}

#[tokio::test]
async fn a_refusal_is_opened_by_an_owner_and_says_nothing_to_who_was_refused() {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let vera = stage.cast.person("Vera", &[(Role::Viewer, Some(pay.id))]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let refused = stage.post(person(&vera), "/projects/pay/edit", "name=Mine&row_version=1").await;
    assert_eq!(refused.status, 403);
    assert!(!refused.body.contains("project-manager"), "nothing of a policy: {}", refused.body);
    let id = format!("dec_{}", between(&refused.body, "dec_", "\""));
    let opened = stage.get(person(&olga), &format!("/decisions/{id}")).await;
    assert_eq!(opened.status, 200, "{}", opened.body);
    for part in ["Vera", "project.edit", "pay", "Not allowed", "Manager in pay", "Managers run their project"]
    {
        assert!(opened.body.contains(part), "{part}: {}", opened.body);
    }
    let found = stage.get(person(&olga), &format!("/decisions?id={id}")).await;
    assert_eq!((found.status.as_u16(), found.to.as_str()), (303, format!("/decisions/{id}").as_str()));
    for player in [&vera, &mallory] {
        let shut = stage.get(person(player), &format!("/decisions/{id}")).await;
        assert!(shut.status == 404 && !shut.body.contains("project.edit"), "{}", shut.body);
    }
    let wrong = stage.get(person(&olga), "/decisions/dec_wrong").await;
    assert!(wrong.status == 404 && wrong.body.contains("There is no such refusal"), "{}", wrong.body);
    // What is hidden and what is not there look alike, but for what is drawn at random.
    let mut pages = Vec::new();
    for path in ["/projects/pay", "/projects/nowhere"] {
        let came = stage.get(person(&mallory), path).await;
        assert_eq!(came.status, 404);
        let id = format!("dec_{}", between(&came.body, "dec_", "\""));
        pages.push((id.len(), came.body.matches(&id).count()));
    }
    assert_eq!(pages[0], pages[1]);
    assert!(pages[0].1 > 0);
}
