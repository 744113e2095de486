//! The longest value that may be put is typed in every form that asks for one, whatever it consists of.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use keywarden_domain::{
    cast::{Player, Stage as Project},
    secrets::{Address, As, MAX_VALUE, Which},
};
use keywarden_model::{SecretId, SecretKind};

use super::super::{Stage, person};
use super::{cast, put_as};

/// As a browser sends it: line ends as two characters.
fn typed(text: &str) -> String {
    form_urlencoded::byte_serialize(text.replace('\n', "\r\n").as_bytes()).collect()
}

/// In lines, as tools write it.
fn in_lines(bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    lines.join("\n")
}

async fn read(stage: &Stage, by: &Player, id: SecretId) -> Vec<u8> {
    let read = stage.cast.domain.read_secret_as(&by.op(), &Address::Id(id), &Which::default(), As::Raw).await;
    read.unwrap().value.expose().to_vec()
}

/// Types values of so many bytes, and one that has one more.
async fn types(stage: &Stage, pay: &Project, bob: &Player, folder: &str, most: usize) {
    let asked = stage.get(person(bob), "/secrets/new").await.body;
    assert!(asked.contains(&format!("maxlength=\"{}\"", most + most / 2 + 4)), "{asked}");
    let values = [
        ("binary", in_lines(&vec![0xff; most]), vec![0xff; most]),
        ("text", "\"".repeat(most), vec![b'"'; most]),
        ("text", "\n".repeat(most), vec![b'\n'; most]),
        ("text", "\u{e9}".repeat(most / 2), "\u{e9}".repeat(most / 2).into_bytes()),
    ];
    let form = |path: &str, kind: &str, text: &str| {
        format!("environment={}&path={folder}/{path}&how=write&kind={kind}&value={}", pay.live, typed(text))
    };
    for (at, (kind, text, bytes)) in values.into_iter().enumerate() {
        let made = stage.post(person(bob), "/secrets/new", &form(&format!("v{at}"), kind, &text)).await;
        assert_eq!(made.status, 303, "{at}: {}", made.body);
        let id: SecretId = made.to.strip_prefix("/secrets/").unwrap().parse().unwrap();
        assert!(read(stage, bob, id).await == bytes, "{at}");

        let next = format!("current=1&label=current&how=write&kind={kind}&value={}", typed(&text));
        let put = stage.post(person(bob), &format!("{}/versions/new", made.to), &next).await;
        assert_eq!((put.status.as_u16(), &put.to), (303, &made.to), "{at}: {}", put.body);
    }
    let long = stage.post(person(bob), "/secrets/new", &form("long", "text", &"\"".repeat(most + 1))).await;
    assert!(long.status == 422 && long.body.contains("field-value-error"), "{}", long.body);
    let heap =
        stage.post(person(bob), "/secrets/new", &form("heap", "text", &"x".repeat(2 * most + 1))).await;
    assert_eq!(heap.status, 413);
}

#[tokio::test]
async fn the_longest_value_is_typed_whatever_it_consists_of() {
    let (stage, pay, [bob, ..]) = cast().await;
    types(&stage, &pay, &bob, "usual", MAX_VALUE).await;
    let wide = Stage::of(stage.cast.neighbour_with(|it| it.max_value = 2 * MAX_VALUE).await);
    types(&wide, &pay, &bob, "wide", 2 * MAX_VALUE).await;
    let other = format!("name=x&slug=x&note={}", "x".repeat(MAX_VALUE + 1));
    assert_eq!(wide.post(person(&bob), "/teams/new", &other).await.status, 413, "no value is written there");
}

#[tokio::test]
async fn a_long_field_waits_for_the_passkey_and_is_put() {
    let (stage, pay, [bob, ..]) = cast().await;
    let wide = Stage::of(stage.cast.neighbour_with(|it| it.max_value = 2 * MAX_VALUE).await);
    let id = put_as(&wide, &pay, &bob, "db/config", (SecretKind::Json, br#"{"ca": "x"}"#)).await.id;
    let edit = format!("/secrets/{id}/fields");
    for (house, most) in [(&stage, MAX_VALUE), (&wide, 2 * MAX_VALUE)] {
        let form = house.post(person(&bob), &edit, "").await;
        assert!(form.body.contains(&format!("maxlength=\"{most}\"")), "{}", form.body);
    }
    let text = "\u{e9}".repeat(MAX_VALUE - 100);
    let body =
        format!("version=1&more=0&label=current&field_0=ca&sort_0=text&do_0=write&value_0={}", typed(&text));
    let kept = wide.post(person(&bob.without_step_up()), &edit, &body).await;
    assert!(kept.status == 303 && kept.to.starts_with("/step-up?post="), "{}", kept.to);
    let post = kept.to.split(['=', '&']).nth(1).unwrap();
    let done = wide.post(person(&bob.steps_up()), &edit, &format!("kept_post={post}")).await;
    assert_eq!(done.status, 303, "{}", done.body);
    let now: serde_json::Value = serde_json::from_slice(&read(&wide, &bob, id).await).unwrap();
    assert!(now["ca"].as_str() == Some(text.as_str()));
}
