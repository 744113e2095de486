//! Kinds of problems (RFC 9457): what a refusal is called, by every door and at `/api/docs/problems`.
//!
//! To add a kind: one row. Doors make problems of these kinds only, so that each `type` leads to its words.

macro_rules! kinds {
    ($($name:ident = $slug:literal, $status:literal, $title:literal, $cause:literal, $remedy:literal;)*) => {
        /// Kinds of problems. Slugs are stable: callers match on them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ProblemKind {
            $(#[doc = $cause] $name,)*
        }

        impl ProblemKind {
            /// All of them, by their names.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The stable word at the end of `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$name => $slug,)* }
            }

            /// The HTTP status it comes with.
            pub const fn status(self) -> u16 {
                match self { $(Self::$name => $status,)* }
            }

            /// The kind in words.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// Why it happens: one sentence.
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause,)* }
            }

            /// What to do: one sentence.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }
        }
    };
}

kinds! {
    BreaksStandard = "breaks-standard", 422, "Breaks a standard",
        "What was asked for would break a standard that is in force where it is: `detail` names it and what it asks for.",
        "Do as it asks, or talk with whoever decides about it; `GET /api/v1/standards` lists those that you may see.";
    Closed = "closed", 503, "Closed after a restore",
        "This server was restored from a backup, and nobody has accepted yet what is lost by that.",
        "The operator accepts the gap by name; until then every door stays shut.";
    Conflict = "conflict", 409, "Conflict with what is there",
        "The state of the thing does not allow it, or a name is taken.",
        "Read the thing again and decide anew, or choose another name.";
    CrossSite = "cross-site", 403, "Cross-site request",
        "The request came from another site's page, or does not say from which page it came.",
        "Open the console at its own address and try again there.";
    Done = "already-done", 409, "Already done",
        "It was done before under this idempotency key; its secret is not shown again.",
        "Take what `id` names; if its secret is lost, make a new one under a new idempotency key.";
    Forbidden = "forbidden", 403, "Not allowed",
        "The caller may see the thing, but not do this.",
        "Ask an owner or a manager for a role that allows it.";
    Guessable = "guessable-value", 422, "Value could be guessed",
        "Nothing is said of a value that is short or was made by a person.",
        "Look for it where secrets of that kind are kept; only long random values are compared.";
    Internal = "internal", 500, "Internal error",
        "Something went wrong on the server's side.",
        "Look whether it was done before you try again; `instance` finds the cause in the server's log.";
    Invalid = "invalid", 422, "Invalid request",
        "Fields are not what they must be.",
        "Mend what `errors` points at.";
    Malformed = "malformed-json", 400, "Malformed JSON",
        "The body is not one JSON text.",
        "Send one JSON text in UTF-8, each name in it once.";
    Method = "method-not-allowed", 405, "Method not allowed",
        "The address has other methods.",
        "Use one that `Allow` names.";
    NoDatabase = "no-database", 503, "No database",
        "The database of this node does not answer.",
        "Wait until it does: the node goes on by itself.";
    NoReason = "reason-needed", 422, "Reason needed",
        "The environment asks why its values are read.",
        "Send `Keywarden-Reason` with 3 to 200 characters.";
    NotFound = "not-found", 404, "Not found",
        "There is no such thing, or the caller may not know of it.",
        "Look at the address and at the caller's roles: Keywarden does not say which it is.";
    OutsideValidity = "outside-validity", 409, "Outside its validity",
        "The version of the secret is not read yet, or not any more: it was put with a time within which it is.",
        "Read another version, or put a new one.";
    Parameter = "invalid-parameter", 400, "Invalid parameter",
        "A parameter of the query, the path or a header cannot be read.",
        "Mend what `errors` names.";
    Precondition = "precondition-failed", 412, "Changed in the meantime",
        "`If-Match` names another version than the one that is there.",
        "Read it again, and send the change with the new `ETag`.";
    ProjectSealed = "project-sealed", 503, "Project sealed",
        "The project has a seal of its own, and that seal is away: its secrets cannot be opened until it is back.",
        "Ask whoever keeps that seal to bring it back; other projects, and this one's API keys, go on meanwhile.";
    Reused = "idempotency-key-reused", 422, "Idempotency key reused",
        "The idempotency key was used for another request.",
        "Use a new key for each new request.";
    Sealed = "sealed", 503, "Sealed",
        "This node has no keys in memory: its HSM is away, or it was sealed.",
        "Wait as long as `Retry-After` says: it unseals by itself when the HSM is back, else the operator unseals it.";
    Starting = "starting", 503, "Starting",
        "This node has just begun.",
        "Try again in a moment.";
    Timeout = "timeout", 503, "Request stopped",
        "The request took too long and was stopped.",
        "Look whether it was done, or send it again with the same idempotency key.";
    TooLarge = "too-large", 413, "Request too large",
        "The body is longer than a body may be.",
        "Send less at once.";
    TooMany = "too-many-requests", 429, "Too many requests",
        "Too much came from this address.",
        "Wait as long as `Retry-After` says.";
    TooManyChecks = "too-many-checks", 429, "Too many checks",
        "The caller asked about as many values as it may in a minute.",
        "Wait a minute, then ask again.";
    TooManyExports = "too-many-exports", 429, "Too many exports",
        "As many exports of the record are under way as this caller or the server may have.",
        "Wait until one has ended, then go on after the last event that you have.";
    TooManyStreams = "too-many-streams", 429, "Too many streams",
        "As many streams are open as this token, its caller, the project or the server may have.",
        "Close one first.";
    Unauthenticated = "unauthenticated", 401, "Not authenticated",
        "There is no token, or it is not good.",
        "Send `Authorization: Bearer` with a token that has not ended.";
    Unavailable = "unavailable", 503, "Not available now",
        "The database or the HSM is away for a moment; nothing was done.",
        "Try again as `Retry-After` says.";
    Unresolved = "unresolved-reference", 409, "Unresolved reference",
        "The value is a template, and something that it refers to cannot be read: it is missing, shut, too much, or leads in a circle.",
        "Mend what `detail` names, or ask with `raw=true` for the text as it was put.";
    UnsupportedType = "unsupported-media-type", 415, "Unsupported media type",
        "The body is of another kind than this address takes.",
        "Send what the description names, and its `Content-Type`.";
}

impl ProblemKind {
    /// Where the kind is explained, on this server: RFC 9457's `type`.
    pub fn address(self) -> String {
        format!("/api/docs/problems#{}", self.slug())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_says_why_and_what_to_do() {
        let slugs: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.slug()).collect();
        assert_eq!(slugs.len(), ProblemKind::ALL.len());
        for kind in ProblemKind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
            assert!(kind.slug().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{kind:?}");
            assert!(kind.cause().ends_with('.') && kind.remedy().ends_with('.'), "{kind:?}");
        }
    }
}
