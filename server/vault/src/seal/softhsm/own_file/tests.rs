use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};

use super::*;
use crate::seal::stages::rng;

/// A token's own file, as SoftHSM2 writes it; with a PIN of its user, if it has one.
fn file(flags: u64, user_pin: Option<u8>) -> Vec<u8> {
    let bytes = |attribute: u64, value: &[u8]| {
        let head = [attribute, BYTES, value.len() as u64].map(u64::to_be_bytes).concat();
        [head.as_slice(), value].concat()
    };
    let mut all = vec![
        7_u64.to_be_bytes().to_vec(),
        bytes(LABEL, b"keywarden   "),
        bytes(SERIAL, b"db8f2faecbc8f2db"),
        [FLAGS, A_NUMBER, flags].map(u64::to_be_bytes).concat(),
        bytes(SO_PIN, &[3; 72]),
    ];
    all.extend(user_pin.map(|pin| bytes(USER_PIN, &[pin; 72])));
    all.concat()
}

/// What flags say of a token before its user has a PIN, and after.
const MADE: u64 = 0x425;
const IN_USE: u64 = 0x42d;

fn whole(pin: u8) -> Vec<u8> {
    file(IN_USE, Some(pin))
}

#[test]
fn what_is_whole_is_told_from_every_beginning_of_it_and_from_anything_else() {
    for all in [file(MADE, None), whole(5)] {
        assert!(is_whole(&all));
        for cut in 0..all.len() {
            assert!(!is_whole(&all[..cut]), "cut to {cut} of {}", all.len());
        }
        assert!(!is_whole(&[&all[..], &[0]].concat()), "with a byte more");
        assert!(!is_whole(&vec![0; all.len()]));
        assert!(!is_whole(&all.iter().map(|byte| byte ^ 0x55).collect::<Vec<_>>()));
    }
    assert!(!is_whole(&file(IN_USE, None)), "its user's PIN is missing");
    let mut long = whole(5);
    long[24..32].fill(0xff);
    assert!(!is_whole(&long), "a length beyond all files");
}

/// A token's folder, and its own file's copy.
struct Scene {
    data: tempfile::TempDir,
    softhsm: SoftHsm,
}

impl Scene {
    fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let softhsm = SoftHsm::at(data.path());
        softhsm.prepare().unwrap();
        fs::create_dir(data.path().join("softhsm/tokens/one")).unwrap();
        Self { data, softhsm }
    }

    fn own(&self) -> PathBuf {
        self.data.path().join("softhsm/tokens/one/token.object")
    }

    fn copy(&self) -> PathBuf {
        self.data.path().join("softhsm/one.kept")
    }

    fn puts_back(&self) -> io::Result<bool> {
        self.softhsm.put_back(&mut rng())
    }

    /// Everything that is in the token's folder.
    fn names(&self) -> Vec<String> {
        let names = read_dir(self.data.path().join("softhsm/tokens/one")).unwrap();
        names.map(|it| it.unwrap().file_name().into_string().unwrap()).collect()
    }
}

#[test]
fn a_file_that_was_lost_is_put_back_and_one_that_is_whole_is_left() {
    let scene = Scene::new();
    assert!(!scene.puts_back().unwrap(), "nothing was kept");
    assert!(scene.names().is_empty());
    fs::write(scene.own(), whole(5)).unwrap();
    scene.softhsm.keep().unwrap();
    assert_eq!(fs::read(scene.copy()).unwrap(), whole(5));
    assert_eq!(fs::metadata(scene.copy()).unwrap().permissions().mode() & 0o777, 0o600);

    let half = whole(5).len() / 2;
    let lost = [None, Some(Vec::new()), Some(vec![0; 320]), Some(whole(5)[..half].to_vec())];
    for left in lost {
        match &left {
            Some(bytes) => fs::write(scene.own(), bytes).unwrap(),
            None => fs::remove_file(scene.own()).unwrap(),
        }
        scene.softhsm.keep().unwrap();
        scene.softhsm.keep_first().unwrap();
        assert_eq!(fs::read(scene.copy()).unwrap(), whole(5), "kept in its place: {left:?}");
        assert!(scene.puts_back().unwrap(), "{left:?}");
        assert_eq!(fs::read(scene.own()).unwrap(), whole(5), "{left:?}");
        assert_eq!(scene.names(), ["token.object"]);
        assert_eq!(fs::metadata(scene.own()).unwrap().permissions().mode() & 0o777, 0o600);
    }

    // As with another PIN: the file is left, and kept only once it has opened.
    fs::write(scene.own(), whole(6)).unwrap();
    let there = fs::metadata(scene.own()).unwrap().ino();
    assert!(!scene.puts_back().unwrap());
    assert_eq!(fs::metadata(scene.own()).unwrap().ino(), there, "put in its own place");
    scene.softhsm.keep_first().unwrap();
    assert_eq!(fs::read(scene.copy()).unwrap(), whole(5));
    scene.softhsm.keep().unwrap();
    assert_eq!(fs::read(scene.copy()).unwrap(), whole(6));

    // A copy that is not whole is no copy.
    fs::write(scene.copy(), vec![0; 320]).unwrap();
    fs::write(scene.own(), "").unwrap();
    assert!(!scene.puts_back().unwrap());
    assert_eq!(fs::read(scene.own()).unwrap(), b"");
    fs::write(scene.own(), whole(7)).unwrap();
    scene.softhsm.keep_first().unwrap();
    assert_eq!(fs::read(scene.copy()).unwrap(), whole(7));
}

#[test]
fn what_cannot_be_put_back_leaves_all_as_it_was() {
    let scene = Scene::new();
    fs::write(scene.own(), whole(5)).unwrap();
    scene.softhsm.keep().unwrap();
    fs::write(scene.own(), "cut").unwrap();
    // Whoever knew what is drawn could lie in its way, once.
    let drawn = base62::random::<DRAFT_LEN>(&mut rng()).map(char::from).iter().collect::<String>();
    let taken = scene.own().with_added_extension(drawn + DRAFT.1);
    fs::create_dir(&taken).unwrap();
    scene.puts_back().unwrap_err();
    assert_eq!(fs::read(scene.own()).unwrap(), b"cut");
    fs::remove_dir(&taken).unwrap();
    assert_eq!(scene.names(), ["token.object"]);
    assert!(scene.puts_back().unwrap());
    assert_eq!(fs::read(scene.own()).unwrap(), whole(5));
    assert_eq!(scene.names(), ["token.object"]);
}

#[test]
fn what_was_left_of_a_draft_is_taken_away_and_a_folder_of_such_a_name_is_in_nobodys_way() {
    let scene = Scene::new();
    fs::write(scene.own(), whole(5)).unwrap();
    scene.softhsm.keep().unwrap();
    let beside = |extension: &str| scene.own().with_added_extension(extension);
    for extension in ["0123456789ABCDEF.new", "0.new", "newer"] {
        fs::write(beside(extension), "half").unwrap();
    }
    for extension in ["new", "1.new"] {
        fs::create_dir(beside(extension)).unwrap();
        fs::write(beside(extension).join("full"), "").unwrap();
    }
    fs::write(scene.own(), "cut").unwrap();
    assert!(scene.puts_back().unwrap());
    assert_eq!(fs::read(scene.own()).unwrap(), whole(5));
    let mut names = scene.names();
    names.sort();
    assert_eq!(names, ["token.object", "token.object.1.new", "token.object.new", "token.object.newer"]);
}

#[test]
fn no_link_is_followed_and_nothing_else_is_taken_for_the_file() {
    let scene = Scene::new();
    fs::write(scene.own(), whole(5)).unwrap();
    scene.softhsm.keep().unwrap();
    let outside = scene.data.path().join("outside");
    let looks = |what: &str| {
        assert!(!scene.puts_back().unwrap(), "{what}");
        scene.softhsm.keep().unwrap();
        assert_eq!(fs::read(&outside).unwrap(), b"", "{what}");
        assert_eq!(fs::read(scene.copy()).unwrap(), whole(5), "{what}");
    };
    fs::write(&outside, "").unwrap();
    fs::remove_file(scene.own()).unwrap();
    symlink(&outside, scene.own()).unwrap();
    looks("a link");
    fs::remove_file(scene.own()).unwrap();
    fs::hard_link(&outside, scene.own()).unwrap();
    looks("a second name of another file");
    fs::remove_file(scene.own()).unwrap();
    fs::create_dir(scene.own()).unwrap();
    looks("a folder");
    fs::remove_dir(scene.own()).unwrap();
    let (folder, elsewhere) = (scene.own().parent().unwrap().to_owned(), scene.data.path().join("elsewhere"));
    fs::rename(&folder, &elsewhere).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    looks("a link to another folder");
    assert_eq!(read_dir(&elsewhere).unwrap().count(), 0);
    fs::remove_file(&folder).unwrap();
    fs::rename(&elsewhere, &folder).unwrap();
    symlink(&outside, scene.own().with_added_extension("0.new")).unwrap();
    assert!(scene.puts_back().unwrap());
    assert_eq!((fs::read(&outside).unwrap(), fs::read(scene.own()).unwrap()), (Vec::new(), whole(5)));
}

#[test]
fn what_is_put_back_belongs_to_whom_the_token_does() {
    if !geteuid().is_root() {
        println!("SKIPPED: only root puts back what is somebody else's");
        return;
    }
    let scene = Scene::new();
    fs::write(scene.own(), whole(5)).unwrap();
    scene.softhsm.keep().unwrap();
    let tokens = scene.data.path().join("softhsm/tokens");
    for path in [&tokens, &tokens.join("one"), &scene.own()] {
        lchown(path, Some(4711), Some(4712)).unwrap();
    }
    fs::write(scene.own(), "").unwrap();
    assert!(scene.puts_back().unwrap());
    let there = fs::metadata(scene.own()).unwrap();
    assert_eq!((there.uid(), there.gid(), there.permissions().mode() & 0o777), (4711, 4712, 0o600));
    assert_eq!(fs::metadata(scene.copy()).unwrap().uid(), 0);
    // A folder, or a file, of yet another user's among them is nobody's to mend.
    fs::write(scene.own(), "").unwrap();
    for path in [scene.own(), tokens.join("one")] {
        lchown(&path, Some(4713), Some(4713)).unwrap();
        assert!(!scene.puts_back().unwrap());
        lchown(&path, Some(4711), Some(4712)).unwrap();
    }
    assert!(scene.puts_back().unwrap());
}
