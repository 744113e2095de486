mod files;

use std::path::Path;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use nix::sys::prctl::get_dumpable;

use super::*;
use crate::seal::softhsm::{SoftHsm, find_module};
use crate::seal::stages::{self, create, module, rng, run, seal_with_pin};

/// The library without us in between, for a stage that uses nothing else.
fn bare_session() -> Session {
    let library = Pkcs11::new(find_module().unwrap()).unwrap();
    library.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)).unwrap();
    let slot = *library.get_slots_with_initialized_token().unwrap().first().unwrap();
    library.open_rw_session(slot).unwrap()
}

fn the_pin(data: &Path) -> AuthPin {
    AuthPin::from(std::fs::read_to_string(data.join("softhsm/pin")).unwrap())
}

fn our_key(session: &Session) -> ObjectHandle {
    *session.find_objects(&[Attribute::Label(KEY_LABEL.into())]).unwrap().first().unwrap()
}

fn hide(data: &Path) {
    std::fs::rename(data.join("softhsm/tokens"), data.join("hidden")).unwrap();
    std::fs::create_dir(data.join("softhsm/tokens")).unwrap();
}

fn bring_back(data: &Path) {
    std::fs::remove_dir(data.join("softhsm/tokens")).unwrap();
    std::fs::rename(data.join("hidden"), data.join("softhsm/tokens")).unwrap();
}

#[test]
fn a_key_wrapped_by_the_token_unwraps_in_its_own_context_only() {
    run(
        concat!(module_path!(), "::a_key_wrapped_by_the_token_unwraps_in_its_own_context_only"),
        &[
            create,
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                let wrapped = seal.wrap(b"row 1", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap();
                assert!(wrapped.len() == 1 + 12 + 32 + 16 && !wrapped.windows(4).any(|it| it == [5; 4]));
                assert_eq!(seal.unwrap(b"row 1", &wrapped).unwrap().expose(), [5; 32]);
                assert_eq!(seal.unwrap(b"row 2", &wrapped).unwrap_err(), SealError::AuthenticationFailed);
                for at in 0..wrapped.len() {
                    let mut changed = wrapped.clone();
                    changed[at] ^= 1;
                    assert!(seal.unwrap(b"row 1", &changed).unwrap_err().is_about_the_bytes(), "byte {at}");
                }
                assert_eq!(seal.unwrap(b"row 1", &wrapped).unwrap().expose(), [5; 32]);
                std::fs::write(data.join("wrapped"), wrapped).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                let wrapped = std::fs::read(data.join("wrapped")).unwrap();
                assert_eq!(seal.unwrap(b"row 1", &wrapped).unwrap().expose(), [5; 32], "after a restart");
            },
        ],
    );
}

#[test]
fn the_key_does_not_leave_the_token() {
    run(
        concat!(module_path!(), "::the_key_does_not_leave_the_token"),
        &[create, |data| {
            let session = bare_session();
            session.login(UserType::User, Some(&the_pin(data))).unwrap();
            let key = our_key(&session);
            let asked = [
                AttributeType::Extractable,
                AttributeType::NeverExtractable,
                AttributeType::Sensitive,
                AttributeType::AlwaysSensitive,
                AttributeType::Private,
                AttributeType::Value,
            ];
            assert_eq!(
                session.get_attributes(key, &asked).unwrap(),
                [
                    Attribute::Extractable(false),
                    Attribute::NeverExtractable(true),
                    Attribute::Sensitive(true),
                    Attribute::AlwaysSensitive(true),
                    Attribute::Private(true),
                ]
            );
        }],
    );
}

#[test]
fn keys_of_one_label_could_be_told_apart_by_their_ids() {
    run(
        concat!(module_path!(), "::keys_of_one_label_could_be_told_apart_by_their_ids"),
        &[
            create,
            |data| {
                SoftHsm::at(data).seal(&module(), &mut rng()).add_key(&mut rng()).unwrap();
            },
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                let keys = session.find_objects(&[Attribute::Class(ObjectClass::SECRET_KEY)]).unwrap();
                let mut ids = std::collections::BTreeSet::new();
                for key in &keys {
                    match session.get_attributes(*key, &[AttributeType::Id]).unwrap().pop() {
                        Some(Attribute::Id(id)) => assert!(id.len() == 16 && ids.insert(id)),
                        other => panic!("{other:?}"),
                    }
                }
                assert_eq!((keys.len(), ids.len()), (2, 2));
            },
        ],
    );
}

#[test]
fn a_key_that_could_leave_the_token_is_refused() {
    run(
        concat!(module_path!(), "::a_key_that_could_leave_the_token_is_refused"),
        &[
            create,
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                session.destroy_object(our_key(&session)).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                assert!(matches!(seal.probe(), Err(SealError::KeyMissing { .. })));
            },
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                let weak = [
                    Attribute::Class(ObjectClass::SECRET_KEY),
                    Attribute::KeyType(KeyType::AES),
                    Attribute::Label(KEY_LABEL.into()),
                    Attribute::ValueLen(32.into()),
                    Attribute::Token(true),
                    Attribute::Sensitive(true),
                    Attribute::Extractable(true),
                ];
                session.generate_key(&Mechanism::AesKeyGen, &weak).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                assert!(matches!(seal.probe(), Err(SealError::WeakKey { .. })));
                seal.create_key().unwrap();
            },
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                session.copy_object(our_key(&session), &[Attribute::Token(true)]).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                assert!(matches!(seal.probe(), Err(SealError::AmbiguousKey { count: 2, .. })));
            },
        ],
    );
}

#[test]
fn a_key_that_is_shorter_than_ours_is_refused() {
    run(
        concat!(module_path!(), "::a_key_that_is_shorter_than_ours_is_refused"),
        &[
            create,
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                session.destroy_object(our_key(&session)).unwrap();
                let short = [
                    Attribute::Class(ObjectClass::SECRET_KEY),
                    Attribute::KeyType(KeyType::AES),
                    Attribute::Label(KEY_LABEL.into()),
                    Attribute::ValueLen(16.into()),
                    Attribute::Token(true),
                    Attribute::Sensitive(true),
                    Attribute::Extractable(false),
                    Attribute::Encrypt(true),
                    Attribute::Decrypt(true),
                ];
                session.generate_key(&Mechanism::AesKeyGen, &short).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                let error = seal.probe().unwrap_err();
                assert!(matches!(error, SealError::WeakKey { .. }), "{error}");
                assert!(error.to_string().contains("AES-256"), "{error}");
                assert!(seal.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).is_err());
            },
        ],
    );
}

#[test]
fn a_refused_pin_is_tried_twice_and_never_again_over_restarts() {
    run(
        concat!(module_path!(), "::a_refused_pin_is_tried_twice_and_never_again_over_restarts"),
        &[
            create,
            |data| {
                let refused = seal_with_pin(data, &module(), "guessed").probe();
                assert_eq!(refused, Err(SealError::PinRefused("keywarden".into())));
            },
            |data| {
                let module = module();
                let seal = seal_with_pin(data, &module, "guessed");
                assert_eq!(seal.probe(), Err(SealError::PinRefused("keywarden".into())));
                assert!(matches!(seal.probe(), Err(SealError::PinWithheld { .. })));
                // Another PIN may be tried, and being right leaves the wrong one refused.
                let right = std::fs::read_to_string(data.join("softhsm/pin")).unwrap();
                seal_with_pin(data, &module, &right).probe().unwrap();
            },
            // Now the refused PIN becomes the right one: were it tried, the token would take it.
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                session.set_pin(&the_pin(data), &AuthPin::from("guessed".to_owned())).unwrap();
                session.logout().unwrap();
                let no = session.login(UserType::User, Some(&the_pin(data)));
                assert!(matches!(no, Err(Error::Pkcs11(RvError::PinIncorrect, _))));
                session.login(UserType::User, Some(&AuthPin::from("guessed".to_owned()))).unwrap();
            },
            |data| {
                let before = std::fs::read(data.join("softhsm/pin-attempts")).unwrap();
                let module = module();
                let seal = seal_with_pin(data, &module, "guessed");
                for _ in 0..3 {
                    let error = seal.probe().unwrap_err();
                    assert!(matches!(error, SealError::PinWithheld { .. }), "{error}");
                    assert!(
                        error.to_string().contains("pin-attempts") && !error.to_string().contains("guessed")
                    );
                }
                assert_eq!(std::fs::read(data.join("softhsm/pin-attempts")).unwrap(), before);
                // What the message says helps.
                std::fs::remove_file(data.join("softhsm/pin-attempts")).unwrap();
                seal.probe().unwrap();
                assert_eq!(std::fs::read_to_string(data.join("softhsm/pin-attempts")).unwrap(), "");
            },
        ],
    );
}

#[test]
fn a_corrected_pin_file_is_taken_without_a_restart() {
    run(
        concat!(module_path!(), "::a_corrected_pin_file_is_taken_without_a_restart"),
        &[create, |data| {
            let path = data.join("softhsm/pin");
            let right = std::fs::read_to_string(&path).unwrap();
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            std::fs::write(&path, "wrong").unwrap();
            assert!(matches!(seal.probe(), Err(SealError::PinRefused(_))));
            std::fs::write(&path, "\n").unwrap();
            assert!(matches!(seal.probe(), Err(SealError::PinMissing { .. })));
            std::fs::write(&path, right + "\n").unwrap();
            seal.probe().unwrap();
        }],
    );
}

#[test]
fn a_token_that_goes_is_missed_and_one_that_comes_back_is_used_again() {
    run(
        concat!(module_path!(), "::a_token_that_goes_is_missed_and_one_that_comes_back_is_used_again"),
        &[create, |data| {
            // Started without it.
            hide(data);
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            assert_eq!(seal.probe(), Err(SealError::TokenMissing("keywarden".into())));
            bring_back(data);
            seal.probe().unwrap();
            let wrapped = seal.wrap(b"", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap();
            for unwrap_first in [true, false, true] {
                // Lost while running: the next question notices, whatever it is, and blames no bytes.
                hide(data);
                let unwrap = || seal.unwrap(b"", &wrapped).map(drop);
                let first = if unwrap_first { unwrap() } else { seal.probe() };
                for outcome in [first, unwrap(), seal.probe()] {
                    let error = outcome.unwrap_err();
                    assert!(!error.is_about_the_bytes(), "{error}");
                }
                bring_back(data);
                assert_eq!(seal.unwrap(b"", &wrapped).unwrap().expose(), [5; 32]);
                seal.probe().unwrap();
            }
        }],
    );
}

#[test]
fn another_token_of_the_same_name_is_told_from_the_one_before() {
    run(
        concat!(module_path!(), "::another_token_of_the_same_name_is_told_from_the_one_before"),
        &[create, |data| {
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            let wrapped = seal.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap();
            hide(data);
            create(data); // with the same PIN, too
            for _ in 0..2 {
                assert_eq!(seal.probe(), Err(SealError::KeyReplaced("keywarden".into())));
            }
            let refused = seal.unwrap(b"row", &wrapped).unwrap_err();
            assert_eq!(refused, SealError::KeyReplaced("keywarden".into()));
            std::fs::remove_dir_all(data.join("softhsm/tokens")).unwrap();
            std::fs::rename(data.join("hidden"), data.join("softhsm/tokens")).unwrap();
            seal.probe().unwrap();
            assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
        }],
    );
}

#[test]
fn two_owners_of_a_library_do_not_meet() {
    run(
        concat!(module_path!(), "::two_owners_of_a_library_do_not_meet"),
        &[create, |data| {
            let [first, second] = [module(), module()].map(|it| SoftHsm::at(data).seal(&it, &mut rng()));
            let wrapped = first.wrap(b"row", &SecretBytes::new(vec![5; 32]), &mut rng()).unwrap();
            assert_eq!(second.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
            drop(first);
            second.probe().unwrap();
        }],
    );
}

#[test]
fn memory_that_is_kept_private_is_not_dumped() {
    run(
        concat!(module_path!(), "::memory_that_is_kept_private_is_not_dumped"),
        &[|_| {
            assert!(get_dumpable().unwrap());
            keep_memory_private().unwrap();
            assert!(!get_dumpable().unwrap());
        }],
    );
}

#[test]
fn a_process_that_cannot_be_whom_it_shall_be_loads_nothing_and_says_so() {
    run(
        concat!(module_path!(), "::a_process_that_cannot_be_whom_it_shall_be_loads_nothing_and_says_so"),
        &[|data| {
            let nowhere = stages::launch().in_folder(data.join("nowhere"));
            let refused = nowhere.trial().unwrap_err();
            assert!(refused.contains("cannot enter"), "{refused}");
            let module = Module::load(find_module().unwrap(), nowhere).unwrap();
            let seal = SoftHsm::at(data).seal(&module, &mut rng());
            for _ in 0..2 {
                let error = seal.probe().unwrap_err();
                assert!(
                    matches!(&error, SealError::Module { cause, .. } if cause.contains("cannot enter")),
                    "{error}"
                );
            }
            assert_eq!(stages::launch().in_folder(data).trial(), Ok(()));
            if User::current().is_root() {
                assert_eq!(stages::launch().as_user(User::nobody()).trial(), Ok(()));
                // With his groups; whom this machine does not know by name has none.
                for user in [User::nobody(), User { user: 4711, group: 4712 }] {
                    assert_eq!(stages::launch().as_service_of(user).trial(), Ok(()));
                }
            } else {
                let refused = stages::launch().as_user(User::ROOT).trial().unwrap_err();
                assert!(refused.contains("cannot become user 0:0"), "{refused}");
            }
        }],
    );
}

#[test]
fn many_threads_may_ask_at_once() {
    run(
        concat!(module_path!(), "::many_threads_may_ask_at_once"),
        &[create, |data| {
            let seal = SoftHsm::at(data).seal(&module(), &mut rng());
            std::thread::scope(|scope| {
                for at in 0..8 {
                    let seal = &seal;
                    scope.spawn(move || {
                        for _ in 0..50 {
                            let wrapped =
                                seal.wrap(&[at], &SecretBytes::new(vec![at; 32]), &mut rng()).unwrap();
                            assert_eq!(seal.unwrap(&[at], &wrapped).unwrap().expose(), [at; 32]);
                        }
                    });
                }
            });
        }],
    );
}

#[test]
fn a_second_key_wraps_the_first_unwraps_until_it_is_destroyed_and_both_outlive_a_restart() {
    run(
        concat!(
            module_path!(),
            "::a_second_key_wraps_the_first_unwraps_until_it_is_destroyed_and_both_outlive_a_restart"
        ),
        &[
            create,
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                let key = SecretBytes::new(vec![5; 32]);
                assert_eq!(seal.keys().unwrap(), [1]);
                std::fs::write(data.join("first"), seal.wrap(b"row", &key, &mut rng()).unwrap()).unwrap();
                assert_eq!(seal.add_key(&mut rng()).unwrap(), 2);
                let second = seal.wrap(b"row", &key, &mut rng()).unwrap();
                assert_eq!(super::super::wrapped_by(&second), Some(2));
                std::fs::write(data.join("second"), second).unwrap();
            },
            |data| {
                let seal = SoftHsm::at(data).seal(&module(), &mut rng());
                let read = |name| std::fs::read(data.join(name)).unwrap();
                for wrapped in [read("first"), read("second")] {
                    assert_eq!(seal.unwrap(b"row", &wrapped).unwrap().expose(), [5; 32]);
                }
                // Under the number of the other key neither opens.
                let mut moved = read("second");
                moved[4] = 1;
                assert_eq!(seal.unwrap(b"row", &moved).unwrap_err(), SealError::AuthenticationFailed);
                assert!(matches!(seal.destroy_key(2), Err(SealError::KeyInUse { number: 2, .. })));
                seal.destroy_key(1).unwrap();
                seal.destroy_key(1).unwrap();
                seal.probe().unwrap();
                let gone = seal.unwrap(b"row", &read("first")).unwrap_err();
                assert!(matches!(gone, SealError::KeyGone { number: 1, .. }) && gone.is_about_the_bytes());
                assert_eq!(seal.unwrap(b"row", &read("second")).unwrap().expose(), [5; 32]);
            },
            |data| {
                let session = bare_session();
                session.login(UserType::User, Some(&the_pin(data))).unwrap();
                let ours =
                    |label: &str| session.find_objects(&[Attribute::Label(label.into())]).unwrap().len();
                assert_eq!((ours(KEY_LABEL), ours("keywarden-kek-2")), (0, 1));
            },
        ],
    );
}
