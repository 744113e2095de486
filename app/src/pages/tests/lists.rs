//! What every list says (CONSOLE.md, U-10): with something in it, with nothing in it, when nothing fits the search, and to
//! somebody who may see none of it. What a node without its keys says is the same at each address, and the server's to pin.

use std::fmt::Write as _;

use keywarden_domain::{
    SecretBytes,
    authz::PolicyScope,
    cast::Player,
    keys::{NewKey, Place},
    policy::NewPolicy,
    secrets::{About, NewValue, PutSecret, Validity},
    standards::{NewStandard, Rules},
};
use keywarden_model::{Description, Role, SecretKind};

use super::{Stage, person};

/// Lists by address, and what to search them for in vain.
const LISTS: [(&str, Option<&str>); 15] = [
    ("/", None),
    ("/audit", Some("?action=project.archived")),
    ("/channels", None),
    ("/keys", Some("?q=nowhere")),
    ("/notices", None),
    ("/people", Some("?q=nowhere")),
    ("/people/invitations", None),
    ("/policies", Some("?q=nowhere")),
    ("/standards", Some("?q=nowhere")),
    ("/projects", Some("?q=nowhere")),
    ("/secrets", Some("?q=nowhere")),
    ("/secrets?project=pay&environment=live", None),
    ("/system/keys", None),
    ("/teams", None),
    ("/workloads", Some("?q=nowhere")),
];

#[tokio::test]
async fn what_lists_say_when_full_empty_searched_in_vain_and_to_strangers() {
    let (mut full, mut empty, mut vain, mut denied) =
        (String::new(), String::new(), String::new(), String::new());
    let bare = Stage::new().await;
    let alone = bare.cast.person("Alice", &[(Role::Owner, None)]).await;
    let (stage, [alice, mallory]) = furnished().await;
    for (address, nowhere) in LISTS {
        if !address.starts_with("/secrets?") {
            tell(&mut empty, &bare, &alone, address).await;
        }
        tell(&mut full, &stage, &alice, address).await;
        tell(&mut denied, &stage, &mallory, address).await;
        if let Some(nowhere) = nowhere {
            tell(&mut vain, &stage, &alice, &format!("{address}{nowhere}")).await;
        }
    }
    insta::assert_snapshot!("lists_that_are_full", full);
    insta::assert_snapshot!("lists_that_are_empty", empty);
    insta::assert_snapshot!("lists_searched_in_vain", vain);
    insta::assert_snapshot!("lists_before_somebody_without_roles", denied);
}

/// A house with one of everything, its owner, and somebody who holds nothing.
async fn furnished() -> (Stage, [Player; 2]) {
    let stage = Stage::new().await;
    let pay = stage.cast.project("pay").await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let policy = NewPolicy {
        scope: PolicyScope::Organization,
        name: "Nobody purges".parse().unwrap(),
        text: "forbid (principal, action == Action::\"secret.purge\", resource);".into(),
        note: Description::default(),
    };
    stage.cast.domain.draft_policy(&alice.op(), policy).await.unwrap();
    let standard = NewStandard {
        scope: PolicyScope::Organization,
        name: "Teams own keys".parse().unwrap(),
        rules: Rules { team_owner: true, ..Rules::default() },
        note: Description::default(),
    };
    stage.cast.domain.draft_standard(&alice.op(), standard).await.unwrap();
    stage.cast.team("payments", &[alice.id], &[(Role::Manager, Some(pay.id))]).await;
    stage.cast.workload("gateway", Role::Verifier, Some(pay.id)).await;
    let place = Place::Environment(pay.live);
    let key = NewKey::named(place.clone(), "checkout".parse().unwrap());
    stage.cast.domain.issue_key(&alice.op(), key).await.unwrap();
    let value = NewValue::new(SecretKind::Text, None, SecretBytes::copy_of(b"hunter2")).unwrap();
    let put = PutSecret {
        value,
        label: None,
        expected: None,
        about: About::default(),
        validity: Validity::default(),
    };
    stage.cast.domain.put_secret(&alice.op(), &place, &"db/password".parse().unwrap(), put).await.unwrap();
    let invited = "idempotency_key=0123456789abcdef&name=Bob&role=auditor";
    let came = stage.post(person(&alice), "/people/invite", invited).await;
    assert!(came.status.is_success() || came.status.is_redirection(), "{} {}", came.status, came.body);
    (stage, [alice, mallory])
}

/// Adds what `player` reads at `address`: the words, a line for each piece.
async fn tell(told: &mut String, stage: &Stage, player: &Player, address: &str) {
    let came = stage.get(person(player), address).await;
    let words = words(&came.body);
    // Of a key's value its public part is shown, with a dot for the rest.
    let whole = |word: &str| word.starts_with("kwk_live_") && !word.ends_with("_…");
    assert!(!words.contains("hunter2") && !words.split_whitespace().any(whole), "{address} shows a value");
    writeln!(told, "## {address}: {}\n{words}", came.status.as_u16()).unwrap();
}

/// The words of a page's main part, as they follow each other; ids are alike.
fn words(page: &str) -> String {
    let main =
        page.split_once("<main").and_then(|(_, rest)| rest.split_once("</main>")).map_or(page, |it| it.0);
    let mut lines = String::new();
    for piece in main.split('<').skip(1).filter_map(|piece| Some(piece.split_once('>')?.1)) {
        let piece = piece.split_whitespace().collect::<Vec<_>>().join(" ");
        // What is left of comments is no word.
        if !piece.is_empty() && piece != "-->" {
            writeln!(lines, "{}", without_ids(&piece)).unwrap();
        }
    }
    lines
}

/// Typed ids and public ids hold random characters: a word stands for each.
fn without_ids(piece: &str) -> String {
    let word = |word: &str| {
        let id = word.split_once('_').is_some_and(|(kind, id)| id.len() == 26 || kind == "dec");
        match word.rsplit_once('_') {
            Some((value, "…")) => format!("{}_ID_…", value.rsplit_once('_').map_or("", |it| it.0)),
            _ if id => "ID".to_owned(),
            _ => word.to_owned(),
        }
    };
    piece.split(' ').map(word).collect::<Vec<_>>().join(" ")
}
