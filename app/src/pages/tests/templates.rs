//! What pages promise of templates: the flag is kept, both ways to reveal are readings, and both sides of a secret are shown
//! to who may see them.

use keywarden_domain::cast::{Player, Stage as Project};
use keywarden_model::Role;

use super::{Stage, person};

struct Scene {
    stage: Stage,
    pay: Project,
    bob: Player,
}

impl Scene {
    async fn set() -> Self {
        let stage = Stage::new().await;
        let pay = stage.cast.project("pay").await;
        let bob = stage.cast.person("Bob", &[(Role::Manager, Some(pay.id))]).await;
        Self { stage, pay, bob }
    }

    /// Makes a secret by the form; its page.
    async fn make(&self, key: u8, path: &str, more: &str) -> String {
        let environment = self.pay.live;
        let body = format!(
            "idempotency_key=0123456789abcde{key}&environment={environment}&how=write&kind=text&path={path}&{more}"
        );
        let made = self.stage.post(person(&self.bob), "/secrets/new", &body).await;
        assert_eq!(made.status, 303, "{}", made.body);
        made.to
    }

    async fn page(&self, path: &str) -> String {
        self.stage.get(person(&self.bob), path).await.body
    }

    async fn post(&self, path: &str, body: &str) -> (u16, String) {
        let came = self.stage.post(person(&self.bob), path, body).await;
        (came.status.as_u16(), came.body)
    }
}

#[tokio::test]
async fn a_template_is_revealed_resolved_or_as_it_was_put_and_both_are_told() {
    let it = Scene::set().await;
    let password = it.make(1, "db/password", "value=hunter2").await;
    let url = it.make(2, "db/url", "value=app:${pay/live/db/password}@db&template=1").await;
    let page = it.page(&url).await;
    assert!(page.contains("template") && page.contains("pay/live/db/password"), "{page}");
    assert!(page.contains(&password) && !page.contains("hunter2"), "{page}");
    assert!(page.contains(&format!("action=\"{url}/versions/1/raw\"")), "{page}");
    let (status, shown) =
        it.post(&format!("{url}/versions/1/reveal"), "idempotency_key=aaaaaaaaaaaaaaa1").await;
    assert!(status == 200 && shown.contains("app:hunter2@db"), "{shown}");
    let (status, shown) = it.post(&format!("{url}/versions/1/raw"), "idempotency_key=aaaaaaaaaaaaaaa2").await;
    assert!(status == 200 && shown.contains("app:${pay/live/db/password}@db"), "{shown}");
    assert!(!shown.contains("hunter2"), "{shown}");
    let (_, file) = it.post(&format!("{url}/versions/1/download"), "idempotency_key=aaaaaaaaaaaaaaa3").await;
    assert_eq!(file, "app:hunter2@db");
    let raw = format!("{url}/versions/1/raw/download");
    assert_eq!(it.post(&raw, "idempotency_key=aaaaaaaaaaaaaaa4").await.1, "app:${pay/live/db/password}@db");
    assert!(it.page(&raw).await.contains("Reveal as it was put"), "nothing is read by a link");
    let told = it.page(&format!("{url}?tab=audit")).await;
    assert_eq!(told.matches(">secret.read<").count(), 4, "{told}");
    let told = it.page(&format!("{password}?tab=audit")).await;
    assert_eq!(told.matches(">secret.read<").count(), 2, "only where it was resolved: {told}");
    let next = it.page(&format!("{url}/versions/new")).await;
    let ticked = next.split("name=\"template\"").nth(1).unwrap().split('>').next().unwrap();
    assert!(ticked.contains("checked"), "the next version is one, too: {ticked}");
}

#[tokio::test]
async fn a_reference_that_is_none_is_told_at_the_value_and_one_that_leads_nowhere_on_the_page() {
    let it = Scene::set().await;
    let body = format!(
        "idempotency_key=bbbbbbbbbbbbbbb1&environment={}&how=write&kind=text&path=t&value=hunter2%0A${{x}}&template=1",
        it.pay.live
    );
    let (status, refused) = it.post("/secrets/new", &body).await;
    assert_eq!(status, 422, "{refused}");
    assert!(refused.contains("field-value-error") && refused.contains("Line 2, character 1"), "{refused}");
    assert!(!refused.contains("hunter2"), "{refused}");
    let plain = it.make(1, "plain", "value=${x}").await;
    let (_, shown) = it.post(&format!("{plain}/versions/1/reveal"), "idempotency_key=bbbbbbbbbbbbbbb2").await;
    assert!(shown.contains("${x}"), "without the box it is a value like any other: {shown}");

    let early = it.make(2, "early", "value=${pay/live/later}&template=1").await;
    assert!(it.page(&early).await.contains("1 reference leads to nothing that you can see"));
    let (status, why) =
        it.post(&format!("{early}/versions/1/reveal"), "idempotency_key=bbbbbbbbbbbbbbb3").await;
    assert!(status == 422 && why.contains("pay/live/later is not resolved"), "{why}");
    it.make(3, "later", "value=here").await;
    assert!(!it.page(&early).await.contains("leads to nothing"));
    let export = it.page("/secrets/export?project=pay&environment=live").await;
    assert!(export.contains("1 of them is a template"), "{export}");
}

#[tokio::test]
async fn a_template_is_not_shared_and_whoever_resolves_one_is_asked_for_the_reason_of_what_it_refers_to() {
    let it = Scene::set().await;
    it.make(1, "db/password", "value=hunter2").await;
    let here = it.make(2, "db/url", "value=app:${pay/live/db/password}@db&template=1").await;
    let body = format!(
        "idempotency_key=ddddddddddddddd1&environment={}&how=write&kind=text&path=url&value=${{pay/live/db/password}}&template=1",
        it.pay.test
    );
    let there = it.stage.post(person(&it.bob), "/secrets/new", &body).await.to;
    assert!(!it.page(&here).await.contains(&format!("{here}/versions/1/share")));
    let share = "idempotency_key=ddddddddddddddd2&life=24h&who=passphrase";
    let (status, refused) = it.post(&format!("{here}/versions/1/share"), share).await;
    assert!(status == 422 && refused.contains("Version 1 is a template"), "{refused}");

    let edit = "idempotency_key=ddddddddddddddd3&name=live&lifetime_days=365&overlap_hours=24&row_version=1&reads_need_reason=1";
    assert_eq!(it.post("/projects/pay/environments/live", edit).await.0, 303);
    let page = it.page(&here).await;
    for (n, way) in ["raw", "raw/download"].iter().enumerate() {
        let path = format!("{here}/versions/1/{way}");
        assert!(!page.contains(&format!("action=\"{path}\"")), "no button reads at once: {page}");
        assert!(it.page(&path).await.contains("name=\"reason\""), "{way}");
        let (status, asked) = it.post(&path, &format!("idempotency_key=eeeeeeeeeeeeee{n}0&reason=")).await;
        assert!(status == 422 && asked.contains("name=\"reason\"") && !asked.contains("app:"), "{asked}");
        let said = format!("idempotency_key=eeeeeeeeeeeeee{n}1&reason=INC-7+is+open");
        let (status, shown) = it.post(&path, &said).await;
        assert!(status == 200 && shown.contains("app:${pay/live/db/password}@db"), "{shown}");
    }
    let reveal = format!("{there}/versions/1/reveal");
    assert!(
        it.page(&there).await.contains(&format!("action=\"{reveal}\"")),
        "its own environment asks for none"
    );
    let (status, asked) = it.post(&reveal, "idempotency_key=fffffffffffffff1").await;
    assert!(status == 422 && asked.contains("name=\"reason\"") && !asked.contains("hunter2"), "{asked}");
    let (status, shown) = it.post(&reveal, "idempotency_key=fffffffffffffff2&reason=INC-7+is+open").await;
    assert!(status == 200 && shown.contains("hunter2"), "{shown}");
}

#[tokio::test]
async fn who_deletes_a_secret_is_told_which_templates_they_may_see_refer_to_it() {
    let it = Scene::set().await;
    let other = it.stage.cast.project("other").await;
    let olga = it.stage.cast.person("Olga", &[(Role::Owner, None)]).await;
    let password = it.make(1, "password", "value=hunter2").await;
    it.make(2, "url", "value=${pay/live/password}&template=1").await;
    let body = format!(
        "idempotency_key=ccccccccccccccc1&environment={}&how=write&kind=text&path=theirs&value=${{pay/live/password}}&template=1",
        other.live
    );
    assert_eq!(it.stage.post(person(&olga), "/secrets/new", &body).await.status, 303);
    let ask = format!("{password}/delete");
    for (who, sees) in [(&it.bob, false), (&olga, true)] {
        for path in [&ask, &password] {
            let page = it.stage.get(person(who), path).await.body;
            assert!(page.contains("url"), "{page}");
            assert_eq!(page.contains("theirs"), sees, "{path}: {page}");
        }
        assert!(it.stage.get(person(who), &ask).await.body.contains("pay/live/url"));
    }
    let (status, _) = it.post(&ask, "idempotency_key=ccccccccccccccc2&current=1").await;
    assert_eq!(status, 303, "it is a warning and no more");
}
