//! What becomes of a key whose own file is lost or changed, in SoftHSM2's folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::super::*;
use crate::seal::softhsm::SoftHsm;
use crate::seal::stages::{create, module, rng, run};
use crate::seal::wrapped_by;

/// Loses a file that is so long.
type Loss = fn(&Path, usize);

/// The files of a token's keys.
fn key_files(data: &Path) -> BTreeSet<PathBuf> {
    let token = fs::read_dir(data.join("softhsm/tokens")).unwrap().next().unwrap().unwrap().path();
    let files = fs::read_dir(token).unwrap().map(|it| it.unwrap().path());
    let is_key =
        |path: &PathBuf| path.extension().is_some_and(|it| it == "object") && !path.ends_with("token.object");
    files.filter(is_key).collect()
}

/// Changes one bit of the key itself, which SoftHSM2 has encrypted and not authenticated: it is another key then.
fn changes_the_key(file: &Path) {
    let mut bytes = fs::read(file).unwrap();
    let value = [0x11_u64, 3].map(u64::to_be_bytes).concat(); // CKA_VALUE, bytes
    let at = bytes.windows(value.len()).position(|it| it == value).unwrap();
    bytes[at + value.len() + 8 + 20] ^= 1;
    fs::write(file, bytes).unwrap();
}

#[test]
fn a_key_whose_file_is_lost_is_missed_and_not_made_again_and_opens_once_the_file_is_back() {
    run(
        concat!(
            module_path!(),
            "::a_key_whose_file_is_lost_is_missed_and_not_made_again_and_opens_once_the_file_is_back"
        ),
        &[create, |data| {
            let wrapped = {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                seal.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap()
            };
            let before = key_files(data);
            let file = before.first().unwrap();
            let whole = fs::read(file).unwrap();
            let loses: [(&str, Loss); 4] = [
                ("deleted", |file, _| fs::remove_file(file).unwrap()),
                ("empty", |file, _| fs::write(file, "").unwrap()),
                ("zeros", |file, length| fs::write(file, vec![0; length]).unwrap()),
                ("cut in half", |file, length| {
                    fs::File::options().write(true).open(file).unwrap().set_len(length as u64 / 2).unwrap();
                }),
            ];
            for (what, lose) in loses {
                lose(file, whole.len());
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                for outcome in [seal.unwrap(b"row", &wrapped).map(drop), seal.probe()] {
                    let error = outcome.unwrap_err();
                    assert!(matches!(error, SealError::KeyMissing { .. }), "{what}: {error}");
                    assert!(error.to_string().contains("bring it back"), "{what}: {error}");
                }
                assert!(seal.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).is_err(), "{what}");
                assert!(key_files(data).is_subset(&before), "{what}: another key was made");
                fs::write(file, &whole).unwrap();
                assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32], "{what}");
                seal.probe().unwrap();
            }
        }],
    );
}

#[test]
fn a_key_that_was_changed_on_the_disk_opens_nothing_and_the_right_one_is_taken_once_it_is_back() {
    run(
        concat!(
            module_path!(),
            "::a_key_that_was_changed_on_the_disk_opens_nothing_and_the_right_one_is_taken_once_it_is_back"
        ),
        &[create, |data| {
            let wrapped = {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                seal.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap()
            };
            let file = key_files(data).pop_first().unwrap();
            let whole = fs::read(&file).unwrap();
            changes_the_key(&file);
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            for _ in 0..2 {
                let error = seal.unwrap(b"row", &wrapped).unwrap_err();
                assert_eq!(error, SealError::AuthenticationFailed);
                assert!(error.to_string().contains("bring back"), "{error}");
            }
            fs::write(&file, whole).unwrap();
            assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
            seal.probe().unwrap();
        }],
    );
}

#[test]
fn an_older_key_opens_what_it_wrapped_while_a_newer_one_that_wrapped_nothing_is_lost() {
    run(
        concat!(
            module_path!(),
            "::an_older_key_opens_what_it_wrapped_while_a_newer_one_that_wrapped_nothing_is_lost"
        ),
        &[create, |data| {
            let older = key_files(data);
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            let key = SecretBytes::new(vec![5; 32]);
            let wrapped = seal.wrap(b"row", &key, &mut rng()).unwrap();
            // The half of a rotation that did not come to its end.
            assert_eq!(seal.add_key(&mut rng()).unwrap(), 2);
            seal.probe().unwrap();
            let all = key_files(data);
            let newest = all.difference(&older).next().unwrap();
            let whole = fs::read(newest).unwrap();
            fs::remove_file(newest).unwrap();
            let gone = SealError::KeyGone { seal: "keywarden".into(), number: 2 };
            let mut changed = wrapped.clone();
            *changed.last_mut().unwrap() ^= 1;
            for _ in 0..2 {
                assert_eq!(seal.probe(), Err(gone.clone()));
                assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
                assert_eq!(seal.keys().unwrap(), [1]);
                // Nothing that goes wrong makes the older one the newest.
                assert_eq!(seal.unwrap(b"row", &changed).unwrap_err(), SealError::AuthenticationFailed);
                assert_eq!(seal.wrap(b"row", &key, &mut rng()), Err(gone.clone()));
                assert_eq!(seal.add_key(&mut rng()), Err(gone.clone()));
                assert!(matches!(seal.destroy_key(1), Err(SealError::KeyInUse { number: 1, .. })));
            }
            assert_eq!(key_files(data), older);
            // Put back while the token is open without it.
            assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
            fs::write(newest, whole).unwrap();
            seal.probe().unwrap();
            let by_newest = seal.wrap(b"row", &key, &mut rng()).unwrap();
            assert_eq!(wrapped_by(&by_newest), Some(2));
            for wrapped in [wrapped, by_newest] {
                assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
            }
        }],
    );
}

#[test]
fn a_newest_key_that_goes_while_its_token_is_open_is_missed_by_the_next_wrap() {
    run(
        concat!(
            module_path!(),
            "::a_newest_key_that_goes_while_its_token_is_open_is_missed_by_the_next_wrap"
        ),
        &[create, |data| {
            let older = key_files(data);
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            let key = SecretBytes::new(vec![5; 32]);
            assert_eq!(seal.add_key(&mut rng()).unwrap(), 2);
            seal.wrap(b"row", &key, &mut rng()).unwrap();
            fs::remove_file(key_files(data).difference(&older).next().unwrap()).unwrap();
            let gone = SealError::KeyGone { seal: "keywarden".into(), number: 2 };
            assert_eq!(seal.wrap(b"row", &key, &mut rng()), Err(gone));
        }],
    );
}

#[test]
fn an_older_key_does_not_stand_in_for_the_newest_one_that_is_lost() {
    run(
        concat!(module_path!(), "::an_older_key_does_not_stand_in_for_the_newest_one_that_is_lost"),
        &[create, |data| {
            let older = key_files(data);
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            assert_eq!(seal.add_key(&mut rng()).unwrap(), 2);
            let key = SecretBytes::new(vec![5; 32]);
            let wrapped = seal.wrap(b"row", &key, &mut rng()).unwrap();
            let all = key_files(data);
            let newest = all.difference(&older).next().unwrap();
            let whole = fs::read(newest).unwrap();
            fs::remove_file(newest).unwrap();
            for _ in 0..2 {
                let gone = SealError::KeyGone { seal: "keywarden".into(), number: 2 };
                assert_eq!(seal.probe(), Err(gone.clone()));
                assert_eq!(seal.wrap(b"row", &key, &mut rng()), Err(gone.clone()));
                assert_eq!(seal.unwrap(b"row", &wrapped).unwrap_err(), gone);
                assert!(seal.add_key(&mut rng()).is_err(), "another one of that number");
            }
            assert_eq!(key_files(data), older);
            fs::write(newest, whole).unwrap();
            seal.probe().unwrap();
            assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
            assert_eq!(seal.add_key(&mut rng()).unwrap(), 3);
        }],
    );
}
