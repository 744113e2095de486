//! Sign-in rules of workloads.

use keywarden_domain::exchange::{KeySetError, Why};
use keywarden_model::trust::{AudienceError, ClaimRulesError, HttpsUrlError};

use super::{Text, texts};

texts! {
    rules = "Sign-in rules";
    rules_why = "A rule lets this workload sign in with the token that its platform gives it, and get a service token for 15 minutes: no secret has to be stored there.";
    rules_none = "No rule yet";
    rules_add = "Add rule";
    rules_add_lead = "Which tokens may be exchanged. All of it must fit: issuer, audience and every claim.";
    rules_start = "Start from";
    rules_fill_in = "Fill in";
    rules_github = "GitHub Actions";
    rules_github_admits = "Admits jobs of one repository that run on one branch. Add repository_id, too: a name can be given to somebody else.";
    rules_gitlab = "GitLab CI";
    rules_gitlab_admits = "Admits jobs of one project that run on one protected branch.";
    rules_kubernetes = "Kubernetes";
    rules_kubernetes_admits = "Admits pods of one service account. Project its token into the pod with the audience below.";
    rules_issuer = "Issuer";
    rules_issuer_hint = "The token's iss, letter by letter.";
    rules_audience = "Audience";
    rules_audience_hint = "One value of the token's aud. Ask your platform for a token for just this server.";
    rules_claims = "Claims";
    rules_claims_hint = "One a line, name=value. At the end of a value, after a slash, * stands for one name: refs/heads/*";
    rules_keys = "The issuer's keys";
    rules_keys_discovery = "Ask the issuer";
    rules_keys_discovery_hint = "Its address and /.well-known/openid-configuration say where they are.";
    rules_keys_address = "From an address";
    rules_keys_address_hint = "Fetched by HTTPS when they are needed, and kept for minutes.";
    rules_keys_document = "From a document";
    rules_keys_document_hint = "For an issuer that cannot be reached from here. When it changes its keys, change them here.";
    rules_jwks_url = "Address of the keys";
    rules_jwks = "Document";
    rules_jwks_hint = "A JWKS. Of a Kubernetes cluster: kubectl get --raw /openid/v1/jwks";
    rules_single_use = "Take each token once only";
    rules_single_use_hint = "A token that was copied is worth nothing then. Not for a token that is shown again and again, as from a Kubernetes volume or a GitLab job.";
    rules_single_use_yes = "once only";
    rules_single_use_no = "until it expires";
    rules_taken = "A token counts";
    rules_last_used = "Last sign-in";
    rules_made = "The rule is added.";
    rules_rule = "Sign-in rule";
    rules_edit = "Edit rule";
    rules_edit_lead = "Service tokens that this rule gave stop when you save: they were got on other terms.";
    rules_filled = "Filled in from the token that was refused. Check that it is one of yours.";
    rules_delete = "Delete rule";
    rules_delete_title(issuer: &str) = "Delete the rule for {issuer}";
    rules_delete_breaks(name: &str) = "{name} can no longer sign in by it, and the service tokens that it gave stop within a second.";
    rules_deleted_now = "The rule is deleted.";
    rules_too_many = "This workload has as many rules as it may. Delete some first.";
    rules_changed = "Somebody edited this rule meanwhile. Look at it again.";
    rules_url_wrong = "Write an address as https://issuer.example.com/path, without user, ? or #.";
    rules_audience_wrong = "Use one word of visible characters, without *.";
    rules_claim_malformed(line: &str) = "{line} is no claim. Write name=value, one a line.";
    rules_claim_repeated(name: &str) = "{name} stands twice.";
    rules_claim_reserved(name: &str) = "{name} is checked for every token. Name another claim.";
    rules_claim_wide(value: &str) = "{value} could admit more than it says. * stands only at the end, after a slash, for one name.";
    rules_claims_empty = "Name at least one claim.";
    rules_claims_patterns = "Write at least one claim without *.";
    rules_claims_large = "Use at most 16 claims of at most 300 characters each.";
    rules_claims_anybody(names: &str) = "Anybody can get a token from this issuer. Name one of: {names}.";
    rules_jwks_none = "No key in it can prove a token. It takes RSA of at least 2048 bits, P-256, P-384 or Ed25519.";
    rules_jwks_no_set = "This is no JWKS.";
    rules_jwks_private = "A private key stands in it. Give only public keys, and replace that one: it has been shown.";
    rules_jwks_large = "Use at most 100 keys and 64 KiB.";

    refused_token = "The last token refused";
    refused_token_none = "None was refused";
    refused_token_none_why = "When a token of this issuer is signed well and does not fit, its claims are shown here.";
    refused_token_care = "Its signature was good. Whether it is one of yours is for you to say: at many issuers anybody can get a token.";
    refused_at = "Refused";
    refused_because = "Because";
    refused_claim = "Claim";
    refused_said = "It said";
    refused_wanted = "The rule wants";
    refused_differs = "Differs";
    refused_pin = "Pin";
    refused_pin_named(name: &str) = "Pin {name}";
    refused_use = "Use these claims";
    refused_audience = "It was made for another audience.";
    refused_claims = "A claim is not as the rule wants it.";
    refused_early = "It was not good yet. Do the clocks agree?";
    refused_expired = "It had expired.";
    refused_spent = "It was exchanged before, and this rule takes each token once.";
    refused_times = "It does not say from when to when it is good, or lasts longer than 24 hours.";
}

impl Text {
    /// What is wrong with claims.
    pub(crate) fn claims_wrong(self, wrong: &ClaimRulesError) -> String {
        match wrong {
            ClaimRulesError::Anybody { owners, .. } => self.rules_claims_anybody(&owners.join(", ")),
            ClaimRulesError::Empty => self.rules_claims_empty().to_owned(),
            ClaimRulesError::Malformed(line) => self.rules_claim_malformed(line),
            ClaimRulesError::OnlyPatterns => self.rules_claims_patterns().to_owned(),
            ClaimRulesError::Repeated(name) => self.rules_claim_repeated(name),
            ClaimRulesError::Reserved(name) => self.rules_claim_reserved(name),
            ClaimRulesError::TooLarge => self.rules_claims_large().to_owned(),
            ClaimRulesError::Wide(value) => self.rules_claim_wide(value),
        }
    }

    /// What is wrong with an address.
    pub(crate) fn https_wrong(self, wrong: HttpsUrlError) -> String {
        match wrong {
            HttpsUrlError::Malformed | HttpsUrlError::NotHttps => self.rules_url_wrong().to_owned(),
            HttpsUrlError::TooLong => self.form_too_long(keywarden_model::HttpsUrl::MAX),
        }
    }

    /// What is wrong with an audience.
    pub(crate) fn audience_wrong(self, _: AudienceError) -> String {
        self.rules_audience_wrong().to_owned()
    }

    /// What is wrong with a document of keys.
    pub(crate) fn jwks_wrong(self, wrong: KeySetError) -> &'static str {
        match wrong {
            KeySetError::NoKey => self.rules_jwks_none(),
            KeySetError::NoSet => self.rules_jwks_no_set(),
            KeySetError::Private => self.rules_jwks_private(),
            KeySetError::TooLong | KeySetError::TooMany => self.rules_jwks_large(),
        }
    }

    /// Why a token was refused.
    pub(crate) fn refused_why(self, why: Why) -> &'static str {
        match why {
            Why::Audience => self.refused_audience(),
            Why::Claims => self.refused_claims(),
            Why::Early => self.refused_early(),
            Why::Expired => self.refused_expired(),
            Why::Spent => self.refused_spent(),
            Why::Times => self.refused_times(),
        }
    }
}
