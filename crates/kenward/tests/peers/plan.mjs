// What the client scripts share: they carry out a plan and print what came of each step.

/** Runs `plan` (a list of { op, ... }) on an MCP client of either SDK; every outcome is data. */
export async function carryOut(client, plan) {
  const outcomes = [];
  for (const step of plan) {
    try {
      outcomes.push({ ok: await one(client, step) });
    } catch (error) {
      outcomes.push({ error: { code: error.code ?? null, message: String(error.message ?? error) } });
    }
  }
  return outcomes;
}

async function one(client, step) {
  switch (step.op) {
    case 'tools':
      return (await client.listTools()).tools.map((tool) => tool.name);
    case 'call':
      return client.callTool({ name: step.name, arguments: step.arguments ?? {} });
    case 'prompts':
      return (await client.listPrompts()).prompts.map((prompt) => prompt.name);
    case 'prompt':
      return client.getPrompt({ name: step.name, arguments: step.arguments });
    case 'resources':
      return (await client.listResources()).resources.map((resource) => resource.uri);
    case 'read':
      return client.readResource({ uri: step.uri });
    default:
      throw new Error(`no such step: ${step.op}`);
  }
}
