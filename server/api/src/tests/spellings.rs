//! Two spellings of one name are one thing or an error, never a second thing (S-01), for whatever has a name here.

use keywarden_domain::cast::both_engines;
use serde_json::{Value, json};

use super::Api;

const NAME: &str = "Café Pay";

/// From a name, and a number that nothing else has, to the body of a request.
type Body<'a> = &'a dyn Fn(&str, usize) -> Value;

/// Some sixty ways to write [`NAME`] so that a person, or a careless program, takes it for the same.
fn spellings() -> Vec<String> {
    let mut spellings = vec![NAME.to_owned()];
    for changed in [NAME.to_uppercase(), NAME.to_lowercase(), "cAFÉ pAY".into(), "Cafe\u{301} Pay".into()] {
        spellings.push(changed);
    }
    // Full width, and other letters that mean the same (NFKC).
    spellings
        .extend(["Ｃａｆé Ｐａｙ", "ＣＡＦÉ ＰＡＹ", "Ⓒafé Pay", "𝐂afé 𝐏ay", "ℂafé ℙay"].map(Into::into));
    let blanks =
        ["\u{20}", "\t", "\n", "\r\n", "\u{a0}", "\u{2002}", "\u{2003}", "\u{2009}", "\u{202f}", "\u{3000}"];
    for blank in blanks {
        spellings.push(format!("{blank}{NAME}"));
        spellings.push(format!("{NAME}{blank}"));
        spellings.push(NAME.replace(' ', &format!(" {blank}")));
    }
    for unseen in
        ["\0", "\u{ad}", "\u{200b}", "\u{200d}", "\u{202e}", "\u{2060}", "\u{feff}", "\u{e0041}", "\u{7f}"]
    {
        spellings.push(format!("{NAME}{unseen}"));
        spellings.push(NAME.replace(' ', &format!(" {unseen}")));
    }
    spellings
}

#[tokio::test]
async fn no_spelling_of_a_name_makes_a_second_thing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        let key = |name: &str, _| json!({ "project": "pay", "environment": "live", "name": name, "owner": api.owner });
        let slugged = |name: &str, n: usize| json!({ "slug": format!("s{n}"), "name": name });
        let workload = |name: &str, _| json!({ "name": name, "project": "pay" });
        let kinds: [(&str, Body<'_>); 5] = [
            ("/api/v1/keys", &key),
            ("/api/v1/projects", &slugged),
            ("/api/v1/projects/pay/environments", &slugged),
            ("/api/v1/teams", &slugged),
            ("/api/v1/workloads", &workload),
        ];
        let spellings = spellings();
        assert!(spellings.len() > 50, "{}", spellings.len());
        for (path, body) in kinds {
            for (n, spelling) in spellings.iter().enumerate() {
                let answer = api.post(path, body(spelling, n)).await;
                let expected: &[u16] = if n == 0 { &[201] } else { &[409, 422] };
                assert!(expected.contains(&answer.status.as_u16()), "{path} {spelling:?}: {answer:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn no_spelling_of_a_slug_leads_to_its_thing_but_the_one() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for slug in [
            "PAY",
            "Pay",
            "pay%20",
            "%20pay",
            "pay%00",
            "pay.",
            "pay%2f",
            "p%C3%A0y",
            "%2570ay",
            "pay%E2%80%8B",
        ] {
            let answer = api.get(&format!("/api/v1/projects/{slug}")).await;
            assert_eq!(answer.status, 404, "{slug}: {answer:?}");
            let listed = api.get(&format!("/api/v1/keys?project={slug}")).await;
            let nothing = listed.status == 404
                || listed.status == 400
                || listed.json()["items"].as_array().is_some_and(Vec::is_empty);
            assert!(nothing, "{slug}: {listed:?}");
        }
        // Escaped is not another spelling: an address is decoded once.
        assert_eq!(api.get("/api/v1/projects/%70ay").await.status, 200);
    })
    .await;
}

/// Ways to write a word so that a careless reader takes it for it.
fn disguised(word: &str) -> Vec<String> {
    let (first, rest) = word.split_at(1);
    vec![
        word.to_owned(),
        word.to_uppercase(),
        format!("{}{rest}", first.to_uppercase()),
        format!(" {word}"),
        format!("{word} "),
        format!("{word}\u{200b}"),
        format!("{first}\u{ad}{rest}"),
        format!("-{word}"),
        format!("{word}-"),
        format!("{word}."),
        word.chars().map(|c| char::from_u32(u32::from(c) + 0xFEE0).unwrap()).collect(),
        word.replace('o', "\u{43e}").replace('e', "\u{435}").replace('a', "\u{430}").replace('i', "\u{456}"),
    ]
}

#[tokio::test]
async fn no_spelling_of_a_reserved_word_becomes_a_slug() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for reserved in keywarden_model::slug::RESERVED {
            for (n, slug) in disguised(reserved).into_iter().enumerate() {
                // Some of these have no letter that another alphabet has too.
                if n > 0 && slug == reserved {
                    continue;
                }
                let body = json!({ "slug": slug, "name": format!("the {reserved} {n}") });
                for path in ["/api/v1/projects", "/api/v1/teams", "/api/v1/projects/pay/environments"] {
                    let answer = api.post(path, body.clone()).await;
                    let pointer = answer.json()["errors"][0]["pointer"].clone();
                    assert_eq!((answer.status.as_u16(), pointer), (422, json!("/slug")), "{path} {slug:?}");
                }
            }
        }
    })
    .await;
}

#[tokio::test]
async fn an_imported_key_has_no_second_spelling_either() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for (n, spelling) in spellings().iter().enumerate() {
            let body = json!({
                "project": "pay", "environment": "live", "name": spelling, "owner": api.owner,
                "value": format!("sk-legacy-4f9a1c77e2-{n:016}"), "last_day": in_thirty_days(&api),
            });
            let answer = api.post("/api/v1/keys/import", body).await;
            let expected: &[u16] = if n == 0 { &[201] } else { &[409, 422] };
            assert!(expected.contains(&answer.status.as_u16()), "{spelling:?}: {answer:?}");
        }
    })
    .await;
}

fn in_thirty_days(api: &Api) -> String {
    (api.house.now() + chrono::TimeDelta::days(30)).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// People may share a name, but none may hide a letter in it; a tag has one way to be written.
#[tokio::test]
async fn names_of_people_and_tags_hide_nothing() {
    both_engines(async |house| {
        let api = Api::in_house(house).await;
        for unseen in ["\0", "\u{ad}", "\u{200b}", "\u{200d}", "\u{202e}", "\u{2060}", "\u{feff}", "\u{7f}"] {
            let invited = json!({ "name": format!("Ca{unseen}rol"), "role": "auditor" });
            let answer = api.post("/api/v1/users/invitations", invited).await;
            let pointer = answer.json()["errors"][0]["pointer"].clone();
            assert_eq!((answer.status.as_u16(), pointer), (422, json!("/name")), "{unseen:?}");
        }
        let tagged = |tag: &str| {
            json!({
                "project": "pay", "environment": "live", "name": "tagged", "owner": api.owner, "tags": [tag],
            })
        };
        for wrong in [
            "Team=pay",
            "TEAM=pay",
            "ｔeam=pay",
            "t\u{435}am=pay",
            "team\u{200b}=pay",
            "team=p\u{ad}ay",
            "team=pay\u{202e}",
            "te am=pay",
            "=pay",
            "team=a  b",
            "team= pay",
        ] {
            let answer = api.post("/api/v1/keys", tagged(wrong)).await;
            assert_eq!(answer.status, 422, "{wrong:?}: {answer:?}");
        }
        assert_eq!(api.post("/api/v1/keys", tagged("team=pay")).await.status, 201);
        for other in ["TEAM%3Dpay", "team%3DPAY", "team%3Dpay%E2%80%8B", "t%D0%B5am%3Dpay"] {
            let found = api.get(&format!("/api/v1/keys?tag={other}")).await;
            let none = found.status == 400 || found.json()["items"].as_array().is_some_and(Vec::is_empty);
            assert!(none, "{other}: {found:?}");
        }
    })
    .await;
}
