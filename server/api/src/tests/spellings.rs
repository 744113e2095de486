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
        for reserved in ["root", "system", "keywarden", "owner", "admin", "operators", "me", "new"] {
            let body = json!({ "slug": reserved, "name": format!("the {reserved}") });
            for path in ["/api/v1/projects", "/api/v1/teams", "/api/v1/projects/pay/environments"] {
                let answer = api.post(path, body.clone()).await;
                let pointer = answer.json()["errors"][0]["pointer"].clone();
                assert_eq!((answer.status.as_u16(), pointer), (422, json!("/slug")), "{path} {reserved}");
            }
        }
    })
    .await;
}
