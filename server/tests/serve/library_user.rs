//! Whom PKCS#11 libraries run as where root starts the server: nobody, and never root unsaid.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        fs::{MetadataExt as _, PermissionsExt as _, lchown},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use keywarden_vault::seal::{pkcs11::User, softhsm::find_module};

use crate::house::{Server, keywarden, printed, told};
use crate::hsm::libraries;

const AS_ROOT: [(&str, &str); 1] = [("KEYWARDEN_PKCS11_USER", "root")];

/// Whether this can be tried here: a loud skip where the tests are not root's.
fn is_root() -> bool {
    let is_root = User::current().is_root();
    if !is_root {
        println!("SKIPPED: only root becomes somebody else");
    }
    is_root
}

/// The one process that a server has a library in.
fn library(server: &Server) -> i32 {
    let [library] = libraries(server)[..] else { panic!("not one process: {:?}", libraries(server)) };
    library
}

/// What the kernel says of a process.
fn status(process: i32, field: &str) -> Vec<String> {
    let all = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let named = format!("{field}:");
    let line = all.lines().find_map(|line| line.strip_prefix(&named)).unwrap();
    line.split_whitespace().map(ToOwned::to_owned).collect()
}

/// Real, effective, saved, and the file system's.
fn four(number: u32) -> Vec<String> {
    vec![number.to_string(); 4]
}

/// Whose a folder and all in it are.
fn owners(path: &Path) -> BTreeSet<u32> {
    let mut all = BTreeSet::from([fs::symlink_metadata(path).unwrap().uid()]);
    if path.is_dir() {
        all.extend(fs::read_dir(path).unwrap().flat_map(|it| owners(&it.unwrap().path())));
    }
    all
}

/// The binary as a shell starts it that does something first.
fn behind(shell: &str, folder: &Path, arguments: &[&str]) -> Command {
    let plain = keywarden(folder, arguments);
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec {shell} \"$0\" \"$@\""));
    command.arg(plain.get_program()).args(plain.get_args()).current_dir(folder).env_clear();
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command
}

fn doctor(folder: &Path, variables: &[(&str, &str)]) -> String {
    let output = keywarden(folder, &["doctor"]).envs(variables.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn the_library_of_the_embedded_token_is_nobodys_and_has_its_socket_alone() {
    if !is_root() {
        return;
    }
    let nobody = User::nobody();
    let folder = tempfile::tempdir().unwrap();
    let softhsm = folder.path().canonicalize().unwrap().join("data/softhsm");
    for _start in 0..2 {
        // What is left open for it is not for its libraries.
        let mut command = behind("9</etc/passwd", folder.path(), &["serve"]);
        command.env("HOME", "/root").env("PGPASSWORD", "of a database").env("KEYWARDEN_SEAL_GRACE", "5m");
        let server = Server::start_as(command);
        server.becomes("\"ready\"");
        let library = library(&server);
        assert_eq!(status(library, "Uid"), four(nobody.user));
        assert_eq!(status(library, "Gid"), four(nobody.group));
        assert!(status(library, "Groups").is_empty(), "{:?}", status(library, "Groups"));
        for capabilities in ["CapPrm", "CapEff", "CapAmb"] {
            assert_eq!(status(library, capabilities), ["0000000000000000"], "{capabilities}");
        }
        assert_eq!(status(library, "NoNewPrivs"), ["1"]);
        // What tells of a process that others of its user may look into is that user's.
        assert_eq!(fs::metadata(format!("/proc/{library}/environ")).unwrap().uid(), 0);
        let stat = fs::read_to_string(format!("/proc/{library}/stat")).unwrap();
        let session = stat.rsplit(") ").next().unwrap().split(' ').nth(3).unwrap();
        assert_eq!(session, library.to_string(), "it sits at root's terminal: {stat}");

        let environment = fs::read(format!("/proc/{library}/environ")).unwrap();
        let environment = String::from_utf8_lossy(&environment).into_owned();
        for ours in ["KEYWARDEN_", "PGPASSWORD", "/root"] {
            assert!(!environment.contains(ours), "{environment}");
        }
        assert!(environment.contains("SOFTHSM2_CONF=library.conf"), "{environment}");
        let left_open = fs::read_link(format!("/proc/{}/fd/9", server.child.id())).unwrap();
        assert_eq!(left_open, Path::new("/etc/passwd"));
        let complaints = fs::read_link(format!("/proc/{}/fd/2", server.child.id())).unwrap();
        let files = fs::read_dir(format!("/proc/{library}/fd")).unwrap();
        let files: BTreeSet<_> = files
            .filter_map(|it| fs::read_link(it.unwrap().path()).ok())
            .filter(|it| *it != complaints && !it.starts_with(softhsm.join("tokens")))
            .map(|it| it.to_string_lossy().into_owned())
            .collect();
        let sockets = files.iter().filter(|it| it.starts_with("socket:")).count();
        let rest: Vec<_> = files.iter().filter(|it| !it.starts_with("socket:")).collect();
        assert!(sockets == 1 && rest == ["/dev/null"], "{files:?}");

        assert_eq!(owners(&softhsm.join("tokens")), BTreeSet::from([nobody.user]));
        for ours in ["", "pin", "so-pin", "softhsm2.conf"] {
            assert_eq!(fs::metadata(softhsm.join(ours)).unwrap().uid(), 0, "{ours}");
        }
        assert_eq!(fs::metadata(softhsm.join("pin")).unwrap().permissions().mode() & 0o777, 0o600);
        let said = server.stop();
        assert!(said.iter().any(|line| line.contains("libraries run as another user")), "{said:?}");
    }
    assert!(printed(folder.path(), &[], &["fsck"]).contains("clean"));
    let said = doctor(folder.path(), &[]);
    assert!(said.contains(&format!("PKCS#11 libraries run as user {nobody}")), "{said}");
    // Whoever cannot read it finds nothing, and the library does not say why.
    for token in fs::read_dir(softhsm.join("tokens")).unwrap() {
        fs::remove_dir_all(token.unwrap().path()).unwrap();
    }
    let said = doctor(folder.path(), &[]);
    assert!(said.contains(&format!("(libraries run as user {nobody}: may it read")), "{said}");
    assert!(!doctor(folder.path(), &AS_ROOT).contains("may it read"));
}

#[test]
fn a_token_that_root_used_is_handed_over_at_the_next_start_and_back() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("data/softhsm/tokens");
    let nobody = User::nobody().user;
    for (variables, user) in [(&AS_ROOT[..], 0), (&[], nobody), (&AS_ROOT, 0), (&[], nobody)] {
        let server = Server::start_with(folder.path(), variables);
        server.becomes("\"ready\"");
        assert_eq!(status(library(&server), "Uid"), four(user));
        assert_eq!(owners(&tokens), BTreeSet::from([user]));
        let beside = doctor(folder.path(), variables);
        assert!(beside.contains("softhsm:keywarden answers"), "{beside}");
        assert_eq!(
            beside.contains("libraries run as root: KEYWARDEN_PKCS11_USER says so"),
            user == 0,
            "{beside}"
        );
        let said = server.stop();
        assert_eq!(said.iter().any(|line| line.contains("libraries run as root")), user == 0, "{said:?}");
    }
}

#[test]
fn a_token_that_is_somebody_elses_is_not_taken() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tokens = folder.path().join("data/softhsm/tokens");
    let server = Server::start_with(folder.path(), &[("KEYWARDEN_PKCS11_USER", "4711:4712")]);
    server.becomes("\"ready\"");
    let process = library(&server);
    assert_eq!((status(process, "Uid"), status(process, "Gid")), (four(4711), four(4712)));
    server.stop();
    // Who was told whom to be, does not begin as somebody else; who was not, is root and says why.
    let refused = keywarden(folder.path(), &["serve"]).env("KEYWARDEN_PKCS11_USER", "4713").output().unwrap();
    assert!(
        !refused.status.success() && told(&refused).contains("belongs to user 4711"),
        "{}",
        told(&refused)
    );
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    assert_eq!(status(library(&server), "Uid"), four(0));
    assert_eq!(fs::metadata(&tokens).unwrap().uid(), 4711);
    let said = server.stop();
    assert!(said.iter().any(|line| line.contains("run as root") && line.contains("4711")), "{said:?}");
}

/// Gives a folder and all in it to a user.
fn give(path: &Path, user: u32) {
    lchown(path, Some(user), Some(user)).unwrap();
    if fs::symlink_metadata(path).unwrap().is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path(), user);
        }
    }
}

#[test]
fn root_who_looks_after_somebodys_server_is_given_no_advice_for_his_own() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &AS_ROOT);
    server.becomes("\"ready\"");
    server.stop();
    // As the service's user left it, who never was root.
    let data = folder.path().join("data");
    give(&data, 4711);
    for variables in [&[][..], &[("KEYWARDEN_PKCS11_USER", "4711")]] {
        let said = doctor(folder.path(), variables);
        assert!(said.contains("softhsm:keywarden answers"), "{said}");
        assert!(!said.contains("PKCS#11 libraries run as"), "{said}");
    }
    assert_eq!(fs::metadata(data.join("softhsm/tokens")).unwrap().uid(), 4711);
}

#[test]
fn a_vendors_token_that_is_the_servers_users_alone_answers_root_who_looks_after_it() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let maker = folder.path().join("maker");
    fs::create_dir(&maker).unwrap();
    let server = Server::start_with(&maker, &AS_ROOT);
    server.becomes("\"ready\"");
    server.stop();
    // A house of another user, and a token that nobody but he reads.
    let (data, softhsm) = (folder.path().join("data"), maker.join("data/softhsm"));
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    give(&data, 4711);
    give(&softhsm, 4711);
    for path in [folder.path(), &maker, &maker.join("data")] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o711)).unwrap();
    }
    let (module, pin, conf) = (find_module().unwrap(), softhsm.join("pin"), softhsm.join("softhsm2.conf"));
    let variables = [
        ("KEYWARDEN_SEAL", "pkcs11"),
        ("KEYWARDEN_PKCS11_MODULE", module.to_str().unwrap()),
        ("KEYWARDEN_PKCS11_TOKEN", "keywarden"),
        ("KEYWARDEN_PKCS11_PIN_FILE", pin.to_str().unwrap()),
        ("SOFTHSM2_CONF", conf.to_str().unwrap()),
    ];
    let said = doctor(folder.path(), &variables);
    assert!(said.contains("pkcs11:keywarden answers"), "{said}");
    assert!(!said.contains("libraries run as"), "{said}");
    assert_eq!(owners(&data), BTreeSet::from([4711]), "what root left there is not the server's");
    // As nobody, whom a server of root's would take, it is not to be had; nor is it where it is not that user's.
    let others = [&variables[..], &[("KEYWARDEN_PKCS11_USER", "nobody")]].concat();
    let said = doctor(folder.path(), &others);
    assert!(!said.contains("keywarden answers") && said.contains("may it read the library"), "{said}");
    give(&softhsm, 0);
    let said = doctor(folder.path(), &variables);
    assert!(said.contains("(asked as user 4711:4711, whose the data folder is"), "{said}");
}

#[test]
fn a_root_that_may_become_nobody_else_goes_on_as_root_and_says_so_unless_it_was_told_whom_to_be() {
    if !is_root() {
        return;
    }
    // As a container without the capability starts it.
    let bound = |folder: &Path, arguments: &[&str]| {
        behind("setpriv --bounding-set=-setuid --inh-caps=-setuid", folder, arguments)
    };
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_as(bound(folder.path(), &["serve"]));
    server.becomes("\"ready\"");
    assert_eq!(status(library(&server), "Uid"), four(0));
    let beside = bound(folder.path(), &["doctor"]).output().unwrap();
    let beside = String::from_utf8_lossy(&beside.stdout).into_owned();
    assert!(beside.contains("libraries run as root: cannot become user"), "{beside}");
    assert!(beside.contains("KEYWARDEN_PKCS11_USER"), "{beside}");
    let said = server.stop();
    assert!(
        said.iter().any(|line| line.contains("run as root") && line.contains("cannot become user")),
        "{said:?}"
    );

    let mut told_whom = bound(folder.path(), &["serve"]);
    told_whom.env("KEYWARDEN_PKCS11_USER", "nobody");
    let server = Server::start_as(told_whom);
    let answer = server.becomes("does not load");
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    server.stop();
    let server = Server::start(folder.path());
    server.becomes("\"ready\"");
    server.stop();
}

#[test]
fn a_root_that_may_not_end_what_is_nobodys_goes_on_as_root_and_says_so() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let server =
        Server::start_as(behind("setpriv --bounding-set=-kill --inh-caps=-kill", folder.path(), &["serve"]));
    server.becomes("\"ready\"");
    assert_eq!(status(library(&server), "Uid"), four(0));
    let said = server.stop();
    assert!(
        said.iter().any(|line| line.contains("run as root") && line.contains("could not be ended")),
        "{said:?}"
    );
}

#[test]
fn the_library_of_a_seal_that_is_added_to_a_key_file_is_roots_where_it_must_be_and_that_is_said() {
    if !is_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let maker = folder.path().join("maker");
    fs::create_dir(&maker).unwrap();
    let server = Server::start(&maker);
    server.becomes("\"ready\"");
    server.stop();
    let softhsm = maker.join("data/softhsm");
    let mut command = behind("setpriv --bounding-set=-setuid --inh-caps=-setuid", folder.path(), &["serve"]);
    command.env("KEYWARDEN_SEAL", "software").env("SOFTHSM2_CONF", softhsm.join("softhsm2.conf"));
    let server = Server::start_as(command);
    server.becomes("\"ready\"");
    let (module, pin) = (find_module().unwrap(), softhsm.join("pin"));
    let add = ["seal", "add", "pkcs11", "--token", "keywarden"];
    let files = ["--module", module.to_str().unwrap(), "--pin-file", pin.to_str().unwrap()];
    printed(folder.path(), &[("KEYWARDEN_SEAL", "software")], &[&add[..], &files].concat());
    assert_eq!(status(library(&server), "Uid"), four(0));
    let said = server.stop();
    assert!(
        said.iter().any(|line| line.contains("run as root") && line.contains("cannot become user")),
        "{said:?}"
    );
}

#[test]
fn the_memory_of_a_server_is_nobodys_to_look_into() {
    if !is_root() {
        return;
    }
    let group = User::nobody().group;
    let folder = tempfile::tempdir().unwrap();
    let mut command = keywarden(folder.path(), &["serve"]);
    command.gid(group);
    let server = Server::start_as(command);
    let mut other = Command::new("/bin/sleep").arg("60").gid(group).spawn().unwrap();
    // Of a process that may be dumped this is its own group's; else it is root's.
    let of = |process: u32| fs::metadata(format!("/proc/{process}/environ")).unwrap().gid();
    let groups = (of(other.id()), of(server.child.id()));
    other.kill().unwrap();
    other.wait().unwrap();
    assert_eq!(groups, (group, 0));
    server.stop();
}
