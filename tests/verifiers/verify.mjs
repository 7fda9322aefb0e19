// Reads {issuer, audience, algorithm, tokens: {name: token}} from standard input; answers {name: "accepted" | reason}.
// Knows the issuer's address and nothing else: the keys are fetched from where discovery says they are.
import { readFileSync } from "node:fs";
import { createRemoteJWKSet, jwtVerify } from "jose";

const { issuer, audience, algorithm, tokens } = JSON.parse(readFileSync(0, "utf8"));
const metadata = await (await fetch(issuer + ".well-known/openid-configuration")).json();
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const answers = {};
for (const [name, token] of Object.entries(tokens)) {
  try {
    await jwtVerify(token, keys, { issuer: metadata.issuer, audience, algorithms: [algorithm] });
    answers[name] = "accepted";
  } catch (error) {
    answers[name] = error.code ?? String(error);
  }
}
console.log(JSON.stringify(answers));
