//! What browsers send, changed by chance (S-28).

use keywarden_garble::{bytes, some, texts};

use super::upload::{base_name, read_upload};
use super::values::parse_moment;
use super::{Fields, Params, moment_value};
use crate::shell::back_path;

#[test]
fn forms() {
    let form = b"name=Checkout&scopes[]=a&scopes[]=b&value=two%0D%0Alines&idempotency_key=0123456789abcdef&x=%F0%9F%94%91";
    bytes(&[form], |input| match Fields::parse(input) {
        Ok(fields) => {
            assert!(!fields.raw("value").contains('\r') || !fields.raw("value").contains("\r\n"));
            assert!(fields.text("name").len() <= fields.raw("name").len());
        }
        Err(error) => assert!(error.status().is_client_error() && !error.to_string().is_empty()),
    });
}

#[test]
fn files() {
    let part = |name: &str, value: &str| {
        format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let file = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a/b.env\"\r\nContent-Type: text/plain\r\n\r\nURL=x\r\n";
    let body = format!("{}{file}{}--X--\r\n", part("folder", "shop"), part("paste", ""));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    some(2, &[body], |input| match runtime.block_on(read_upload(input)) {
        Ok(upload) => assert!(upload.file.is_none_or(|it| it.name.chars().count() <= 120)),
        Err(error) => assert!(error.status().is_client_error()),
    });
    texts(&["C:\\shop\\.env", "../../etc/passwd", "a\u{0}b"], |text| {
        let name = base_name(text);
        assert!(!name.contains(['/', '\\']) && !name.chars().any(char::is_control), "{text:?}");
    });
}

#[test]
fn queries() {
    texts(&["q=a%26b&state=active&after=key_1&empty=&q=other"], |text| {
        let params = Params::parse(text);
        let address = params.after("/keys", "x");
        // What links carry on is what was read.
        let again = Params::parse(address.strip_prefix("/keys?").unwrap());
        assert_eq!(again.without("/", "after"), params.without("/", "after"), "{text:?}");
    });
}

#[test]
fn moments_and_ways_back() {
    texts(&["2027-02-24T02:00", "2027-02-24 02:00:59", "9999-12-31T23:59"], |text| {
        let Some(at) = parse_moment(text) else { return };
        let shown = parse_moment(&moment_value(at));
        assert!(shown.is_none_or(|shown| (at - shown).num_seconds() < 60), "{text:?}");
    });
    texts(&["/keys?state=active", "//evil.example", "/\\evil.example"], |text| {
        let base = url::Url::parse("https://keys.example.com").unwrap();
        let led = base.join(back_path(text)).unwrap();
        assert_eq!(led.origin(), base.origin(), "{text:?}");
    });
}
