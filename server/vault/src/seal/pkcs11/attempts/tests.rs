use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::unistd::geteuid;
use rand::SeedableRng;
use rand_chacha::ChaCha20Rng;

use super::file::Line;
use super::*;

const NOW: i64 = 1_800_000_000;

fn attempts(folder: &Path) -> Attempts {
    Attempts::at(folder.join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(1))
}

fn begin(attempts: &Attempts, token: &str, pin: &str) -> Result<Attempt, SealError> {
    attempts.begin(token, "main", &SecretString::new(pin.to_owned()), Left::All)
}

fn read(folder: &Path) -> Vec<Line> {
    FilePlace::at(folder.join("pin-attempts")).read().unwrap()
}

/// The file under a clock of the test's own.
#[derive(Debug)]
struct Clocked(FilePlace, i64);

impl Place for Clocked {
    fn change(&self, token: &str, mut change: Change) -> io::Result<()> {
        let now = self.1;
        self.0.change(token, Change::new(move |_, pins| change.run(now, pins)))
    }
    fn pins(&self, token: &str) -> io::Result<Vec<TriedPin>> {
        self.0.pins(token)
    }
    fn name(&self) -> String {
        self.0.name()
    }
    fn remedy(&self) -> String {
        self.0.remedy()
    }
}

/// Begins so many seconds after [`NOW`], by another process each time.
fn begin_after(folder: &Path, seconds: i64, left: Left) -> Result<Result<Attempt, Rest>, SealError> {
    let place = Clocked(FilePlace::at(folder.join("pin-attempts")), NOW + seconds);
    let attempts = Attempts::new(Arc::new(place), [1; SALT_LEN], Before::Nowhere);
    let (token, label) = ("serial".to_owned(), "main");
    match attempts.begin_once(&token, &SecretString::new("1234".to_owned()), left)? {
        Verdict::Begun { before, at } => Ok(Ok(Attempt { attempts, token, before, at })),
        Verdict::Rests(rest) => Ok(Err(rest)),
        Verdict::Withheld => {
            Err(SealError::PinWithheld { token: label.to_owned(), remedy: attempts.0.place.remedy() })
        }
    }
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
    assert!(matches!(
        begin_after(folder.path(), i64::MAX - NOW, Left::All),
        Err(SealError::PinWithheld { .. })
    ));
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
        begin_after(folder.path(), at, Left::All).unwrap().unwrap();
        let since = seconds - 1;
        let early = begin_after(folder.path(), at + since, Left::All).unwrap();
        assert_eq!(early.unwrap_err(), Rest { seconds, since });
        at += seconds;
    }
    begin_after(folder.path(), at, Left::All).unwrap().unwrap().accepted().unwrap();
    assert_eq!(read(folder.path()), []);
}

#[test]
fn a_try_without_a_clear_answer_is_not_made_again_once_the_token_has_seen_a_wrong_pin() {
    let folder = tempfile::tempdir().unwrap();
    begin_after(folder.path(), 0, Left::Fewer).unwrap().unwrap();
    for left in [Left::Fewer, Left::One] {
        let later = begin_after(folder.path(), 3_600, left);
        assert!(matches!(later, Err(SealError::PinWithheld { .. })), "{later:?}");
    }
    begin_after(folder.path(), 3_600, Left::All).unwrap().unwrap().refused().unwrap();
    let later = begin_after(folder.path(), 7_200, Left::Fewer);
    assert!(matches!(later, Err(SealError::PinWithheld { .. })), "{later:?}");
}

#[test]
fn a_refusal_and_a_try_without_a_clear_answer_are_two_tries() {
    let folder = tempfile::tempdir().unwrap();
    // It was refused, and its process was gone before it could say so.
    begin_after(folder.path(), 0, Left::All).unwrap().unwrap();
    begin_after(folder.path(), 5, Left::All).unwrap().unwrap().refused().unwrap();
    let later = begin_after(folder.path(), 7_200, Left::All);
    assert!(matches!(later, Err(SealError::PinWithheld { .. })), "{later:?}");
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
    begin_after(folder.path(), 86_400, Left::All).unwrap().unwrap();
    begin_after(folder.path(), 0, Left::All).unwrap().unwrap();
    assert!(begin_after(folder.path(), 1, Left::All).unwrap().is_err());
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
    let lines = read(folder.path());
    assert_eq!(lines.iter().filter(|line| (line.pin.refused, line.pin.unclear) == (1, 0)).count(), 16);
    assert_eq!(lines.len(), 16);
}

#[test]
fn the_memory_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let attempts = attempts(folder.path());
    for pin in 0..200 {
        begin(&attempts, "serial", &format!("pin {pin}")).unwrap().refused().unwrap();
    }
    assert_eq!(read(folder.path()).len(), REMEMBERED);
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
            line.pin.rest(now);
        }
    });
}

#[test]
fn two_tries_that_overlap_and_are_refused_are_two() {
    let folder = tempfile::tempdir().unwrap();
    // The first one hangs for longer than it is waited for.
    let first = begin_after(folder.path(), 0, Left::All).unwrap().unwrap();
    let second = begin_after(folder.path(), 5, Left::All).unwrap().unwrap();
    first.refused().unwrap();
    second.refused().unwrap();
    let [line] = &read(folder.path())[..] else { panic!("one PIN has one line") };
    assert_eq!(line.pin.refused, 2);
    let third = begin_after(folder.path(), i64::MAX - NOW, Left::All);
    assert!(matches!(third, Err(SealError::PinWithheld { .. })), "{third:?}");
}

#[test]
fn who_hears_late_that_a_pin_was_right_does_not_undo_that_it_was_refused_since() {
    let folder = tempfile::tempdir().unwrap();
    let right = begin_after(folder.path(), 0, Left::All).unwrap().unwrap();
    begin_after(folder.path(), 5, Left::All).unwrap().unwrap().refused().unwrap();
    right.accepted().unwrap();
    assert_eq!(read(folder.path()).iter().map(|line| line.pin.refused).collect::<Vec<_>>(), [1]);
}

/// A place that fails while it is told to.
#[derive(Debug)]
struct Failing(FilePlace, Arc<AtomicBool>);

impl Place for Failing {
    fn change(&self, token: &str, change: Change) -> io::Result<()> {
        if self.1.load(Ordering::Relaxed) {
            return Err(io::Error::other("away"));
        }
        self.0.change(token, change)
    }
    fn pins(&self, token: &str) -> io::Result<Vec<TriedPin>> {
        self.0.pins(token)
    }
    fn name(&self) -> String {
        "what nodes share".to_owned()
    }
    fn remedy(&self) -> String {
        "let it be forgotten".to_owned()
    }
}

#[test]
fn a_refusal_that_could_not_be_written_down_is_before_the_next_try() {
    let folder = tempfile::tempdir().unwrap();
    let away = Arc::new(AtomicBool::new(false));
    let place = Failing(FilePlace::at(folder.path().join("pin-attempts")), Arc::clone(&away));
    let shared = Attempts::shared(Arc::new(place), folder.path().join("before"));
    for _ in 0..2 {
        let under_way = begin(&shared, "serial", "1234").unwrap();
        away.store(true, Ordering::Relaxed);
        let unwritten = under_way.refused().unwrap_err();
        assert!(unwritten.to_string().contains("what nodes share"), "{unwritten}");
        let untried = begin(&shared, "serial", "1234").unwrap_err();
        assert!(matches!(untried, SealError::Attempts { .. }), "{untried}");
        away.store(false, Ordering::Relaxed);
    }
    let withheld = begin(&shared, "serial", "1234").unwrap_err();
    assert!(withheld.to_string().ends_with("if this is the right one, let it be forgotten"), "{withheld}");
    begin(&shared, "serial", "4321").unwrap();
}

#[test]
fn what_nodes_remembered_for_themselves_counts_where_they_remember_together() {
    let (one, other, together) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for (seed, folder) in [(1, &one), (2, &other)] {
        let alone = Attempts::at(folder.path().join("pin-attempts"), &mut ChaCha20Rng::seed_from_u64(seed));
        begin(&alone, "serial", "1234").unwrap().refused().unwrap();
        begin(&alone, "another serial", "1234").unwrap().refused().unwrap();
    }
    let place = || Arc::new(FilePlace::at(together.path().join("pin-attempts")));
    let shared = [&one, &other].map(|folder| Attempts::shared(place(), folder.path().join("pin-attempts")));
    begin(&shared[0], "serial", "4321").unwrap().accepted().unwrap();
    assert!(!one.path().join("pin-attempts").exists() && other.path().join("pin-attempts").exists());
    begin(&shared[1], "serial", "4321").unwrap().accepted().unwrap();
    for node in &shared {
        for token in ["serial", "another serial"] {
            let withheld = begin(node, token, "1234");
            assert!(matches!(withheld, Err(SealError::PinWithheld { .. })), "{withheld:?}");
        }
    }
}

#[test]
fn what_nodes_remembered_together_counts_where_one_goes_on_alone_and_is_never_tried_without() {
    let (together, alone) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = || together.path().join("pin-attempts");
    let shared = || Attempts::shared(Arc::new(FilePlace::at(file())), together.path().join("before"));
    for token in ["serial", "another serial"] {
        begin(&shared(), token, "1234").unwrap().refused().unwrap();
    }
    let away = Arc::new(AtomicBool::new(true));
    let before = Arc::new(Failing(FilePlace::at(file()), Arc::clone(&away)));
    let follows = |seed| {
        let mut rng = ChaCha20Rng::seed_from_u64(seed);
        Attempts::at_after(alone.path().join("pin-attempts"), &mut rng, Arc::<Failing>::clone(&before))
    };
    // What was copied can be looked at and not changed: once more is no further try.
    for seed in [1, 2] {
        begin(&follows(seed), "serial", "1234").unwrap().not_made().unwrap();
    }
    away.store(false, Ordering::Relaxed);
    begin(&follows(3), "serial", "1234").unwrap().refused().unwrap();
    for seed in [4, 5] {
        assert!(matches!(begin(&follows(seed), "serial", "1234"), Err(SealError::PinWithheld { .. })));
    }
    begin(&follows(6), "serial", "4321").unwrap().accepted().unwrap();
    let left = FilePlace::at(file());
    assert_eq!((left.pins("serial").unwrap().len(), left.pins("another serial").unwrap().len()), (0, 1));
    // Where it cannot be read, nobody knows.
    std::fs::write(file(), "nonsense\n").unwrap();
    let untried = begin(&follows(7), "another serial", "1234").unwrap_err();
    assert!(matches!(&untried, SealError::Attempts { place, .. } if place.contains(" and ")), "{untried:?}");
}

#[test]
fn a_pin_has_one_mark_for_all_tokens_where_nodes_share_them() {
    let folder = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let shared = Attempts::shared(
            Arc::new(FilePlace::at(folder.path().join("pin-attempts"))),
            folder.path().join("before"),
        );
        for token in ["one", "other"] {
            begin(&shared, token, "31415926").unwrap().refused().unwrap();
        }
    }
    let mut marks: Vec<_> =
        read(folder.path()).into_iter().map(|line| (line.pin.salt, line.pin.mark)).collect();
    assert_eq!(marks.len(), 2);
    marks.dedup();
    assert_eq!(marks.len(), 1);
}
