// A client of the second TypeScript SDK, in either era: node sdk2_client.mjs URL TOKEN PLAN ERA
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { carryOut } from './plan.mjs';

const [url, token, plan, era] = process.argv.slice(2);
const mode = era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
const client = new Client({ name: 'sdk2-client', version: '1.0.0' }, { versionNegotiation: { mode } });
const headers = { Authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
console.log(JSON.stringify(await carryOut(client, JSON.parse(plan))));
await client.close();
