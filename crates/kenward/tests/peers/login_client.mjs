// A client that has no token yet and follows the gateway's 401 to the issuer, as the specification
// says (RFC 9728, RFC 8414, RFC 7636, RFC 8707): node login_client.mjs URL USER PLAN
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { carryOut } from './plan.mjs';

const [url, user, plan] = process.argv.slice(2);
const redirectUrl = 'http://127.0.0.1/callback';
const kept = {};

const authProvider = {
  redirectUrl,
  clientMetadata: { redirect_uris: [redirectUrl], client_name: 'login-client' },
  clientInformation: () => ({ client_id: 'agent-1' }),
  tokens: () => kept.tokens,
  saveTokens: (tokens) => void (kept.tokens = tokens),
  saveCodeVerifier: (verifier) => void (kept.verifier = verifier),
  codeVerifier: () => kept.verifier,
  redirectToAuthorization: async (target) => {
    target.searchParams.set('login_hint', user);
    kept.code = await browse(target);
  },
};

/** Follows redirects with cookies as a browser does, to the code in the last one. */
async function browse(target) {
  const cookies = new Map();
  for (let hops = 0; hops < 12; hops += 1) {
    if (String(target).startsWith(redirectUrl)) {
      const code = target.searchParams.get('code');
      if (!code) throw new Error(`no code: ${target.search}`);
      return code;
    }
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(target, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(';')[0].split('=');
      cookies.set(name, value);
    }
    const next = response.headers.get('location');
    if (!next) throw new Error(`stuck at ${target}: ${response.status} ${await response.text()}`);
    target = new URL(next, target);
  }
  throw new Error('too many redirects');
}

const client = new Client({ name: 'login-client', version: '1.0.0' });
const transport = () => new StreamableHTTPClientTransport(new URL(url), { authProvider });
const first = transport();
try {
  await client.connect(first);
  throw new Error('connected without a token');
} catch (error) {
  if (!(error instanceof UnauthorizedError)) throw error;
  await first.finishAuth(kept.code);
}
await client.connect(transport());
console.log(JSON.stringify(await carryOut(client, JSON.parse(plan))));
await client.close();
