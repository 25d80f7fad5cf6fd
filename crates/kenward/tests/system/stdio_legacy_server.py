"""An MCP server of 2024-11-05 on standard input and output: it knows nothing of later revisions."""

import json
import os
import sys

TOOLS = [{"name": name, "inputSchema": {"type": "object"}} for name in ("whoami", "ask", "steps", "hidden")]
ready = False
handshakes = 0


def say(message):
    sys.stdout.write(json.dumps({"jsonrpc": "2.0"} | message) + "\n")
    sys.stdout.flush()


def text(value):
    return {"content": [{"type": "text", "text": value}]}


def answer_of(id):
    for line in sys.stdin:
        message = json.loads(line)
        if message.get("id") == id and "method" not in message:
            return message.get("result")


def call(params):
    name, meta = params.get("name"), params.get("_meta") or {}
    if name == "ask":
        say({"id": "question", "method": "elicitation/create", "params": {
            "message": "Go on?", "requestedSchema": {"type": "object", "properties": {"ok": {"type": "boolean"}}}}})
        return text("answered " + json.dumps(answer_of("question")))
    if name == "steps":
        for step in (1, 2):
            say({"method": "notifications/progress", "params": {"progressToken": meta.get("progressToken"), "progress": step}})
        say({"method": "notifications/message", "params": {"level": "info", "data": "unasked"}})
        return text("stepped")
    return text(json.dumps({"pid": os.getpid(), "handshakes": handshakes, "meta": sorted(meta)}))


for line in sys.stdin:
    message = json.loads(line)
    method, params = message.get("method"), message.get("params") or {}
    if method == "initialize":
        handshakes += 1
        result = {"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": {"name": "old", "version": "1"}}
    elif method == "notifications/initialized":
        ready = True
        continue
    elif "id" not in message or method is None:
        continue
    elif method == "ping":
        result = {}
    elif not ready:
        say({"id": message["id"], "error": {"code": -32600, "message": "initialize first"}})
        continue
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif method == "tools/call":
        result = call(params)
    else:
        say({"id": message["id"], "error": {"code": -32601, "message": "Method not found"}})
        continue
    say({"id": message["id"], "result": result})
