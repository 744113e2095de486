//! What the console fills in for a platform admits that platform's tokens of the place that was named, and no others.
//!
//! The claims are those that each platform's documentation shows of its tokens (GitHub: OpenID Connect reference; GitLab: ID
//! token authentication; Kubernetes: managing service accounts), with this house's clock and audience in them.

use keywarden_domain::{
    Source,
    exchange::{Exchange, shelf::Issuer},
};
use serde_json::{Value, json};

use super::{Stage, person, rules::cast};

/// What is written in a platform's tokens.
struct Platform {
    preset: &'static str,
    /// What a person writes in the place of what stands in the preset.
    written: &'static [(&'static str, &'static str)],
    header: Value,
    claims: Value,
}

impl Platform {
    /// The same token with some claims otherwise; `null` takes one away.
    fn but(&self, others: &Value) -> Value {
        let mut claims = self.claims.clone();
        for (name, value) in others.as_object().unwrap() {
            match value {
                Value::Null => claims.as_object_mut().unwrap().remove(name),
                value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        claims
    }
}

/// A job of `octo-org/octo-repo` on `main`, for an environment.
fn github(now: i64, audience: &str) -> Platform {
    Platform {
        preset: "github",
        written: &[("OWNER/REPOSITORY", "octo-org/octo-repo")],
        header: json!({ "typ": "JWT", "alg": "ES256", "x5t": "example-thumbprint", "kid": "k1" }),
        claims: json!({
            "jti": "example-id",
            "sub": "repo:octo-org/octo-repo:environment:prod",
            "environment": "prod",
            "aud": audience,
            "ref": "refs/heads/main",
            "sha": "example-sha",
            "repository": "octo-org/octo-repo",
            "repository_owner": "octo-org",
            "actor_id": "12",
            "repository_visibility": "private",
            "repository_id": "74",
            "repository_owner_id": "65",
            "run_id": "example-run-id",
            "run_number": "10",
            "run_attempt": "2",
            "runner_environment": "github-hosted",
            "actor": "octocat",
            "workflow": "example-workflow",
            "head_ref": "",
            "base_ref": "",
            "event_name": "workflow_dispatch",
            "enterprise": "avocado-corp",
            "enterprise_id": "2",
            "ref_type": "branch",
            "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
            "iss": "https://token.actions.githubusercontent.com",
            "nbf": now - 600, "iat": now, "exp": now + 300,
        }),
    }
}

/// A job of `my-group/my-project` on its protected `main`.
fn gitlab(now: i64, audience: &str) -> Platform {
    Platform {
        preset: "gitlab",
        written: &[("GROUP/PROJECT", "my-group/my-project")],
        header: json!({ "kid": "k1", "typ": "JWT", "alg": "ES256" }),
        claims: json!({
            "namespace_id": "72",
            "namespace_path": "my-group",
            "project_id": "20",
            "project_path": "my-group/my-project",
            "user_id": "1",
            "user_login": "sample-user",
            "user_email": "sample-user@example.com",
            "user_identities": [
                { "provider": "github", "extern_uid": "2435223452345" },
                { "provider": "bitbucket", "extern_uid": "john.smith" },
            ],
            "pipeline_id": "574",
            "pipeline_source": "push",
            "job_id": "302",
            "ref": "main",
            "ref_type": "branch",
            "ref_path": "refs/heads/main",
            "ref_protected": "true",
            "groups_direct": ["mygroup/mysubgroup", "myothergroup/myothersubgroup"],
            "environment": "test-environment2",
            "environment_protected": "false",
            "deployment_tier": "testing",
            "environment_action": "start",
            "runner_id": 1,
            "runner_environment": "self-hosted",
            "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
            "project_visibility": "public",
            "ci_config_ref_uri": "gitlab.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main",
            "ci_config_sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
            "jti": "235b3a54-b797-45c7-ae9a-f72d7bc6ef5b",
            "iss": "https://gitlab.com",
            "iat": now, "nbf": now - 5, "exp": now + 3600,
            "sub": "project_path:my-group/my-project:ref_type:branch:ref:main",
            "aud": audience,
        }),
    }
}

/// A pod of the service account `coredns`, into which a token for this house is projected for an hour.
fn kubernetes(now: i64, audience: &str) -> Platform {
    Platform {
        preset: "kubernetes",
        written: &[("NAMESPACE", "kube-system"), ("NAME", "coredns")],
        header: json!({ "alg": "ES256", "kid": "k1" }),
        claims: json!({
            "aud": [audience],
            "exp": now + 3600,
            "iat": now,
            "iss": "https://kubernetes.default.svc.cluster.local",
            "jti": "ea28ed49-2e11-4280-9ec5-bc3d1d84661a",
            "kubernetes.io": {
                "namespace": "kube-system",
                "node": { "name": "127.0.0.1", "uid": "58456cb0-dd00-45ed-b797-5578fdceaced" },
                "pod": { "name": "coredns-69cbfb9798-jv9gn", "uid": "778a530c-b3f4-47c0-9cd5-ab018fb64f33" },
                "serviceaccount": { "name": "coredns", "uid": "a087d5a0-e1dd-43ec-93ac-f13d89cd13af" },
            },
            "nbf": now,
            "sub": "system:serviceaccount:kube-system:coredns",
        }),
    }
}

/// The tag of a field, with what follows it up to the next one.
fn field<'a>(page: &'a str, name: &str) -> &'a str {
    let named = format!("name=\"{name}\"");
    page.split('<').find(|tag| tag.contains(&named)).unwrap_or_else(|| panic!("{name} is not in {page}"))
}

/// What a line is filled in with.
fn line<'a>(page: &'a str, name: &str) -> &'a str {
    field(page, name).split("value=\"").nth(1).unwrap().split('"').next().unwrap()
}

/// A house with a rule that was made from the platform's preset and nothing else, and the platform's issuer.
async fn house_with(platform: impl Fn(i64, &str) -> Platform) -> (Stage, Platform, Issuer) {
    let (stage, workload, [bob, ..]) = cast().await;
    let origin = stage.cast.domain.settings().origin.clone();
    let platform = platform(stage.cast.now().timestamp(), &origin);
    let form = format!("/workloads/{workload}/rules/new");
    let page = stage.get(person(&bob), &format!("{form}?preset={}", platform.preset)).await.body;
    let mut claims = field(&page, "claims").split_once('>').unwrap().1.trim().to_owned();
    for (stands, is_written) in platform.written {
        assert!(claims.contains(stands), "{stands}: {claims}");
        claims = claims.replacen(stands, is_written, 1);
    }
    let issuer = Issuer::new(line(&page, "issuer"), "k1", 7);
    assert_eq!(platform.claims["iss"], issuer.url, "the preset is of this issuer");
    let keys = issuer.jwks();
    let mut posted = form_urlencoded::Serializer::new(String::new());
    posted.append_pair("idempotency_key", "0123456789abcdef").append_pair("issuer", &issuer.url);
    posted.append_pair("audience", line(&page, "audience")).append_pair("claims", &claims);
    posted.append_pair("keys", "document").append_pair("jwks", &keys);
    if field(&page, "single_use").contains("checked") {
        posted.append_pair("single_use", "1");
    }
    let made = stage.post(person(&bob), &form, &posted.finish()).await;
    assert_eq!(made.status, 303, "{}", made.body);
    (stage, platform, issuer)
}

async fn admits(stage: &Stage, issuer: &Issuer, header: &Value, claims: &Value) -> bool {
    let token = issuer.sign_with(header, &claims.to_string());
    let request = stage.cast.domain.env().id(stage.cast.now());
    let asked = Exchange { token: &token, workload: None };
    stage.cast.domain.exchange(&Source::default(), request, asked).await.is_ok()
}

/// Refuses each of these others, then takes the platform's own, and says whether it takes it twice.
async fn takes_only_its_own(
    platform: impl Fn(i64, &str) -> Platform,
    others: impl Fn(i64) -> Vec<Value>,
) -> bool {
    let (stage, platform, issuer) = house_with(platform).await;
    let header = &platform.header;
    for other in others(stage.cast.now().timestamp()) {
        assert!(!admits(&stage, &issuer, header, &platform.but(&other)).await, "{other}");
    }
    let forger = Issuer::new(&issuer.url, "k1", 8);
    assert!(!admits(&stage, &forger, header, &platform.claims).await, "by another key");
    assert!(admits(&stage, &issuer, header, &platform.claims).await, "its own");
    admits(&stage, &issuer, header, &platform.claims).await
}

#[tokio::test]
async fn the_preset_of_github_takes_jobs_of_one_repository_and_branch_once() {
    let others = |now: i64| {
        vec![
            json!({ "repository": "octo-org/other-repo", "sub": "repo:octo-org/other-repo:environment:prod" }),
            // A fork has the same name under another owner, and a longer name begins alike.
            json!({ "repository": "mallory/octo-repo", "repository_owner": "mallory" }),
            json!({ "repository": "octo-org/octo-repo2" }),
            json!({ "repository": "Octo-Org/octo-repo" }),
            json!({ "repository": null }),
            json!({ "ref": "refs/heads/feature" }),
            json!({ "ref": "refs/pull/1/merge", "event_name": "pull_request", "head_ref": "main", "base_ref": "main" }),
            json!({ "ref": "refs/tags/main", "ref_type": "tag" }),
            // What a job gets that names no audience.
            json!({ "aud": "https://github.com/octo-org" }),
            json!({ "aud": null }),
            json!({ "iss": "https://token.actions.githubusercontent.com/octo-org" }),
            json!({ "nbf": now - 1500, "iat": now - 900, "exp": now - 600 }),
        ]
    };
    assert!(!takes_only_its_own(github, others).await, "each token counts once");
}

#[tokio::test]
async fn the_preset_of_gitlab_takes_jobs_of_one_project_and_protected_branch() {
    let others = |now: i64| {
        vec![
            json!({ "project_path": "my-group/other", "sub": "project_path:my-group/other:ref_type:branch:ref:main" }),
            json!({ "project_path": "other-group/my-project", "namespace_path": "other-group" }),
            json!({ "project_path": "my-group/my-project/sub" }),
            json!({ "project_path": null }),
            json!({ "ref": "feature-branch-1", "ref_path": "refs/heads/feature-branch-1", "ref_protected": "false" }),
            json!({ "ref_protected": "false" }),
            json!({ "aud": "https://vault.example.com" }),
            json!({ "aud": null }),
            json!({ "iss": "https://gitlab.example.com" }),
            json!({ "iat": now - 7200, "nbf": now - 7205, "exp": now - 3600 }),
        ]
    };
    assert!(takes_only_its_own(gitlab, others).await, "a job shows its token again and again");
}

#[tokio::test]
async fn the_preset_of_kubernetes_takes_pods_of_one_service_account() {
    let others = |now: i64| {
        vec![
            json!({ "sub": "system:serviceaccount:kube-system:default" }),
            json!({ "sub": "system:serviceaccount:default:coredns" }),
            json!({ "sub": "system:serviceaccount:kube-system:coredns2" }),
            json!({ "sub": "system:node:127.0.0.1" }),
            json!({ "sub": null }),
            // The token that every pod has for the cluster itself, which is good for a year.
            json!({ "aud": ["https://kubernetes.default.svc.cluster.local"] }),
            json!({ "aud": ["https://kubernetes.default.svc.cluster.local"], "exp": now + 31_536_000 }),
            json!({ "exp": now + 31_536_000 }),
            json!({ "aud": [] }),
            json!({ "aud": null }),
            json!({ "iss": "https://kubernetes.default.svc" }),
            json!({ "nbf": now - 7200, "iat": now - 7200, "exp": now - 3600 }),
        ]
    };
    assert!(takes_only_its_own(kubernetes, others).await, "a pod shows its token again and again");
}
