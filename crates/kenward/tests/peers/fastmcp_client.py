"""A client of fastmcp, in either era: python fastmcp_client.py URL TOKEN PLAN ERA."""

import asyncio
import json
import sys

from fastmcp import Client
from fastmcp.client.transports import StreamableHttpTransport


async def one(client, step):
    match step["op"]:
        case "tools":
            return [tool.name for tool in await client.list_tools()]
        case "call":
            result = await client.call_tool_mcp(step["name"], step.get("arguments", {}))
            return result.model_dump(mode="json", by_alias=True, exclude_none=True)
        case "prompts":
            return [prompt.name for prompt in await client.list_prompts()]
        case "prompt":
            result = await client.get_prompt(step["name"], step.get("arguments"))
            return result.model_dump(mode="json", by_alias=True, exclude_none=True)
        case "resources":
            return [str(resource.uri) for resource in await client.list_resources()]
        case "read":
            contents = await client.read_resource(step["uri"])
            return {"contents": [content.model_dump(mode="json", by_alias=True) for content in contents]}
        case other:
            raise ValueError(f"no such step: {other}")


async def main():
    url, token, plan, era = sys.argv[1:5]
    transport = StreamableHttpTransport(url, headers={"Authorization": f"Bearer {token}"})
    mode = "2026-07-28" if era == "modern" else "legacy"
    outcomes = []
    async with Client(transport, mode=mode) as client:
        for step in json.loads(plan):
            try:
                outcomes.append({"ok": await one(client, step)})
            except Exception as error:  # every outcome is data
                code = getattr(getattr(error, "error", None), "code", None)
                outcomes.append({"error": {"code": code, "message": str(error)}})
    print(json.dumps(outcomes))


asyncio.run(main())
