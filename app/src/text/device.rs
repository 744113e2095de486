//! Letting a terminal in.

use super::texts;

texts! {
    device = "Sign in a terminal";
    device_lead = "A command line that ran keywarden login shows a code. Whoever enters it here lets that command line act as them.";
    device_code = "Code";
    device_code_hint = "Eight letters, as in WDJB-MJHT. Small letters and spaces do no harm.";
    device_look = "Continue";
    device_gone = "No terminal waits with this code. Look at it again, or run keywarden login anew.";
    device_agent = "Program";
    device_asked = "Asked";
    device_until = "Waits until";
    device_unknown = "Unknown";
    device_title(code: &str) = "Let the terminal {code} act as you?";
    device_acts(hours: i64) = "It may do all that you may, for at most {hours} hour." | "It may do all that you may, for at most {hours} hours.";
    device_passkey = "What needs your passkey it can do for five minutes after you showed it. Then it is to be signed in again.";
    device_yours = "Let it in only if you began this yourself, just now, and it is the terminal in front of you. Nobody else has a reason to send you a code.";
    device_not_yet(from: &str) = "Your passkey is new: it lets terminals in from {from} on. Sign in with an older one, or come back then.";
    device_approve = "Let it in";
    device_refuse = "Keep it out";
    device_approved = "The terminal is let in. It is among your sessions as soon as it asks again.";
    device_refused = "The terminal is kept out.";
}
