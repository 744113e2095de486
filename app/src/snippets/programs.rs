//! Reading a value in a program, with nothing but what its language brings along.

use super::Spot;

/// The standard library of Python 3.
pub(super) fn python(of: Spot<'_>) -> String {
    let (imports, value) = if of.binary {
        ("import base64\nimport json", "base64.b64decode(secret[\"value_base64\"])")
    } else {
        ("import json", "secret[\"value\"]")
    };
    let why = ",\n             \"Keywarden-Reason\": os.fsencode(os.environ[\"KEYWARDEN_REASON\"])";
    let why = if of.asks_why { why } else { "" };
    let Spot { project, environment, .. } = of;
    format!(
        r#"{imports}
import os
from urllib.parse import quote
from urllib.request import Request, urlopen

path = quote({path})
request = Request(
    f"{{os.environ['KEYWARDEN_SERVER']}}/api/v1/projects/{project}/environments/{environment}/secrets/{{path}}",
    headers={{"Authorization": f"Bearer {{os.environ['KEYWARDEN_TOKEN']}}"{why}}},
)
with urlopen(request, timeout=30) as answer:
    secret = json.load(answer)
value = {value}"#,
        path = literal(of.path),
    )
}

/// A module of Node.js.
pub(super) fn node(of: Spot<'_>) -> String {
    let value = if of.binary {
        "const value = Buffer.from((await answer.json()).value_base64, 'base64');"
    } else {
        "const { value } = await answer.json();"
    };
    // A header is written byte by byte.
    let why = ",\n    'keywarden-reason': Buffer.from(process.env.KEYWARDEN_REASON).toString('latin1')";
    let why = if of.asks_why { why } else { "" };
    let Spot { project, environment, .. } = of;
    format!(
        r"const path = {path}.split('/').map(encodeURIComponent).join('/');
const answer = await fetch(
  `${{process.env.KEYWARDEN_SERVER}}/api/v1/projects/{project}/environments/{environment}/secrets/${{path}}`,
  {{ headers: {{ authorization: `Bearer ${{process.env.KEYWARDEN_TOKEN}}`{why} }} }},
);
if (!answer.ok) throw new Error(`Keywarden answers ${{answer.status}}`);
{value}",
        path = literal(of.path),
    )
}

/// A function of Go, with what it imports.
pub(super) fn go(of: Spot<'_>) -> String {
    let (kind, none, field) =
        if of.binary { ("[]byte", "nil", "value_base64") } else { ("string", "\"\"", "value") };
    let why = "    request.Header.Set(\"Keywarden-Reason\", os.Getenv(\"KEYWARDEN_REASON\"))\n";
    let why = if of.asks_why { why } else { "" };
    let Spot { project, environment, .. } = of;
    let text = format!(
        r#"import (
    "encoding/json"
    "fmt"
    "net/http"
    "net/url"
    "os"
    "strings"
)

func secret() ({kind}, error) {{
    path := strings.Split({path}, "/")
    for at, name := range path {{
        path[at] = url.PathEscape(name)
    }}
    address := os.Getenv("KEYWARDEN_SERVER") +
        "/api/v1/projects/{project}/environments/{environment}/secrets/" + strings.Join(path, "/")
    request, err := http.NewRequest(http.MethodGet, address, nil)
    if err != nil {{
        return {none}, err
    }}
    request.Header.Set("Authorization", "Bearer "+os.Getenv("KEYWARDEN_TOKEN"))
{why}    response, err := http.DefaultClient.Do(request)
    if err != nil {{
        return {none}, err
    }}
    defer response.Body.Close()
    if response.StatusCode != http.StatusOK {{
        return {none}, fmt.Errorf("keywarden answers %s", response.Status)
    }}
    var answer struct {{
        Value {kind} `json:"{field}"`
    }}
    err = json.NewDecoder(response.Body).Decode(&answer)
    return answer.Value, err
}}"#,
        path = literal(of.path),
    );
    // As gofmt does it; no path holds two blanks in a row.
    text.replace("    ", "\t")
}

/// A path as a string of any of these languages: as JSON writes one. No path holds a control character.
fn literal(path: &str) -> String {
    serde_json::Value::from(path).to_string()
}
