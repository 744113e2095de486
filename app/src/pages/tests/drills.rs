//! The system page about drills of backups.

use keywarden_domain::backup::{Drills, DrillsDue};
use keywarden_model::Role;

use super::{Stage, person};

const BACKUP: &str = "INSERT INTO backups (id, made_at, counter, file, size, digest, recipients)
    VALUES ('bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 1800000000000000, 1, '/a', 10, 'aa', '[]')";
const DRILLS: &str = r#"INSERT INTO drills (id, backup_id, state, asked_at, started_at, ended_at, report)
    VALUES ('drl_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'passed', 1, 2000000, 9000000,
            '{"rows":1204,"events":7,"opened":9,"compared":3,"failures":[],"seal":{"kind":"token"}}'),
           ('drl_01JDB2W1N9F6Q3R8T5V7X9Z0AD', 'bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'passed', 1, 2000000, 9000000,
            '{"rows":2,"events":2,"opened":2,"compared":2,"failures":[],
              "seal":{"kind":"software","why":"it is <i>not</i> installed"}}'),
           ('drl_01JDB2W1N9F6Q3R8T5V7X9Z0AE', 'bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'passed', 1, 2000000, 9000000,
            '{"rows":3,"events":3,"opened":3,"compared":4321,"failures":[]}'),
           ('drl_01JDB2W1N9F6Q3R8T5V7X9Z0AC', 'bkp_01JDB2W1N9F6Q3R8T5V7X9Z0AB', 'failed', 2, 3000000, 4000000,
            '{"rows":0,"events":0,"opened":0,"compared":0,"failures":["it is <b>gone</b>"]}')"#;

#[tokio::test]
async fn what_was_looked_at_and_what_was_wrong_is_told_and_the_last_failure_above_all() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let before = stage.get(person(&alice), "/system").await.body;
    assert!(before.contains("No backup was drilled yet") && !before.contains("/system/drills"), "{before}");
    stage.cast.put_by(&[BACKUP, DRILLS]).await;
    let page = stage.get(person(&alice), "/system").await.body;
    for said in [
        "1,204 rows, 7 events, 9 rows and values opened, 3 values compared",
        "compared with those here. Restored under a new and empty token.",
        "Restored under a key in memory, in software. There was no token: it is &lt;i&gt;not&lt;/i&gt; installed.",
        "4,321 values compared with those here<", // of an older version, which did not say
        "7 s",
        "Came back whole",
        "it is &lt;b&gt;gone&lt;/b&gt;",
        "The newest backup that was drilled did not come back whole.",
    ] {
        assert!(page.contains(said), "`{said}` is not in {page}");
    }
}

#[tokio::test]
async fn asking_for_a_drill_says_why_there_is_none_and_strangers_learn_nothing() {
    let stage = Stage::new().await;
    let alice = stage.cast.person("Alice", &[(Role::Owner, None)]).await;
    let mallory = stage.cast.person("Mallory", &[]).await;
    let asked = stage.post(person(&alice), "/system/drills", "idempotency_key=0123456789abcdef").await;
    assert_eq!((asked.status.as_u16(), asked.to.as_str()), (303, "/system"));
    let refused = stage.post(person(&mallory), "/system/drills", "").await.status.as_u16();
    assert!(matches!(refused, 403 | 404), "{refused}");

    let folder = stage.cast.folder().join("drill");
    let on = stage.cast.neighbour_with(|settings| {
        settings.drills = Some(Drills { folder, due: DrillsDue::Never, tokens: Err("none".into()) });
    });
    let on = on.await;
    let refused = on.domain.ask_for_drill(&alice.op()).await.unwrap_err();
    assert!(refused.to_string().contains("make one first"), "{refused}");
}
