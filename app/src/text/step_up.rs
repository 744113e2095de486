//! Words of every passkey ceremony, and of stepping up.

use super::texts;

texts! {
    passkey_cancelled = "Nothing was signed: the browser's window was closed, or it took too long. Try again.";
    passkey_too_many(most: usize) = "You have {most} passkeys already. Remove one that you do not use, then add this one.";
    passkey_registered = "This device or security key holds a passkey of yours already. Use another one.";
    passkey_unsupported = "This browser or device cannot do passkeys with a PIN, fingerprint or face. Use another one.";
    passkey_insecure = "Passkeys work over HTTPS only. Open this page at Keywarden's own address.";
    passkey_address = "Passkeys belong to one address. Open this page at Keywarden's own address.";
    passkey_offline = "The server was not reached. Nothing was done. Try again.";
    passkey_failed = "That did not work. Nothing was done. Try again.";
    passkey_again = "The passkey's answer did not fit. Nothing was done. Try again.";
    passkey_verify = "Your passkey did not verify you. Set up a PIN, fingerprint or face for it, then try again.";
    passkey_another = "This passkey is not known here, or cannot be used for this. Try another one.";
    passkey_ask = "This passkey was refused for your safety. Ask an owner of this Keywarden to look at it.";
    passkey_took_too_long = "That took too long or was done before. Nothing was done now. Try again.";
    passkey_name_taken = "Another passkey of yours has this name. Choose another.";
    passkey_script = "Passkeys need JavaScript: it is the only part of this console that does. Allow it for this site and reload the page.";
    step_up = "Show your passkey";
    step_up_why = "What you asked for changes something, and your passkey was last shown more than five minutes ago. What you filled in is kept for ten minutes and sent as soon as you have shown it.";
    step_up_only_why = "What you asked for changes something, and your passkey was last shown more than five minutes ago.";
    step_up_do = "Use passkey";
    step_up_which(name: &str) = "Use the passkey {name}: it is the one that you signed in with. To use another one, sign out and sign in with it.";
    step_up_another = "This is not the passkey that you signed in with. Nothing was done. Use that one, or sign out and sign in with this one.";
    step_up_gone_why = "The passkey that you signed in with was removed from your account. To change anything, sign out and sign in with another one.";
}
