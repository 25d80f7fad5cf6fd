// A client of the first TypeScript SDK: node sdk_client.mjs URL TOKEN PLAN
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { carryOut } from './plan.mjs';

const [url, token, plan] = process.argv.slice(2);
const client = new Client({ name: 'sdk-client', version: '1.0.0' });
const headers = { Authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
console.log(JSON.stringify(await carryOut(client, JSON.parse(plan))));
await client.close();
