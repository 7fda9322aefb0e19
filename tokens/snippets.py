"""The token request, and a call of the API, as code in nine languages.

All of them are written from one request, so they cannot disagree. The client secret is never a value here: the code
reads it from the environment.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from apis.quoting import quoted
from tokens import api_calls

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
SECRET = "client_secret"


@dataclass(frozen=True)
class TokenRequest:
    """A client credentials request (RFC 6749 §4.4.2) as somebody would send it.

    scopes: None asks for every granted scope. as_json: Auth0's body instead of the form of RFC 6749.
    """

    url: str
    client_id: str
    audience: str
    scopes: Sequence[str] | None = None
    as_json: bool = False

    @property
    def content_type(self) -> str:
        return JSON if self.as_json else FORM

    @property
    def parameters(self) -> list[tuple[str, str | None]]:
        """Return the body's members in order; the secret's value is None."""
        members: list[tuple[str, str | None]] = [
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id),
            (SECRET, None),
            ("audience", self.audience),
        ]
        return members + ([("scope", " ".join(self.scopes))] if self.scopes else [])


@dataclass(frozen=True)
class Panel:
    """One language's code: `key` is what the browser remembers, `language` what colours it."""

    key: str
    label: str
    language: str
    code: str


def token_panels(request: TokenRequest) -> list[Panel]:
    """Return the token request in every language."""
    return [Panel(key, label, language, write(request)) for key, label, language, write, _ in LANGUAGES]


def call_panels(url: str) -> list[Panel]:
    """Return a call of the API at `url` with the token in $ACCESS_TOKEN, in every language (RFC 6750 §2.1)."""
    return [Panel(key, label, language, write(url)) for key, label, language, _, write in LANGUAGES]


def _lines(request: TokenRequest, language: str, secret: str, line: Callable[[str, str], str]) -> str:
    """Return one line per parameter; `line` gets its name and value as literals of `language`."""
    return "\n".join(
        line(quoted(language, name), secret if value is None else quoted(language, value))
        for name, value in request.parameters
    )


def _around_secret(request: TokenRequest) -> tuple[str, str]:
    """Return the JSON body before and after the secret's characters."""
    at = [name for name, _ in request.parameters].index(SECRET)
    before, after = dict(request.parameters[:at]), dict(request.parameters[at + 1 :])
    return (
        json.dumps(before, ensure_ascii=False)[:-1] + f', "{SECRET}": "',
        '", ' + json.dumps(after, ensure_ascii=False)[1:],
    )


def _curl(request: TokenRequest) -> str:
    lines = [f"curl --request POST {quoted('bash', request.url)}"]
    if request.as_json:
        before, after = _around_secret(request)
        body = quoted("bash", before) + '"$CLIENT_SECRET"' + quoted("bash", after)
        lines += [f"--header 'content-type: {JSON}'", f"--data {body}"]
    else:
        for name, value in request.parameters:
            content = '"client_secret=$CLIENT_SECRET"' if value is None else quoted("bash", f"{name}={value}")
            lines.append(f"--data-urlencode {content}")
    return " \\\n  ".join(lines)


def _python(request: TokenRequest) -> str:
    return f"""import os
import requests

response = requests.post(
    {quoted("python", request.url)},
    {"json" if request.as_json else "data"}={{
{_lines(request, "python", 'os.environ["CLIENT_SECRET"]', lambda name, value: f"        {name}: {value},")}
    }},
    timeout=10,
)
response.raise_for_status()
print(response.json()["access_token"])"""


def _node(request: TokenRequest) -> str:
    members = _lines(request, "javascript", "process.env.CLIENT_SECRET", lambda name, value: f"    {name}: {value},")
    opening, closing = ("JSON.stringify({", "})") if request.as_json else ("new URLSearchParams({", "})")
    headers = f'\n  headers: {{ "content-type": "{JSON}" }},' if request.as_json else ""
    return f"""const response = await fetch({quoted("javascript", request.url)}, {{
  method: "POST",{headers}
  body: {opening}
{members}
  {closing},
}});
if (!response.ok) throw new Error(await response.text());
const {{ access_token }} = await response.json();
console.log(access_token);"""


def _go(request: TokenRequest) -> str:
    secret = 'os.Getenv("CLIENT_SECRET")'
    if request.as_json:
        imports = '\t"bytes"\n\t"encoding/json"\n\t"fmt"\n\t"net/http"\n\t"os"'
        members = _lines(request, "go", secret, lambda name, value: f"\t\t{name}: {value},")
        send = f"""\tbody, _ := json.Marshal(map[string]string{{
{members}
\t}})
\tresponse, err := http.Post({quoted("go", request.url)}, "{JSON}", bytes.NewReader(body))"""
    else:
        imports = '\t"encoding/json"\n\t"fmt"\n\t"net/http"\n\t"net/url"\n\t"os"'
        members = _lines(request, "go", secret, lambda name, value: f"\t\t{name}: {{{value}}},")
        send = f"""\tresponse, err := http.PostForm({quoted("go", request.url)}, url.Values{{
{members}
\t}})"""
    return f"""package main

import (
{imports}
)

func main() {{
{send}
\tif err != nil {{
\t\tpanic(err)
\t}}
\tdefer response.Body.Close()
\tvar answer map[string]any
\tif err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != 200 {{
\t\tpanic(fmt.Sprint(response.Status, " ", answer["error_description"], err))
\t}}
\tfmt.Println(answer["access_token"])
}}"""


def _java(request: TokenRequest) -> str:
    secret = 'System.getenv("CLIENT_SECRET")'
    if request.as_json:
        before, after = _around_secret(request)
        body = f"{quoted('java', before)}\n            + {secret} + {quoted('java', after)}"
        imports = helper = ""
    else:
        members = _lines(request, "java", secret, lambda name, value: f'{name[:-1]}=" + encode({value})')
        body = members.replace('\n"', '\n            + "&')
        imports = "import java.net.URLEncoder;\nimport java.nio.charset.StandardCharsets;\n"
        helper = """

    static String encode(String value) {
        return URLEncoder.encode(value, StandardCharsets.UTF_8);
    }"""
    return f"""import java.net.URI;
{imports}import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Main {{
    public static void main(String[] arguments) throws Exception {{
        String body = {body};
        HttpRequest request = HttpRequest.newBuilder(URI.create({quoted("java", request.url)}))
            .header("content-type", "{request.content_type}")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IllegalStateException(response.body());
        System.out.println(response.body());
    }}{helper}
}}"""


def _csharp(request: TokenRequest) -> str:
    secret = 'Environment.GetEnvironmentVariable("CLIENT_SECRET")!'
    members = _lines(request, "csharp", secret, lambda name, value: f"    [{name}] = {value},")
    content = "JsonContent.Create(body)" if request.as_json else "new FormUrlEncodedContent(body)"
    return f"""using System.Net.Http.Json;
using System.Text.Json;

var body = new Dictionary<string, string>
{{
{members}
}};
using var http = new HttpClient();
var response = await http.PostAsync({quoted("csharp", request.url)}, {content});
response.EnsureSuccessStatusCode();
var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
Console.WriteLine(answer.GetProperty("access_token").GetString());"""


def _php(request: TokenRequest) -> str:
    members = _lines(request, "php", "getenv('CLIENT_SECRET')", lambda name, value: f"    {name} => {value},")
    encode = "json_encode($body)" if request.as_json else "http_build_query($body)"
    return f"""<?php
$body = [
{members}
];
$http = curl_init({quoted("php", request.url)});
curl_setopt_array($http, [
    CURLOPT_POST => true,
    CURLOPT_POSTFIELDS => {encode},
    CURLOPT_HTTPHEADER => ['content-type: {request.content_type}'],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 10,
]);
$answer = json_decode(curl_exec($http), true);
if (curl_getinfo($http, CURLINFO_RESPONSE_CODE) !== 200) {{
    throw new RuntimeException($answer['error_description'] ?? 'No answer.');
}}
echo $answer['access_token'], PHP_EOL;"""


def _ruby(request: TokenRequest) -> str:
    members = _lines(request, "ruby", "ENV.fetch('CLIENT_SECRET')", lambda name, value: f"  {name} => {value},")
    send = (
        f"Net::HTTP.post(uri, JSON.generate(body), 'content-type' => '{JSON}')"
        if request.as_json
        else "Net::HTTP.post_form(uri, body)"
    )
    return f"""require 'json'
require 'net/http'

uri = URI({quoted("ruby", request.url)})
body = {{
{members}
}}
response = {send}
abort response.body unless response.is_a?(Net::HTTPOK)
puts JSON.parse(response.body)['access_token']"""


def _rust(request: TokenRequest) -> str:
    members = _lines(request, "rust", "secret.as_str()", lambda name, value: f"        ({name}, {value}),")
    send = ".json(&std::collections::HashMap::from(body))" if request.as_json else ".form(&body)"
    return f"""// Cargo.toml: reqwest = {{ version = "0.12", features = ["blocking", "json"] }}, serde_json = "1"
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let secret = std::env::var("CLIENT_SECRET")?;
    let body = [
{members}
    ];
    let answer: serde_json::Value = reqwest::blocking::Client::new()
        .post({quoted("rust", request.url)})
        {send}
        .send()?
        .error_for_status()?
        .json()?;
    println!("{{}}", answer["access_token"].as_str().unwrap_or_default());
    Ok(())
}}"""


Language = tuple[str, str, str, Callable[[TokenRequest], str], Callable[[str], str]]

LANGUAGES: list[Language] = [
    ("curl", "cURL", "bash", _curl, api_calls.curl),
    ("python", "Python", "python", _python, api_calls.python),
    ("node", "Node.js", "javascript", _node, api_calls.node),
    ("go", "Go", "go", _go, api_calls.go),
    ("java", "Java", "java", _java, api_calls.java),
    ("csharp", "C#", "csharp", _csharp, api_calls.csharp),
    ("php", "PHP", "php", _php, api_calls.php),
    ("ruby", "Ruby", "ruby", _ruby, api_calls.ruby),
    ("rust", "Rust", "rust", _rust, api_calls.rust),
]
