use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;

use nix::unistd::geteuid;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::*;

const NOW: i64 = 1_800_000_000;

fn attempts(folder: &Path) -> Attempts {
    Attempts::at(folder.join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(1))
}

fn begin<'a>(attempts: &'a Attempts, token: &str, pin: &str) -> Result<Attempt<'a>, SealError> {
    attempts.begin(token, "main", &SecretString::new(pin.to_owned()), Left::All)
}

/// So many seconds after [`NOW`].
fn begin_after(
    attempts: &Attempts,
    seconds: i64,
    left: Left,
) -> Result<Result<Attempt<'_>, Rest>, SealError> {
    attempts.begin_at(NOW + seconds, "serial", "main", &SecretString::new("1234".to_owned()), left)
}

#[test]
fn a_pin_that_was_refused_twice_is_never_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        begin(&attempts(folder.path()), "serial", "1234").unwrap().refused().unwrap();
    }
    // Also by another process with another salt.
    let restarted = Attempts::at(folder.path().join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(2));
    for _ in 0..2 {
        assert!(matches!(begin(&restarted, "serial", "1234"), Err(SealError::PinWithheld { .. })));
    }
    assert!(matches!(begin_after(&restarted, i64::MAX - NOW, Left::All), Err(SealError::PinWithheld { .. })));
    begin(&restarted, "serial", "4321").unwrap();
    begin(&restarted, "another serial", "1234").unwrap();
    begin(&restarted, "", "1234").unwrap();
}

#[test]
fn a_try_without_a_clear_answer_is_made_again_after_a_rest_that_doubles() {
    let folder = tempfile::tempdir().unwrap();
    let mut at = 0;
    for seconds in [5, 60, 120, 240, 480, 960, 1_920, 3_840, 3_840, 3_840] {
        // Each by another process: none of them hears an answer.
        begin_after(&attempts(folder.path()), at, Left::All).unwrap().unwrap();
        let (since, other) = (seconds - 1, attempts(folder.path()));
        let early = begin_after(&other, at + since, Left::All).unwrap();
        assert_eq!(early.unwrap_err(), Rest { seconds, since });
        at += seconds;
    }
    let attempts = attempts(folder.path());
    begin_after(&attempts, at, Left::All).unwrap().unwrap().accepted().unwrap();
    assert_eq!(attempts.read().unwrap(), []);
}

#[test]
fn a_try_without_a_clear_answer_is_not_made_again_once_the_token_has_seen_a_wrong_pin() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    begin_after(&attempts, 0, Left::Fewer).unwrap().unwrap();
    for left in [Left::Fewer, Left::One] {
        let later = begin_after(&attempts, 3_600, left);
        assert!(matches!(later, Err(SealError::PinWithheld { .. })), "{later:?}");
    }
    begin_after(&attempts, 3_600, Left::All).unwrap().unwrap().refused().unwrap();
    assert!(matches!(begin_after(&attempts, 7_200, Left::Fewer), Err(SealError::PinWithheld { .. })));
}

#[test]
fn a_try_that_is_under_way_elsewhere_is_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (attempts(folder.path()), attempts(folder.path()));
    let under_way = begin(&one, "serial", "1234").unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| begin(&other, "serial", "1234").map(drop));
        sleep(LOOK);
        under_way.accepted().unwrap();
        waits.join().unwrap().unwrap();
    });
    // The other one said nothing of what came of it.
    let resting = begin(&one, "serial", "1234").unwrap_err();
    assert_eq!(resting, SealError::PinRests { token: "main".into(), seconds: 5 });
}

#[test]
fn a_clock_that_was_set_back_keeps_no_pin_resting() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    begin_after(&attempts, 86_400, Left::All).unwrap().unwrap();
    begin_after(&attempts, 0, Left::All).unwrap().unwrap();
    assert!(begin_after(&attempts, 1, Left::All).unwrap().is_err());
}

#[test]
fn an_accepted_pin_starts_anew_and_leaves_the_refused_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    for _ in 0..2 {
        begin(&attempts, "serial", "wrong").unwrap().refused().unwrap();
    }
    for _ in 0..5 {
        begin(&attempts, "serial", "right").unwrap().accepted().unwrap();
    }
    assert!(begin(&attempts, "serial", "wrong").is_err());
}

#[test]
fn a_try_that_did_not_reach_the_token_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    begin(&attempts, "serial", "1234").unwrap().refused().unwrap();
    for _ in 0..5 {
        begin(&attempts, "serial", "1234").unwrap().not_made().unwrap();
    }
    begin(&attempts, "serial", "1234").unwrap().refused().unwrap();
    assert!(begin(&attempts, "serial", "1234").is_err());
}

#[test]
fn a_tokens_last_try_is_not_wasted_on_a_pin_it_refused() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    begin(&attempts, "serial", "1234").unwrap().refused().unwrap();
    let last =
        |pin: &str| attempts.begin("serial", "main", &SecretString::new(pin.into()), Left::One).is_ok();
    assert!(!last("1234"));
    assert!(last("4321"));
}

#[test]
fn the_file_is_private_and_holds_no_pin() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin-attempts");
    let attempts = attempts(folder.path());
    let under_way = begin(&attempts, "serial", "31415926").unwrap();
    let unclear = std::fs::read_to_string(&path).unwrap();
    under_way.refused().unwrap();
    let refused = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for text in [unclear, refused] {
        assert!(!text.contains("31415926") && !text.contains(&hex::encode("31415926")));
        assert_eq!(Line::parse(text.trim_end()).unwrap().to_text(), text);
    }
}

#[test]
fn what_root_writes_beside_a_server_stays_the_servers() {
    const SERVER: u32 = 65534;
    if !geteuid().is_root() {
        return eprintln!("skipped: only root can give a folder to another user");
    }
    let owner = |path: &Path| std::fs::metadata(path).unwrap().uid();
    let folder = tempfile::tempdir().unwrap();
    let (memory, lock) = (folder.path().join("pin-attempts"), folder.path().join("pin-attempts.lock"));
    begin(&attempts(folder.path()), "serial", "1234").unwrap().accepted().unwrap();
    assert_eq!([owner(&memory), owner(&lock)], [0, 0], "in a folder of its own");

    std::fs::remove_file(&lock).unwrap();
    std::fs::remove_file(&memory).unwrap();
    chown(folder.path(), Some(SERVER), Some(SERVER)).unwrap();
    // Nor does a link lead root to another file.
    let others = tempfile::NamedTempFile::new().unwrap();
    symlink(others.path(), folder.path().join("pin-attempts.new")).unwrap();
    let beside = attempts(folder.path());
    let under_way = begin(&beside, "serial", "1234").unwrap();
    assert_eq!([owner(&memory), owner(&lock)], [SERVER, SERVER]);
    under_way.refused().unwrap();
    assert_eq!([owner(&memory), owner(&lock)], [SERVER, SERVER]);
    assert_eq!((owner(others.path()), std::fs::read(others.path()).unwrap()), (0, Vec::new()));
}

#[test]
fn without_its_memory_no_pin_is_tried() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    for text in ["1 00- 00 0000 1\n", "nonsense\n", "\n", "2 00- 0 0 0\n"] {
        std::fs::write(folder.path().join("pin-attempts"), text).unwrap();
        assert!(matches!(begin(&attempts, "serial", "1234"), Err(SealError::Attempts { .. })), "{text}");
    }
    let nowhere = self::attempts(&folder.path().join("missing"));
    assert!(matches!(begin(&nowhere, "serial", "1234"), Err(SealError::Attempts { .. })));
}

#[test]
fn what_many_write_at_once_is_all_remembered() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for at in 0..8 {
            let attempts = attempts(folder.path());
            scope.spawn(move || {
                for pin in 0..4 {
                    let begun = begin(&attempts, "serial", &format!("{at} {pin}")).unwrap();
                    if pin % 2 == 0 { begun.refused().unwrap() } else { begun.accepted().unwrap() }
                }
            });
        }
    });
    let lines = attempts(folder.path()).read().unwrap();
    assert_eq!(lines.iter().filter(|line| (line.refused, line.unclear) == (1, 0)).count(), 16);
    assert_eq!(lines.len(), 16);
}

#[test]
fn the_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    for pin in 0..200 {
        begin(&attempts, "serial", &format!("pin {pin}")).unwrap().refused().unwrap();
    }
    assert_eq!(attempts.read().unwrap().len(), REMEMBERED);
}

#[test]
fn parsers_of_lines_take_what_comes() {
    let salt = "00".repeat(SALT_LEN);
    let lines = [format!("1 serial- {salt} abcd 2"), format!("2 - {salt} abcd 1 3 1800000000")];
    let lines: Vec<_> = lines.iter().map(String::as_str).collect();
    keywarden_garble::texts(&lines, |text| {
        let Some(line) = Line::parse(text) else { return };
        let again = Line::parse(line.to_text().trim_end()).unwrap();
        assert_eq!(again.to_text(), line.to_text(), "{text:?}");
        for now in [i64::MIN, 0, NOW, i64::MAX] {
            line.rest(now);
        }
    });
}
