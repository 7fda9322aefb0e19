// npm oidc-provider: client credentials with RS256 JWT access tokens for one resource, in a cluster.
// Usage: node server.mjs PORT WORKERS, with node_modules beside this file's copy.
import cluster from 'node:cluster'
import { generateKeyPairSync } from 'node:crypto'

const [port, workers] = process.argv.slice(2).map(Number)

if (cluster.isPrimary) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = JSON.stringify({ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'bench' })
  for (let number = 0; number < workers; number++) cluster.fork({ BENCH_KEY: key })
  cluster.on('exit', () => process.exit(1))
  process.on('SIGTERM', () => process.exit(0))
} else {
  process.env.NODE_ENV = 'production'
  const { default: Provider } = await import('oidc-provider')
  const resource = 'https://rs256.bench.example/'
  const provider = new Provider(`http://localhost:${port}`, {
    jwks: { keys: [JSON.parse(process.env.BENCH_KEY)] },
    cookies: { keys: ['for-a-benchmark-only'] },
    clients: [
      {
        client_id: 'bench',
        client_secret: 'a-secret-for-nothing-but-this-benchmark',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    scopes: ['read:bench', 'write:bench'],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => resource,
        getResourceServerInfo: () => ({
          scope: 'read:bench write:bench',
          audience: resource,
          accessTokenTTL: 86400,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  provider.listen(port, '127.0.0.1')
}
