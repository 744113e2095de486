//! Templates by the client: put, read in both ways, and what programs and files get.

use crate::client::Stage;
use crate::house::told;

#[test]
fn a_template_goes_in_as_it_is_written_and_comes_out_resolved_unless_it_is_asked_for_raw() {
    let stage = Stage::new();
    let text = b"postgres://app:${pay/live/database/password}@db/$${x}";
    assert!(stage.put("pay/live/database/password", b"hunter2").status.success());
    let made = stage.put_with("pay/live/url", text, &["--template"]);
    assert!(made.status.success(), "{}", told(&made));
    let resolved = b"postgres://app:hunter2@db/${x}";
    assert_eq!(stage.done(&["secret", "get", "pay/live/url"]), resolved);
    assert_eq!(stage.done(&["secret", "get", "pay/live/url", "--raw"]), text);
    assert_eq!(stage.done(&["secret", "get", "pay/live/url", "--version", "1"]), resolved);
    let versions = String::from_utf8(stage.done(&["secret", "versions", "pay/live/url"])).unwrap();
    assert!(versions.ends_with("current, (template)\n"), "{versions}");
    let run = ["run", "-p", "pay", "-e", "live", "--only", "URL", "--", "sh", "-c", "printf %s \"$URL\""];
    assert_eq!(stage.done(&run), resolved);
    let export = ["export", "-p", "pay", "-e", "live", "--only", "URL"];
    assert_eq!(stage.done(&export), b"URL='postgres://app:hunter2@db/${x}'\n");

    let wrong = stage.put_with("pay/live/url", b"${HOME}", &["--template"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert!(told(&wrong).contains("line 1, character 1"), "{}", told(&wrong));
    assert!(stage.put("pay/live/url", b"${HOME}").status.success());
    assert_eq!(stage.done(&["secret", "get", "pay/live/url"]), b"${HOME}", "no template, no references");
    assert!(stage.put_with("pay/live/url", b"${pay/live/gone}", &["--template"]).status.success());
    let gone = stage.command(&["secret", "get", "pay/live/url"]).output().unwrap();
    assert_eq!((gone.status.code(), gone.stdout.len()), (Some(1), 0));
    assert!(told(&gone).contains("pay/live/gone"), "{}", told(&gone));
    stage.server.stop();
}
