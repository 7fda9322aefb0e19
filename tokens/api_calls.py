"""A call of the API with an access token as a bearer token (RFC 6750 §2.1), as code in nine languages.

The token is read from the environment, and the console itself never makes this call.
"""

from apis.quoting import quoted


def curl(url: str) -> str:
    return f"""curl {quoted("bash", url)} \\
  --header "authorization: Bearer $ACCESS_TOKEN\""""


def python(url: str) -> str:
    return f"""import os
import requests

response = requests.get(
    {quoted("python", url)},
    headers={{"authorization": "Bearer " + os.environ["ACCESS_TOKEN"]}},
    timeout=10,
)
print(response.status_code, response.text)"""


def node(url: str) -> str:
    return f"""const response = await fetch({quoted("javascript", url)}, {{
  headers: {{ authorization: "Bearer " + process.env.ACCESS_TOKEN }},
}});
console.log(response.status, await response.text());"""


def go(url: str) -> str:
    return f"""package main

import (
\t"fmt"
\t"io"
\t"net/http"
\t"os"
)

func main() {{
\trequest, err := http.NewRequest("GET", {quoted("go", url)}, nil)
\tif err != nil {{
\t\tpanic(err)
\t}}
\trequest.Header.Set("authorization", "Bearer "+os.Getenv("ACCESS_TOKEN"))
\tresponse, err := http.DefaultClient.Do(request)
\tif err != nil {{
\t\tpanic(err)
\t}}
\tdefer response.Body.Close()
\tbody, _ := io.ReadAll(response.Body)
\tfmt.Println(response.StatusCode, string(body))
}}"""


def java(url: str) -> str:
    return f"""import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Main {{
    public static void main(String[] arguments) throws Exception {{
        HttpRequest request = HttpRequest.newBuilder(URI.create({quoted("java", url)}))
            .header("authorization", "Bearer " + System.getenv("ACCESS_TOKEN"))
            .build();
        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        System.out.println(response.statusCode() + " " + response.body());
    }}
}}"""


def csharp(url: str) -> str:
    return f"""using System.Net.Http.Headers;

using var http = new HttpClient();
var token = Environment.GetEnvironmentVariable("ACCESS_TOKEN");
http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
var response = await http.GetAsync({quoted("csharp", url)});
Console.WriteLine((int)response.StatusCode + " " + await response.Content.ReadAsStringAsync());"""


def php(url: str) -> str:
    return f"""<?php
$http = curl_init({quoted("php", url)});
curl_setopt_array($http, [
    CURLOPT_HTTPHEADER => ['authorization: Bearer ' . getenv('ACCESS_TOKEN')],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 10,
]);
$body = curl_exec($http);
echo curl_getinfo($http, CURLINFO_RESPONSE_CODE), ' ', $body, PHP_EOL;"""


def ruby(url: str) -> str:
    return f"""require 'net/http'

uri = URI({quoted("ruby", url)})
response = Net::HTTP.get_response(uri, 'authorization' => "Bearer #{{ENV.fetch('ACCESS_TOKEN')}}")
puts response.code, response.body"""


def rust(url: str) -> str:
    return f"""// Cargo.toml: reqwest = {{ version = "0.12", features = ["blocking"] }}
fn main() -> Result<(), Box<dyn std::error::Error>> {{
    let response = reqwest::blocking::Client::new()
        .get({quoted("rust", url)})
        .bearer_auth(std::env::var("ACCESS_TOKEN")?)
        .send()?;
    println!("{{}} {{}}", response.status(), response.text()?);
    Ok(())
}}"""
