//! Policies, as people write them with a form or as text, and let them decide.

use keywarden_domain::{
    authz::Owner,
    cast::Player,
    keys::{NewKey, Place},
};
use keywarden_model::Role;

use super::{Came, Stage, person};

struct Writing {
    stage: Stage,
    olga: Player,
}

impl Writing {
    async fn new() -> Self {
        let stage = Stage::new().await;
        let olga = stage.cast.person("Olga", &[(Role::Owner, None)]).await;
        Self { stage, olga }
    }

    async fn get(&self, path: &str) -> Came {
        self.stage.get(person(&self.olga), path).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Came {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.stage.post(person(&self.olga), path, &body).await
    }

    /// Posts the fields of a page as they stand there, but for these.
    async fn send(&self, path: &str, came: &Came, but: &[(&str, &str)]) -> Came {
        let mut fields = fields(&came.body);
        for (name, value) in but {
            fields.retain(|(it, _)| it != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(path, &fields).await
    }
}

/// What a browser would send of the page's form without a button.
fn fields(page: &str) -> Vec<(String, String)> {
    let mut forms = page.split("<form").skip(1);
    let form = forms.find(|it| it.split('>').next().unwrap().contains(" class=\"form\"")).unwrap();
    let form = form.split("</form>").next().unwrap();
    let attribute = |tag: &str, name: &str| {
        let (_, after) = tag.split_once(&format!(" {name}=\""))?;
        Some(plain(after.split('"').next()?))
    };
    let mut fields = Vec::new();
    for tag in form.split("<input").skip(1).map(|it| it.split('>').next().unwrap()) {
        let kind = attribute(tag, "type").unwrap_or_default();
        let on = kind != "checkbox" || tag.contains(" checked");
        if let (true, Some(name)) = (on, attribute(tag, "name")) {
            fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }
    for select in form.split("<select").skip(1).map(|it| it.split("</select>").next().unwrap()) {
        let options: Vec<&str> = select.split("<option").skip(1).collect();
        let chosen = options.iter().find(|it| it.split('>').next().unwrap().contains(" selected"));
        let value = chosen.or(options.first()).and_then(|it| attribute(it, "value"));
        fields.push((attribute(select, "name").unwrap(), value.unwrap_or_default()));
    }
    for area in form.split("<textarea").skip(1) {
        let (tag, text) = area.split_once('>').unwrap();
        let text = text.split("</textarea>").next().unwrap();
        fields.push((attribute(tag, "name").unwrap(), plain(text.strip_prefix('\n').unwrap_or(text))));
    }
    fields
}

fn plain(html: &str) -> String {
    html.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[tokio::test]
async fn a_usual_case_opens_filled_in_and_says_what_is_left_open() {
    let it = Writing::new().await;
    let new = it.get("/policies/new").await;
    assert_eq!(new.status, 200);
    assert!(new.body.contains("/policies/new?template=contractors"), "{}", new.body);
    let path = "/policies/new?template=contractors";
    let page = it.get(path).await;
    let refused = it.send(path, &page, &[("name", "No contractors")]).await;
    assert_eq!(refused.status, 422);
    assert_eq!(refused.body.matches("Choose one of these.").count(), 4, "{}", refused.body);
}

#[tokio::test]
async fn a_policy_is_edited_as_a_form_saved_activated_rolled_back_and_disabled() {
    let it = Writing::new().await;
    let path = "/policies/new?template=office-network";
    let page = it.get(path).await;
    assert!(page.body.contains("value=\"10.0.0.0/8\""), "{}", page.body);
    let drawn = it.send(path, &page, &[("do", "add 0"), ("c0_new", "passkey-age:less")]).await;
    assert_eq!(drawn.status, 200);
    assert!(drawn.body.contains("name=\"c0-1_value\""), "{}", drawn.body);
    let wrong = it.send(path, &drawn, &[("name", "Office"), ("c0-1_value", "soon")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.body.contains("Write a whole number."), "{}", wrong.body);
    let made = it.send(path, &drawn, &[("name", "Office"), ("c0-1_value", "300")]).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let policy = made.to;
    let shown = it.get(&policy).await.body;
    for said in ["must never", "10.0.0.0/8", "300 seconds", "It was written and decides nothing yet."] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let activate = format!("{policy}/versions/1/activate");
    let asked = it.get(&activate).await;
    assert!(asked.body.contains("Whoever it speaks of is refused"), "{}", asked.body);
    let done = it.send(&activate, &asked, &[]).await;
    assert_eq!((done.status.as_u16(), &done.to), (303, &policy), "{}", done.body);
    assert_eq!(it.send(&activate, &asked, &[]).await.to, policy, "it was done before");

    let edit = format!("{policy}/edit");
    let page = it.get(&edit).await;
    let saved = it.send(&edit, &page, &[("c0-1_value", "60")]).await;
    assert_eq!(saved.status, 303, "{}", saved.body);
    let compared = it.get(&format!("{policy}/compare?from=1&to=2")).await.body;
    assert!(compared.contains("diff-removed") && compared.contains("diff-added"), "{compared}");
    let activate = format!("{policy}/versions/2/activate");
    let asked = it.get(&activate).await;
    assert!(asked.body.contains("It takes the place of version 1"), "{}", asked.body);
    assert_eq!(it.send(&activate, &asked, &[]).await.status, 303);
    let back = format!("{policy}/versions/1/roll-back");
    let asked = it.get(&back).await;
    assert_eq!(it.send(&back, &asked, &[]).await.status, 303);
    let disable = format!("{policy}/disable");
    let asked = it.get(&disable).await;
    assert_eq!(it.send(&disable, &asked, &[]).await.status, 303);
    assert!(it.get(&policy).await.body.contains("It decided once."));
}

#[tokio::test]
async fn a_text_that_the_form_cannot_show_is_kept_as_it_is() {
    let it = Writing::new().await;
    let page = it.get("/policies/new").await;
    let text = "// why\nforbid (principal, action == Action::\"secret.purge\", resource)\n  when { context.recovering };";
    let made = it.send("/policies/new", &page, &[("name", "Written"), ("text", text)]).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let shown = it.get(&made.to).await.body;
    assert!(shown.contains("// why"), "{shown}");
    let edit = format!("{}/edit", made.to);
    let page = it.get(&edit).await;
    assert!(page.body.contains("<code translate=\"no\">context.recovering</code>"), "{}", page.body);
    let both = it
        .send(&edit, &page, &[("effect", "permit"), ("text", "forbid (principal, action, resource);")])
        .await;
    assert_eq!(both.status, 422);
    assert!(both.body.contains("You changed the form and the text."), "{}", both.body);
    let bad = it.send(&edit, &page, &[("do", "form"), ("text", "forbid (principal")]).await;
    assert_eq!(bad.status, 422);
    assert!(bad.body.contains("Line 1, column") && bad.body.contains("stays text"), "{}", bad.body);
}

#[tokio::test]
async fn whoever_may_see_no_policies_is_led_to_none() {
    let it = Writing::new().await;
    let pay = it.stage.cast.project("pay").await;
    let vera = it.stage.cast.person("Vera", &[(Role::Verifier, Some(pay.id))]).await;
    let mona = it.stage.cast.person("Mona", &[(Role::Manager, Some(pay.id))]).await;
    for (player, sees) in [(&vera, false), (&mona, true), (&it.olga, true)] {
        let home = it.stage.get(person(player), "/").await.body;
        assert_eq!(home.contains("href=\"/policies\""), sees);
        let list = it.stage.get(person(player), "/policies").await;
        assert_eq!(list.status, 200);
    }
}

#[tokio::test]
async fn before_a_version_decides_the_page_says_what_would_change_and_for_whom() {
    let it = Writing::new().await;
    let pay = it.stage.cast.project("pay").await;
    let rob = it.stage.cast.person("Rob", &[(Role::Manager, Some(pay.id))]).await;
    let page = it.get("/policies/new").await;
    let text = "forbid (principal, action == Action::\"project.edit\", resource) unless { principal in OrganizationRole::\"owner\" };";
    let made = it.send("/policies/new", &page, &[("name", "Frozen"), ("text", text)]).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let policy = made.to;
    let asked = it.get(&format!("{policy}/versions/1/activate")).await.body;
    for said in ["1 person would lose rights, on 1 thing.", "rename a project", "Always"] {
        assert!(asked.contains(said), "{said}: {asked}");
    }
    let there = format!("{policy}/versions/1/difference");
    assert!(asked.contains(&there), "{asked}");
    let whole = it.get(&there).await.body;
    assert!(whole.contains("Rob") && whole.contains(&format!("/people/{}", rob.id)), "{whole}");
    let none = it.get(&format!("{policy}/difference")).await.body;
    assert!(none.contains("Nothing would change"), "{none}");
    let replayed = it.get(&format!("{policy}/versions/1/replay")).await;
    assert_eq!(replayed.status, 200);
    assert!(replayed.body.contains("Would newly deny 0, newly allow 0."), "{}", replayed.body);
}

#[tokio::test]
async fn what_a_role_would_give_is_seen_before_it_is_given() {
    let it = Writing::new().await;
    let pay = it.stage.cast.project("pay").await;
    let ann = it.stage.cast.person("Ann", &[]).await;
    let path = format!("/people/{}/roles/new", ann.id);
    let page = it.get(&path).await;
    let project = pay.id.to_string();
    let seen = it.send(&path, &page, &[("role", "manager"), ("project", &project), ("do", "preview")]).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(seen.body.contains("1 person would gain rights"), "{}", seen.body);
    assert!(seen.body.contains("issue a key"), "{}", seen.body);
    let wrong = it.send(&path, &page, &[("role", "manager"), ("project", ""), ("do", "preview")]).await;
    assert_eq!(wrong.status, 422);
    let given = it.send(&path, &page, &[("role", "manager"), ("project", &project)]).await;
    assert_eq!(given.status, 303, "nothing was given before: {}", given.body);
}

#[tokio::test]
async fn what_another_owner_of_a_key_could_do_is_seen_before_it_is_theirs() {
    let it = Writing::new().await;
    let house = &it.stage.cast;
    let pay = house.project("pay").await;
    let ann = house.person("Ann", &[]).await;
    let team = house.team("on-call", &[ann.id], &[]).await.to_string();
    let key = NewKey::named(Place::Environment(pay.live), "Checkout".parse().unwrap());
    let key = house.domain.issue_key(&it.olga.op(), key).await.unwrap().id;
    let path = format!("/keys/{key}/edit");
    let page = it.get(&path).await;
    let seen = it.send(&path, &page, &[("owner", &team), ("do", "preview")]).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(seen.body.contains("1 person would gain rights, on 1 thing."), "{}", seen.body);
    let owner = house.domain.key(&it.olga.op(), key).await.unwrap().key.owner;
    assert_eq!(owner, Owner::Person(it.olga.id), "nothing was done");
    let nobody = it.send(&path, &page, &[("owner", "nobody"), ("do", "preview")]).await;
    assert_eq!(nobody.status, 422, "{}", nobody.body);
}

#[tokio::test]
async fn what_a_member_of_a_team_would_gain_is_seen_before_they_come_in() {
    let it = Writing::new().await;
    let house = &it.stage.cast;
    let pay = house.project("pay").await;
    let ann = house.person("Ann", &[]).await;
    house.team("on-call", &[], &[(Role::Reader, Some(pay.id))]).await;
    let person = ann.id.to_string();
    let page = it.get("/teams/on-call").await;
    let seen = it.send("/teams/on-call/members", &page, &[("person", &person), ("do", "preview")]).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(seen.body.contains("1 person would gain rights"), "{}", seen.body);
    let added = it.send("/teams/on-call/members", &page, &[("person", &person)]).await;
    assert_eq!(added.status, 303, "nothing was done before: {}", added.body);
    let leaving = it.get(&format!("/teams/on-call/members/{person}/remove")).await.body;
    assert!(leaving.contains("1 person would lose rights"), "{leaving}");
}

#[tokio::test]
async fn conditions_on_tags_and_local_time_are_written_with_the_form_and_shown_as_a_sentence() {
    let it = Writing::new().await;
    let path = "/policies/new?template=office-network";
    let mut page = it.get(path).await;
    for (at, what) in [
        (1, "tag:is"),
        (2, "local-weekday:on"),
        (3, "local-time:from"),
        (4, "environment:is"),
        (5, "reason:given"),
    ] {
        page = it.send(path, &page, &[("do", "add 0"), ("c0_new", what)]).await;
        assert!(page.body.contains(&format!("id=\"at-0-{at}\"")), "{what}: {}", page.body);
    }
    // What fields offer while somebody types; anything else can be typed all the same.
    let list = |id: &str| {
        page.body.contains(&format!("list=\"{id}\"")) && page.body.contains(&format!("<datalist id=\"{id}\""))
    };
    for id in ["offered-tags", "offered-zones", "offered-environments"] {
        assert!(list(id), "{id}: {}", page.body);
    }
    assert!(!page.body.contains("offered-projects"), "nothing asks for it");
    assert!(page.body.contains("<option value=\"Europe/Berlin\">"), "{}", page.body);
    let filled = |zone: &'static str| {
        [
            ("name", "Office"),
            ("c0-1_value", "team=\"payments\" \\"),
            ("c0-2_zone", zone),
            ("c0-2_days[]", "6"),
            ("c0-3_zone", "Europe/Berlin"),
            ("c0-3_value", "09:30"),
            ("c0-4_value", "production"),
        ]
    };
    let wrong = it.send(path, &page, &filled("Moon/Sea")).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(
        wrong.body.matches("Write a time zone by its name: Europe/Berlin.").count(),
        2,
        "{}",
        wrong.body
    );
    let made = it.send(path, &page, &filled("Europe/Berlin")).await;
    assert_eq!(made.status, 303, "{}", made.body);
    let shown = it.get(&made.to).await.body;
    for said in ["Saturday in Europe/Berlin", "09:30 in Europe/Berlin", "whoever asks said why", "production"]
    {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    let edit = it.get(&format!("{}/edit", made.to)).await;
    let fields = fields(&edit.body);
    let (_, text) = fields.iter().find(|(name, _)| name == "text").unwrap();
    assert!(text.contains(r#"resource.getTag("team") == "\"payments\" \\""#), "{text}");
    for (name, value) in
        [("c0-1_value", "team=\"payments\" \\"), ("c0-2_zone", "Europe/Berlin"), ("c0-3_value", "09:30")]
    {
        assert!(fields.contains(&(name.to_owned(), value.to_owned())), "{name}: {fields:?}");
    }
}

#[tokio::test]
async fn a_version_says_what_a_solver_showed_of_it() {
    let it = Writing::new().await;
    let page = it.get("/policies/new").await;
    let text = "forbid (principal, action == Action::\"secret.purge\", resource);";
    let policy = it.send("/policies/new", &page, &[("name", "Nobody purges"), ("text", text)]).await.to;
    let unasked = it.get(&policy).await.body;
    assert!(unasked.contains("The proof was not run") && unasked.contains("There is no solver"), "{unasked}");
    let prove = format!("{policy}/versions/1/prove");
    let asked = it.get(&prove).await;
    assert!(asked.body.contains("A solver looks for a request"), "{}", asked.body);
    let done = it.send(&prove, &asked, &[]).await;
    let followed = format!("{policy}?version=1&follow=1#proof");
    assert_eq!((done.status.as_u16(), &done.to), (303, &followed), "{}", done.body);
    // As a node with a solver leaves it.
    let end = "UPDATE policy_proofs SET state = 'done', verdict = 'narrows', revision = 0, solver = 'cvc5 1.0.3',
                 environments = 3, compared = 3, ended_at = 1800000000000000, took_ms = 1420, detail =
                 '{\"principal\":\"person\",\"roles\":[\"owner\"],\"action\":\"secret.purge\",\"resource\":\"secret\",\"own\":false,\"owner\":false,\"now\":\"2027-01-15T08:00:00Z\",\"method\":\"passkey\",\"before\":true,\"after\":false}'";
    it.stage.cast.put_by(&[end]).await;
    // On its page, and on that of whoever lets it decide.
    for path in [policy.clone(), format!("{policy}/versions/1/activate")] {
        let shown = it.get(&path).await.body;
        for said in [
            "It only takes away",
            "Some person, with Owner",
            "cvc5 1.0.3",
            "3 of 3",
            "destroy a deleted secret",
        ] {
            assert!(shown.contains(said), "{path}: {said}: {shown}");
        }
        assert!(!shown.contains("out of date"), "{shown}");
    }
    // A request that would be let, in words.
    let grants = "UPDATE policy_proofs SET verdict = 'grants', detail =
                 '{\"principal\":\"workload\",\"project_roles\":[\"reader\"],\"action\":\"secret.purge\",\"resource\":\"secret\",\"own\":false,\"owner\":false,\"facts\":[{\"of\":\"tag\",\"name\":\"team\",\"value\":\"payments\"}],\"now\":\"2027-01-15T08:00:00Z\",\"address\":\"192.0.2.200\",\"method\":\"token\",\"before\":false,\"after\":true}'";
    it.stage.cast.put_by(&[grants]).await;
    let shown = it.get(&policy).await.body;
    for said in [
        "It grants something new",
        "This request is refused now. With this version, it is allowed.",
        "Some workload, with Reader of its project",
        "any secret",
        "Its tag team",
        "payments",
        "192.0.2.200",
        "A token",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
    // One that was not run says why, and holds nobody up.
    let failed = "UPDATE policy_proofs SET verdict = 'not-run', detail = 'the solver took longer than 20 s'";
    it.stage.cast.put_by(&[failed]).await;
    let activate = format!("{policy}/versions/1/activate");
    let page = it.get(&activate).await;
    for said in ["The proof was not run", "Why: the solver took longer than 20 s"] {
        assert!(page.body.contains(said), "{said}: {}", page.body);
    }
    assert_eq!(it.send(&activate, &page, &[]).await.status, 303);
    assert!(it.get(&policy).await.body.contains("This proof is out of date"));
}
