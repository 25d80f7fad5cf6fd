"""An MCP server on standard input and output: one process, one child, and whatever a call asks for."""

import json
import os
import signal
import subprocess
import sys
import time

behaviour = sys.argv[1] if len(sys.argv) > 1 else "good"
if behaviour == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "987654"], stdin=subprocess.DEVNULL)
print("this is \x1b[31mstandard error\r\x07", file=sys.stderr, flush=True)

TOOLS = [
    {"name": name, "inputSchema": {"type": "object"}}
    for name in ("whoami", "environment", "crash", "noise", "slow", "hidden", "hold", "release", "flood", "seen")
]


def say(message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def text(value):
    return {"content": [{"type": "text", "text": value}]}


held, seen = [], []


def call(params):
    name = params.get("name")
    if name == "whoami":
        return text(json.dumps({"pid": os.getpid(), "child": child.pid, "argv": sys.argv[1:], "meta": params.get("_meta")}))
    if name == "environment":
        return text(json.dumps(dict(os.environ)))
    if name == "crash":
        os._exit(7)
    if name == "noise":
        sys.stdout.write("Debug: this is no message\n\n{\"half\": \n")
        say({"jsonrpc": "2.0", "method": "notifications/evil", "params": {}})
        say({"jsonrpc": "2.0", "id": "s", "method": "roots/list"})
    if name == "seen":
        return text(json.dumps(seen))
    if name == "flood":
        for number in range(100_000):
            say({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 1000}})
    if name == "slow":
        time.sleep(1)
    return text("done " + json.dumps(params.get("arguments")))


for line in sys.stdin:
    message = json.loads(line)
    seen.append({"method": message.get("method"), "id": message.get("id"), "params": message.get("params")})
    if behaviour == "mortal" and message.get("method") != "initialize":
        os._exit(7)
    if "id" not in message or "method" not in message:
        continue
    method, params = message["method"], message.get("params") or {}
    modern = "io.modelcontextprotocol/protocolVersion" in (params.get("_meta") or {})
    if behaviour == "modern" and not modern:
        say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32602, "message": "the metadata is missing"}})
        continue
    if method == "initialize":
        result = {
            "protocolVersion": params["protocolVersion"],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "stdio", "version": "1"},
        }
    elif method == "server/discover" and modern:
        result = {"supportedVersions": ["2026-07-28"] + ([] if behaviour == "modern" else ["2025-11-25"]), "capabilities": {"tools": {}}, "ttlMs": 0, "cacheScope": "private"}
    elif method == "tools/list":
        result = {"tools": TOOLS}
    elif method == "tools/call" and params.get("name") == "hold":
        held.append(message)
        progress = (params.get("_meta") or {}).get("progressToken")
        say({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": progress, "progress": 1}})
        continue
    elif method == "tools/call" and params.get("name") == "release":
        for other in reversed(held):
            done = text("held " + json.dumps(other["params"].get("arguments"))) | {"resultType": "complete"}
            say({"jsonrpc": "2.0", "id": other["id"], "result": done})
        held = []
        result = text("released")
    elif method == "tools/call":
        result = call(params)
    elif method == "subscriptions/listen":
        tag = {"io.modelcontextprotocol/subscriptionId": message["id"]}
        say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {"_meta": tag}})
        continue
    elif method == "ping":
        result = {}
    else:
        say({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "Method not found"}})
        continue
    if modern:
        result["resultType"] = "complete"
        if method == "tools/list":
            result |= {"ttlMs": 0, "cacheScope": "private"}
    say({"jsonrpc": "2.0", "id": message["id"], "result": result})

if behaviour == "stubborn":
    while True:
        time.sleep(3600)
child.kill()
